//! File names for products: the rule of the replaced script, without its collisions.

use std::collections::{HashMap, HashSet};

use icu_normalizer::ComposingNormalizerBorrowed;

/// Bytes of a name, at most; with an ending it stays below what file systems take.
const LONGEST: usize = 200;

/// The name for a text: letters, digits, `_` and `-` stay, blanks and dashes become one dash, all in lower case.
///
/// Composed first (NFC), at most 200 bytes, cut between characters; `product` when nothing is left.
pub fn slug(name: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(name);
    let kept: String = composed
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-') || c.is_whitespace())
        .collect();
    let mut slug = String::new();
    for c in kept.trim().chars() {
        if c == '-' || c.is_whitespace() {
            if !slug.ends_with('-') {
                slug.push('-');
            }
        } else {
            slug.extend(c.to_lowercase());
        }
    }
    let slug = cut(&slug, LONGEST);
    if slug.is_empty() {
        "product".to_owned()
    } else {
        slug.to_owned()
    }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(text.len().min(most))]
}

/// Names that have been given, by address. The address of a product decides: it keeps its name when the product is
/// renamed, and no two share one.
#[derive(Clone, Debug, Default)]
pub struct Names {
    by_url: HashMap<String, String>,
    taken: HashSet<String>,
    portable: bool,
}

impl Names {
    /// With the names given earlier. `portable` avoids names that Windows reserves.
    pub fn new(known: impl IntoIterator<Item = (String, String)>, portable: bool) -> Self {
        let mut names = Self {
            portable,
            ..Self::default()
        };
        for (url, name) in known {
            names.taken.insert(compared(&name));
            names.by_url.insert(url, name);
        }
        names
    }

    /// Says that a name is somebody else's, unless it was given here.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(compared(name));
    }

    /// The name for the product at this address; with a number where another product has it.
    pub fn name(&mut self, url: &str, product: &str) -> String {
        if let Some(known) = self.by_url.get(url) {
            return known.clone();
        }
        let mut base = slug(product);
        if self.portable && is_reserved(&base) {
            base.push('_');
        }
        let mut name = base.clone();
        let mut number = 1_u64;
        while !self.taken.insert(compared(&name)) {
            number += 1;
            let ending = format!("-{number}");
            name = format!("{}{ending}", cut(&base, LONGEST - ending.len()));
        }
        self.by_url.insert(url.to_owned(), name.clone());
        name
    }
}

fn compared(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(name)
        .to_lowercase()
}

fn is_reserved(name: &str) -> bool {
    matches!(name, "con" | "prn" | "aux" | "nul")
        || name.len() == 4
            && (name.starts_with("com") || name.starts_with("lpt"))
            && name.ends_with(|c: char| c.is_ascii_digit())
}
