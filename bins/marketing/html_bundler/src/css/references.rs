//! Every address in a sheet, and where it stands.

use web::css::{
    lex::{Kind, Lexer, Token},
    unescape, unquote,
};

/// An address in a sheet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Range to replace, the whole `url(...)`, quoted text, or `@import` rule.
    pub(super) range: (usize, usize),
    pub(super) address: String,
    pub(super) place: Place,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `url(...)`.
    Url { font: bool },
    /// A quoted text in `image-set()`.
    Text,
    /// `@import` with what follows the address.
    Import { condition: String },
}

/// What a sheet refers to.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// The addresses in order.
    pub(super) found: Vec<Reference>,
    /// Whether the sheet declares namespaces, which hold for it alone.
    pub(super) namespaces: bool,
}

/// Reads a sheet, or (with `sheet` false) the declarations of a style attribute, where there are no imports.
pub(super) fn references(css: &str, sheet: bool) -> Scanned {
    let mut scan = Scan {
        css,
        lexer: Lexer::new(css, 0, css.len()),
        out: Scanned::default(),
        blocks: Vec::new(),
        functions: Vec::new(),
        leading: sheet,
    };
    scan.run();
    scan.out
}

struct Scan<'a> {
    css: &'a str,
    lexer: Lexer<'a>,
    out: Scanned,
    /// Whether each open block belongs to `@font-face`.
    blocks: Vec<bool>,
    /// Whether each open parenthesis is an `image-set(`.
    functions: Vec<bool>,
    /// Whether only `@charset`, `@import` and `@layer` statements were seen so far.
    leading: bool,
}

impl<'a> Scan<'a> {
    fn text(&self, token: Token) -> &'a str {
        &self.css[token.start..token.end]
    }

    fn run(&mut self) {
        let mut font_face = false;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::End => return,
                Kind::At => font_face = self.at_rule(token),
                Kind::Str | Kind::BadStr if self.functions.last() == Some(&true) => {
                    let address = unquote(self.text(token));
                    self.push((token.start, token.end), address, Place::Text);
                }
                Kind::Url | Kind::Function if is_url(self.text(token)) => {
                    let (address, end) = self.address(token);
                    let font = self.blocks.iter().any(|font| *font);
                    self.push((token.start, end), address, Place::Url { font });
                }
                Kind::Function => {
                    let name = self.text(token).to_ascii_lowercase();
                    self.functions.push(name.ends_with("image-set("));
                }
                Kind::LeftParen => self.functions.push(false),
                Kind::RightParen => {
                    self.functions.pop();
                }
                Kind::LeftBrace => {
                    self.leading = false;
                    self.functions.clear();
                    self.blocks.push(std::mem::take(&mut font_face));
                }
                Kind::RightBrace => {
                    self.functions.clear();
                    self.blocks.pop();
                }
                Kind::Space | Kind::Cdx => {}
                // A rule begins.
                _ => self.leading = false,
            }
        }
    }

    /// Reads the name of an at-rule, and the rule where it has no block; returns whether it is `@font-face`.
    fn at_rule(&mut self, at: Token) -> bool {
        let mut name = &self.text(at)[1..];
        // The tokenizer takes escapes in such names for a name of their own.
        let mut ahead = self.lexer;
        let next = ahead.next();
        if name.is_empty() && next.kind == Kind::Ident && next.start == at.end {
            name = self.text(next);
            self.lexer = ahead;
        }
        let name = unescape(name).to_ascii_lowercase();
        match name.as_str() {
            "import" if self.leading && self.blocks.is_empty() => self.import(at.start),
            // Not an address to load.
            "namespace" => {
                self.out.namespaces |= self.blocks.is_empty();
                self.statement();
                self.leading = false;
            }
            // Statements that may stand before an import; a layer with a block ends that.
            "charset" | "layer" => {
                self.statement();
            }
            _ => self.leading = false,
        }
        name == "font-face"
    }

    fn push(&mut self, range: (usize, usize), address: String, place: Place) {
        let data = address
            .get(..5)
            .is_some_and(|head| head.eq_ignore_ascii_case("data:"));
        if !address.is_empty() && !address.starts_with('#') && !data {
            self.out.found.push(Reference {
                range,
                address,
                place,
            });
        }
    }

    /// The address of a `url(`, and where its closing parenthesis ends.
    fn address(&mut self, token: Token) -> (String, usize) {
        if token.kind == Kind::Url {
            let inner = &self.text(token)[4..];
            let inner = inner.strip_suffix(')').unwrap_or(inner);
            return (unescape(inner.trim()), token.end);
        }
        let mut address = String::new();
        let mut depth = 0_usize;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::Str | Kind::BadStr if address.is_empty() => address = unquote(self.text(token)),
                Kind::Function | Kind::LeftParen => depth += 1,
                Kind::RightParen if depth == 0 => return (address, token.end),
                Kind::RightParen => depth -= 1,
                Kind::End => return (address, token.end),
                _ => {}
            }
        }
    }

    fn import(&mut self, start: usize) {
        let token = self.lexer.next_solid();
        let address = match token.kind {
            Kind::Str => unquote(self.text(token)),
            Kind::Url | Kind::Function if is_url(self.text(token)) => self.address(token).0,
            _ => {
                // Browsers pass over the whole statement.
                self.lexer.pos = token.start;
                self.statement();
                return;
            }
        };
        let (condition, end) = self.statement();
        self.push((start, end), address, Place::Import { condition });
    }

    /// The rest of a statement without comments, and where it ends, its semicolon included.
    fn statement(&mut self) -> (String, usize) {
        let mut text = String::new();
        let mut depth = 0_usize;
        let mut behind = self.lexer.pos;
        loop {
            let token = self.lexer.next();
            // A comment between two words keeps them apart.
            if token.start > behind && !text.is_empty() {
                text.push(' ');
            }
            behind = token.end;
            match token.kind {
                Kind::End => return (text.trim().to_owned(), token.end),
                Kind::Semicolon if depth == 0 => return (text.trim().to_owned(), token.end),
                Kind::LeftBrace | Kind::RightBrace if depth == 0 => {
                    self.lexer.pos = token.start;
                    return (text.trim().to_owned(), token.start);
                }
                Kind::Function | Kind::LeftParen => depth += 1,
                Kind::RightParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            text.push_str(self.text(token));
        }
    }
}

