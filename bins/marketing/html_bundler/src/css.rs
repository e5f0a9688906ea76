//! Finds the addresses in a sheet and puts what they refer to in their place.
//!
//! The scanner follows the tokens of CSS Syntax Level 3 as far as needed to tell an address from a text.

use crate::{
    embed::{Embedder, Found, Kind},
    location::Location,
    media_type::data_url,
};

/// A sheet with its resources embedded.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The sheet.
    pub text: String,
    /// Whether it still begins with an `@import` that must stay in front of all rules.
    pub imports: bool,
}

/// An address in a sheet.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    /// Range to replace, the whole `url(...)`, quoted text, or `@import` rule.
    range: (usize, usize),
    address: String,
    place: Place,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// `url(...)`.
    Url { font: bool },
    /// A quoted text in `image-set()`.
    Text,
    /// `@import` with what follows the address.
    Import { condition: String },
}

/// Embeds what a sheet at `base` refers to.
pub fn embed(css: &str, base: &Location, embedder: &mut Embedder<'_>) -> Sheet {
    let references = references(css);
    if references.is_empty() {
        return Sheet {
            text: css.to_owned(),
            imports: false,
        };
    }
    let mut out = Sheet::default();
    let mut copied = 0;
    // Imports that stay must precede every rule, so one of them keeps all of them in place.
    let mut imports = Vec::new();
    for reference in &references {
        if let Place::Import { .. } = reference.place {
            imports.push(import(&reference.address, base, embedder));
        }
    }
    out.imports = imports
        .iter()
        .any(|import| !matches!(import, Import::Sheet(sheet) if !sheet.imports));
    let mut imports = imports.into_iter();
    for reference in &references {
        out.text.push_str(&css[copied..reference.range.0]);
        copied = reference.range.1;
        match &reference.place {
            Place::Import { condition } => {
                let Some(import) = imports.next() else { continue };
                out.text.push_str(&import_rule(import, condition, out.imports));
            }
            Place::Url { .. } | Place::Text => {
                let font = reference.place == Place::Url { font: true };
                let kind = if font { Kind::Fonts } else { Kind::Images };
                let address = leaf(&reference.address, base, kind, embedder);
                let quoted = format!("\"{}\"", address.replace('\\', "\\\\").replace('"', "\\\""));
                let text = if reference.place == Place::Text {
                    quoted
                } else {
                    format!("url({quoted})")
                };
                out.text.push_str(&text);
            }
        }
    }
    out.text.push_str(&css[copied..]);
    out
}

enum Import {
    Sheet(Sheet),
    /// Left as an address.
    Address(String),
}

fn import(address: &str, base: &Location, embedder: &mut Embedder<'_>) -> Import {
    match embedder.find(address, base, Kind::Css) {
        Found::Resource(resource) => {
            let text = resource.text();
            let sheet = embedder.descend(&resource.location, |embedder| {
                embed(&text, &resource.location, embedder)
            });
            match sheet {
                Some(sheet) => Import::Sheet(sheet),
                None => Import::Address(resource.location.name()),
            }
        }
        Found::Address(address) => Import::Address(address),
    }
}

fn import_rule(import: Import, condition: &str, as_import: bool) -> String {
    let condition = condition.trim();
    match import {
        Import::Address(address) => format!("@import url(\"{}\") {condition};", address.replace('"', "%22")),
        Import::Sheet(sheet) if as_import => {
            let address = data_url("text/css", sheet.text.as_bytes());
            format!("@import url(\"{address}\") {condition};")
        }
        Import::Sheet(sheet) => wrap(&sheet.text, condition),
    }
}

/// The sheet inside the conditions of its `@import`: `layer`, `supports()`, media queries.
fn wrap(css: &str, condition: &str) -> String {
    let mut out = format!("{css}\n");
    let mut rest = condition;
    let mut layer = None;
    let mut supports = None;
    if let Some((name, after)) = function(rest, "layer") {
        layer = Some(name);
        rest = after;
    } else if let Some(after) = rest.strip_prefix("layer")
        && !after.starts_with(|c: char| c.is_alphanumeric() || c == '-')
    {
        layer = Some("");
        rest = after.trim_start();
    }
    if let Some((inner, after)) = function(rest, "supports") {
        supports = Some(inner);
        rest = after;
    }
    if let Some(name) = layer {
        out = format!("@layer {name}{{\n{out}}}\n");
    }
    if !rest.is_empty() {
        out = format!("@media {rest}{{\n{out}}}\n");
    }
    if let Some(inner) = supports {
        let bare = inner.contains(':') && !inner.starts_with('(') && !inner.starts_with("not");
        let inner = if bare {
            format!("({inner})")
        } else {
            inner.to_owned()
        };
        out = format!("@supports {inner}{{\n{out}}}\n");
    }
    out
}

