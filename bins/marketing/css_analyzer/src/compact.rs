//! The compaction of the replaced script: comments out, blanks collapsed, a few literal replacements.
//!
//! Unlike the script it leaves quoted texts and addresses alone. It is not a minifier: see `minify`.

use crate::lex::{Kind, Lexer};

/// Stands for a quoted text while the replacements run; cannot occur in CSS, where it is replaced on input.
const OPAQUE: char = '\0';

/// Compacts a sheet.
pub fn compact(css: &str) -> String {
    let css = css.replace(OPAQUE, "\u{fffd}");
    let mut opaque = Vec::new();
    let mut plain = String::with_capacity(css.len());
    let mut lexer = Lexer::new(&css, 0, css.len());
    loop {
        if let Some(end) = lexer.comment_end() {
            lexer.pos = end;
            continue;
        }
        let token = lexer.next();
        let text = &css[token.start..token.end];
        match token.kind {
            Kind::End => break,
            Kind::Str | Kind::BadStr | Kind::Url => {
                opaque.push(text);
                plain.push(OPAQUE);
            }
            _ => plain.push_str(text),
        }
    }
    let plain = collapse(&plain)
        .replace("; ", ";")
        .replace(" {", "{")
        .replace(" }", "}")
        .replace(";}", "}");
    let mut texts = opaque.into_iter();
    plain
        .split(OPAQUE)
        .enumerate()
        .fold(String::with_capacity(css.len()), |mut out, (at, piece)| {
            if at > 0 {
                out.push_str(texts.next().unwrap_or(""));
            }
            out.push_str(piece);
            out
        })
}

/// Each run of two or more white space characters becomes one blank; a single one stays.
fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = None;
    for c in text.chars() {
        if c.is_whitespace() {
            run = Some(if run.is_some() { ' ' } else { c });
        } else {
            out.extend(run.take());
            out.push(c);
        }
    }
    out.extend(run);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_the_contract() {
        assert_eq!(compact("a { b: c; }\nx{y:z}"), "a{ b: c}\nx{y:z}");
        let text = "/* one\ntwo */body {\n  color: red;\n  margin: 0;\n}\n";
        assert_eq!(compact(text), "body{ color: red;margin: 0;\n}\n");
        assert_eq!(compact("a { b: c ; }"), "a{ b: c }");
        assert_eq!(compact("a{b:c;\n}"), "a{b:c;\n}");
    }

    #[test]
    fn quoted_texts_and_addresses_stay() {
        let text = "p{content:'a;  b'} q{content:\"x  {  y /* */\"} r{s:url(a;  b)}";
        assert_eq!(compact(text), text);
    }
}
