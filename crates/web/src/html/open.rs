//! Which elements are open, after the tree construction of the HTML standard (section 13.2.6), as far as it decides
//! how deep a page gets.

use std::collections::HashMap;

use super::tags::Tag;

/// Elements that are never open for long: without content, or closed by the next of their kind.
const SHORT: [&str; 26] = [
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "hr", "img", "input", "keygen", "link",
    "meta", "param", "source", "track", "wbr", "tr", "thead", "tbody", "tfoot", "colgroup", "option", "html",
    "head", "body",
];

/// Elements that end an open paragraph. (`table` does so only in pages with a doctype.)
const ENDS_PARAGRAPH: [&str; 40] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "summary",
    "ul",
    "xmp",
];

/// Formatting elements: opened anew in the next block when they are not closed.
const FORMATS: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// Elements that no end tag of another, ordinary element reaches past ("special" in the standard).
const SPECIAL: [&str; 52] = [
    "p",
    "li",
    "dd",
    "dt",
    "address",
    "applet",
    "article",
    "aside",
    "blockquote",
    "button",
    "caption",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "listing",
    "main",
    "marquee",
    "menu",
    "nav",
    "noembed",
    "noframes",
    "object",
    "ol",
    "plaintext",
    "pre",
    "search",
    "section",
    "select",
    "summary",
    "table",
    "td",
    "template",
    "th",
    "ul",
    "xmp",
];

/// Elements that no end tag of anything outside reaches into ("in scope").
const WALLS: [&str; 9] = [
    "applet", "caption", "marquee", "object", "select", "table", "td", "template", "th",
];

/// Elements of pictures in which HTML goes on.
const IN_PICTURE: [&str; 3] = ["foreignobject", "desc", "title"];

/// Elements of formulas in which HTML goes on.
const IN_FORMULA: [&str; 5] = ["mi", "mo", "mn", "ms", "mtext"];

/// What stands before the name of an element of a picture or formula.
const FOREIGN: char = '*';

/// HTML elements that end a picture they stand in.
const BREAKOUT: [&str; 44] = [
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "i",
    "img",
    "li",
    "listing",
    "menu",
    "meta",
    "nobr",
    "ol",
    "p",
    "pre",
    "ruby",
    "s",
    "small",
    "span",
    "strong",
    "strike",
    "sub",
    "sup",
    "table",
    "tt",
    "u",
    "ul",
    "var",
];

/// The open elements of a page that is being followed.
#[derive(Default)]
pub(super) struct Open {
    stack: Vec<String>,
    /// Where each name stands in the stack.
    places: HashMap<String, Vec<usize>>,
    special: Vec<usize>,
    walls: Vec<usize>,
    /// Where pictures and formulas begin.
    pictures: Vec<usize>,
    /// Where HTML goes on in them.
    integration: Vec<usize>,
    /// Formatting elements that are to be opened anew, by name with their attributes; three of a kind at most.
    formats: HashMap<String, Vec<u64>>,
    alike: HashMap<u64, u8>,
    waiting: u64,
    /// Elements that the last tag closed and opened again.
    reopened: u64,
}

impl Open {
    /// Elements that are open, as many as there may be: each may hold all formatting elements that were opened anew in it.
    pub(super) fn depth(&self) -> usize {
        let waiting = self.waiting as usize;
        self.stack.len().saturating_mul(1 + waiting) + waiting
    }

    /// Follows a tag; returns about how many steps it costs a parser.
    pub(super) fn take(&mut self, tag: &Tag<'_>) -> u64 {
        let depth = self.depth() as u64;
        self.reopened = 0;
        if tag.end {
            self.end(&tag.name);
        } else {
            self.start(tag);
        }
        depth + tag.count.saturating_mul(tag.count) / 2 + self.reopened * 10
    }

    /// Whether the next tag stands among the elements of a picture or formula.
    pub(super) fn in_picture(&self) -> bool {
        self.pictures.last() > self.integration.last()
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        if self.in_picture() && (BREAKOUT.contains(&name) || name == "font" && tag.font) {
            let outermost = self.integration.last().map_or(0, |wall| wall + 1);
            let picture = self.pictures.iter().find(|at| **at >= outermost).copied();
            self.cut(picture.unwrap_or(self.stack.len()));
        }
        if self.in_picture() || matches!(name, "svg" | "math") {
            if !tag.self_closing {
                self.push_foreign(name);
            }
            return;
        }
        self.implied_ends(name);
        if FORMATS.contains(&name) {
            self.format(tag);
        }
        if !SHORT.contains(&name) && self.opens(name) {
            self.push(name);
        }
    }

    /// Closes what the start of an element closes.
    fn implied_ends(&mut self, name: &str) {
        if ENDS_PARAGRAPH.contains(&name)
            && let Some(place) = self.place("p")
            && self
                .walls
                .last()
                .max(self.place("button").as_ref())
                .is_none_or(|wall| *wall < place)
        {
            self.cut(place);
        }
        match name {
            "li" => self.item(&["li"]),
            "dd" | "dt" => self.item(&["dd", "dt"]),
            // A link ends the link before it.
            "a" | "nobr" if self.formats.get(name).is_some_and(|open| !open.is_empty()) => self.end(name),
            _ if is_heading(name) && self.stack.last().is_some_and(|top| is_heading(top)) => {
                self.cut(self.stack.len() - 1);
            }
            _ => {}
        }
    }