/// `name(inner) after`, if the text begins so.
fn function<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let inner = text.strip_prefix(name)?.strip_prefix('(')?;
    let mut depth = 1_usize;
    let end = inner.find(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    Some((inner[..end].trim(), inner[end + 1..].trim_start()))
}

/// What stands for an address that is embedded as it is.
fn leaf(address: &str, base: &Location, kind: Kind, embedder: &mut Embedder<'_>) -> String {
    let fragment = address.find('#').map_or("", |at| &address[at..]);
    match embedder.find(address, base, kind) {
        // `sprite.svg#icon` needs its fragment, and old fonts name themselves by one.
        Found::Resource(resource) => format!("{}{fragment}", embedder.data_url(resource, kind)),
        Found::Address(address) => address,
    }
}

/// Every address in a sheet, in order.
fn references(css: &str) -> Vec<Reference> {
    let mut scan = Scan {
        css,
        at: 0,
        found: Vec::new(),
        rules: Vec::new(),
        functions: Vec::new(),
        leading: true,
    };
    scan.run();
    scan.found
}

struct Scan<'a> {
    css: &'a str,
    at: usize,
    found: Vec<Reference>,
    /// Whether each open block belongs to `@font-face`.
    rules: Vec<bool>,
    /// Whether each open parenthesis is an `image-set(`.
    functions: Vec<bool>,
    /// Whether only `@charset`, `@import` and `@layer` statements were seen so far.
    leading: bool,
}

