//! Which selectors match nothing in the given pages.

use app_core::ToolResult;
use schemars::JsonSchema;
use scraper::{Html, Selector};
use serde::Serialize;

use crate::{
    lex::{Kind, Lexer},
    selector,
    sheet::{self, Item, Range},
    words,
};

/// A selector and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// The selector as written.
    pub selector: String,
    /// At-rules around it, outermost first, for example `@media print`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<String>,
    /// Line in the collected sheet, from 1.
    pub line: usize,
}

/// What the pages use.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Usage {
    /// Pages looked at.
    pub pages: usize,
    /// Selectors looked at.
    pub selectors: usize,
    /// Selectors that match something; states such as `:hover` are taken as possible.
    pub used: usize,
    /// Selectors that match nothing.
    pub unused: Vec<Place>,
    /// Selectors that could not be checked; count them as used.
    pub unchecked: Vec<Place>,
    /// Rules all of whose selectors match nothing.
    pub unused_rules: usize,
    /// Bytes of those rules.
    pub unused_bytes: usize,
}

/// Pseudo-classes that depend on what happens, not on the markup.
const STATES: [&str; 38] = [
    "hover",
    "active",
    "focus",
    "focus-visible",
    "focus-within",
    "visited",
    "link",
    "any-link",
    "target",
    "target-within",
    "checked",
    "disabled",
    "enabled",
    "indeterminate",
    "default",
    "valid",
    "invalid",
    "user-valid",
    "user-invalid",
    "in-range",
    "out-of-range",
    "required",
    "optional",
    "read-only",
    "read-write",
    "placeholder-shown",
    "autofill",
    "playing",
    "paused",
    "fullscreen",
    "modal",
    "popover-open",
    "open",
    "defined",
    "host",
    "host-context",
    "lang",
    "dir",
];

/// Checks every selector of a sheet against the pages.
pub fn usage(css: &str, pages: &[Html]) -> ToolResult<Usage> {
    let sheet = sheet::parse(css)?;
    let mut check = Check {
        css,
        pages,
        usage: Usage {
            pages: pages.len(),
            ..Usage::default()
        },
        line: (0, 1),
    };
    check.items(&sheet.items, &mut Vec::new(), None);
    Ok(check.usage)
}

struct Check<'a> {
    css: &'a str,
    pages: &'a [Html],
    usage: Usage,
    /// An offset and the line it is in: rules come in order, so lines are counted once.
    line: (usize, usize),
}

impl Check<'_> {
    fn line_at(&mut self, offset: usize) -> usize {
        let (from, line) = self.line;
        if offset >= from {
            let more = self.css[from..offset].matches('\n').count();
            self.line = (offset, line + more);
        }
        self.line.1
    }

    fn items(&mut self, items: &[Item], within: &mut Vec<String>, parent: Option<&str>) {
        for item in items {
            match item {
                Item::AtRule(rule) => {
                    let name = self.css[rule.name.0..rule.name.1].to_ascii_lowercase();
                    let Some(items) = &rule.items else { continue };
                    if name.ends_with("keyframes") {
                        continue;
                    }
                    let prelude = rule.prelude.map_or("", |range| &self.css[range.0..range.1]);
                    within.push(format!("@{name} {prelude}").trim_end().to_owned());
                    self.items(items, within, parent);
                    within.pop();
                }
                Item::Rule(rule) => {
                    let whole = self.rule(rule.prelude, within, parent);
                    let own = &self.css[rule.prelude.0..rule.prelude.1];
                    if !whole && !rule.items.is_empty() {
                        self.usage.unused_rules += 1;
                        self.usage.unused_bytes += block_end(self.css, rule.prelude.1) - rule.prelude.0;
                    }
                    let full = nest(own, parent);
                    self.items(&rule.items, within, Some(&full));
                }
                Item::Declaration(_) => {}
            }
        }
    }

    /// Checks the selectors of one rule; true when one of them may match.
    fn rule(&mut self, prelude: Range, within: &[String], parent: Option<&str>) -> bool {
        let mut any = false;
        let line = self.line_at(prelude.0);
        for found in selector::parse(self.css, prelude) {
            let place = Place {
                selector: found.text.trim().to_owned(),
                within: within.to_vec(),
                line,
            };
            self.usage.selectors += 1;
            let full = nest(&place.selector, parent);
            match matches(&full, self.pages) {
                Some(true) => {
                    self.usage.used += 1;
                    any = true;
                }
                Some(false) => self.usage.unused.push(place),
                None => {
                    any = true;
                    self.usage.unchecked.push(place);
                }
            }
        }
        any
    }
}

