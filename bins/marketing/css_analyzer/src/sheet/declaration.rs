//! Declarations: `property: value`, with the hacks that old browsers needed.

use super::{Declaration, Parser};
use crate::{
    lex::{Kind, Token},
    words,
};

impl Parser<'_> {
    /// A declaration that begins with `first`; leaves the position alone when it is none.
    pub(super) fn declaration(&mut self, first: Token) -> Option<Declaration> {
        let mut lexer = self.lexer;
        let byte = self.first_byte(first);
        lexer.pos = first.end;
        let (property_end, hack) = match first.kind {
            Kind::Ident => {
                let name = &self.text[first.start..first.end];
                let dashed = byte == b'-' && !name.starts_with("--") && !words::is_prefixed(name);
                (first.end, byte == b'_' || dashed)
            }
            Kind::Hash => (first.end, true),
            Kind::Delim if matches!(byte, b'.' | b'>' | b'+' | b'~' | b'&') => return None,
            Kind::Delim | Kind::LeftParen | Kind::RightParen | Kind::Comma | Kind::Colon => {
                let name = lexer.next_solid();
                if name.kind != Kind::Ident {
                    return None;
                }
                (name.end, true)
            }
            _ => return None,
        };
        if lexer.next_solid().kind != Kind::Colon {
            return None;
        }
        lexer.skip_space();
        let custom = self.text[first.start..property_end].starts_with("--");
        let value_start = lexer.pos;
        let mut value_end = value_start;
        let mut important = false;
        let mut parens = 0_usize;
        let mut braces = 0_usize;
        let range_end = loop {
            let token = lexer.next();
            match token.kind {
                Kind::End => break value_end,
                Kind::Semicolon if parens == 0 && braces == 0 => break token.end,
                Kind::RightBrace if parens == 0 && braces == 0 => {
                    lexer.pos = token.start;
                    break value_end;
                }
                // `a:hover {` is a nested rule; only custom properties may hold blocks.
                Kind::LeftBrace if !custom => return None,
                Kind::LeftBrace => braces += 1,
                Kind::RightBrace => braces = braces.saturating_sub(1),
                Kind::LeftParen | Kind::Function => parens += 1,
                Kind::RightParen => parens = parens.saturating_sub(1),
                Kind::Delim if self.first_byte(token) == b'!' && braces == 0 => {
                    let word = lexer.next_solid();
                    if word.kind == Kind::Ident {
                        important = true;
                        let mut after = lexer;
                        let next = after.next_solid();
                        if next.kind == Kind::Semicolon {
                            lexer = after;
                            break next.end;
                        }
                        break word.end;
                    }
                    lexer.pos = token.end;
                }
                Kind::Space => continue,
                _ => {}
            }
            value_end = token.end;
        };
        self.lexer = lexer;
        Some(Declaration {
            property: (first.start, property_end),
            value: (value_start, value_end.max(value_start)),
            range: (first.start, range_end.max(value_start)),
            important,
            hack,
        })
    }
}