impl Scan<'_> {
    fn run(&mut self) {
        let bytes = self.css.as_bytes();
        let mut font_face = false;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'/' if bytes.get(self.at + 1) == Some(&b'*') => self.at = self.comment_end(),
                b'"' | b'\'' => {
                    let end = self.string_end(self.at);
                    if self.functions.last() == Some(&true) {
                        let address = unquote(&self.css[self.at..end]);
                        self.push((self.at, end), address, Place::Text);
                    }
                    self.at = end;
                }
                b'@' => {
                    let start = self.at;
                    self.at += 1;
                    let name = self.name().to_ascii_lowercase();
                    font_face = name == "font-face";
                    match name.as_str() {
                        "import" if self.leading && self.rules.is_empty() => self.import(start),
                        // Not an address to load.
                        "namespace" | "charset" => self.at = self.statement_end(),
                        "layer" => {}
                        _ => self.leading = false,
                    }
                }
                b'{' => {
                    self.leading = false;
                    self.functions.clear();
                    self.rules.push(std::mem::take(&mut font_face));
                    self.at += 1;
                }
                b'}' => {
                    self.functions.clear();
                    self.rules.pop();
                    self.at += 1;
                }
                b'(' => {
                    self.functions.push(false);
                    self.at += 1;
                }
                b')' => {
                    self.functions.pop();
                    self.at += 1;
                }
                b'\\' => {
                    let escaped = self.css[self.at + 1..].chars().next();
                    self.at += 1 + escaped.map_or(0, char::len_utf8);
                }
                _ if byte.is_ascii_alphabetic() || byte == b'-' || byte == b'_' || byte >= 0x80 => {
                    self.word();
                }
                _ => self.at += 1,
            }
        }
    }

    fn push(&mut self, range: (usize, usize), address: String, place: Place) {
        let external = !address.is_empty() && !address.starts_with('#') && !starts_with_data(&address);
        if external {
            self.found.push(Reference {
                range,
                address,
                place,
            });
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let name = self.name().to_ascii_lowercase();
        if self.css.as_bytes().get(self.at) != Some(&b'(') {
            return;
        }
        self.at += 1;
        if name == "url" {
            let (address, end) = self.url_argument();
            let font = self.rules.iter().any(|font| *font);
            self.push((start, end), address, Place::Url { font });
            self.at = end;
        } else {
            self.functions
                .push(name == "image-set" || name == "-webkit-image-set");
        }
    }

    /// Reads a name and leaves the position behind it.
    fn name(&mut self) -> &str {
        let start = self.at;
        let bytes = self.css.as_bytes();
        while bytes
            .get(self.at)
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || *b >= 0x80)
        {
            self.at += 1;
        }
        &self.css[start..self.at]
    }

    /// The address of a `url(` whose parenthesis has been read, and where the closing one ends.
    fn url_argument(&self) -> (String, usize) {
        let bytes = self.css.as_bytes();
        let mut at = self.at;
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        if matches!(bytes.get(at), Some(b'"' | b'\'')) {
            let end = self.string_end(at);
            let close = self.css[end..]
                .find(')')
                .map_or(self.css.len(), |offset| end + offset + 1);
            return (unquote(&self.css[at..end]), close);
        }
        let start = at;
        while at < bytes.len() && bytes[at] != b')' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let at = at.min(bytes.len());
        (unescape(self.css[start..at].trim()), (at + 1).min(bytes.len()))
    }

    fn import(&mut self, start: usize) {
        let bytes = self.css.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let address = match bytes.get(self.at) {
            Some(b'"' | b'\'') => {
                let end = self.string_end(self.at);
                let address = unquote(&self.css[self.at..end]);
                self.at = end;
                address
            }
            _ if self.css[self.at..]
                .get(..4)
                .is_some_and(|head| head.eq_ignore_ascii_case("url(")) =>
            {
                self.at += 4;
                let (address, end) = self.url_argument();
                self.at = end;
                address
            }
            _ => return,
        };
        let condition_start = self.at;
        let end = self.statement_end();
        let condition = self.css[condition_start..end]
            .trim_end_matches(';')
            .trim()
            .to_owned();
        self.push((start, end), address, Place::Import { condition });
        self.at = end;
    }

    /// Where the statement ends, its semicolon included.
    fn statement_end(&self) -> usize {
        let bytes = self.css.as_bytes();
        let mut at = self.at;
        while at < bytes.len() {
            match bytes[at] {
                b';' => return at + 1,
                b'{' | b'}' => return at,
                b'"' | b'\'' => at = self.string_end(at),
                _ => at += 1,
            }
        }
        bytes.len()
    }

    fn string_end(&self, start: usize) -> usize {
        let bytes = self.css.as_bytes();
        let mut at = start + 1;
        while at < bytes.len() {
            match bytes[at] {
                byte if byte == bytes[start] => return at + 1,
                b'\n' => return at,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        bytes.len()
    }

    fn comment_end(&self) -> usize {
        self.css[self.at + 2..]
            .find("*/")
            .map_or(self.css.len(), |offset| self.at + 2 + offset + 2)
    }
}

fn starts_with_data(address: &str) -> bool {
    address
        .get(..5)
        .is_some_and(|head| head.eq_ignore_ascii_case("data:"))
}

fn unquote(text: &str) -> String {
    let inner = &text[1..];
    unescape(inner.strip_suffix(['"', '\'']).unwrap_or(inner))
}

/// Resolves the escapes of CSS: `\"`, `\20 `, and a line end that is passed over.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = String::new();
        while code.len() < 6
            && let Some(digit) = chars.next_if(char::is_ascii_hexdigit)
        {
            code.push(digit);
        }
        if code.is_empty() {
            out.extend(chars.next().filter(|c| *c != '\n'));
        } else {
            chars.next_if(char::is_ascii_whitespace);
            let number = u32::from_str_radix(&code, 16).unwrap_or(0);
            out.push(
                char::from_u32(number)
                    .filter(|c| *c != '\0')
                    .unwrap_or('\u{fffd}'),
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_texts() {
        let css = "@charset \"x\"; @import 'a.css' print; @import url(b.css);\
                   @namespace svg url(http://www.w3.org/2000/svg);\
                   /* url(no.png) */ @font-face{src:url( f.woff2 ) format(\"woff2\")}\
                   .x{content:\"url(no.png)\";background:URL(\"i \\\"1.png\") , image-set(\"j.png\" 2x);mask:url(#m)}\
                   @import 'late.css'; y{z:url(data:,a)}";
        let found: Vec<_> = references(css)
            .into_iter()
            .map(|r| (r.address, r.place))
            .collect();
        let wanted = vec![
            (
                "a.css".to_owned(),
                Place::Import {
                    condition: "print".into(),
                },
            ),
            (
                "b.css".to_owned(),
                Place::Import {
                    condition: String::new(),
                },
            ),
            ("f.woff2".to_owned(), Place::Url { font: true }),
            ("i \"1.png".to_owned(), Place::Url { font: false }),
            ("j.png".to_owned(), Place::Text),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn conditions_of_imports_become_blocks() {
        assert_eq!(
            wrap("a{}", "layer(base) screen"),
            "@media screen{\n@layer base{\na{}\n}\n}\n"
        );
        assert_eq!(
            wrap("a{}", "supports(display: grid)"),
            "@supports (display: grid){\na{}\n}\n"
        );
        assert_eq!(wrap("a{}", ""), "a{}\n");
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unescape("a\\20 b\\\"c"), "a b\"c");
    }
}
