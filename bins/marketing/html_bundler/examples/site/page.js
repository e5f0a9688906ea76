document.title = "Small page, ready";
