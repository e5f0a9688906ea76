//! Characters, blanks and comments of a tolerant JSON text, and its strings.

use super::Unreadable;

/// Quotes inside texts that are taken for letters, at most: beyond it the text is not JSON with a slip but no JSON.
const MOST_QUOTES: usize = 200;

/// Where a text stands, which decides what may follow its closing quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The name of a member.
    Name,
    /// The value of a member.
    Member,
    /// An entry of a list.
    Entry,
}

/// A position in the text, and the repairs made so far.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    quotes: usize,
    given_up: bool,
    repairs: Vec<String>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            quotes: 0,
            given_up: false,
            repairs: Vec::new(),
        }
    }

    pub(super) fn into_repairs(self) -> Vec<String> {
        self.repairs
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Notes a repair once.
    pub(super) fn repair(&mut self, what: &str) {
        if !self.repairs.iter().any(|known| known == what) {
            self.repairs.push(what.to_owned());
        }
    }

    /// That the text makes no sense here.
    pub(super) fn nonsense(&self, what: &str) -> Unreadable {
        let line = self.text[..self.at].matches('\n').count() + 1;
        Unreadable::NotJson(format!("{what} in line {line}"))
    }

    /// Notes that the text ends too early, unless its rest was given up.
    pub(super) fn cut_off(&mut self) {
        if !self.given_up {
            self.repair("cut off");
        }
    }

    /// Gives up the rest of the text, keeping what was read before it.
    pub(super) fn give_up(&mut self, why: &Unreadable) {
        self.at = self.text.len();
        self.given_up = true;
        let why = match why {
            Unreadable::NotJson(why) => why.as_str(),
            Unreadable::Empty => "nothing",
        };
        self.repair(&format!("the rest left out, {why}"));
    }

    /// Passes over blanks, comments, and the shells that pages put around scripts.
    pub(super) fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches(is_blank).len();
            self.at += blank;
            let rest = self.rest();
            let (repair, length) = if rest.starts_with("//") {
                let end = rest.find(['\n', '\r', '\u{2028}']).unwrap_or(rest.len());
                if rest[..end].contains("<![CDATA[") {
                    self.repair("CDATA");
                }
                ("comment lines", end)
            } else if rest.starts_with("/*") {
                // An open comment takes the rest.
                ("block comment", rest.find("*/").map_or(rest.len(), |end| end + 2))
            } else if rest.starts_with("<![CDATA[") {
                ("CDATA", 9)
            } else if rest.starts_with("]]>") {
                ("CDATA", 3)
            } else if rest.starts_with("<!--") {
                ("HTML comment", 4)
            } else if rest.starts_with("-->") {
                ("HTML comment", 3)
            } else {
                return;
            };
            self.repair(repair);
            self.at += length;
        }
    }

    /// A bare word: letters, digits and what names may hold.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '-' | '+' | '.')))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A text that begins here with a quote; `None` when it is cut off.
    pub(super) fn text(&mut self, place: Place) -> Result<Option<String>, Unreadable> {
        let Some(quote) = self.next() else {
            return Ok(None);
        };
        if quote == '\'' {
            self.repair("single quotes");
        }
        let mut text = String::new();
        while let Some(c) = self.next() {
            if c == quote {
                if self.ends_here(place) {
                    return Ok(Some(text));
                }
                self.quotes += 1;
                if self.quotes > MOST_QUOTES {
                    return Err(self.nonsense("quotes in texts, too many to be slips,"));
                }
                self.repair("unescaped quotes");
                text.push(c);
            } else if c == '\\' {
                match self.escape() {
                    Some(c) => text.push_str(&c),
                    None => return Ok(None),
                }
            } else {
                if c.is_control() && (c as u32) < 0x20 {
                    self.repair("raw control characters");
                }
                text.push(c);
            }
        }
        Ok(None)
    }

    /// What stands behind a backslash; `None` at the end of the text.
    fn escape(&mut self) -> Option<String> {
        let c = self.next()?;
        let plain = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return Some(self.unicode()),
            '\'' => {
                self.repair("unknown escapes");
                '\''
            }
            other => {
                self.repair("unknown escapes");
                return Some(format!("\\{other}"));
            }
        };
        Some(plain.to_string())
    }

    /// Four hex digits, and four more where they are the first half of a pair.
    fn unicode(&mut self) -> String {
        let Some(first) = self.hex() else {
            self.repair("unknown escapes");
            return "\\u".to_owned();
        };
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            if let Some(second) = self.hex()
                && (0xdc00..0xe000).contains(&second)
            {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(code).unwrap_or('\u{fffd}').to_string();
            }
            self.at = back;
        }
        char::from_u32(first)
            .unwrap_or_else(|| {
                self.repair("half a character");
                '\u{fffd}'
            })
            .to_string()
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// Whether the quote just passed closes its text, by what follows it.
    fn ends_here(&self, place: Place) -> bool {
        let rest = self.rest().trim_start_matches(is_blank);
        let mut after = rest.chars();
        match (after.next(), place) {
            // A quote inside a name is rarer than a forgotten colon.
            // A closer of the other kind is one too many, or one was forgotten.
            (None | Some('}' | ']'), _) | (_, Place::Name) => true,
            (Some('/'), _) => matches!(after.next(), Some('/' | '*')),
            (Some(','), Place::Entry) => {
                let next = after.as_str().trim_start_matches(is_blank).chars().next();
                next.is_none_or(|c| {
                    matches!(c, '"' | '\'' | '{' | '[' | ']' | '-' | '/') || c.is_alphanumeric()
                })
            }
            (Some(','), Place::Member) => starts_member(after.as_str()),
            // A comma was forgotten: the next member must be there.
            (Some('"' | '\''), Place::Member) => starts_member(rest),
            _ => false,
        }
    }
}

/// Whether a member of an object begins here, or the object ends.
fn starts_member(text: &str) -> bool {
    let text = text.trim_start_matches(is_blank);
    match text.chars().next() {
        None | Some('}' | ']' | '/') => true,
        Some(quote @ ('"' | '\'')) => text[1..]
            .split_once(quote)
            // Cut off in the name counts as one.
            .is_none_or(|(_, after)| after.trim_start_matches(is_blank).starts_with(':')),
        Some(c) if c.is_alphabetic() || matches!(c, '_' | '$' | '@') => {
            let name = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '@')));
            name.is_none_or(|end| text[end..].trim_start_matches(is_blank).starts_with(':'))
        }
        _ => false,
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\0')
}
