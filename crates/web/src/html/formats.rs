//! Formatting elements that are not closed: a parser opens them anew in every block, and looks through all of them.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::tags::Tag;

/// Formatting elements of the HTML standard.
const FORMATS: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// Those that are waiting for their end tag; three of a kind at most, as the standard has it ("Noah's Ark clause").
#[derive(Default)]
pub(super) struct Formats {
    open: HashMap<String, Vec<u64>>,
    alike: HashMap<u64, u8>,
    waiting: u64,
}

impl Formats {
    /// Follows a tag; returns how many formatting elements wait.
    pub(super) fn take(&mut self, tag: &Tag<'_>) -> u64 {
        if FORMATS.contains(&tag.name.as_str()) {
            // A link ends the link before it.
            if tag.end || matches!(tag.name.as_str(), "a" | "nobr") {
                self.end(&tag.name);
            }
            if !tag.end {
                self.start(tag);
            }
        }
        self.waiting
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let mut hasher = DefaultHasher::new();
        (tag.name.as_str(), tag.attributes).hash(&mut hasher);
        let kind = hasher.finish();
        let alike = self.alike.entry(kind).or_default();
        if *alike < 3 {
            *alike += 1;
            self.waiting += 1;
            self.open.entry(tag.name.clone()).or_default().push(kind);
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(kind) = self.open.get_mut(name).and_then(Vec::pop) {
            self.waiting -= 1;
            if let Some(alike) = self.alike.get_mut(&kind) {
                *alike -= 1;
            }
        }
    }
}
