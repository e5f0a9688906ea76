"use strict";
{
  const most = 200;
  const box = document.getElementById("words");
  const said = document.getElementById("said");
  const found = document.getElementById("found");
  const rows = [].concat(...(window.exportedMessages || []));
  const missing = about.messages - rows.length;
  const lack = missing === 0 ? "" : ` The search lacks ${missing} of ${about.messages} messages: not all of its files are beside this page.`;
  let low = null;

  const entry = (row) => {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = `${about.pages[row[1]]}#m${row[0]}`;
    const when = document.createElement("small");
    when.textContent = row[2];
    const who = document.createElement("b");
    who.dir = "auto";
    who.textContent = row[3];
    const text = document.createElement("span");
    text.dir = "auto";
    text.textContent = row.length > 5 ? row[5] : row[4];
    link.append(when, who, text);
    line.append(link);
    return line;
  };

  const search = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    found.textContent = "";
    if (words.length === 0) {
      said.textContent = lack;
      return;
    }
    low = low || rows.map((row) => `${row[3]}\n${row[4]}`.toLowerCase());
    let count = 0;
    for (let at = 0; at < rows.length; at += 1) {
      if (words.every((word) => low[at].includes(word))) {
        count += 1;
        if (count <= most) {
          found.append(entry(rows[at]));
        }
      }
    }
    const cut = count > most ? ` The first ${most} are shown.` : "";
    said.textContent = `${count} of ${rows.length} messages.${cut}${lack}`;
  };

  let waiting = 0;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 120);
  });
  search();
}