fn is_url(text: &str) -> bool {
    text.get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case("url("))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(address: &str, condition: &str) -> (String, Place) {
        let condition = condition.to_owned();
        (address.to_owned(), Place::Import { condition })
    }

    fn found(css: &str) -> Vec<(String, Place)> {
        let references = references(css, true).found.into_iter();
        references.map(|r| (r.address, r.place)).collect()
    }

    #[test]
    fn addresses_are_told_from_texts() {
        let css = "@charset \"x\"; @import 'a.css' print; @import url(b.css);\
                   @namespace svg url(http://www.w3.org/2000/svg);\
                   /* url(no.png) */ @font-face{src:url( f.woff2 ) format(\"woff2\")}\
                   .x{content:\"url(no.png)\";background:URL(\"i \\\"1.png\") , image-set(\"j.png\" 2x);mask:url(#m)}\
                   @import 'late.css'; y{z:url(data:,a)}";
        let wanted = vec![
            import("a.css", "print"),
            import("b.css", ""),
            ("f.woff2".to_owned(), Place::Url { font: true }),
            ("i \"1.png".to_owned(), Place::Url { font: false }),
            ("j.png".to_owned(), Place::Text),
        ];
        assert_eq!(found(css), wanted);
        assert!(references(css, true).namespaces);
    }

    #[test]
    fn an_import_may_be_written_in_many_ways() {
        for css in [
            "@import/* base */url(\"a.css\")/**/print;",
            "@IMPORT\n'a.css'print",
            "<!-- @layer x, y;@import url( a.css )/* ; */ print ; -->",
            "@\\69mport 'a.css' print;",
            "@import url('a.css' /* x */) print}",
        ] {
            assert_eq!(found(css), [import("a.css", "print")], "{css}");
        }
        for none in [
            "a{} @import 'a.css';",
            "@media x{@import 'a.css'}",
            "b @import 'a.css';",
            "@import a;",
            "@import",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
        assert_eq!(references("@import 'a.css'", false).found, []);
    }
}
