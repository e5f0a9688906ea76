//! Selectors as flat lists of parts, their specificity and complexity.

mod pseudo;

use crate::{
    lex::{Kind, Lexer, is_space},
    sheet::Range,
};

/// Arguments nested deeper than this are not looked into: counting them doubles with each level.
const MAX_DEPTH: usize = 12;

/// One part of a complex selector.
#[derive(Debug)]
pub enum Part<'a> {
    /// An element name; without its namespace.
    Type(&'a str),
    /// `.name`.
    Class,
    /// `#name`.
    Id,
    /// `[name="value"]`.
    Attribute(Attribute<'a>),
    /// `:name` or `:name(...)`.
    PseudoClass(Pseudo<'a>),
    /// `::name` or `::name(...)`.
    PseudoElement(Pseudo<'a>),
    /// `>`, `+`, `~`, or a blank for the descendant combinator.
    Combinator(&'a str),
    /// `*`.
    Universal,
    /// `&`.
    Nesting,
    /// A keyframe percentage.
    Percentage,
}

/// An attribute selector.
#[derive(Debug)]
pub struct Attribute<'a> {
    /// Attribute name as written.
    pub name: &'a str,
    /// `=`, `~=`, ... or empty.
    pub operator: &'a str,
    /// Value as written, with quotes; empty when there is none.
    pub value: &'a str,
}

/// A pseudo-class or pseudo-element.
#[derive(Debug)]
pub struct Pseudo<'a> {
    /// Name without colons.
    pub name: &'a str,
    /// What stands in its parentheses.
    pub argument: Argument<'a>,
}

/// The argument of a pseudo-class.
#[derive(Debug)]
pub enum Argument<'a> {
    /// No parentheses, or nothing readable in them.
    None,
    /// A selector list.
    Selectors(Vec<Selector<'a>>),
    /// `An+B`, and whether it is one, and the list behind `of` if there is an `of`.
    Nth {
        /// Whether `An+B` could be read.
        formula: bool,
        /// The list behind `of`.
        of: Option<Vec<Selector<'a>>>,
    },
    /// Languages of `:lang()`; how many.
    Languages(usize),
}

/// One complex selector.
#[derive(Debug)]
pub struct Selector<'a> {
    /// As written.
    pub text: &'a str,
    /// Its parts in order.
    pub parts: Vec<Part<'a>>,
}

/// Reads a selector list.
pub fn parse(text: &str, range: Range) -> Vec<Selector<'_>> {
    Reader {
        text,
        lexer: Lexer::new(text, range.0, range.1),
        end: range.1,
        depth: 0,
    }
    .list(true)
}

