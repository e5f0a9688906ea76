//! A tokenizer after CSS Syntax Level 3 that yields byte ranges into the sheet.
//!
//! It is flat (blocks are not nested calls), so hostile nesting cannot exhaust the stack, and it keeps the exact
//! source text, which the metrics count by.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name.
    Ident,
    /// A name with its opening parenthesis.
    Function,
    /// `@` and a name.
    At,
    /// `#` and a name.
    Hash,
    /// A quoted text that is closed.
    Str,
    /// A quoted text cut off by a line end or the end of the sheet.
    BadStr,
    /// An unquoted `url(...)` as a whole.
    Url,
    /// `U+0025-00FF`.
    UnicodeRange,
    /// A number without unit.
    Number,
    /// A number with `%`.
    Percentage,
    /// A number with a unit.
    Dimension,
    /// White space.
    Space,
    /// `<!--` or `-->`.
    Cdx,
    /// `:`.
    Colon,
    /// `;`.
    Semicolon,
    /// `,`.
    Comma,
    /// `[`.
    LeftBracket,
    /// `]`.
    RightBracket,
    /// `(`.
    LeftParen,
    /// `)`.
    RightParen,
    /// `{`.
    LeftBrace,
    /// `}`.
    RightBrace,
    /// Any other single character.
    Delim,
    /// The end.
    End,
}

/// A token and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte.
    pub end: usize,
}

/// Reads tokens from `text[pos..end]`. Cheap to copy: a copy is a bookmark.
#[derive(Clone, Copy)]
pub struct Lexer<'a> {
    bytes: &'a [u8],
    /// Offset of the next token.
    pub pos: usize,
    end: usize,
}

/// White space of CSS.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

const fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0x0c)
}

const fn starts_name(byte: u8) -> bool {
    byte >= 0x80 || byte == b'_' || byte.is_ascii_alphabetic()
}

const fn in_name(byte: u8) -> bool {
    starts_name(byte) || byte == b'-' || byte.is_ascii_digit()
}

impl<'a> Lexer<'a> {
    /// Over a range of the sheet; the range must lie on character boundaries.
    pub fn new(text: &'a str, start: usize, end: usize) -> Self {
        Self {
            bytes: text.as_bytes(),
            pos: start,
            end: end.min(text.len()),
        }
    }

    fn at(&self, offset: usize) -> u8 {
        if offset < self.end { self.bytes[offset] } else { 0 }
    }

