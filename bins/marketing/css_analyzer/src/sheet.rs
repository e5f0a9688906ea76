//! A stylesheet as a tree of rules, at-rules and declarations, each a range of the text.
//!
//! Error recovery follows CSS Syntax Level 3: what cannot be read is passed over up to the next `;` or block end.

mod declaration;

use app_core::contract::{ErrorKind, ToolError, ToolResult};

use crate::lex::{Kind, Lexer, Token, trim};

/// Blocks nested deeper than this are refused; browsers give up earlier.
pub const MAX_DEPTH: usize = 200;

/// Offsets of the first byte and behind the last byte.
pub type Range = (usize, usize);

/// One entry of a sheet or block.
#[derive(Debug)]
pub enum Item {
    /// A style rule.
    Rule(Rule),
    /// An at-rule with or without block.
    AtRule(AtRule),
    /// `property: value`.
    Declaration(Declaration),
}

/// A style rule.
#[derive(Debug)]
pub struct Rule {
    /// Selector list, trimmed.
    pub prelude: Range,
    /// Content of the block.
    pub items: Vec<Item>,
}

/// An at-rule.
#[derive(Debug)]
pub struct AtRule {
    /// Name without `@`.
    pub name: Range,
    /// What stands between name and block, trimmed; `None` when empty.
    pub prelude: Option<Range>,
    /// Content of the block; `None` without a block.
    pub items: Option<Vec<Item>>,
    /// The whole rule.
    pub range: Range,
}

/// A declaration.
#[derive(Debug)]
pub struct Declaration {
    /// Property as written, with a hack's leading character.
    pub property: Range,
    /// Value without `!important`.
    pub value: Range,
    /// The whole declaration with its semicolon, if it has one.
    pub range: Range,
    /// Whether `!important` (or any `!word`) stands behind the value.
    pub important: bool,
    /// Whether the property begins with a character that only old browsers pass over.
    pub hack: bool,
}

/// A parsed sheet.
#[derive(Debug, Default)]
pub struct Sheet {
    /// Top-level entries.
    pub items: Vec<Item>,
    /// Ranges of the comments, in order.
    pub comments: Vec<Range>,
}

/// At-rules whose block holds declarations and margin at-rules only.
const DECLARATION_RULES: [&str; 9] = [
    "font-face",
    "font-feature-values",
    "page",
    "property",
    "counter-style",
    "color-profile",
    "font-palette-values",
    "position-try",
    "view-transition",
];

/// Reads a sheet. Fails only when blocks are nested deeper than [`MAX_DEPTH`].
pub fn parse(text: &str) -> ToolResult<Sheet> {
    let mut parser = Parser {
        text,
        lexer: Lexer::new(text, 0, text.len()),
        depth: 0,
    };
    let mut items = Vec::new();
    loop {
        let start = parser.peek();
        match start.kind {
            Kind::End => break,
            Kind::Cdx => parser.skip(start),
            Kind::At => items.push(parser.at_rule(start)?),
            _ => match parser.rule(start, false)? {
                Some(item) => items.push(item),
                None => break,
            },
        }
    }
    Ok(Sheet {
        items,
        comments: comments(text),
    })
}

