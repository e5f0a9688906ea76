//! The rules at the front of a sheet, and addresses that move with their sheet.

use app_core::ToolResult;
use web::{Location, css};

use crate::{
    lex::{Kind, Lexer},
    prelude::{self, Import},
    sheet::{self, Item},
    words,
};

/// An `@charset` (without import) or `@import` at the front of a sheet.
#[derive(Debug)]
pub struct Leading<'a> {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte.
    pub end: usize,
    /// What it imports.
    pub import: Option<Import<'a>>,
}

/// The leading `@charset` and `@import` rules that are to be exchanged. An `@charset` stays only where it is true of
/// the result, which is UTF-8.
pub fn leading(css: &str) -> ToolResult<Vec<Leading<'_>>> {
    if !css.contains('@') {
        return Ok(Vec::new());
    }
    let sheet = sheet::parse(css)?;
    let mut found = Vec::new();
    let mut charset_is_true = true;
    for item in &sheet.items {
        let Item::AtRule(rule) = item else { break };
        let name = &css[rule.name.0..rule.name.1];
        let (start, end) = rule.range;
        if name.eq_ignore_ascii_case("charset") {
            let label = rule
                .prelude
                .map_or("", |range| words::unquote(&css[range.0..range.1]));
            charset_is_true = label.eq_ignore_ascii_case("utf-8");
            found.push(Leading {
                start,
                end,
                import: None,
            });
        } else if name.eq_ignore_ascii_case("import") {
            let import = rule.prelude.and_then(|range| prelude::import(css, range));
            if import.is_some() {
                found.push(Leading { start, end, import });
            }
        } else if !(name.eq_ignore_ascii_case("layer") && rule.items.is_none()) {
            break;
        }
    }
    if charset_is_true && found.iter().all(|leading| leading.import.is_none()) {
        found.clear();
    }
    Ok(found)
}

/// Whether a text holds nothing but blanks, comments, and statements that may stand before an `@import`.
pub fn only_leading(css: &str) -> bool {
    sheet::parse(css).is_ok_and(|sheet| {
        sheet.items.iter().all(|item| match item {
            Item::AtRule(rule) if rule.items.is_none() => {
                words::has(&["charset", "import", "layer"], &css[rule.name.0..rule.name.1])
            }
            _ => false,
        })
    })
}

/// The `@layer` statements of a text: they decide the order of layers, so they move with an import behind them.
pub fn layer_statements(css: &str) -> Vec<String> {
    let Ok(sheet) = sheet::parse(css) else {
        return Vec::new();
    };
    let rules = sheet.items.iter().filter_map(|item| match item {
        Item::AtRule(rule) => Some(rule),
        _ => None,
    });
    rules
        .filter(|rule| rule.items.is_none() && css[rule.name.0..rule.name.1].eq_ignore_ascii_case("layer"))
        .map(|rule| css[rule.range.0..rule.range.1].to_owned())
        .collect()
}

/// What stands before and behind an imported sheet for the conditions of its `@import`.
pub fn conditions(import: &Import<'_>) -> (String, String) {
    let (mut before, mut after) = (String::new(), String::new());
    let mut around = |open: String| {
        before.insert_str(0, &open);
        after.push_str("\n}");
    };
    if let Some(layer) = import.layer {
        let blank = if layer.is_empty() { "" } else { " " };
        around(format!("@layer{blank}{layer} {{\n"));
    }
    if !import.media.is_empty() {
        around(format!("@media {} {{\n", import.media));
    }
    if let Some(condition) = import.supports {
        // A bare declaration stands in parentheses in `@supports` but not in `supports()`.
        let bare = condition.contains(':') && !condition.starts_with(['(']) && !condition.starts_with("not");
        around(if bare {
            format!("@supports ({condition}) {{\n")
        } else {
            format!("@supports {condition} {{\n")
        });
    }
    (before, after)
}

