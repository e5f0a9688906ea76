//! Microdata and what it shares with RDFa: things that elements describe where they stand.

use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node as Dom};
use url::Url;

use crate::{
    evidence::Source,
    node::{Entry, Node, Value, term},
    visible,
};

/// Properties of one page, at most.
const MOST: usize = 20_000;

/// Things inside each other that are followed, at most.
const DEEPEST: usize = 50;

/// What an element begins and says.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Types, when a thing begins here.
    pub(crate) thing: Option<Vec<String>>,
    /// Its identifier.
    pub(crate) id: Option<String>,
    /// Properties of the surrounding thing that this element is the value of.
    pub(crate) properties: Vec<String>,
    /// Elements elsewhere whose properties belong to the thing.
    pub(crate) elsewhere: Vec<String>,
}

/// The things of a page that Microdata describes.
pub fn read(html: &Html, base: Option<&Url>) -> Vec<Node> {
    let mut walk = Walk {
        html,
        base,
        source: Source::Microdata,
        left: MOST,
        marks: &marks,
    };
    walk.tops()
}

fn marks(element: ElementRef<'_>) -> Marks {
    let words = |name: &str| -> Vec<String> {
        let value = element.value().attr(name).unwrap_or_default();
        value
            .split_ascii_whitespace()
            .map(|word| term(word).to_owned())
            .collect()
    };
    let thing = element.value().attr("itemscope").map(|_| words("itemtype"));
    Marks {
        id: element.value().attr("itemid").map(str::to_owned),
        properties: words("itemprop"),
        elsewhere: if thing.is_some() {
            words("itemref")
        } else {
            Vec::new()
        },
        thing,
    }
}

/// Reads things of one dialect.
pub(crate) struct Walk<'a> {
    pub(crate) html: &'a Html,
    pub(crate) base: Option<&'a Url>,
    pub(crate) source: Source,
    pub(crate) left: usize,
    pub(crate) marks: &'a dyn Fn(ElementRef<'_>) -> Marks,
}

/// A thing that is not closed yet.
struct Open {
    at: ego_tree::NodeId,
    node: Node,
    /// Properties of the surrounding thing that it is the value of.
    properties: Vec<String>,
    elsewhere: Vec<String>,
}

impl Walk<'_> {
    /// The things that are no property of another.
    pub(crate) fn tops(&mut self) -> Vec<Node> {
        self.below(self.html.root_element(), 0).0
    }

    /// Things and loose properties at and below an element.
    fn below(&mut self, root: ElementRef<'_>, depth: usize) -> (Vec<Node>, Vec<(String, Entry)>) {
        let (mut tops, mut loose) = (Vec::new(), Vec::new());
        let mut open: Vec<Open> = Vec::new();
        for edge in root.traverse() {
            match edge {
                Edge::Open(node) => {
                    let Some(element) = ElementRef::wrap(node) else {
                        continue;
                    };
                    let marks = (self.marks)(element);
                    if let Some(types) = marks.thing {
                        if open.len() >= DEEPEST || self.left == 0 {
                            continue;
                        }
                        self.left -= 1;
                        open.push(Open {
                            at: node.id(),
                            node: Node {
                                source: self.source,
                                place: visible::path(node),
                                types,
                                id: marks.id,
                                properties: Vec::new(),
                            },
                            properties: marks.properties,
                            elsewhere: marks.elsewhere,
                        });
                    } else if !marks.properties.is_empty() && self.left > 0 {
                        self.left -= 1;
                        let entry = self.entry(element);
                        let target = open
                            .last_mut()
                            .map_or(&mut loose, |open| &mut open.node.properties);
                        target.extend(marks.properties.into_iter().map(|name| (name, entry.clone())));
                    }
                }
                Edge::Close(node) => {
                    if open.last().is_some_and(|last| last.at == node.id())
                        && let Some(mut closed) = open.pop()
                    {
                        for id in &closed.elsewhere {
                            closed.node.properties.extend(self.elsewhere(id, depth));
                        }
                        let entry = Entry {
                            place: closed.node.place.clone(),
                            value: Value::Node(Box::new(closed.node)),
                            machine: true,
                            number: false,
                        };
                        if closed.properties.is_empty() {
                            if let Value::Node(node) = entry.value {
                                tops.push(*node);
                            }
                        } else {
                            let target = open
                                .last_mut()
                                .map_or(&mut loose, |open| &mut open.node.properties);
                            target.extend(closed.properties.into_iter().map(|name| (name, entry.clone())));
                        }
                    }
                }
            }
        }
        (tops, loose)
    }

    /// The properties at and below the element with this id.
    fn elsewhere(&mut self, id: &str, depth: usize) -> Vec<(String, Entry)> {
        if depth >= 3 || self.left == 0 {
            return Vec::new();
        }
        let found = self
            .html
            .root_element()
            .descendants()
            .filter_map(ElementRef::wrap)
            .find(|element| element.value().id() == Some(id));
        found.map_or_else(Vec::new, |element| self.below(element, depth + 1).1)
    }

    fn entry(&self, element: ElementRef<'_>) -> Entry {
        let (text, machine) = value(element, self.base);
        Entry {
            value: Value::Text(text),
            place: visible::path(*element),
            machine,
            number: false,
        }
    }
}

/// The value of an element, and whether it is one for machines. `content` counts on every element: shops put it on
/// `span` where the standard has it on `meta` only.
fn value(element: ElementRef<'_>, base: Option<&Url>) -> (String, bool) {
    let attribute = |name: &str| element.value().attr(name);
    if let Some(content) = attribute("content") {
        return (content.to_owned(), true);
    }
    let address = match element.value().name() {
        "a" | "area" | "link" => attribute("href"),
        "img" | "audio" | "embed" | "iframe" | "source" | "track" | "video" => attribute("src"),
        "object" => attribute("data"),
        _ => None,
    };
    if let Some(address) = address {
        let whole = base.and_then(|base| base.join(address.trim()).ok());
        return (
            whole.map_or_else(|| address.trim().to_owned(), String::from),
            true,
        );
    }
    let stated = match element.value().name() {
        "data" | "meter" => attribute("value"),
        "time" => attribute("datetime"),
        _ => None,
    };
    match stated {
        Some(stated) => (stated.to_owned(), true),
        None => (visible::text(element, 20_000), false),
    }
}

/// Whether the page has anything of the kind at all, which is cheaper to ask than to read.
pub(crate) fn has_attribute(html: &Html, name: &str) -> bool {
    html.tree
        .nodes()
        .any(|node| matches!(node.value(), Dom::Element(element) if element.attr(name).is_some()))
}
