//! Pseudo-classes and pseudo-elements with their arguments.

use super::{Argument, MAX_DEPTH, Part, Pseudo, Reader};
use crate::{
    lex::{Kind, Lexer},
    words,
};

impl<'a> Reader<'a> {
    pub(super) fn pseudo(&mut self) -> Option<Part<'a>> {
        let element = self.byte(self.lexer.pos) == b':';
        self.lexer.pos += usize::from(element);
        let token = self.lexer.next();
        let pseudo = match token.kind {
            Kind::Ident => Pseudo {
                name: &self.text[token.start..token.end],
                argument: Argument::None,
            },
            Kind::Function => {
                let name = &self.text[token.start..token.end - 1];
                Pseudo {
                    name,
                    argument: self.argument(name, token.end),
                }
            }
            _ => return None,
        };
        Some(if element {
            Part::PseudoElement(pseudo)
        } else {
            Part::PseudoClass(pseudo)
        })
    }

    fn argument(&mut self, name: &str, start: usize) -> Argument<'a> {
        let mut depth = 1_usize;
        let end = loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::LeftParen | Kind::Function => depth += 1,
                Kind::RightParen => {
                    depth -= 1;
                    if depth == 0 {
                        break token.start;
                    }
                }
                Kind::End => return Argument::None,
                _ => {}
            }
        };
        if end <= start || self.depth > MAX_DEPTH {
            return Argument::None;
        }
        let mut inner = Reader {
            text: self.text,
            lexer: Lexer::new(self.text, start, end),
            end,
            depth: self.depth + 1,
        };
        const NTH: [&str; 6] = [
            "nth-child",
            "nth-last-child",
            "nth-of-type",
            "nth-last-of-type",
            "nth-col",
            "nth-last-col",
        ];
        if words::has(&NTH, name) {
            return inner.nth();
        }
        if name.eq_ignore_ascii_case("lang") {
            let mut languages = 0;
            loop {
                match inner.lexer.next().kind {
                    Kind::End => return Argument::Languages(languages),
                    Kind::Ident | Kind::Str => languages += 1,
                    _ => {}
                }
            }
        }
        let selectors = inner.list(name.eq_ignore_ascii_case("has"));
        if selectors.is_empty() {
            Argument::None
        } else {
            Argument::Selectors(selectors)
        }
    }

    /// `An+B [of S]?` (CSS Syntax, section 6).
    fn nth(mut self) -> Argument<'a> {
        let start = self.lexer.pos;
        let mut formula_end = self.end;
        let mut of = None;
        let mut scan = self.lexer;
        loop {
            let token = scan.next();
            if token.kind == Kind::End {
                break;
            }
            if token.kind == Kind::Ident && self.text[token.start..token.end].eq_ignore_ascii_case("of") {
                formula_end = token.start;
                self.lexer.pos = token.end;
                of = Some(self.list(true));
                break;
            }
        }
        Argument::Nth {
            formula: is_formula(&self.text[start..formula_end]),
            of,
        }
    }
}

/// Whether a text begins like `An+B`, `odd`, `even` or a number.
fn is_formula(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    if matches!(text.as_str(), "odd" | "even") {
        return true;
    }
    let rest = text.trim_start_matches(['+', '-']);
    rest.starts_with('n') || rest.starts_with(|c: char| c.is_ascii_digit())
}
