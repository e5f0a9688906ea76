//! A thing that a page describes, however it does: the shape that JSON-LD, Microdata, RDFa and OpenGraph share.

use crate::{
    entities,
    evidence::{Evidence, Source, shortened},
};

/// A thing: its types and properties, in the words of schema.org.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// How it is described.
    pub source: Source,
    /// Where it is described.
    pub place: String,
    /// Its types without the address of the vocabulary.
    pub types: Vec<String>,
    /// Its identifier.
    pub id: Option<String>,
    /// Its properties in their order; one with several values stands there several times.
    pub properties: Vec<(String, Entry)>,
}

/// A value of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: String,
    /// Whether it is meant for machines: JSON, or an attribute, rather than text that readers see.
    pub machine: bool,
    /// Whether it is a JSON number, which has lost the zeros at its end.
    pub number: bool,
}

/// What a property says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text, number or address as it is written.
    Text(String),
    /// Another thing.
    Node(Box<Node>),
    /// A thing that is described elsewhere, or not at all.
    Reference(String),
}

/// A text of a property, cleaned, with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The clean value.
    pub value: String,
    /// Where it comes from.
    pub evidence: Evidence,
}

/// A name of schema.org without the address of the vocabulary.
pub fn term(name: &str) -> &str {
    let name = name.trim();
    for prefix in [
        "http://schema.org/",
        "https://schema.org/",
        "http://www.schema.org/",
        "https://www.schema.org/",
        "schema:",
    ] {
        if let Some(term) = name.strip_prefix(prefix) {
            return term;
        }
    }
    name
}

impl Node {
    /// Whether it has this type.
    pub fn is(&self, wanted: &[&str]) -> bool {
        self.types.iter().any(|kind| wanted.contains(&kind.as_str()))
    }

    /// The values of a property.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.properties
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, entry)| entry)
    }

    /// The things that a property names.
    pub fn nodes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.all(name).filter_map(|entry| match &entry.value {
            Value::Node(node) => Some(node.as_ref()),
            _ => None,
        })
    }

    /// The first value of the first of these properties that says something. A thing stands for its name.
    pub fn fact(&self, names: &[&str]) -> Option<Fact> {
        names
            .iter()
            .find_map(|name| self.all(name).find_map(|entry| entry.fact(self.source)))
    }
}

impl Entry {
    /// The value as a clean text; `None` when it says nothing.
    pub fn fact(&self, source: Source) -> Option<Fact> {
        let (raw, place) = match &self.value {
            Value::Text(text) => (text.as_str(), self.place.clone()),
            Value::Reference(id) => (id.as_str(), self.place.clone()),
            Value::Node(node) => return node.fact(&["name", "@value", "url", "contentUrl", "value"]),
        };
        let (value, repairs) = clean(raw, source);
        (!value.is_empty()).then(|| Fact {
            evidence: Evidence {
                source,
                place,
                raw: shortened(raw, 500),
                value: shortened(&value, 500),
                repairs,
            },
            value,
        })
    }
}

/// A text without references and markup, and what was done for that. Only values of scripts are encoded once more than
/// the page: those of elements went through its parser.
fn clean(raw: &str, source: Source) -> (String, Vec<String>) {
    let mut repairs = Vec::new();
    let (text, rounds) = if matches!(source, Source::VisibleText) {
        (raw.to_owned(), 0)
    } else {
        entities::decoded(raw)
    };
    match rounds {
        0 => {}
        1 => repairs.push("entities decoded".to_owned()),
        _ => repairs.push("entities decoded twice".to_owned()),
    }
    let (text, marked) = entities::without_markup(&text);
    if marked {
        repairs.push("markup taken out".to_owned());
    }
    if raw.chars().any(|c| (c as u32) < 0x20) && source == Source::JsonLd {
        repairs.push("control characters".to_owned());
    }
    (text, repairs)
}