/// The sheet with every address that was relative to `from` made relative to `base`. Lines stay where they are.
pub fn moved(text: &str, from: &Location, base: &Location) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lexer = Lexer::new(text, 0, text.len());
    let mut copied = 0;
    // An address is a quoted text in `url()`, or right behind `@import`.
    let mut expected = false;
    loop {
        let token = lexer.next();
        let source = &text[token.start..token.end];
        let (start, end) = match token.kind {
            Kind::End => break,
            Kind::Function => {
                expected = source.eq_ignore_ascii_case("url(");
                continue;
            }
            Kind::At => {
                expected = source.eq_ignore_ascii_case("@import");
                continue;
            }
            Kind::Space => continue,
            Kind::Url => inner(text, token.start + 4, token.end),
            Kind::Str if expected => (token.start, token.end),
            _ => {
                expected = false;
                continue;
            }
        };
        expected = false;
        let address = if token.kind == Kind::Url {
            css::unescape(&text[start..end])
        } else {
            css::unquote(source)
        };
        let whole = address.contains(':') && url::Url::parse(&address).is_ok();
        if address.is_empty() || address.starts_with('#') || whole || from.join(&address).is_none() {
            continue;
        }
        let referred = from.refer(&address, base);
        if referred == address {
            continue;
        }
        let plain =
            !referred.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | '\\'));
        out.push_str(&text[copied..start]);
        copied = end;
        out.push_str(&if token.kind == Kind::Url && plain {
            referred
        } else {
            css::quoted(&referred)
        });
    }
    out.push_str(&text[copied..]);
    out
}

/// The address between `url(` and `)`, without blanks.
fn inner(text: &str, start: usize, end: usize) -> (usize, usize) {
    let raw = &text[start..end];
    let raw = raw.strip_suffix(')').unwrap_or(raw);
    let begin = start + raw.len() - raw.trim_start().len();
    (begin, begin + raw.trim().len())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn addresses_move_with_their_sheet() {
        let from = Location::parse("https://a.example/css/m.css", None).unwrap();
        let base = Location::parse("https://a.example/", None).unwrap();
        let css = ".a{b:url(img/x.png)}.c{d:url( \"y z.png\" );e:url(data:,x);f:url(#g)}";
        let wanted = ".a{b:url(https://a.example/css/img/x.png)}.c{d:url( \"https://a.example/css/y%20z.png\" );\
                      e:url(data:,x);f:url(#g)}";
        assert_eq!(moved(css, &from, &base), wanted);
        let root = Some(Path::new("site"));
        let from = Location::parse("site/css/m.css", root).unwrap();
        let base = Location::parse("site/index.html", root).unwrap();
        assert_eq!(
            moved(
                "@import/**/'n.css';a{b:url(\n../i/x.svg?v=1#f )}c{content:'n.css'}",
                &from,
                &base
            ),
            "@import/**/\"css/n.css\";a{b:url(\ni/x.svg?v=1#f )}c{content:'n.css'}"
        );
    }

    #[test]
    fn only_leading_imports_count() {
        let found = leading("@charset \"x\"; @import 'a.css' print; a{} @import 'b.css';").unwrap();
        let names: Vec<_> = found
            .iter()
            .filter_map(|leading| leading.import.as_ref())
            .map(|import| (import.address, import.media))
            .collect();
        assert_eq!(names, [("a.css", "print")]);
        let import = found.into_iter().find_map(|leading| leading.import).unwrap();
        assert_eq!(
            conditions(&import),
            ("@media print {\n".to_owned(), "\n}".to_owned())
        );
        assert!(leading("@charset \"utf-8\"; a{}").unwrap().is_empty());
        assert_eq!(leading("@charset \"koi8-r\"; a{}").unwrap().len(), 1);
    }

    #[test]
    fn what_may_stand_before_an_import_is_known() {
        assert!(only_leading("/* x */ @charset \"x\"; @layer a, b; @import 'x';"));
        assert!(!only_leading("@layer a{}") && !only_leading("a{}") && !only_leading("@font-face{}"));
        assert_eq!(
            layer_statements("@layer a; @import 'x'; @layer b,c;"),
            ["@layer a;", "@layer b,c;"]
        );
    }
}