/// A nested selector as one that stands alone.
fn nest(own: &str, parent: Option<&str>) -> String {
    let Some(parent) = parent else {
        return own.to_owned();
    };
    let parent = format!(":is({})", parent.trim());
    if own.contains('&') {
        own.replace('&', &parent)
    } else {
        format!("{parent} {own}")
    }
}

/// Where the block that follows a prelude ends.
fn block_end(css: &str, from: usize) -> usize {
    let mut lexer = Lexer::new(css, from, css.len());
    let mut depth = 0_usize;
    loop {
        let token = lexer.next();
        match token.kind {
            Kind::End => return token.end,
            Kind::LeftBrace => depth += 1,
            Kind::RightBrace => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return token.end;
                }
            }
            _ => {}
        }
    }
}

/// Whether a selector matches in any page; `None` when it cannot be checked.
fn matches(text: &str, pages: &[Html]) -> Option<bool> {
    let selector = Selector::parse(&stateless(text)).ok()?;
    Some(pages.iter().any(|page| page.select(&selector).next().is_some()))
}

/// The selector without pseudo-elements and states.
fn stateless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lexer = Lexer::new(text, 0, text.len());
    // Whether the compound under construction has a part yet.
    let mut empty = true;
    loop {
        let token = lexer.next();
        let source = &text[token.start..token.end];
        match token.kind {
            Kind::End => break,
            Kind::Colon => {
                let mut ahead = lexer;
                let mut name = ahead.next();
                let element = name.kind == Kind::Colon;
                if element {
                    name = ahead.next();
                }
                let word = text[name.start..name.end]
                    .trim_end_matches('(')
                    .to_ascii_lowercase();
                if word == "not" && name.kind == Kind::Function {
                    let mut end = ahead;
                    skip_argument(&mut end);
                    let argument = &text[ahead.pos..end.pos];
                    // `:not(:hover)` is possible for every element.
                    if stateless(argument) != argument {
                        lexer = end;
                        if empty {
                            out.push('*');
                            empty = false;
                        }
                        continue;
                    }
                }
                let old_element = matches!(word.as_str(), "before" | "after" | "first-line" | "first-letter");
                if element || old_element || words::is_prefixed(&word) || STATES.contains(&word.as_str()) {
                    if name.kind == Kind::Function {
                        skip_argument(&mut ahead);
                    }
                    lexer = ahead;
                    if empty {
                        // Nothing else may stand for the element, and `*` in front of more parts changes nothing.
                        out.push('*');
                        empty = false;
                    }
                    continue;
                }
                out.push(':');
                empty = false;
            }
            Kind::Space | Kind::Comma | Kind::LeftParen | Kind::Function => {
                out.push_str(source);
                empty = true;
            }
            Kind::Delim if matches!(source, ">" | "+" | "~") => {
                out.push_str(source);
                empty = true;
            }
            _ => {
                out.push_str(source);
                empty = false;
            }
        }
    }
    out
}

fn skip_argument(lexer: &mut Lexer<'_>) {
    let mut depth = 1_usize;
    while depth > 0 {
        match lexer.next().kind {
            Kind::LeftParen | Kind::Function => depth += 1,
            Kind::RightParen => depth -= 1,
            Kind::End => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unused(css: &str, html: &str) -> Vec<String> {
        let usage = usage(css, &[Html::parse_document(html)]).unwrap();
        assert!(usage.unchecked.is_empty(), "{:?}", usage.unchecked);
        usage.unused.into_iter().map(|place| place.selector).collect()
    }

    #[test]
    fn only_what_matches_nothing_is_unused() {
        let html = "<main class=shop><a href=x>y</a><p>z</p></main>";
        let css = ".shop a:hover::before, .gone { x: y } p:not(.b) { x: y } \
                   a:not(:hover):not(.c) { x: y } @media print { .shop > p + p { x: y } } :root { x: y } ::selection { x: y } @keyframes k { to { x: y } }";
        assert_eq!(unused(css, html), [".gone", ".shop > p + p"]);
    }

    #[test]
    fn nested_rules_are_joined_with_their_parent() {
        let html = "<div class=card><b>x</b></div><i>y</i>";
        assert_eq!(
            unused(
                ".card { b { x: y } i { x: y } &.big { x: y } &:hover { x: y } }",
                html
            ),
            ["i", "&.big"]
        );
    }
}
