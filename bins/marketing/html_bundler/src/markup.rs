//! Writes a parsed page back with changes, after the HTML serialisation algorithm (HTML, section 13.3).

use std::{collections::HashMap, rc::Rc};

use ego_tree::iter::Edge;
use scraper::{Html, Node};

/// Identifies a node of the page.
pub type NodeId = usize;

/// What changes at one element.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The element goes, with everything in it.
    pub drop: bool,
    /// The element goes, and what is in it stays.
    pub bare: bool,
    /// Another element name.
    pub rename: Option<&'static str>,
    /// Attributes to set (`Some`) or remove (`None`).
    pub attributes: Vec<(String, Option<Rc<str>>)>,
    /// Another text content, of an element that holds text only.
    pub text: Option<String>,
    /// Markup written right behind the start tag.
    pub first: String,
}

impl Edit {
    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: impl Into<Rc<str>>) {
        self.attributes.push((name.to_owned(), Some(value.into())));
    }

    /// Removes an attribute.
    pub fn remove(&mut self, name: &str) {
        self.attributes.push((name.to_owned(), None));
    }
}

const VOID: [&str; 17] = [
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen",
    "link", "meta", "source", "track", "wbr",
];

/// The namespace of HTML.
const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Elements of HTML whose text is not escaped. In pictures and formulas elements of these names are ordinary ones.
const RAW: [&str; 8] = [
    "style",
    "script",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
    "noscript",
];

/// Writes the page; `edits` are keyed by the position of the element among the elements of the page.
pub fn print(page: &Html, edits: &HashMap<NodeId, Edit>) -> String {
    let mut out = String::new();
    let mut position = 0;
    // The number of open elements below the one that is dropped or replaced.
    let mut hidden: Option<usize> = None;
    let mut open: Vec<Open> = Vec::new();
    for edge in page.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => {
                    let edit = edits.get(&position);
                    position += 1;
                    let opened = Open::new(element, edit);
                    if hidden.is_none() {
                        if edit.is_some_and(|edit| edit.drop) {
                            hidden = Some(open.len());
                        } else {
                            if !opened.bare {
                                start_tag(&mut out, opened.name, element, edit);
                            }
                            if let Some(edit) = edit {
                                out.push_str(&edit.first);
                                if let Some(text) = &edit.text {
                                    opened.text(text, &mut out);
                                    hidden = Some(open.len() + 1);
                                }
                            }
                        }
                    }
                    open.push(opened);
                }
                _ if hidden.is_some() => {}
                Node::Text(text) => {
                    // The parser eats one line feed at the start of these.
                    let eaten = open
                        .last()
                        .is_some_and(|open| matches!(open.name, "pre" | "textarea" | "listing"));
                    if eaten && text.starts_with('\n') && out.ends_with('>') {
                        out.push('\n');
                    }
                    match open.last() {
                        Some(open) => open.text(text, &mut out),
                        None => escape(text, false, &mut out),
                    }
                }
                Node::Comment(comment) => {
                    out.push_str("<!--");
                    out.push_str(comment);
                    out.push_str("-->");
                }
                Node::Doctype(doctype) => {
                    out.push_str("<!DOCTYPE ");
                    out.push_str(doctype.name());
                    // Public identifiers decide about quirks mode.
                    if !doctype.public_id().is_empty() {
                        out.push_str(&format!(
                            " PUBLIC \"{}\" \"{}\"",
                            doctype.public_id(),
                            doctype.system_id()
                        ));
                    }
                    out.push('>');
                }
                _ => {}
            },
            Edge::Close(node) => {
                if !node.value().is_element() {
                    continue;
                }
                let Some(closed) = open.pop() else { continue };
                match hidden {
                    // The dropped element itself ends: no end tag either.
                    Some(depth) if depth == open.len() => hidden = None,
                    Some(depth) if depth == open.len() + 1 => {
                        hidden = None;
                        closed.end_tag(&mut out);
                    }
                    Some(_) => {}
                    None => closed.end_tag(&mut out),
                }
            }
        }
    }
    out
}