    /// Ends the list item before this one, unless another block is open in it.
    fn item(&mut self, names: &[&str]) {
        let place = names.iter().filter_map(|name| self.place(name)).max();
        if let Some(place) = place
            && self.special.last() == Some(&place)
        {
            self.cut(place);
        }
    }

    /// Whether a start tag adds to what is open: a cell takes the place of the cell before it in its table.
    fn opens(&mut self, name: &str) -> bool {
        if !matches!(name, "td" | "th" | "caption") {
            return true;
        }
        let (table, template) = (self.place("table"), self.place("template"));
        match table {
            Some(table) if Some(table) > template => self.cut(table + 1),
            // In a template it depends on what came first; to think that it adds is the safe side.
            _ if template.is_some() => {}
            // Outside of tables they are passed over.
            _ => return false,
        }
        true
    }

    fn format(&mut self, tag: &Tag<'_>) {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        (tag.name.as_str(), tag.attributes).hash(&mut hasher);
        let kind = hasher.finish();
        let alike = self.alike.entry(kind).or_default();
        if *alike < 3 {
            *alike += 1;
            self.waiting += 1;
            self.formats.entry(tag.name.clone()).or_default().push(kind);
        }
    }

    fn end(&mut self, name: &str) {
        if self.in_picture() {
            // The nearest element of the picture of this name ends; where there is none, the rules of HTML decide.
            let picture = self
                .pictures
                .iter()
                .rev()
                .find(|at| Some(*at) > self.integration.last());
            let place = self.place(&format!("{FOREIGN}{name}"));
            if let (Some(place), Some(_)) = (place, picture)
                && self.integration.last().is_none_or(|inner| *inner < place)
            {
                return self.cut(place);
            }
            if matches!(name, "p" | "br") {
                return;
            }
        }
        if FORMATS.contains(&name)
            && let Some(kind) = self.formats.get_mut(name).and_then(Vec::pop)
        {
            self.waiting -= 1;
            if let Some(alike) = self.alike.get_mut(&kind) {
                *alike -= 1;
            }
        }
        if name == "form" {
            return self.end_form();
        }
        // Headings close each other.
        let heading = is_heading(name);
        let place = if heading {
            (1..=6).filter_map(|level| self.place(&format!("h{level}"))).max()
        } else {
            self.place(name)
        };
        let Some(place) = place else { return };
        let barrier = if SPECIAL.contains(&name) {
            &self.walls
        } else {
            &self.special
        };
        // Only a template ends a template; a table ends whatever is in it.
        let barrier = match name {
            "template" => None,
            "table" => self.places.get("template").and_then(|places| places.last()),
            _ => barrier.last(),
        };
        if barrier.is_some_and(|barrier| *barrier > place) {
            return;
        }
        let mut again = Vec::new();
        if FORMATS.contains(&name) {
            // What else is formatted comes back once the text goes on.
            let above = self.stack[place + 1..].iter();
            again = above
                .filter(|name| FORMATS.contains(&name.as_str()))
                .cloned()
                .collect();
        }
        self.cut(place);
        self.reopened = again.len() as u64;
        again.iter().for_each(|name| self.push(name));
    }

    /// A form that ends takes nothing along but what ends by itself; what else is open in it stays open.
    fn end_form(&mut self) {
        let Some(place) = self.place("form") else { return };
        let mut inner = self.stack[place + 1..].iter();
        if inner.all(|name| matches!(name.as_str(), "p" | "li" | "dd" | "dt" | "optgroup" | "rp" | "rt")) {
            self.cut(place);
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).and_then(|places| places.last()).copied()
    }

    fn push(&mut self, name: &str) {
        let at = self.stack.len();
        self.places.entry(name.to_owned()).or_default().push(at);
        if SPECIAL.contains(&name) {
            self.special.push(at);
        }
        if WALLS.contains(&name) {
            self.walls.push(at);
        }
        self.stack.push(name.to_owned());
    }

    fn push_foreign(&mut self, name: &str) {
        let at = self.stack.len();
        let formula = match self.pictures.last().and_then(|at| self.stack.get(*at)) {
            _ if matches!(name, "svg" | "math") => None,
            Some(root) => Some(root.ends_with("math")),
            None => None,
        };
        match formula {
            None => self.pictures.push(at),
            Some(formula) => {
                let inner = if formula { &IN_FORMULA[..] } else { &IN_PICTURE[..] };
                // Which of `annotation-xml` hold HTML is written in an attribute; to think that all do not is the safe side,
                // since what stands in them is counted either way.
                if inner.contains(&name) {
                    self.integration.push(at);
                    self.special.push(at);
                    self.walls.push(at);
                }
            }
        }
        let name = format!("{FOREIGN}{name}");
        self.places.entry(name.clone()).or_default().push(at);
        self.stack.push(name);
    }

    /// Closes everything from this place on.
    fn cut(&mut self, place: usize) {
        for name in self.stack.drain(place.min(self.stack.len())..) {
            if let Some(places) = self.places.get_mut(&name) {
                places.pop();
            }
        }
        for list in [
            &mut self.special,
            &mut self.walls,
            &mut self.pictures,
            &mut self.integration,
        ] {
            while list.last().is_some_and(|at| *at >= place) {
                list.pop();
            }
        }
    }
}

fn is_heading(name: &str) -> bool {
    name.len() == 2 && name.starts_with('h') && matches!(name.as_bytes()[1], b'1'..=b'6')
}
