//! Writing: content lines folded at 75 octets between characters, escapes, parameters that cannot break out.

use jiff::{Timestamp, tz::TimeZone};

use crate::{days, value::Time, zone::Origin};

/// Octets of a line without its end (RFC 5545 3.1).
const WIDTH: usize = 75;

/// A text value with its escapes. Line ends of any kind become one; other control characters are left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\n' | '\u{2028}' | '\u{2029}' | '\u{85}' => out.push_str("\\n"),
            '\\' | ';' | ',' => out.extend(['\\', c]),
            c if c.is_control() && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

/// A text of the format in the making.
#[derive(Clone, Debug, Default)]
pub struct Text(String);

impl Text {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a property. Whatever name, parameters and value hold, it is one line.
    pub fn line(&mut self, name: &str, params: &[(&str, &str)], value: &str) -> &mut Self {
        let mut line: String = name.to_owned();
        for (name, value) in params {
            line.push(';');
            line.push_str(name);
            line.push('=');
            line.push_str(&param(value));
        }
        line.push(':');
        line.push_str(value);
        self.0.push_str(&folded(&line));
        self
    }

    /// What was written.
    pub fn finish(&self) -> String {
        self.0.clone()
    }
}

/// A parameter value: quoted where it must be, with what cannot be quoted written as RFC 6868 says.
fn param(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    if out.contains([':', ';', ',', ' ']) {
        format!("\"{out}\"")
    } else {
        out
    }
}

/// A line with its end, folded.
pub(crate) fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut used = 0;
    for c in line.chars() {
        // What could end the line has no place in it, from wherever it came.
        let c = if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c };
        if used + c.len_utf8() > WIDTH {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(c);
        used += c.len_utf8();
    }
    out.push_str("\r\n");
    out
}

/// A moment as `20260310T090000Z`.
pub fn stamp_utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Parameters and value of a date or time: a zone by its name, UTC with `Z`, a floating time without either.
pub fn when_line(time: &Time) -> (Vec<(&'static str, String)>, String) {
    match time {
        Time::Date(date) => (
            vec![("VALUE", "DATE".to_owned())],
            date.strftime("%Y%m%d").to_string(),
        ),
        Time::At(civil, zone) => {
            let text = civil.strftime("%Y%m%dT%H%M%S").to_string();
            match zone.origin() {
                Origin::Utc => (Vec::new(), format!("{text}Z")),
                Origin::Floating(_) => (Vec::new(), text),
                _ => (vec![("TZID", zone.name().to_owned())], text),
            }
        }
    }
}

/// Offset as `+0100`, with seconds only where there are some.
pub(crate) fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = i64::from(seconds).abs();
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    if rest == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{rest:02}")
    }
}

/// A civil time in seconds as `20260310T090000`.
pub(crate) fn civil(seconds: i64) -> String {
    days::datetime(seconds)
        .map(|time| time.strftime("%Y%m%dT%H%M%S").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{component::parse, value::unescape};
    use proptest::prelude::*;

    #[test]
    fn nothing_in_a_value_begins_a_line_of_its_own() {
        let mut text = Text::new();
        text.line("BEGIN", &[], "VEVENT");
        text.line(
            "ATTENDEE",
            &[("CN", "a\r\nBEGIN:VEVENT\"")],
            "mailto:x\r\nEND:VEVENT",
        );
        let read = parse(text.finish().as_bytes());
        assert_eq!(read.components.len(), 1);
        assert_eq!(read.components[0].lines.len(), 1);
        assert_eq!(read.components[0].lines[0].param("CN"), Some("a\nBEGIN:VEVENT\""));
    }

    proptest! {
        #[test]
        fn texts_come_back_and_lines_are_short(text in "\\PC{0,200}") {
            let mut out = Text::new();
            out.line("BEGIN", &[], "VEVENT").line("SUMMARY", &[], &escape(&text)).line("END", &[], "VEVENT");
            let written = out.finish();
            prop_assert!(written.split("\r\n").all(|line| line.len() <= WIDTH));
            let read = parse(written.as_bytes());
            let line = read.components[0].get("SUMMARY").unwrap();
            let kept: String = text.chars().map(|c| if matches!(c, '\u{2028}' | '\u{2029}') { '\n' } else { c }).collect();
            prop_assert_eq!(unescape(&line.value), kept);
        }
    }
}
