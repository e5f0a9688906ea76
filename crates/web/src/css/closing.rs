//! What the end of a sheet closes (CSS Syntax, section 5): needed where another sheet is written behind it.

use super::lex::{Kind, Lexer};

/// What stands at the top level since the last rule ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    AtRule,
    Rule,
}

/// The sheet with everything closed that its end would close: comments, strings, addresses, brackets and blocks. A
/// rule without a block, which its end drops, gets an empty one.
///
/// What follows then means the same as in a sheet of its own.
pub fn closed(css: &str) -> String {
    let mut out = css.to_owned();
    let mut lexer = Lexer::new(css, 0, css.len());
    let mut open: Vec<Kind> = Vec::new();
    let mut pending = Pending::Nothing;
    loop {
        while let Some(end) = lexer.comment_end() {
            let comment = &css[lexer.pos..end];
            if comment.len() < 4 || !comment.ends_with("*/") {
                out.push_str("*/");
            }
            lexer.pos = end;
        }
        let token = lexer.next();
        let text = &css[token.start..token.end];
        let last = token.end == css.len();
        match token.kind {
            Kind::End => break,
            kind if kind == Kind::Space || kind == Kind::Cdx && open.is_empty() => continue,
            Kind::LeftBrace => open.push(Kind::RightBrace),
            Kind::LeftBracket => open.push(Kind::RightBracket),
            Kind::LeftParen | Kind::Function => open.push(Kind::RightParen),
            Kind::RightBrace | Kind::RightBracket | Kind::RightParen if open.last() == Some(&token.kind) => {
                open.pop();
                if open.is_empty() && token.kind == Kind::RightBrace {
                    pending = Pending::Nothing;
                    continue;
                }
            }
            Kind::Semicolon if open.is_empty() && pending == Pending::AtRule => {
                pending = Pending::Nothing;
                continue;
            }
            Kind::BadStr if last => end_text(&mut out, text, &text[..1]),
            Kind::Url if last && !ends_with_paren(text) => end_text(&mut out, text, ")"),
            _ => {}
        }
        // A block is opened by `{` at the top level, so what opens one has been pending before.
        if pending == Pending::Nothing {
            pending = if token.kind == Kind::At {
                Pending::AtRule
            } else {
                Pending::Rule
            };
        }
        if last && token.kind != Kind::BadStr && token.kind != Kind::Url && ends_with_escape(text) {
            // A backslash at the end stands for U+FFFD; with something behind it, it would be an escape.
            out.pop();
            out.push('\u{fffd}');
        }
    }
    while let Some(kind) = open.pop() {
        out.push(match kind {
            Kind::RightBrace => '}',
            Kind::RightBracket => ']',
            _ => ')',
        });
        if open.is_empty() && kind == Kind::RightBrace {
            pending = Pending::Nothing;
        }
    }
    match pending {
        Pending::Nothing => {}
        Pending::AtRule => out.push(';'),
        Pending::Rule => out.push_str("{}"),
    }
    out
}

/// Ends a string or address that the end of the sheet cut off.
fn end_text(out: &mut String, text: &str, mark: &str) {
    if ends_with_escape(text) {
        out.pop();
    }
    out.push_str(mark);
}

fn ends_with_escape(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn ends_with_paren(text: &str) -> bool {
    text.strip_suffix(')').is_some_and(|rest| !ends_with_escape(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_end_closes_is_closed() {
        let cases = [
            ("a{b:c}", "a{b:c}"),
            ("a{b:c", "a{b:c}"),
            ("@media x{a{b:c", "@media x{a{b:c}}"),
            ("a{b:c/* d", "a{b:c/* d*/}"),
            ("/*", "/**/"),
            ("/* x */", "/* x */"),
            ("a{b:\"c", "a{b:\"c\"}"),
            ("a{b:'c\\", "a{b:'c'}"),
            ("a{b:'c\\\\", "a{b:'c\\\\'}"),
            ("a{b:url(c", "a{b:url(c)}"),
            ("a{b:url(c\\)", "a{b:url(c\\))}"),
            ("a{b:url(c", "a{b:url(c)}"),
            ("a{b:x(y[z", "a{b:x(y[z])}"),
            ("a{b:(}", "a{b:(})}"),
            (".lead", ".lead{}"),
            ("a{} b\\", "a{} b\u{fffd}{}"),
            ("@import 'x'", "@import 'x';"),
            ("@layer a;", "@layer a;"),
            ("a;b", "a;b{}"),
            ("<!-- a{} -->", "<!-- a{} -->"),
            ("a{b:\"c\n}", "a{b:\"c\n}"),
            ("", ""),
            (" \n", " \n"),
        ];
        for (css, wanted) in cases {
            assert_eq!(closed(css), wanted, "{css}");
        }
    }
}