/// Every comment outside strings and unquoted addresses.
fn comments(text: &str) -> Vec<Range> {
    let mut found = Vec::new();
    if !text.contains("/*") {
        return found;
    }
    let mut lexer = Lexer::new(text, 0, text.len());
    loop {
        while let Some(end) = lexer.comment_end() {
            found.push((lexer.pos, end));
            lexer.pos = end;
        }
        if lexer.next().kind == Kind::End {
            return found;
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token {
        self.ahead().next_solid()
    }

    fn ahead(&self) -> Lexer<'a> {
        self.lexer
    }

    fn skip(&mut self, token: Token) {
        self.lexer.pos = token.end;
    }

    fn first_byte(&self, token: Token) -> u8 {
        self.text.as_bytes().get(token.start).copied().unwrap_or(0)
    }

    /// The content of a block whose `{` has been read, up to and with its `}`; and where that `}` ends.
    fn block(&mut self, declarations_only: bool) -> ToolResult<(Vec<Item>, usize)> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ToolError::new(
                ErrorKind::InvalidInput,
                format!(
                    "blocks are nested deeper than {MAX_DEPTH} levels at byte {}",
                    self.lexer.pos
                ),
            )
            .hint("check the sheet for unclosed blocks"));
        }
        let mut items = Vec::new();
        let end = loop {
            let token = self.peek();
            match token.kind {
                Kind::End => break token.end,
                Kind::RightBrace => {
                    self.skip(token);
                    break token.end;
                }
                Kind::At => items.push(self.at_rule(token)?),
                _ => {
                    if let Some(declaration) = self.declaration(token) {
                        items.push(Item::Declaration(declaration));
                    } else if token.kind == Kind::Semicolon {
                        self.skip(token);
                    } else if declarations_only {
                        self.skip_broken_declaration();
                    } else if let Some(rule) = self.rule(token, true)? {
                        items.push(rule);
                    }
                }
            }
        };
        self.depth -= 1;
        Ok((items, end))
    }

    /// Goes on behind the next `;`, or before the `}` that ends this block.
    fn skip_broken_declaration(&mut self) {
        let mut depth = 0_usize;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::End => return,
                Kind::Semicolon if depth == 0 => return,
                Kind::LeftBrace => depth += 1,
                Kind::RightBrace if depth == 0 => {
                    self.lexer.pos = token.start;
                    return;
                }
                Kind::RightBrace => depth -= 1,
                _ => {}
            }
        }
    }

    /// A style rule; `None` when there is none up to the end (or, nested, up to the next `;` or `}`).
    fn rule(&mut self, start: Token, nested: bool) -> ToolResult<Option<Item>> {
        self.lexer.pos = start.start;
        let mut last = start.start;
        let mut depth = 0_usize;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::End => return Ok(None),
                Kind::LeftBrace => {
                    let prelude = (start.start, last);
                    let (items, _) = self.block(false)?;
                    return Ok(Some(Item::Rule(Rule { prelude, items })));
                }
                Kind::Semicolon if nested && depth == 0 => return Ok(None),
                Kind::RightBrace if nested => {
                    self.lexer.pos = token.start;
                    return Ok(None);
                }
                Kind::Space => continue,
                Kind::LeftParen | Kind::Function | Kind::LeftBracket => depth += 1,
                Kind::RightParen | Kind::RightBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            last = token.end;
        }
    }

    fn at_rule(&mut self, at: Token) -> ToolResult<Item> {
        self.skip(at);
        let name = (at.start + 1, at.end);
        let prelude_start = self.lexer.pos;
        let mut depth = 0_usize;
        let stop = loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::LeftParen | Kind::Function => depth += 1,
                Kind::RightParen => depth = depth.saturating_sub(1),
                Kind::End => break token,
                Kind::LeftBrace | Kind::Semicolon if depth == 0 => break token,
                Kind::RightBrace if self.depth > 0 && depth == 0 => {
                    self.lexer.pos = token.start;
                    break token;
                }
                _ => {}
            }
        };
        let prelude = trim(self.text, prelude_start, stop.start);
        let (items, end) = if stop.kind == Kind::LeftBrace {
            let lower = self.text[name.0..name.1].to_ascii_lowercase();
            let (items, end) = self.block(DECLARATION_RULES.contains(&lower.as_str()))?;
            (Some(items), end)
        } else {
            (
                None,
                if stop.kind == Kind::RightBrace {
                    stop.start
                } else {
                    stop.end
                },
            )
        };
        Ok(Item::AtRule(AtRule {
            name,
            prelude,
            items,
            range: (at.start, end),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> String {
        fn put(text: &str, items: &[Item], out: &mut String) {
            for item in items {
                match item {
                    Item::Rule(rule) => {
                        out.push_str(&text[rule.prelude.0..rule.prelude.1]);
                        out.push('{');
                        put(text, &rule.items, out);
                        out.push('}');
                    }
                    Item::AtRule(rule) => {
                        out.push('@');
                        out.push_str(&text[rule.name.0..rule.name.1]);
                        if let Some(prelude) = rule.prelude {
                            out.push(' ');
                            out.push_str(&text[prelude.0..prelude.1]);
                        }
                        match &rule.items {
                            Some(items) => {
                                out.push('{');
                                put(text, items, out);
                                out.push('}');
                            }
                            None => out.push(';'),
                        }
                    }
                    Item::Declaration(found) => {
                        out.push_str(&text[found.property.0..found.property.1]);
                        out.push('=');
                        out.push_str(&text[found.value.0..found.value.1]);
                        out.push_str(if found.important { "!;" } else { ";" });
                    }
                }
            }
        }
        let mut out = String::new();
        put(text, &parse(text).unwrap().items, &mut out);
        out
    }

    #[test]
    fn nesting_and_declarations_are_told_apart() {
        let text = "a{color:red; b:hover{c:d} &.x > y{e:f!important} *zoom:1; --m:{x:y}}";
        assert_eq!(
            outline(text),
            "a{color=red;b:hover{c=d;}&.x > y{e=f!;}*zoom=1;--m={x:y};}"
        );
    }

    #[test]
    fn a_broken_declaration_does_not_swallow_the_next_rule() {
        assert_eq!(outline("a{foo; b:c} d{e:f}"), "a{b=c;}d{e=f;}");
        assert_eq!(outline("@media x{a{foo}} b{c:d}"), "@media x{a{}}b{c=d;}");
    }

    #[test]
    fn an_address_may_hold_anything() {
        assert_eq!(outline("a{b:url(data:x;y,{}/*)}"), "a{b=url(data:x;y,{}/*);}");
    }

    #[test]
    fn bottomless_nesting_is_refused() {
        let text = "a{".repeat(100_000);
        assert_eq!(parse(&text).unwrap_err().kind, ErrorKind::InvalidInput);
    }
}
