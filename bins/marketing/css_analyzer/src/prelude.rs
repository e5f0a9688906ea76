//! What stands between an at-rule's name and its block.

use crate::{
    lex::{Kind, Lexer, trim},
    sheet::Range,
    value::{self, Node, Type},
    words,
};

/// One piece of a media query, container query or supports condition.
#[derive(Debug)]
pub enum Piece<'a> {
    /// `screen`, or the name of a container.
    Word(&'a str),
    /// `and`, `or`, `not`, `only`.
    Operator,
    /// `(name: value)` or `(name)`.
    Feature {
        /// Name as written.
        name: &'a str,
        /// Components of the value.
        value: Vec<Node<'a>>,
    },
    /// `(width > 10em)`.
    Comparison,
    /// `(property: value)` of a supports condition, without parentheses.
    Supports(&'a str),
    /// `selector(...)`: the range of its argument.
    Selector(Range),
    /// Any other function.
    Function,
    /// `,` between media queries.
    Comma,
}

/// The two grammars of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `@media`, `@container`: features.
    Features,
    /// `@supports`: declarations.
    Supports,
}

/// Reads a condition.
pub fn condition(text: &str, range: Range, grammar: Grammar) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut lexer = Lexer::new(text, range.0, range.1);
    loop {
        let token = lexer.next_solid();
        let source = &text[token.start..token.end];
        match token.kind {
            Kind::End => return pieces,
            Kind::Ident if words::has(&["and", "or", "not", "only"], source) => pieces.push(Piece::Operator),
            Kind::Ident => pieces.push(Piece::Word(source)),
            Kind::Comma => pieces.push(Piece::Comma),
            Kind::LeftParen => {
                let Some((start, end)) = parens(&mut lexer, token.end) else {
                    return pieces;
                };
                let Some((start, end)) = trim(text, start, end) else {
                    continue;
                };
                pieces.push(match grammar {
                    Grammar::Features => feature(text, start, end),
                    Grammar::Supports => Piece::Supports(&text[start..end]),
                });
            }
            Kind::Function => {
                let Some(inner) = parens(&mut lexer, token.end) else {
                    return pieces;
                };
                let selector = source.eq_ignore_ascii_case("selector(");
                pieces.push(if selector {
                    Piece::Selector(inner)
                } else {
                    Piece::Function
                });
            }
            _ => {}
        }
    }
}

/// The range up to the closing parenthesis; `None` when it is missing.
fn parens(lexer: &mut Lexer<'_>, start: usize) -> Option<Range> {
    let mut depth = 1_usize;
    loop {
        let token = lexer.next();
        match token.kind {
            Kind::LeftParen | Kind::Function => depth += 1,
            Kind::RightParen => depth -= 1,
            Kind::End => return None,
            _ => {}
        }
        if depth == 0 {
            return Some((start, token.start));
        }
    }
}

fn feature(text: &str, start: usize, end: usize) -> Piece<'_> {
    let content = &text[start..end];
    if content.contains(['<', '>', '=']) {
        return Piece::Comparison;
    }
    let Some(colon) = content.find(':') else {
        return Piece::Feature {
            name: content,
            value: Vec::new(),
        };
    };
    Piece::Feature {
        name: content[..colon].trim_end(),
        value: value::parse(text, start + colon + 1, end),
    }
}

