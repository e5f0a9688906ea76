//! Declaration values as small trees of components.

use crate::{
    lex::{Kind, Lexer, Token},
    words,
};

/// Functions nested deeper than this are read as one flat component.
const MAX_DEPTH: usize = 64;

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A word.
    Ident,
    /// A number without unit.
    Number,
    /// A number with unit, or a percentage.
    Dimension,
    /// A quoted text.
    Str,
    /// `#f00`.
    Hash,
    /// `U+26`.
    UnicodeRange,
    /// `name(...)`.
    Function,
    /// `url(...)`.
    Url,
    /// `(...)`.
    Parens,
    /// `+ - * /`, comma, colon or semicolon.
    Operator,
}

/// One component.
#[derive(Debug)]
pub struct Node<'a> {
    /// What it is.
    pub kind: Type,
    /// As written.
    pub text: &'a str,
    /// Name of a function.
    pub name: &'a str,
    /// Offset of the first byte in the sheet.
    pub start: usize,
    /// What stands in its parentheses.
    pub children: Vec<Node<'a>>,
}

impl Node<'_> {
    /// Offset behind the last byte in the sheet.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Number of a number or dimension.
    pub fn number(&self) -> f64 {
        self.text[..number_end(self.text)].parse().unwrap_or(f64::NAN)
    }

    /// Unit of a dimension, lower case.
    pub fn unit(&self) -> String {
        self.text[number_end(self.text)..].to_ascii_lowercase()
    }

    /// Address of a `url()`, with its quotes if it has them.
    pub fn address(&self) -> &str {
        match self.children.first() {
            Some(child) if child.kind == Type::Str => child.text,
            _ => {
                let inner = self.text.split_once('(').map_or("", |(_, rest)| rest);
                inner.strip_suffix(')').unwrap_or(inner).trim()
            }
        }
    }
}

/// Where the number in front of a unit ends.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    while end < bytes.len() {
        let signed = end == 0 || matches!(bytes[end - 1], b'e' | b'E');
        let exponent = matches!(bytes[end], b'e' | b'E')
            && bytes.get(end + 1).is_some_and(|&next| {
                next.is_ascii_digit()
                    || (matches!(next, b'+' | b'-') && bytes.get(end + 2).is_some_and(u8::is_ascii_digit))
            });
        if bytes[end].is_ascii_digit()
            || bytes[end] == b'.'
            || (signed && matches!(bytes[end], b'+' | b'-'))
            || exponent
        {
            end += 1;
        } else {
            break;
        }
    }
    end
}

/// Reads the value at `start..end` of the sheet.
pub fn parse(text: &str, start: usize, end: usize) -> Vec<Node<'_>> {
    let mut reader = Reader {
        text,
        lexer: Lexer::new(text, start, end),
        depth: 0,
    };
    reader.chain().0
}

/// The text from the first component to the last.
pub fn text_of<'a>(sheet: &'a str, nodes: &[Node<'a>]) -> &'a str {
    match (nodes.first(), nodes.last()) {
        (Some(first), Some(last)) => &sheet[first.start..last.end()],
        _ => "",
    }
}

struct Reader<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Components up to a closing parenthesis (when inside one) or the end; and where that parenthesis ends.
    fn chain(&mut self) -> (Vec<Node<'a>>, usize) {
        let mut nodes = Vec::new();
        loop {
            let token = self.lexer.next_solid();
            match token.kind {
                Kind::End => return (nodes, token.end),
                Kind::RightParen if self.depth > 0 => return (nodes, token.end),
                _ => nodes.extend(self.node(token)),
            }
        }
    }

    fn node(&mut self, token: Token) -> Option<Node<'a>> {
        let text = &self.text[token.start..token.end];
        let kind = match token.kind {
            Kind::Ident => Type::Ident,
            Kind::Number => Type::Number,
            Kind::Dimension | Kind::Percentage => Type::Dimension,
            Kind::Str => Type::Str,
            Kind::Hash => Type::Hash,
            Kind::UnicodeRange => Type::UnicodeRange,
            Kind::Url => return Some(leaf(Type::Url, text, token.start)),
            Kind::Comma | Kind::Colon | Kind::Semicolon => Type::Operator,
            Kind::Delim if matches!(text, "+" | "-" | "*" | "/") => Type::Operator,
            Kind::Function => {
                let name = &self.text[token.start..token.end - 1];
                let kind = if name.eq_ignore_ascii_case("url") {
                    Type::Url
                } else {
                    Type::Function
                };
                return Some(self.nested(kind, name, token));
            }
            Kind::LeftParen => return Some(self.nested(Type::Parens, "", token)),
            _ => return None,
        };
        Some(leaf(kind, text, token.start))
    }

    fn nested(&mut self, kind: Type, name: &'a str, token: Token) -> Node<'a> {
        let (children, end) = if self.depth >= MAX_DEPTH {
            (Vec::new(), self.skip_parens())
        } else {
            self.depth += 1;
            let found = self.chain();
            self.depth -= 1;
            found
        };
        Node {
            kind,
            text: &self.text[token.start..end.max(token.end)],
            name,
            start: token.start,
            children,
        }
    }

    /// Where the parenthesis that is open ends.
    fn skip_parens(&mut self) -> usize {
        let mut depth = 1_usize;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::LeftParen | Kind::Function => depth += 1,
                Kind::RightParen => depth -= 1,
                Kind::End => return token.end,
                _ => {}
            }
            if depth == 0 {
                return token.end;
            }
        }
    }
}

