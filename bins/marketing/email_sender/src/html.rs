//! HTML of letters: what must not be in it, and the text that is made of it.

use scraper::{Html, Node};

/// Schemes of addresses that a letter may hold.
const SCHEMES: [&str; 6] = ["http:", "https:", "mailto:", "tel:", "sms:", "cid:"];

/// The HTML without scripts, and how many there were.
pub(crate) fn without_scripts(html: &str) -> (String, usize) {
    let lower = html.to_ascii_lowercase();
    let (mut kept, mut at, mut removed) = (String::with_capacity(html.len()), 0, 0);
    while let Some(begin) = lower[at..].find("<script").map(|found| at + found) {
        kept.push_str(&html[at..begin]);
        removed += 1;
        let end = lower[begin..].find("</script").map(|found| begin + found);
        at = end
            .and_then(|end| lower[end..].find('>').map(|found| end + found + 1))
            .unwrap_or(html.len());
    }
    kept.push_str(&html[at..]);
    (kept, removed)
}

/// The first thing that no letter may hold: a script, or an address that is neither http(s), mailto, tel nor cid.
pub(crate) fn fault(html: &Html) -> Option<String> {
    for node in html.tree.nodes() {
        let Node::Element(element) = node.value() else {
            continue;
        };
        if element.name() == "script" {
            return Some("a script in the letter".to_owned());
        }
        for (name, value) in element.attrs() {
            let value = value.trim();
            if matches!(name, "href" | "src" | "action" | "background" | "formaction") && !may_link(value) {
                let shown: String = value.chars().take(60).collect();
                return Some(format!(
                    "`{name}` is neither http(s) nor mailto nor cid: `{}`",
                    shown.escape_debug()
                ));
            }
            if name.starts_with("on") {
                return Some(format!("`{name}` is a script in the letter"));
            }
        }
    }
    None
}

fn may_link(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.is_empty() || value.starts_with('#') || SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
}

/// The letter as text: lines for blocks, addresses behind what links to them.
pub(crate) fn text_of(html: &Html) -> String {
    let mut text = Text::default();
    let mut hidden = 0_u32;
    for edge in html.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) => match node.value() {
                Node::Text(found) if hidden == 0 => text.words(found),
                Node::Element(element) => {
                    if is_hidden(element.name()) {
                        hidden += 1;
                    } else if hidden == 0 {
                        open(element, &mut text);
                    }
                }
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) => {
                if let Node::Element(element) = node.value() {
                    if is_hidden(element.name()) {
                        hidden = hidden.saturating_sub(1);
                    } else if hidden == 0 {
                        close(element, &mut text);
                    }
                }
            }
        }
    }
    text.finish()
}

fn is_hidden(name: &str) -> bool {
    matches!(name, "head" | "style" | "script" | "template" | "noscript")
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "ul"
            | "ol"
            | "table"
            | "tr"
            | "blockquote"
            | "section"
            | "header"
            | "footer"
            | "article"
            | "pre"
            | "hr"
    )
}

fn open(element: &scraper::node::Element, text: &mut Text) {
    match element.name() {
        "br" => text.line(),
        "li" => {
            text.line();
            text.words("- ");
        }
        "img" => text.words(element.attr("alt").unwrap_or_default()),
        "a" => text.link = text.out.len() + text.pending.len(),
        name if is_block(name) => text.line(),
        _ => {}
    }
}

fn close(element: &scraper::node::Element, text: &mut Text) {
    match element.name() {
        "a" => {
            let href = element.attr("href").unwrap_or_default().trim();
            let shown = text.out.get(text.link..).unwrap_or_default().trim();
            if !href.is_empty()
                && !href.starts_with('#')
                && shown != href
                && href.strip_prefix("mailto:") != Some(shown)
            {
                text.words(&format!(" <{href}>"));
            }
        }
        "td" | "th" => text.space(),
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            text.line();
            text.gap = true;
        }
        "li" => text.line(),
        name if is_block(name) => text.line(),
        _ => {}
    }
}

/// Text in the making: white space collapses, empty lines come between paragraphs only.
#[derive(Default)]
struct Text {
    out: String,
    pending: String,
    gap: bool,
    link: usize,
}

impl Text {
    fn words(&mut self, found: &str) {
        for c in found.chars() {
            // Fillers of previews have no width, and mean nothing in a text.
            if matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{34f}' | '\u{ad}')
                && !self.out.ends_with('\u{fe0f}')
            {
                if c == '\u{200d}' && self.pending.is_empty() && !self.out.is_empty() {
                    self.out.push(c);
                }
                continue;
            }
            if c.is_whitespace() {
                self.space();
                continue;
            }
            if self.gap && !self.out.is_empty() && self.pending.contains('\n') {
                self.pending = "\n\n".to_owned();
            }
            self.gap = false;
            if !self.out.is_empty() {
                self.out.push_str(&self.pending);
            }
            self.pending.clear();
            self.out.push(c);
        }
    }

    fn space(&mut self) {
        if self.pending.is_empty() {
            self.pending.push(' ');
        }
    }

    fn line(&mut self) {
        if !self.pending.contains('\n') {
            self.pending = "\n".to_owned();
        }
    }

    fn finish(mut self) -> String {
        self.out.push('\n');
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_what_the_letter_says() {
        let html = "<head><title>x</title><style>p{}</style></head><h1>Hi</h1><p>a <b>b</b>\n c &amp; d<br>e</p>\
                    <ul><li>one</li><li>two</li></ul><a href=\"https://x.example\">Go</a> <a href=\"mailto:a@x.example\">a@x.example</a>";
        assert_eq!(
            text_of(&Html::parse_document(html)),
            "Hi\n\na b c & d\ne\n\n- one\n- two\nGo <https://x.example> a@x.example\n"
        );
    }

    #[test]
    fn scripts_go_and_hostile_addresses_are_named() {
        assert_eq!(
            without_scripts("a<SCRIPT x>alert(1)</script >b<script>c"),
            ("ab".to_owned(), 2)
        );
        let of = |html: &str| fault(&Html::parse_document(html));
        assert!(
            of("<a href=\" JavaScript:alert(1)\">x</a>")
                .unwrap()
                .contains("href")
        );
        assert!(of("<img src=\"data:image/png;base64,x\">").is_some());
        assert!(of("<p onclick=\"x()\">").is_some());
        assert_eq!(
            of("<a href=\"https://x\">x</a><img src=\"cid:logo\"><a href=\"#top\">t</a>"),
            None
        );
    }
}