    /// The next token; comments are passed over.
    #[expect(
        clippy::should_implement_trait,
        reason = "it never ends: at the end of the text it gives the end again and again"
    )]
    pub fn next(&mut self) -> Token {
        while let Some(end) = self.comment_end() {
            self.pos = end;
        }
        self.token()
    }

    /// The next token that is not white space.
    pub fn next_solid(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    /// Passes over white space and comments.
    pub fn skip_space(&mut self) {
        loop {
            if self.pos < self.end && is_space(self.bytes[self.pos]) {
                self.pos += 1;
            } else if let Some(end) = self.comment_end() {
                self.pos = end;
            } else {
                return;
            }
        }
    }

    /// If a comment begins here, where it ends.
    pub fn comment_end(&self) -> Option<usize> {
        if self.at(self.pos) != b'/' || self.at(self.pos + 1) != b'*' {
            return None;
        }
        let mut at = self.pos + 2;
        while at + 1 < self.end {
            if self.bytes[at] == b'*' && self.bytes[at + 1] == b'/' {
                return Some(at + 2);
            }
            at += 1;
        }
        Some(self.end)
    }

    fn token(&mut self) -> Token {
        let start = self.pos;
        if start >= self.end {
            return Token {
                kind: Kind::End,
                start: self.end,
                end: self.end,
            };
        }
        let byte = self.bytes[start];
        let single = |kind| (kind, start + 1);
        let (kind, end) = match byte {
            b'{' => single(Kind::LeftBrace),
            b'}' => single(Kind::RightBrace),
            b':' => single(Kind::Colon),
            b';' => single(Kind::Semicolon),
            b',' => single(Kind::Comma),
            b'[' => single(Kind::LeftBracket),
            b']' => single(Kind::RightBracket),
            b'(' => single(Kind::LeftParen),
            b')' => single(Kind::RightParen),
            b'"' | b'\'' => self.string_end(start),
            b'@' => (Kind::At, self.name_end(start + 1)),
            b'#' => (Kind::Hash, self.name_end(start + 1)),
            _ if is_space(byte) => {
                let mut end = start + 1;
                while end < self.end && is_space(self.bytes[end]) {
                    end += 1;
                }
                (Kind::Space, end)
            }
            _ if self.starts_number(start) => self.number(start),
            b'-' if self.at(start + 1) == b'-' && self.at(start + 2) == b'>' => (Kind::Cdx, start + 3),
            b'<' if self.bytes[start..self.end].starts_with(b"<!--") => (Kind::Cdx, start + 4),
            _ if self.starts_ident(start) => self.ident(start),
            _ => single(Kind::Delim),
        };
        self.pos = end;
        Token { kind, start, end }
    }

    fn starts_ident(&self, at: usize) -> bool {
        match self.at(at) {
            b'-' => starts_name(self.at(at + 1)) || self.at(at + 1) == b'-' || self.escapes(at + 1),
            b'\\' => self.escapes(at),
            byte => starts_name(byte),
        }
    }

    fn escapes(&self, at: usize) -> bool {
        at + 1 < self.end && self.bytes[at] == b'\\' && !is_newline(self.bytes[at + 1])
    }

    fn starts_number(&self, at: usize) -> bool {
        let at = if matches!(self.at(at), b'+' | b'-') {
            at + 1
        } else {
            at
        };
        self.at(at).is_ascii_digit() || (self.at(at) == b'.' && self.at(at + 1).is_ascii_digit())
    }

    /// Where the digits that begin at `at` end.
    fn digits(&self, mut at: usize) -> usize {
        while self.at(at).is_ascii_digit() {
            at += 1;
        }
        at
    }

    fn number(&self, start: usize) -> (Kind, usize) {
        let sign = usize::from(matches!(self.at(start), b'+' | b'-'));
        let mut end = self.digits(start + sign);
        if self.at(end) == b'.' && self.at(end + 1).is_ascii_digit() {
            end = self.digits(end + 1);
        }
        if matches!(self.at(end), b'e' | b'E') {
            let exponent = end + 1 + usize::from(matches!(self.at(end + 1), b'+' | b'-'));
            if self.at(exponent).is_ascii_digit() {
                end = self.digits(exponent);
            }
        }
        match self.at(end) {
            b'%' => (Kind::Percentage, end + 1),
            // Unlike the specification an escape does not begin a unit: `0\9` is a number and an old hack.
            byte if starts_name(byte) || (byte == b'-' && starts_name(self.at(end + 1))) => {
                while end < self.end && in_name(self.bytes[end]) {
                    end += 1;
                }
                (Kind::Dimension, end)
            }
            _ => (Kind::Number, end),
        }
    }

    fn string_end(&self, start: usize) -> (Kind, usize) {
        let quote = self.bytes[start];
        let mut at = start + 1;
        while at < self.end {
            match self.bytes[at] {
                byte if byte == quote => return (Kind::Str, at + 1),
                byte if is_newline(byte) => return (Kind::BadStr, at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        (Kind::BadStr, self.end)
    }

    /// Where a name without escapes ends: at-keywords and hashes.
    fn name_end(&self, mut at: usize) -> usize {
        while at < self.end && in_name(self.bytes[at]) {
            at += 1;
        }
        at
    }

    /// Where a name with escapes ends.
    fn escaped_name_end(&self, mut at: usize) -> usize {
        loop {
            if at < self.end && in_name(self.bytes[at]) {
                at += 1;
            } else if self.escapes(at) {
                at += 1;
                if self.bytes[at].is_ascii_hexdigit() {
                    let first = at;
                    while at < first + 6 && self.at(at).is_ascii_hexdigit() {
                        at += 1;
                    }
                    at += usize::from(at < self.end && is_space(self.bytes[at]));
                } else {
                    at += 1;
                    while at < self.end && self.bytes[at] & 0xc0 == 0x80 {
                        at += 1;
                    }
                }
            } else {
                return at;
            }
        }
    }

    fn ident(&self, start: usize) -> (Kind, usize) {
        let end = self.escaped_name_end(start);
        let name = &self.bytes[start..end];
        if name.eq_ignore_ascii_case(b"u") && self.at(end) == b'+' {
            let mut last = end + 1;
            while matches!(self.at(last), b'?' | b'-') || self.at(last).is_ascii_hexdigit() {
                last += 1;
            }
            return (Kind::UnicodeRange, last);
        }
        if self.at(end) != b'(' {
            return (Kind::Ident, end);
        }
        if !name.eq_ignore_ascii_case(b"url") {
            return (Kind::Function, end + 1);
        }
        let mut at = end + 1;
        while at < self.end && is_space(self.bytes[at]) {
            at += 1;
        }
        if matches!(self.at(at), b'"' | b'\'') {
            return (Kind::Function, end + 1);
        }
        while at < self.end && self.bytes[at] != b')' {
            at += if self.bytes[at] == b'\\' { 2 } else { 1 };
        }
        (Kind::Url, (at + 1).min(self.end))
    }
}

/// `text[start..end]` without white space and comments at both ends, or `None` when nothing is left.
pub fn trim(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let mut lexer = Lexer::new(text, start, end);
    lexer.skip_space();
    let start = lexer.pos;
    // Comments nest in nothing, so a forward scan is the only sure way to find where the last token ends.
    let mut last = start;
    loop {
        let token = lexer.next();
        match token.kind {
            Kind::End => break,
            Kind::Space => {}
            _ => last = token.end,
        }
    }
    (last > start).then_some((start, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(text, 0, text.len());
        std::iter::from_fn(|| {
            let token = lexer.next();
            (token.kind != Kind::End).then(|| (token.kind, &text[token.start..token.end]))
        })
        .collect()
    }

    #[test]
    fn tokens_keep_their_text() {
        let found = kinds("a:-1.5e3px url( x;{y ) \"q\\\"\" #f0 50% U+26-7F /* c */ .b\\:c");
        let wanted = [
            (Kind::Ident, "a"),
            (Kind::Colon, ":"),
            (Kind::Dimension, "-1.5e3px"),
            (Kind::Url, "url( x;{y )"),
            (Kind::Str, "\"q\\\"\""),
            (Kind::Hash, "#f0"),
            (Kind::Percentage, "50%"),
            (Kind::UnicodeRange, "U+26-7F"),
            (Kind::Delim, "."),
            (Kind::Ident, "b\\:c"),
        ];
        let solid: Vec<_> = found
            .into_iter()
            .filter(|(kind, _)| *kind != Kind::Space)
            .collect();
        assert_eq!(solid, wanted);
    }

    #[test]
    fn trim_drops_comments_at_both_ends() {
        let text = " /*a*/ b /*c*/ d /*e*/ ";
        let (start, end) = trim(text, 0, text.len()).unwrap();
        assert_eq!(&text[start..end], "b /*c*/ d");
        assert_eq!(trim("/* */", 0, 5), None);
    }
}