fn leaf(kind: Type, text: &str, start: usize) -> Node<'_> {
    Node {
        kind,
        text,
        name: text,
        start,
        children: Vec::new(),
    }
}

/// Calls `visit` for each component depth first; components below it are visited when it returns true.
pub fn walk<'n, 'a>(nodes: &'n [Node<'a>], visit: &mut impl FnMut(&'n Node<'a>) -> bool) {
    for node in nodes {
        if visit(node) {
            walk(&node.children, visit);
        }
    }
}

/// Whether all components are zero: `0`, `0px 0em`; also true for no component.
pub fn is_reset(nodes: &[Node<'_>]) -> bool {
    nodes
        .iter()
        .all(|node| matches!(node.kind, Type::Number | Type::Dimension) && node.number() == 0.0)
}

/// Size, line height and family of a `font` shorthand, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Font<'a> {
    /// Size.
    pub size: Option<&'a str>,
    /// Line height.
    pub line_height: Option<&'a str>,
    /// Families.
    pub family: Option<&'a str>,
}

/// Takes a `font` shorthand apart; `None` when it is empty or a single function such as `var()`.
pub fn font<'a>(sheet: &'a str, nodes: &[Node<'a>]) -> Option<Font<'a>> {
    if nodes.is_empty()
        || matches!(
            nodes,
            [Node {
                kind: Type::Function,
                ..
            }]
        )
    {
        return None;
    }
    let mut font = Font::default();
    let mut family = None;
    if let Some(slash) = nodes
        .iter()
        .position(|node| node.kind == Type::Operator && node.text == "/")
    {
        font.size = slash.checked_sub(1).map(|at| nodes[at].text);
        if let Some(node) = nodes.get(slash + 1) {
            font.line_height = Some(node.text);
            family = Some(slash + 2);
        }
    } else {
        for (at, node) in nodes.iter().enumerate() {
            let is_size = match node.kind {
                Type::Dimension | Type::Function => true,
                Type::Ident => words::has(&words::FONT_SIZES, node.text),
                Type::Str => false,
                _ => continue,
            };
            if is_size {
                font.size = Some(node.text);
                family = Some(at + 1);
                break;
            }
            let modifier =
                words::has(&words::FONT_MODIFIERS, node.text) || words::has(&words::KEYWORDS, node.text);
            if node.kind == Type::Str || !modifier {
                family = Some(at);
                break;
            }
        }
    }
    if let Some((first, last)) = family.and_then(|at| nodes.get(at)).zip(nodes.last()) {
        font.family = Some(&sheet[first.start..last.end()]);
    }
    Some(font)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shorthand(text: &str) -> Option<Font<'_>> {
        font(text, &parse(text, 0, text.len()))
    }

    #[test]
    fn the_font_shorthand_is_taken_apart() {
        let font = shorthand("italic bold 12px/1.5 \"A B\", serif").unwrap();
        assert_eq!(
            (font.size, font.line_height, font.family),
            (Some("12px"), Some("1.5"), Some("\"A B\", serif"))
        );
        assert_eq!(
            shorthand("small-caps large Georgia").unwrap().family,
            Some("Georgia")
        );
        assert_eq!(shorthand("var(--f)"), None);
    }

    #[test]
    fn numbers_and_units_are_split() {
        let nodes = parse("-1.5e3PX 0 +2% 1em", 0, 18);
        assert_eq!(nodes[0].number(), -1500.0);
        assert_eq!(nodes[0].unit(), "px");
        assert_eq!(nodes[2].unit(), "%");
        assert_eq!(nodes[3].unit(), "em");
        assert!(is_reset(&nodes[1..2]));
    }

    #[test]
    fn addresses_keep_their_quotes() {
        let nodes = parse("url( a.png ) url(\"b.png\")", 0, 25);
        assert_eq!(nodes[0].address(), "a.png");
        assert_eq!(nodes[1].address(), "\"b.png\"");
    }
}
