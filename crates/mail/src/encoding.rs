//! Bodies as lines that every server passes on: 7bit where they are so already, else quoted-printable or base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Longest line of encoded text (RFC 2045, 6.7 and 6.8).
const LINE: usize = 76;

/// Longest line that a server must take, without its end (RFC 5321, 4.5.3.1.6).
pub(crate) const LONGEST_LINE: usize = 998;

/// A text as a body: its charset, its transfer encoding, and the lines.
pub(crate) fn text(text: &str) -> (&'static str, &'static str, Vec<u8>) {
    let lines = crlf(text);
    let charset = if text.is_ascii() { "us-ascii" } else { "utf-8" };
    let short = lines.split("\r\n").all(|line| line.len() <= LONGEST_LINE);
    if text.is_ascii() && short {
        return (charset, "7bit", lines.into_bytes());
    }
    // What base64 costs anyway: a third more.
    let foreign = lines.bytes().filter(|b| !b.is_ascii()).count();
    if foreign * 6 < lines.len() {
        (charset, "quoted-printable", quoted_printable(&lines))
    } else {
        (charset, "base64", base64_lines(lines.as_bytes()))
    }
}

/// All kinds of line ends as CRLF.
fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n")
}

/// Base64 in lines.
pub(crate) fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let code = STANDARD.encode(bytes);
    let mut lines = Vec::with_capacity(code.len() + code.len() / 38 + 2);
    for line in code.as_bytes().chunks(LINE) {
        lines.extend_from_slice(line);
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// RFC 2045, 6.7. Line ends stay line ends.
fn quoted_printable(lines: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len() * 2);
    let all: Vec<&str> = lines.split("\r\n").collect();
    for (index, line) in all.iter().enumerate() {
        let mut used = 0;
        let bytes = line.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            let last = at + 1 == bytes.len();
            let plain = matches!(byte, 33..=60 | 62..=126) || (matches!(byte, b' ' | b'\t') && !last);
            let length = if plain { 1 } else { 3 };
            if used + length > LINE - 1 {
                out.extend_from_slice(b"=\r\n");
                used = 0;
            }
            if plain {
                out.push(byte);
            } else {
                out.extend_from_slice(format!("={byte:02X}").as_bytes());
            }
            used += length;
        }
        if index + 1 < all.len() {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_lines_are_short() {
        let mut long = String::from("<p>caf\u{e9} &amp; \"x\" = y ");
        long.push_str(&"a".repeat(1200));
        for body in [
            "plain\nlines",
            "",
            "trailing space \n.\n..\nFrom x\n",
            "Здравствуйте!\n\nТекст с ёлкой 🎄",
            long.as_str(),
        ] {
            let (charset, encoding, bytes) = text(body);
            let head = format!(
                "Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
            );
            let raw = [head.into_bytes(), bytes.clone()].concat();
            let message = mail_parser::MessageParser::default().parse(&raw).unwrap();
            let back = message.body_text(0).unwrap_or_default().replace("\r\n", "\n");
            assert_eq!(
                back.trim_end_matches('\n'),
                body.trim_end_matches('\n'),
                "{encoding}"
            );
            assert!(bytes.is_ascii());
            assert!(
                bytes
                    .split(|b| *b == b'\n')
                    .all(|line| line.len() <= LONGEST_LINE + 1)
            );
        }
    }
}