/// The hack of a media query list that only one browser understands, if it holds one.
pub fn media_hack(pieces: &[Piece<'_>]) -> Option<&'static str> {
    pieces.iter().find_map(|piece| match piece {
        Piece::Word(word) if word.starts_with("\\0") => Some("\\0"),
        Piece::Word(word) if word.contains("\\9") => Some("\\9"),
        Piece::Feature { name, value } => feature_hack(name, value),
        _ => None,
    })
}

fn feature_hack(name: &str, value: &[Node<'_>]) -> Option<&'static str> {
    for hack in [
        "-moz-images-in-menus",
        "min--moz-device-pixel-ratio",
        "-ms-high-contrast",
    ] {
        if name.eq_ignore_ascii_case(hack) {
            return Some(hack);
        }
    }
    if let Some(first) = value.first() {
        let number = first.number();
        if name.eq_ignore_ascii_case("min-resolution")
            && first.kind == Type::Dimension
            && (number - 0.001).abs() < f64::EPSILON
            && first.unit() == "dpcm"
        {
            return Some("min-resolution: .001dpcm");
        }
        if name.eq_ignore_ascii_case("-webkit-min-device-pixel-ratio")
            && first.kind == Type::Number
            && (number == 0.0 || number == 10_000.0)
        {
            return Some("-webkit-min-device-pixel-ratio");
        }
    }
    value
        .iter()
        .any(|node| node.kind == Type::Ident && node.text == "\\0")
        .then_some("\\0")
}

/// The hack of a supports condition that only one browser understands, if it holds one.
pub fn supports_hack(pieces: &[Piece<'_>]) -> Option<&'static str> {
    pieces.iter().find_map(|piece| {
        let Piece::Supports(content) = piece else {
            return None;
        };
        let squeezed: String = content.to_ascii_lowercase().split_whitespace().collect();
        if squeezed.contains("-webkit-appearance:none") {
            Some("-webkit-appearance: none")
        } else if squeezed.contains("-moz-appearance:meterbar") {
            Some("-moz-appearance: meterbar")
        } else {
            None
        }
    })
}

/// The parts of an `@import`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Import<'a> {
    /// Address without quotes and `url()`.
    pub address: &'a str,
    /// `Some("")` for an anonymous layer.
    pub layer: Option<&'a str>,
    /// Condition of `supports()`.
    pub supports: Option<&'a str>,
    /// Media queries, possibly empty.
    pub media: &'a str,
    /// Where the media queries begin.
    pub media_start: usize,
}

/// Reads the prelude of an `@import`; `None` when it names no address.
pub fn import(text: &str, range: Range) -> Option<Import<'_>> {
    let mut lexer = Lexer::new(text, range.0, range.1);
    let token = lexer.next_solid();
    let source = &text[token.start..token.end];
    let address = match token.kind {
        Kind::Str => words::unquote(source),
        Kind::Url => source[4..].trim_end_matches(')').trim(),
        Kind::Function if source.eq_ignore_ascii_case("url(") => {
            let (start, end) = parens(&mut lexer, token.end)?;
            words::unquote(text[start..end].trim())
        }
        _ => return None,
    };
    let mut import = Import {
        address,
        ..Import::default()
    };
    loop {
        let mut ahead = lexer;
        let token = ahead.next_solid();
        let source = &text[token.start..token.end];
        if token.kind == Kind::Ident && import.layer.is_none() && source.eq_ignore_ascii_case("layer") {
            import.layer = Some("");
        } else if token.kind == Kind::Function
            && import.layer.is_none()
            && source.eq_ignore_ascii_case("layer(")
        {
            let (start, end) = parens(&mut ahead, token.end)?;
            import.layer = Some(text[start..end].trim());
        } else if token.kind == Kind::Function && source.eq_ignore_ascii_case("supports(") {
            let (start, end) = parens(&mut ahead, token.end)?;
            import.supports = Some(text[start..end].trim());
        } else {
            import.media_start = token.start;
            import.media = text[token.start..range.1].trim();
            return Some(import);
        }
        lexer = ahead;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_taken_apart() {
        let text = "url('a b.css') layer(base) supports(display: grid) screen and (min-width: 1px)";
        let found = import(text, (0, text.len())).unwrap();
        assert_eq!(found.address, "a b.css");
        assert_eq!(
            (found.layer, found.supports),
            (Some("base"), Some("display: grid"))
        );
        assert_eq!(found.media, "screen and (min-width: 1px)");
        assert_eq!(import("url(x.css)", (0, 10)).unwrap().address, "x.css");
        assert_eq!(import("foo", (0, 3)), None);
    }

    #[test]
    fn hacks_are_noticed() {
        let text = "screen and (-ms-high-contrast: none)";
        assert_eq!(
            media_hack(&condition(text, (0, text.len()), Grammar::Features)),
            Some("-ms-high-contrast")
        );
        let text = "(-webkit-appearance:  none)";
        assert!(supports_hack(&condition(text, (0, text.len()), Grammar::Supports)).is_some());
    }
}
