//! Walks a parsed sheet once and counts.

mod atrules;
mod finish;
mod shape;
mod values;

use std::collections::HashSet;

use app_core::ToolResult;

use crate::{
    counts::{DefinedUsed, Tally},
    selector::{self, Part as SelectorPart},
    sheet::{self, Declaration, Item, Range, Rule},
    value,
    weight::{self, Specificity},
    words,
};
pub use shape::Metrics;
use shape::{AtRules, Embedded, Selectors, Values};

/// Length of a text in UTF-16 units.
pub fn utf16(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}

/// Measures a sheet. `keep_items` keeps the raw number lists (one entry per rule, selector, ...).
pub fn measure(text: &str, keep_items: bool) -> ToolResult<Metrics> {
    let sheet = sheet::parse(text)?;
    let mut walker = Walker {
        text,
        ..Walker::default()
    };
    walker.items(&sheet.items, 0, false);
    Ok(walker.finish(&sheet.comments, keep_items))
}

/// What has been counted so far.
#[derive(Default)]
struct Walker<'a> {
    text: &'a str,
    atrules: AtRules,
    values: Values,
    embedded: Embedded,
    atrule_complexity: Vec<u64>,
    atrule_nesting: Vec<u64>,
    rule_sizes: Vec<u64>,
    rule_selectors: Vec<u64>,
    rule_declarations: Vec<u64>,
    rule_nesting: Vec<u64>,
    empty_rules: usize,
    unique_selectors: HashSet<&'a str>,
    selectors: Selectors,
    selector_complexity: Vec<u64>,
    selector_nesting: Vec<u64>,
    specificities: Vec<Specificity>,
    ids: Tally,
    prefixed_selectors: Tally,
    accessibility: Tally,
    unique_declarations: HashSet<&'a str>,
    declaration_complexity: Vec<u64>,
    declaration_nesting: Vec<u64>,
    importants: usize,
    importants_in_keyframes: usize,
    properties: Tally,
    prefixed_properties: Tally,
    property_hacks: Tally,
    custom_properties: Tally,
    custom_importants: Tally,
    shorthands: Tally,
    property_complexity: Vec<u64>,
    value_complexity: Vec<u64>,
    prefixed_keyframes: Tally,
    custom_names: DefinedUsed,
    animation_names: DefinedUsed,
    container_names: DefinedUsed,
    layer_names: DefinedUsed,
    anchor_names: DefinedUsed,
}

