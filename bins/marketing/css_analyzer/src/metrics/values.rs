//! Metrics of one declaration's value.

use super::{Walker, shape::Values, utf16};
use crate::{
    value::{self, Node, Type},
    words,
};

/// The declaration a value stands in.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Property as written.
    pub property: &'a str,
    /// Property without prefix and hack, lower case.
    pub basename: &'a str,
}

/// Lower case unless it holds a variable, whose name has a case.
fn fold(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if lower.contains("var(") {
        text.to_owned()
    } else {
        lower
    }
}

impl Walker<'_> {
    /// Counts everything about a value.
    pub fn value(&mut self, place: Place<'_>, nodes: &[Node<'_>]) {
        let mut text = value::text_of(self.text, nodes);
        let values = &mut self.values;
        if words::has(&words::KEYWORDS, text) {
            values.keywords.add(text.to_ascii_lowercase());
            self.value_complexity.push(1);
            if place.basename == "display" {
                values.displays.add(text.to_ascii_lowercase());
            }
            return;
        }
        let mut complexity = 1;
        let mut addresses = Vec::new();
        value::walk(nodes, &mut |node| {
            if matches!(node.kind, Type::Ident | Type::Function) && words::is_prefixed(node.name) {
                values.prefixes.add(node.name.to_ascii_lowercase());
                complexity += 1;
            }
            if node.kind == Type::Url {
                addresses.push(words::unquote(node.address()));
            }
            true
        });
        if !words::is_custom(place.property) {
            let before = values.browserhacks.total();
            hacks(values, text, nodes, &addresses);
            complexity += (values.browserhacks.total() - before) as u64;
            if text.ends_with("\\9") || text.ends_with("\\7") {
                text = &text[..text.len() - 2];
            }
        }
        self.value_complexity.push(complexity);
        if !self.by_property(place, text, nodes) {
            return;
        }
        for address in addresses {
            self.embedded(address);
        }
        self.components(place, nodes);
    }

    /// Metrics of single properties; false when the components are not looked at further.
    fn by_property(&mut self, place: Place<'_>, text: &str, nodes: &[Node<'_>]) -> bool {
        let values = &mut self.values;
        let system_font = words::has(&words::SYSTEM_FONTS, text);
        let words_of = |nodes: &'_ [Node<'_>]| -> Vec<String> {
            nodes
                .iter()
                .filter(|node| node.kind == Type::Ident && !words::has(&words::KEYWORDS, node.text))
                .map(|node| node.text.to_owned())
                .collect()
        };
        match place.basename {
            property if words::is_spacing(property) && value::is_reset(nodes) => values.resets.add(property),
            "display" => values.displays.add(fold(text)),
            "z-index" => {
                values.zindexes.add(text);
                return false;
            }
            "font" if !system_font => return self.font(nodes),
            "font-size" if !system_font => values.font_sizes.add(fold(text)),
            "font-family" => {
                if !system_font {
                    values.font_families.add(text);
                }
                return false;
            }
            "line-height" => values.line_heights.add(fold(text)),
            "transition" | "animation" => {
                self.animation(place.basename == "animation", nodes);
                return false;
            }
            "animation-duration" | "transition-duration" => {
                for node in nodes.iter().filter(|node| node.kind != Type::Operator) {
                    values.animations.durations.add(fold(node.text));
                }
            }
            "transition-timing-function" | "animation-timing-function" => {
                for node in nodes.iter().filter(|node| node.kind != Type::Operator) {
                    values.animations.timing_functions.add(node.text);
                }
            }
            "animation-name" => {
                for name in words_of(nodes) {
                    self.animation_names.apply(&name);
                    values.animations.names.add(name);
                }
            }
            "container-name" => {
                for name in words_of(nodes) {
                    self.container_names.define(&name);
                    self.atrules.container.names.all.add(name);
                }
            }
            "container" => {
                if let Some(first) = nodes.first().filter(|node| node.kind == Type::Ident) {
                    self.atrules.container.names.all.add(first.text);
                    if !words::has(&words::KEYWORDS, first.text) {
                        self.container_names.define(first.text);
                    }
                }
            }
            "anchor-name" => {
                for name in words_of(nodes).iter().filter(|name| name.starts_with("--")) {
                    self.anchor_names.define(name);
                }
            }
            "position-anchor" => {
                if let Some(name) = dashed(nodes) {
                    self.anchor_names.apply(name);
                }
            }
            "text-shadow" => values.text_shadows.add(text),
            "box-shadow" => values.box_shadows.add(text),
            property if words::is_radius(property) => values.border_radiuses.add(text, place.property),
            _ => {}
        }
        true
    }

    fn font(&mut self, nodes: &[Node<'_>]) -> bool {
        let values = &mut self.values;
        let Some(font) = value::font(self.text, nodes) else {
            return false;
        };
        for node in nodes.iter().filter(|node| node.kind == Type::Ident) {
            if words::has(&words::KEYWORDS, node.text) {
                values.keywords.add(node.text.to_ascii_lowercase());
            }
        }
        if let Some(family) = font.family {
            values.font_families.add(family);
        }
        if let Some(size) = font.size {
            values.font_sizes.add(size.to_ascii_lowercase());
        }
        if let Some(height) = font.line_height {
            values.line_heights.add(height.to_ascii_lowercase());
        }
        true
    }

    /// The `animation` or `transition` shorthand.
    fn animation(&mut self, is_animation: bool, nodes: &[Node<'_>]) {
        let values = &mut self.values;
        let mut timed = false;
        for node in nodes {
            let lower = || node.text.to_ascii_lowercase();
            match node.kind {
                Type::Operator => timed = false,
                // The first time of an entry is its duration, the second a delay.
                Type::Dimension if !timed => {
                    timed = true;
                    values.animations.durations.add(lower());
                }
                Type::Ident if words::has(&words::TIMINGS, node.text) => {
                    values.animations.timing_functions.add(lower());
                }
                Type::Ident if words::has(&words::KEYWORDS, node.text) => values.keywords.add(lower()),
                Type::Ident if is_animation && !words::has(&words::ANIMATION_WORDS, node.text) => {
                    values.animations.names.add(node.text);
                    self.animation_names.apply(node.text);
                }
                Type::Function if words::has(&["cubic-bezier", "steps"], node.name) => {
                    values.animations.timing_functions.add(lower());
                }
                _ => {}
            }
        }
    }

    /// Colours, units, gradients, keywords and variables among the components.
    fn components(&mut self, place: Place<'_>, nodes: &[Node<'_>]) {
        let values = &mut self.values;
        let in_font = matches!(place.basename, "font" | "font-family");
        value::walk(nodes, &mut |node| match node.kind {
            Type::Dimension => {
                values.units.add(&node.unit(), place.property);
                false
            }
            Type::Hash => {
                let lower = node.text.to_ascii_lowercase();
                values.colors.all.add(&lower, place.property);
                values.colors.formats.add(format!("hex{}", utf16(&lower) - 1));
                false
            }
            Type::Ident if !in_font => {
                if words::has(&words::KEYWORDS, node.text) {
                    values.keywords.add(node.text.to_ascii_lowercase());
                }
                if (3..=20).contains(&node.text.len()) {
                    let lower = node.text.to_ascii_lowercase();
                    let format = if words::has(&words::COLOR_KEYWORDS, &lower) {
                        Some(lower.as_str())
                    } else if words::is_named_color(&lower) {
                        Some("named")
                    } else {
                        words::has(&words::SYSTEM_COLORS, &lower).then_some("system")
                    };
                    if let Some(format) = format {
                        values.colors.all.add(&lower, place.property);
                        values.colors.formats.add(format);
                    }
                }
                false
            }
            Type::Function => {
                if let Some(name) = dashed(&node.children) {
                    match node.name {
                        "var" => self.custom_names.apply(name),
                        "anchor" | "anchor-size" => self.anchor_names.apply(name),
                        _ => {}
                    }
                }
                if words::has(&words::COLOR_FUNCTIONS, node.name) {
                    values.colors.all.add(node.text, place.property);
                    values.colors.formats.add(node.name.to_ascii_lowercase());
                } else if words::ends_with(node.name, "gradient") {
                    values.gradients.add(node.text);
                }
                true
            }
            _ => true,
        });
    }
}

/// The first component when it is a dashed name.
fn dashed<'a>(nodes: &[Node<'a>]) -> Option<&'a str> {
    nodes
        .first()
        .filter(|node| node.kind == Type::Ident && node.text.starts_with("--"))
        .map(|node| node.text)
}

/// Values that only old browsers understand.
fn hacks(values: &mut Values, text: &str, nodes: &[Node<'_>], addresses: &[&str]) {
    if text.to_ascii_lowercase().contains("progid:") {
        values.browserhacks.add("progid:");
    }
    for hack in ["\\9", "\\7"] {
        if text.ends_with(hack) {
            values.browserhacks.add(hack);
        }
    }
    value::walk(nodes, &mut |node| {
        if node.kind == Type::Function {
            match node.name.to_ascii_lowercase().as_str() {
                "alpha" => values.browserhacks.add("alpha()"),
                "expression" => values.browserhacks.add("expression()"),
                _ => {}
            }
        }
        true
    });
    for _ in addresses
        .iter()
        .filter(|address| words::ends_with(address, ".htc"))
    {
        values.browserhacks.add(".htc");
    }
}