/// An element that is being written.
struct Open<'a> {
    name: &'a str,
    /// Whether its text is written as it is.
    raw: bool,
    bare: bool,
}

impl<'a> Open<'a> {
    fn new(element: &'a scraper::node::Element, edit: Option<&Edit>) -> Self {
        let name = edit.and_then(|edit| edit.rename).unwrap_or(element.name());
        Self {
            name,
            raw: is_html(element) && RAW.contains(&name),
            bare: edit.is_some_and(|edit| edit.bare),
        }
    }

    fn text(&self, text: &str, out: &mut String) {
        if self.raw {
            out.push_str(text);
        } else {
            escape(text, false, out);
        }
    }

    fn end_tag(&self, out: &mut String) {
        if !self.bare && !VOID.contains(&self.name) {
            out.push_str("</");
            out.push_str(self.name);
            out.push('>');
        }
    }
}

/// Whether an element is one of HTML, not of a picture or formula.
pub fn is_html(element: &scraper::node::Element) -> bool {
    &*element.name.ns == HTML
}

fn start_tag(out: &mut String, name: &str, element: &scraper::node::Element, edit: Option<&Edit>) {
    out.push('<');
    out.push_str(name);
    let changes = edit.map_or(&[][..], |edit| &edit.attributes);
    let mut put = |name: &str, value: &str| {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(value, true, out);
        out.push('"');
    };
    let mut present = Vec::new();
    for (name, value) in &element.attrs {
        let name = full_name(name.prefix.as_deref(), &name.local);
        match changes.iter().rev().find(|(changed, _)| *changed == name) {
            Some((_, None)) => {}
            Some((_, Some(value))) => put(&name, value),
            None => put(&name, value),
        }
        present.push(name);
    }
    for (at, (name, value)) in changes.iter().enumerate() {
        let last = !changes[at + 1..].iter().any(|(later, _)| later == name);
        if let Some(value) = value
            && last
            && !present.contains(name)
        {
            put(name, value);
        }
    }
    out.push('>');
}

/// An attribute name with its prefix: `xlink:href`.
pub fn full_name(prefix: Option<&str>, local: &str) -> String {
    prefix
        .filter(|prefix| !prefix.is_empty())
        .map_or_else(|| local.to_owned(), |prefix| format!("{prefix}:{local}"))
}

/// Escapes a text or an attribute value.
pub fn escape(text: &str, attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            '"' if attribute => out.push_str("&quot;"),
            '<' if !attribute => out.push_str("&lt;"),
            '>' if !attribute => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_edits_parses_to_the_same_page() {
        let source = "<!DOCTYPE html><html lang=\"ru\"><head><script>if (a<b && c) {}</script></head><body>\
                      <noscript><img src=\"a&b\"></noscript><pre>\n\nx</pre><p title=\"&quot;&amp;\">a &lt; b&nbsp;</p>\
                      <svg><use xlink:href=\"#i\"></use><script>for(;i&lt;b;){}</script><style>a&gt;b{}</style></svg>\
                      <br></body></html>";
        let page = Html::parse_document(source);
        let printed = print(&page, &HashMap::new());
        assert_eq!(printed, source);
    }

    #[test]
    fn edits_drop_rename_and_fill() {
        let page = Html::parse_document("<link rel=a href=b><i>c</i><b>d<u>e</u></b>");
        let mut edits = HashMap::new();
        let mut style = Edit {
            rename: Some("style"),
            text: Some("x{}".into()),
            ..Edit::default()
        };
        style.remove("rel");
        style.set("media", "print");
        edits.insert(2, style);
        edits.insert(
            4,
            Edit {
                drop: true,
                ..Edit::default()
            },
        );
        edits.insert(
            5,
            Edit {
                text: Some("new".into()),
                ..Edit::default()
            },
        );
        let wanted =
            "<html><head><style href=\"b\" media=\"print\">x{}</style></head><body><b>new</b></body></html>";
        assert_eq!(print(&page, &edits), wanted);
    }
}