impl<'a> Walker<'a> {
    fn slice(&self, range: Range) -> &'a str {
        &self.text[range.0..range.1]
    }

    fn items(&mut self, items: &[Item], depth: u64, in_keyframes: bool) {
        for item in items {
            match item {
                Item::Rule(rule) if in_keyframes => {
                    for selector in selector::parse(self.text, rule.prelude) {
                        self.selectors.keyframes.add(selector.text);
                    }
                    self.items(&rule.items, depth + 1, true);
                }
                Item::Rule(rule) => self.rule(rule, depth),
                Item::AtRule(rule) => self.at_rule(rule, depth, in_keyframes),
                Item::Declaration(declaration) => self.declaration(declaration, depth, in_keyframes),
            }
        }
    }

    fn rule(&mut self, rule: &Rule, depth: u64) {
        let selectors = selector::parse(self.text, rule.prelude);
        let declarations = rule
            .items
            .iter()
            .filter(|item| matches!(item, Item::Declaration(_)))
            .count() as u64;
        self.empty_rules += usize::from(rule.items.is_empty());
        self.rule_sizes.push(selectors.len() as u64 + declarations);
        self.rule_selectors.push(selectors.len() as u64);
        self.rule_declarations.push(declarations);
        self.rule_nesting.push(depth);
        for selector in &selectors {
            self.selector(selector, depth);
        }
        self.items(&rule.items, depth + 1, false);
    }

    fn selector(&mut self, selector: &selector::Selector<'a>, depth: u64) {
        let metrics = &mut self.selectors;
        self.selector_nesting.push(depth);
        self.unique_selectors.insert(selector.text);
        self.selector_complexity.push(weight::complexity(&selector.parts));
        selector::walk(&selector.parts, &mut |part| match part {
            SelectorPart::Attribute(attribute) => {
                let name = attribute.name.to_ascii_lowercase();
                if name == "role" || name.starts_with("aria-") {
                    let value = words::unquote(attribute.value);
                    self.accessibility.add(if attribute.value.is_empty() {
                        format!("[{name}]")
                    } else {
                        format!("[{name}{}\"{value}\"]", attribute.operator)
                    });
                }
                metrics.attributes.add(name);
            }
            SelectorPart::Type(name) if name.contains('-') => {
                metrics.custom_elements.add(name.to_ascii_lowercase());
            }
            SelectorPart::PseudoClass(pseudo) => {
                let name = pseudo.name.to_ascii_lowercase();
                if words::is_prefixed(&name) {
                    self.prefixed_selectors.add(format!(":{name}"));
                }
                metrics.pseudo_classes.add(name);
            }
            SelectorPart::PseudoElement(pseudo) => {
                let name = pseudo.name.to_ascii_lowercase();
                if words::is_prefixed(&name) {
                    self.prefixed_selectors.add(format!("::{name}"));
                }
                metrics.pseudo_elements.add(name);
            }
            SelectorPart::Combinator(combinator) => metrics.combinators.add(*combinator),
            _ => {}
        });
        let specificity = weight::specificity(&selector.parts);
        let [a, b, c] = specificity;
        metrics.specificity.all.add(format!("{a},{b},{c}"));
        self.specificities.push(specificity);
        if a > 0 {
            self.ids.add(selector.text);
        }
    }

    fn declaration(&mut self, declaration: &Declaration, depth: u64, in_keyframes: bool) {
        let source = self.slice(declaration.range);
        let property = self.slice(declaration.property);
        let basename = words::basename(property);
        self.unique_declarations.insert(source);
        self.declaration_nesting.push(depth.saturating_sub(1));
        let mut complexity = 1;
        if declaration.important {
            complexity += 1;
            self.importants += 1;
            if !source.to_ascii_lowercase().contains("!important") {
                self.values.browserhacks.add("!ie");
            }
            if in_keyframes {
                self.importants_in_keyframes += 1;
                complexity += 1;
            }
        }
        self.declaration_complexity.push(complexity);
        self.properties.add(basename.as_str());
        self.property_complexity.push(if words::is_prefixed(property) {
            self.prefixed_properties.add(property);
            2
        } else if words::is_custom(property) {
            self.custom_properties.add(property);
            self.custom_names.define(property);
            if declaration.important {
                self.custom_importants.add(property);
            }
            if declaration.important { 3 } else { 2 }
        } else if declaration.hack {
            self.property_hacks
                .add(&property[..property.chars().next().map_or(0, char::len_utf8)]);
            2
        } else {
            1
        });
        if words::SHORTHANDS.contains(&basename.as_str()) {
            self.shorthands.add(property);
        }
        let nodes = value::parse(self.text, declaration.value.0, declaration.value.1);
        self.value(
            values::Place {
                property,
                basename: &basename,
            },
            &nodes,
        );
    }

    /// Counts an address when it is a data URL.
    fn embedded(&mut self, address: &str) {
        let Some(rest) = address
            .get(..5)
            .filter(|head| head.eq_ignore_ascii_case("data:"))
            .map(|_| &address[5..])
        else {
            return;
        };
        let size = utf16(address);
        let kind = &rest[..rest.find([';', ',']).unwrap_or(rest.len())];
        let types = &mut self.embedded.types;
        types.total += 1;
        self.embedded.size.total += size;
        let entry = types.unique.entry(kind.to_owned()).or_default();
        entry.count += 1;
        entry.size += size;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{compact, compare, minify, usage};

    /// Pieces that are likely to upset a parser when they meet.
    fn hostile() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "a",
            "{",
            "}",
            "(",
            ")",
            "[",
            "]",
            ":",
            ";",
            ",",
            "\\",
            "\"",
            "'",
            "/*",
            "*/",
            "@media ",
            "@import url(",
            "@font-face",
            "url(",
            "--x",
            "!important",
            "#f0\\9",
            "1e",
            "-",
            "é",
            "\u{1F33F}",
            "\n",
            "\0",
            ":not(",
            "of ",
            "<!--",
            "-->",
            "&",
            "*|",
            "|=",
            "u+",
            "%",
            ".5px",
            "var(--",
            "if(",
            "@layer",
            "keyframes x",
            "data:,",
        ]);
        prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_sheet_makes_anything_panic(css in prop_oneof![hostile(), any::<String>()]) {
            let value = serde_json::to_value(measure(&css, true).unwrap()).unwrap();
            let _ = compact::compact(&css);
            let _ = minify::minify(&css.as_str().into());
            let page = scraper::Html::parse_document("<p class=a><b>x</b></p>");
            usage::usage(&css, &[page]).unwrap();
            compare::compare((&css, &value), ("a{b:c}", &value)).unwrap();
        }
    }

    #[test]
    fn groups_are_counted() {
        let css = "@media (min-width: 1px) { a:hover, #x > b { color: red !important; margin: 0; --y: 1px } }\n\
                   @font-face { font-family: Z; src: url(data:font/woff2;base64,AAAA) }\n\
                   .e {}";
        let found = measure(css, false).unwrap();
        assert_eq!(found.stylesheet.lines_of_code, 3);
        assert_eq!(
            found.stylesheet.embedded_content.types.unique["font/woff2"].count,
            1
        );
        assert_eq!((found.atrules.all.total(), found.atrules.fontface.total), (2, 1));
        assert_eq!((found.rules.total, found.rules.empty.total), (2, 1));
        assert_eq!(found.selectors.specificity.max, [1, 0, 1]);
        assert_eq!(
            (found.declarations.total, found.declarations.importants.total),
            (5, 1)
        );
        assert_eq!(found.properties.custom.names.unused, ["--y"]);
        assert_eq!(found.values.colors.all.all.entries(), [("red", 1)]);
        assert_eq!(found.values.resets.entries(), [("margin", 1)]);
    }
}
