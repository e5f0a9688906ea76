//! Content lines (RFC 5545 3.1): unfolded as bytes, then decoded, then split into name, parameters and value.

use std::ops::Range;

use crate::{Note, short};

/// One property as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Line of the file where it begins, from 1.
    pub number: usize,
    /// Name in capitals.
    pub name: String,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// Value as it stands there, escapes and all.
    pub value: String,
    /// Bytes of the file that it takes, line ends included.
    pub bytes: Range<usize>,
}

/// A parameter of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Name in capitals.
    pub name: String,
    /// Values without their quotes.
    pub values: Vec<String>,
}

impl Line {
    /// The first value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|param| param.name == name)?
            .values
            .first()
            .map(String::as_str)
    }
}

/// What a physical line turned out to be.
#[derive(Debug)]
pub(crate) enum Read {
    Line(Line),
    /// A line that is no property.
    Broken(Note),
}

/// All content lines of a file, with notes on what had to be put right.
pub(crate) fn lines(bytes: &[u8], notes: &mut Vec<Note>) -> Vec<Read> {
    let mut found = Vec::new();
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut number = 0;
    let mut decoding_told = false;
    while at < bytes.len() {
        let begin = at;
        let first = number + 1;
        let mut unfolded = Vec::new();
        loop {
            let end = bytes[at..]
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |found| at + found);
            let line = &bytes[at..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // A continuation begins with one blank, which is not part of the text.
            unfolded.extend_from_slice(if number + 1 == first { line } else { &line[1..] });
            at = (end + 1).min(bytes.len());
            number += 1;
            if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
                break;
            }
        }
        if unfolded.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let (text, told) = decoded(unfolded);
        if let Some(told) = told.filter(|_| !decoding_told) {
            decoding_told = true;
            notes.push(Note::new(first, told));
        }
        found.push(match parse(&text, first, begin..at) {
            Some(line) => Read::Line(line),
            None => Read::Broken(Note::new(first, format!("`{}` is no property", short(&text)))),
        });
    }
    found
}

/// What windows-1252 has in the place of the C1 control characters; the others are those of Latin-1.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of a line, and what is to say about its encoding.
fn decoded(bytes: Vec<u8>) -> (String, Option<&'static str>) {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, None),
        Err(error) => error.into_bytes(),
    };
    let lossy = String::from_utf8_lossy(&bytes);
    // A line that has letters in UTF-8 is in UTF-8, and damaged.
    if lossy.chars().any(|c| !c.is_ascii() && c != '\u{fffd}') {
        let told = "not UTF-8 throughout: unreadable characters are shown as `\u{fffd}`";
        return (lossy.into_owned(), Some(told));
    }
    let text = bytes
        .iter()
        .map(|byte| match byte {
            0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
            other => char::from(*other),
        })
        .collect();
    (text, Some("not UTF-8: read as windows-1252"))
}

/// Splits an unfolded line; `None` when it has no name or no value.
fn parse(text: &str, number: usize, bytes: Range<usize>) -> Option<Line> {
    let mut rest = text;
    let end = rest.find([';', ':'])?;
    let name = rest[..end].trim().to_ascii_uppercase();
    let named = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !named(&name) {
        return None;
    }
    // Some programs put a group before the name, as in vCard.
    let name = name.rsplit('.').next().unwrap_or_default().to_owned();
    let mut params = Vec::new();
    rest = &rest[end..];
    while let Some(inner) = rest.strip_prefix(';') {
        let equals = inner.find(['=', ':', ';'])?;
        let param = inner[..equals].trim().to_ascii_uppercase();
        rest = &inner[equals..];
        let mut values = Vec::new();
        while let Some(value) = rest.strip_prefix(['=', ',']) {
            let (text, after) = param_value(value)?;
            values.push(text);
            rest = after;
        }
        if !param.is_empty() {
            params.push(Param { name: param, values });
        }
    }
    let value = rest.strip_prefix(':')?.to_owned();
    Some(Line {
        number,
        name,
        params,
        value,
        bytes,
    })
}

/// One value of a parameter, quoted or not, with the escapes of RFC 6868 resolved, and what follows it.
fn param_value(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted.find('"')?;
        let after = &quoted[end + 1..];
        // Anything between the quote and the next mark is no part of a value.
        let next = after.find([',', ';', ':'])?;
        return Some((uncaret(&quoted[..end]), &after[next..]));
    }
    let end = text.find([',', ';', ':'])?;
    Some((uncaret(text[..end].trim()), &text[end..]))
}

fn uncaret(text: &str) -> String {
    if !text.contains('^') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '^' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('\'') => out.push('"'),
            Some('^') | None => out.push('^'),
            Some(other) => out.extend(['^', other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> (Vec<Line>, Vec<usize>) {
        let mut notes = Vec::new();
        let mut broken = Vec::new();
        let mut good = Vec::new();
        for read in lines(text, &mut notes) {
            match read {
                Read::Line(line) => good.push(line),
                Read::Broken(note) => broken.push(note.line),
            }
        }
        (good, broken)
    }

    #[test]
    fn lines_are_unfolded_before_they_are_decoded() {
        let (lines, broken) = all(b"\xef\xbb\xbfSUMMARY:\xc3\r\n \xa4 b\r\n\tc\n\nUID:x");
        assert_eq!(lines[0].value, "ä bc");
        assert_eq!((lines[1].number, lines[1].value.as_str()), (5, "x"));
        assert!(broken.is_empty());
    }

    #[test]
    fn parameters_may_hold_marks_in_quotes() {
        let (lines, _) = all(b"ATTENDEE;CN=\"Weber, Ina: ^'x^'\";ROLE=A,B;RSVP:mailto:i@x.example");
        let line = &lines[0];
        assert_eq!(line.param("CN"), Some("Weber, Ina: \"x\""));
        assert_eq!(line.params[1].values, ["A", "B"]);
        assert_eq!(line.value, "mailto:i@x.example");
    }

    #[test]
    fn another_encoding_is_guessed_and_damage_is_told() {
        let mut notes = Vec::new();
        let text = b"SUMMARY:R\xe9union \x80\nSUMMARY:\xc3\xa9 \xe9";
        let values: Vec<String> = lines(text, &mut notes)
            .into_iter()
            .filter_map(|read| match read {
                Read::Line(line) => Some(line.value),
                Read::Broken(_) => None,
            })
            .collect();
        assert_eq!(values, ["Réunion €", "é \u{fffd}"]);
        assert_eq!(notes[0].message, "not UTF-8: read as windows-1252");
    }

    #[test]
    fn what_is_no_property_is_named_by_its_line() {
        let (lines, broken) = all(b"UID:a\nno property\nBEGIN:\n: x\nA;B=\"x:y\nDTSTART;TZID:20260101");
        assert_eq!(broken, [2, 4, 5]);
        assert_eq!(lines[1].name, "BEGIN");
        assert_eq!(lines[2].param("TZID"), None);
    }
}
