//! Headers that cannot hold a line break, and how they are written (RFC 5322, RFC 2047).
//!
//! Nothing is ever decoded into a header: text that looks like an encoded word is encoded itself, so that a reader shows
//! what was given.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::address::{Mailbox, atext, forbidden};

/// A line is at most this long where it can be folded (RFC 5322, 2.1.1).
pub(crate) const WANTED: usize = 76;

/// Longest run without a space that is written as it is.
const LONGEST_WORD: usize = 200;

/// A text holds a character that a header cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderError;

impl std::fmt::Display for HeaderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a line break or another control character in a header")
    }
}

impl std::error::Error for HeaderError {}

/// Text of a header: no control character, no line separator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderText(String);

impl HeaderText {
    /// Takes a text. A tab becomes a space.
    ///
    /// Fails on line breaks, NUL, other control characters, U+2028 and U+2029.
    pub fn new(text: &str) -> Result<Self, HeaderError> {
        let text = text.replace('\t', " ");
        if text.chars().any(forbidden) {
            return Err(HeaderError);
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing but space is there.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

/// A header block in the making. Lines end with CRLF.
#[derive(Debug, Default)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    names: Vec<&'static str>,
}

impl Block {
    /// A header of free text.
    pub(crate) fn text(&mut self, name: &'static str, text: &HeaderText) {
        let value = if is_plain(text.as_str()) {
            folded(name.len() + 2, text.as_str())
        } else {
            encoded_words(name.len() + 2, text.as_str())
        };
        self.line(name, &value);
    }

    /// A header with one mailbox. `utf8`: the address may be written as it is.
    pub(crate) fn mailbox(&mut self, name: &'static str, mailbox: &Mailbox) {
        let address = &mailbox.address;
        if mailbox.name.is_blank() {
            return self.line(name, &address.to_string());
        }
        let phrase = phrase(name.len() + 2, mailbox.name.as_str());
        let last = phrase.rsplit("\r\n").next().unwrap_or_default().len();
        let address = format!("<{address}>");
        let fits = last + 1 + address.len() + name.len() + 2 <= WANTED;
        let gap = if fits { " " } else { "\r\n " };
        self.line(name, &format!("{phrase}{gap}{address}"));
    }

    /// A header whose value was made by this crate, of characters that it chose.
    pub(crate) fn made(&mut self, name: &'static str, value: &str) {
        self.line(name, value);
    }

    fn line(&mut self, name: &'static str, value: &str) {
        self.names.push(name);
        self.bytes
            .extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }

    /// The lines, without the empty one, and the names in their order.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<&'static str>) {
        (self.bytes, self.names)
    }
}

/// Whether it can be written as it is, and is read as it is.
fn is_plain(text: &str) -> bool {
    text.is_ascii()
        && !text.contains("=?")
        && text.trim() == text
        && !text.contains("  ")
        && text.split(' ').all(|word| word.len() <= LONGEST_WORD)
}

/// Breaks lines before spaces, which a reader puts back.
fn folded(used: usize, text: &str) -> String {
    let (mut lines, mut length) = (String::new(), used);
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            if length + 1 + word.len() > WANTED {
                lines.push_str("\r\n");
                length = 0;
            }
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}

/// A name before an address: atoms, a quoted string, or encoded words.
fn phrase(used: usize, name: &str) -> String {
    if !is_plain(name) {
        return encoded_words(used, name);
    }
    if name.chars().all(|c| atext(c) || c == ' ') {
        return folded(used, name);
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    folded(used, &format!("\"{escaped}\""))
}

/// RFC 2047: words of at most 75 characters, each of whole characters, one a line.
fn encoded_words(used: usize, text: &str) -> String {
    const FRAME: usize = "=?utf-8?b??=".len();
    let (mut words, mut chunk, mut room) = (Vec::new(), String::new(), (WANTED - FRAME).saturating_sub(used));
    for c in text.chars() {
        // Base64 writes three bytes as four characters.
        if !chunk.is_empty() && (chunk.len() + c.len_utf8()).div_ceil(3) * 4 > room {
            words.push(std::mem::take(&mut chunk));
            room = 75 - FRAME;
        }
        chunk.push(c);
    }
    words.push(chunk);
    words
        .iter()
        .map(|word| format!("=?utf-8?b?{}?=", STANDARD.encode(word)))
        .collect::<Vec<_>>()
        .join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut block = Block::default();
        block.text("Subject", &HeaderText::new(text).unwrap());
        String::from_utf8(block.finish().0).unwrap()
    }

    #[test]
    fn a_header_text_holds_no_line_break() {
        for text in [
            "A\nBcc: x@y.example",
            "A\r\n\r\nbody",
            "A\u{2028}B",
            "A\u{0}B",
            "A\u{85}B",
            "\u{1b}[1m",
        ] {
            assert_eq!(HeaderText::new(text), Err(HeaderError), "{text:?}");
        }
        assert_eq!(HeaderText::new("a\tb").unwrap().as_str(), "a b");
    }

    #[test]
    fn what_looks_encoded_is_encoded_itself() {
        let raw = written("=?utf-8?q?A=0D=0ABcc=3A_x?=");
        assert!(!raw.contains("=0D"), "{raw}");
        let message = mail_parser::MessageParser::default()
            .parse(raw.as_bytes())
            .unwrap();
        assert_eq!(message.subject(), Some("=?utf-8?q?A=0D=0ABcc=3A_x?="));
    }

    #[test]
    fn long_and_foreign_texts_come_back_whole_in_short_lines() {
        for text in [
            "Spring sale – 50 % off 🎄".to_owned(),
            "слово ".repeat(60) + "конец",
            "word ".repeat(80) + "end",
            " spaces  kept ".to_owned(),
            "x".repeat(1500),
        ] {
            let raw = written(&text);
            assert!(raw.split("\r\n").all(|line| line.len() <= 200), "{raw}");
            assert!(raw.is_ascii());
            let message = mail_parser::MessageParser::default()
                .parse(raw.as_bytes())
                .unwrap();
            assert_eq!(message.subject(), Some(text.as_str()));
        }
    }
}
