//! Metrics of one at-rule.

use super::Walker;
use crate::{
    prelude::{self, Grammar, Piece},
    selector,
    sheet::{AtRule, Item, Range},
    value, words,
};

impl Walker<'_> {
    /// Counts an at-rule and what is in its block.
    pub fn at_rule(&mut self, rule: &AtRule, depth: u64, in_keyframes: bool) {
        let name = self.slice(rule.name);
        let basename = words::basename(name);
        self.atrule_nesting.push(depth);
        self.atrules.all.add(basename.as_str());
        if basename == "font-face" {
            self.font_face(rule);
        }
        let mut keyframes = in_keyframes;
        match rule.prelude {
            Some(range) => {
                let complexity = self.prelude(rule, name, &basename, range, depth);
                self.atrule_complexity.push(complexity);
                keyframes |= basename.ends_with("keyframes");
            }
            None if basename == "layer" => {
                self.atrules.layer.all.add("<anonymous>");
                self.atrule_complexity.push(2);
            }
            None => {}
        }
        if let Some(items) = &rule.items {
            self.items(items, depth + 1, keyframes);
        }
    }

    fn font_face(&mut self, rule: &AtRule) {
        let mut descriptors = std::collections::BTreeMap::new();
        for item in rule.items.iter().flatten() {
            if let Item::Declaration(found) = item {
                let nodes = value::parse(self.text, found.value.0, found.value.1);
                let text = value::text_of(self.text, &nodes);
                descriptors.insert(self.slice(found.property).to_owned(), text.to_owned());
            }
        }
        let faces = &mut self.atrules.fontface;
        faces.unique.push(descriptors);
        faces.total = faces.unique.len();
        faces.total_unique = faces.total;
        faces.uniqueness_ratio = 1.0;
        self.atrule_complexity.push(1);
    }

    /// Counts a prelude and gives the complexity of the rule.
    fn prelude(&mut self, rule: &AtRule, name: &str, basename: &str, range: Range, depth: u64) -> u64 {
        let text = self.slice(range);
        let mut complexity = 1;
        match basename {
            "media" => {
                self.atrules.media.all.add(text);
                let pieces = prelude::condition(self.text, range, Grammar::Features);
                if let Some(hack) = prelude::media_hack(&pieces) {
                    self.atrules.media.browserhacks.add(hack);
                    complexity += 1;
                }
                self.pieces(&pieces, depth);
            }
            "custom-media" => {
                let pieces = prelude::condition(self.text, range, Grammar::Features);
                self.pieces(&pieces, depth);
            }
            "supports" => {
                self.atrules.supports.all.add(text);
                let pieces = prelude::condition(self.text, range, Grammar::Supports);
                if let Some(hack) = prelude::supports_hack(&pieces) {
                    self.atrules.supports.browserhacks.add(hack);
                    complexity += 1;
                }
                self.pieces(&pieces, depth);
            }
            "container" => {
                self.atrules.container.all.add(text);
                let pieces = prelude::condition(self.text, range, Grammar::Features);
                if let Some(Piece::Word(container)) = pieces.first() {
                    self.atrules.container.names.all.add(*container);
                    self.container_names.apply(container);
                }
                self.pieces(&pieces, depth);
            }
            "layer" => {
                for layer in text.split(',').map(str::trim) {
                    self.atrules.layer.all.add(layer);
                    if rule.items.is_some() {
                        self.layer_names.apply(layer);
                    } else {
                        self.layer_names.define(layer);
                    }
                }
            }
            "import" => {
                self.atrules.import.add(text);
                self.import(range, depth);
            }
            "property" => {
                self.atrules.property.add(text);
                self.custom_names.define(text);
            }
            "function" => self
                .atrules
                .function
                .add(text.split('(').next().unwrap_or(text).trim()),
            "charset" => self.atrules.charset.add(text.to_lowercase()),
            "scope" => self.atrules.scope.add(text),
            _ if basename.ends_with("keyframes") => {
                self.atrules.keyframes.all.add(text);
                self.animation_names.define(text);
                if words::is_prefixed(name) {
                    self.prefixed_keyframes
                        .add(format!("@{} {text}", name.to_ascii_lowercase()));
                    complexity += 1;
                }
            }
            _ => {}
        }
        complexity
    }

    fn import(&mut self, range: Range, depth: u64) {
        let Some(found) = prelude::import(self.text, range) else {
            return;
        };
        self.embedded(found.address);
        if let Some(condition) = found.supports {
            self.atrules.supports.all.add(condition);
        }
        if let Some(layer) = found.layer.filter(|layer| !layer.is_empty()) {
            self.atrules.layer.all.add(layer);
            self.layer_names.apply(layer);
        }
        let pieces = prelude::condition(self.text, (found.media_start, range.1), Grammar::Features);
        self.pieces(&pieces, depth);
    }

    /// Features and selectors of a condition.
    fn pieces(&mut self, pieces: &[Piece<'_>], depth: u64) {
        for piece in pieces {
            match piece {
                Piece::Feature { name, .. } => self.atrules.media.features.add(name.to_ascii_lowercase()),
                Piece::Selector(range) => {
                    for selector in selector::parse(self.text, *range) {
                        self.selector(&selector, depth);
                    }
                }
                _ => {}
            }
        }
    }
}
