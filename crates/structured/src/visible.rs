//! What a reader of a page sees of it.

use ego_tree::{NodeRef, iter::Edge};
use scraper::{ElementRef, Html, Node, Selector};

/// Elements whose text nobody reads.
fn hidden(name: &str) -> bool {
    matches!(
        name,
        "script" | "style" | "noscript" | "template" | "head" | "svg"
    )
}

/// Elements that begin a line.
fn breaks(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "br"
            | "li"
            | "ul"
            | "ol"
            | "tr"
            | "table"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "dt"
            | "dd"
            | "dl"
            | "blockquote"
            | "pre"
            | "hr"
    )
}

/// The visible text below an element, blanks put together, a line for each block; at most so many bytes.
pub fn text(element: ElementRef<'_>, most: usize) -> String {
    let mut text = String::new();
    let mut skipped: Option<ego_tree::NodeId> = None;
    for edge in element.traverse() {
        let (node, open) = match edge {
            Edge::Open(node) => (node, true),
            Edge::Close(node) => (node, false),
        };
        if let Some(id) = skipped {
            if !open && node.id() == id {
                skipped = None;
            }
            continue;
        }
        match node.value() {
            Node::Element(found) if open && hidden(found.name()) && node.id() != element.id() => {
                skipped = Some(node.id());
            }
            Node::Element(found) if breaks(found.name()) => new_line(&mut text),
            Node::Text(found) if open => push(&mut text, found),
            _ => {}
        }
        if text.len() > most {
            text.truncate(text.floor_char_boundary(most));
            break;
        }
    }
    text.trim().to_owned()
}

fn new_line(text: &mut String) {
    text.truncate(text.trim_end_matches(' ').len());
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn push(text: &mut String, more: &str) {
    for c in more.chars() {
        if !c.is_whitespace() || c == '\u{a0}' {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// The text of the page's headline: the first `h1` in `main`, else the first on the page.
pub fn headline(html: &Html) -> Option<String> {
    ["main h1", "[role=main] h1", "h1"].iter().find_map(|selector| {
        let selector = Selector::parse(selector).ok()?;
        let found = html
            .select(&selector)
            .map(|element| text(element, 1000).replace('\n', " "));
        found.into_iter().find(|text| !text.is_empty())
    })
}

/// The first text that is marked as a price, by class, id or name, with its place.
pub fn price(html: &Html) -> Option<(String, String)> {
    let selector = Selector::parse("main [class], main [id], body [class], body [id]").ok()?;
    html.select(&selector)
        .filter(|element| names_price(element))
        .map(|element| (text(element, 200).replace('\n', " "), path(*element)))
        .find(|(text, _)| text.contains(|c: char| c.is_numeric()))
}

fn names_price(element: &ElementRef<'_>) -> bool {
    let value = element.value();
    let names = value.classes().chain(value.id());
    let marked = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| matches!(word, "price" | "preis" | "prix" | "precio" | "prezzo" | "cena"))
    };
    names.into_iter().any(marked)
}

/// The path of an element, from the nearest one with an id, at most eight steps.
pub fn path(node: NodeRef<'_, Node>) -> String {
    let mut steps = Vec::new();
    for step in std::iter::once(node).chain(node.ancestors()) {
        let Some(element) = step.value().as_element() else {
            continue;
        };
        if let Some(id) = element.id().filter(|id| is_plain(id)) {
            steps.push(format!("#{id}"));
            break;
        }
        let same = |other: &NodeRef<'_, Node>| {
            other
                .value()
                .as_element()
                .is_some_and(|e| e.name() == element.name())
        };
        // Beyond a thousand the number helps nobody and costs much.
        let number = 1 + step.prev_siblings().take(1000).filter(same).count();
        steps.push(if matches!(element.name(), "html" | "body" | "head") {
            element.name().to_owned()
        } else {
            format!("{}:nth-of-type({number})", element.name())
        });
        if steps.len() == 8 {
            break;
        }
    }
    steps.reverse();
    steps.join(" > ")
}

fn is_plain(id: &str) -> bool {
    !id.is_empty()
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        && !id.starts_with(|c: char| c.is_ascii_digit())
}