struct Reader<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    end: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn byte(&self, at: usize) -> u8 {
        if at < self.end {
            self.text.as_bytes()[at]
        } else {
            0
        }
    }

    fn list(&mut self, relative: bool) -> Vec<Selector<'a>> {
        let mut selectors = Vec::new();
        while self.lexer.pos < self.end {
            self.lexer.skip_space();
            let start = self.lexer.pos;
            let parts = self.complex(relative);
            if !parts.is_empty() {
                selectors.push(Selector {
                    text: &self.text[start..self.lexer.pos],
                    parts,
                });
            }
            if self.lexer.next_solid().kind != Kind::Comma {
                break;
            }
        }
        selectors
    }

    fn complex(&mut self, relative: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        if relative && matches!(self.byte(self.lexer.pos), b'>' | b'+' | b'~') {
            parts.push(Part::Combinator(&self.text[self.lexer.pos..=self.lexer.pos]));
            self.lexer.pos += 1;
            self.lexer.skip_space();
        }
        loop {
            let before = parts.len();
            while let Some(part) = self.simple() {
                parts.push(part);
            }
            if parts.len() == before {
                return parts;
            }
            let end = self.lexer.pos;
            self.lexer.skip_space();
            if self.lexer.pos >= self.end {
                self.lexer.pos = end;
                return parts;
            }
            let spaced = self.lexer.pos > end;
            if matches!(self.byte(self.lexer.pos), b'>' | b'+' | b'~') {
                parts.push(Part::Combinator(&self.text[self.lexer.pos..=self.lexer.pos]));
                self.lexer.pos += 1;
                self.lexer.skip_space();
            } else if spaced {
                parts.push(Part::Combinator(" "));
            } else {
                return parts;
            }
        }
    }

    /// The next simple selector; leaves the position alone when there is none.
    fn simple(&mut self) -> Option<Part<'a>> {
        let before = self.lexer;
        let token = self.lexer.next();
        let text = &self.text[token.start..token.end];
        let part = match (token.kind, text) {
            (Kind::Ident, _) if !text.starts_with("--") => {
                Some(self.local_name().unwrap_or(Part::Type(text)))
            }
            (Kind::Delim, "*") => Some(self.local_name().unwrap_or(Part::Universal)),
            (Kind::Delim, "|") => self.name_behind_bar(),
            (Kind::Hash, _) => Some(Part::Id),
            (Kind::Delim, "&") => Some(Part::Nesting),
            (Kind::Percentage, _) => Some(Part::Percentage),
            (Kind::Delim, ".") => (self.lexer.next().kind == Kind::Ident).then_some(Part::Class),
            (Kind::LeftBracket, _) => Some(self.attribute(token.end)),
            (Kind::Colon, _) => self.pseudo(),
            _ => None,
        };
        if part.is_none() {
            self.lexer = before;
        }
        part
    }

    /// The name behind `|`, when one follows: the part before it was a namespace.
    fn local_name(&mut self) -> Option<Part<'a>> {
        if self.byte(self.lexer.pos) != b'|' || self.byte(self.lexer.pos + 1) == b'=' {
            return None;
        }
        let before = self.lexer;
        self.lexer.pos += 1;
        let part = self.name_behind_bar();
        if part.is_none() {
            self.lexer = before;
        }
        part
    }

    fn name_behind_bar(&mut self) -> Option<Part<'a>> {
        let token = self.lexer.next();
        match (token.kind, &self.text[token.start..token.end]) {
            (Kind::Ident, name) => Some(Part::Type(name)),
            (Kind::Delim, "*") => Some(Part::Universal),
            _ => None,
        }
    }

    fn attribute(&mut self, start: usize) -> Part<'a> {
        let mut end = start;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::RightBracket => {
                    end = token.start;
                    break;
                }
                Kind::End => break,
                _ => {}
            }
        }
        let content = self.text[start..end].trim_matches(|c: char| c.is_ascii() && is_space(c as u8));
        let stop =
            |c: char| matches!(c, '=' | '~' | '|' | '^' | '$' | '*') || (c.is_ascii() && is_space(c as u8));
        let name = &content[..content.find(stop).unwrap_or(content.len())];
        let rest = content[name.len()..].trim_start();
        let operator = match rest.as_bytes() {
            [b'=', ..] => &rest[..1],
            [b'~' | b'|' | b'^' | b'$' | b'*', b'=', ..] => &rest[..2],
            _ => "",
        };
        let value = if operator.is_empty() {
            ""
        } else {
            rest[operator.len()..].trim_start()
        };
        let value = match value.as_bytes().first() {
            Some(b'"' | b'\'') => {
                let token = Lexer::new(value, 0, value.len()).next();
                &value[..token.end]
            }
            _ => value
                .split(|c: char| c.is_ascii_whitespace())
                .next()
                .unwrap_or(""),
        };
        Part::Attribute(Attribute {
            name,
            operator,
            value,
        })
    }
}

/// Calls `found` for every part, also inside arguments, in document order.
pub fn walk<'s, 'a>(parts: &'s [Part<'a>], found: &mut impl FnMut(&'s Part<'a>)) {
    for part in parts {
        found(part);
        if let Part::PseudoClass(pseudo) | Part::PseudoElement(pseudo) = part {
            match &pseudo.argument {
                Argument::Selectors(list) | Argument::Nth { of: Some(list), .. } => {
                    for selector in list {
                        walk(&selector.parts, found);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_texts() {
        let text = "a:is(b, c),\n d[e=\",\"] , f";
        let list = parse(text, (0, text.len()));
        let texts: Vec<_> = list.iter().map(|selector| selector.text.trim()).collect();
        assert_eq!(texts, ["a:is(b, c)", "d[e=\",\"]", "f"]);
    }
}
