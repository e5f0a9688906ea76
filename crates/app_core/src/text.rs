//! Other people's text on a terminal, in a log or in a plain-text file: what would act there is made visible.
//!
//! Names, messages and pages of others may hold escape sequences (which move the cursor, set the window title or fill
//! the clipboard), carriage returns, direction overrides and characters without width. They are kept, but shown.

use std::{borrow::Cow, fmt::Write as _};

/// The text with every character made visible that would act instead of being shown, except line ends and tabs.
///
/// Control characters become control pictures (`␛` for ESC), formatting characters their code (`<U+202E>`). Joiners
/// and selectors inside emoji, joiners between letters of scripts that need them, and flags made of tags stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    filter(text, |c| c == '\n' || c == '\t')
}

/// Like [`visible`], for what must stay on one line: a name, a title, an error. A line end becomes `␊`.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    filter(text, |_| false)
}

/// Whether a terminal or a reader acts on this character instead of showing it.
pub fn acts(c: char) -> bool {
    c.is_control() || is_format(c)
}

fn filter(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| acts(c) && !kept(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        if let Some(flag) = flag_of_tags(c, &text[at..]) {
            shown.push_str(flag);
            for _ in flag.chars().skip(1) {
                chars.next();
            }
        } else if !acts(c) || kept(c) || joins(before, c, next) {
            shown.push(c);
        } else {
            push_visible(&mut shown, c);
        }
        before = Some(c);
    }
    Cow::Owned(shown)
}

fn push_visible(shown: &mut String, c: char) {
    match u32::from(c) {
        control @ 0..=0x1f => shown.push(char::from_u32(0x2400 + control).unwrap_or('\u{fffd}')),
        0x7f => shown.push('␡'),
        // Writing to a String cannot fail.
        code => {
            let _ = write!(shown, "<U+{code:04X}>");
        }
    }
}

/// Unicode's format class (General_Category=Cf, 17.0), line and paragraph separators, the combining grapheme joiner,
/// fillers, and the variation selectors of the supplement.
fn is_format(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x115f..=0x1160
        | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164
        | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3
        | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// Whether this joiner does what it is for: between parts of an emoji, or between letters of a script that uses it.
fn joins(before: Option<char>, c: char, next: Option<char>) -> bool {
    let (Some(before), Some(next)) = (before, next) else {
        return false;
    };
    match c {
        '\u{200d}' => {
            (is_pictographic(before) || before == '\u{fe0f}') && is_pictographic(next)
                || shapes(before) && shapes(next)
        }
        '\u{200c}' => shapes(before) && shapes(next),
        _ => false,
    }
}

/// Parts of emoji sequences; broad, since only a joiner between two of them depends on it.
fn is_pictographic(c: char) -> bool {
    matches!(u32::from(c), 0x2190..=0x21ff | 0x2300..=0x27bf | 0x2900..=0x297f | 0x2b00..=0x2bff | 0x1f000..=0x1faff)
}

/// Letters of the scripts in which joiners change the shape of words: Arabic, Syriac, N'Ko, the Indic scripts,
/// Sinhala, Myanmar, Khmer, Mongolian.
fn shapes(c: char) -> bool {
    matches!(u32::from(c), 0x620..=0x8ff | 0x900..=0xdff | 0x1000..=0x109f | 0x1780..=0x18af | 0xfb50..=0xfdff | 0xfe70..=0xfefc)
}

/// England, Scotland, Wales: the flags that Unicode recommends as tag sequences.
fn flag_of_tags(c: char, rest: &str) -> Option<&'static str> {
    const FLAGS: [&str; 3] = [
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
    ];
    (c == '\u{1f3f4}').then_some(())?;
    FLAGS.into_iter().find(|flag| rest.starts_with(flag))
}

/// JSON as a terminal may show it: the same value, with the characters that act written as `\uXXXX`.
pub(crate) fn escaped_json(json: &str) -> Cow<'_, str> {
    let acts_here = |c: char| acts(c) && c != '\n';
    if !json.chars().any(acts_here) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if acts_here(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_shown_and_what_is_text_stays() {
        assert_eq!(
            visible("\u{1b}[31mRED\u{1b}]0;x\u{7}\r\n\tend"),
            "␛[31mRED␛]0;x␇␍\n\tend"
        );
        assert_eq!(visible_line("a\nerror: forged"), "a␊error: forged");
        assert_eq!(visible("\u{9b}31m \u{85}\u{7f}"), "<U+009B>31m <U+0085>␡");
        assert_eq!(
            visible("68_\u{202e}gpj.exe a\u{200b}b \u{ad}\u{feff}"),
            "68_<U+202E>gpj.exe a<U+200B>b <U+00AD><U+FEFF>"
        );
        assert_eq!(visible("x\u{e0041}"), "x<U+E0041>");
        for kept in [
            "plain text, кириллица, 日本語",
            "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}\u{200d}🔥 🏳\u{fe0f}\u{200d}🌈",
            "می\u{200c}خواهم क्\u{200d}ष",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} and \u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
        ] {
            assert_eq!(visible(kept), kept);
            assert!(matches!(visible("plain"), Cow::Borrowed(_)));
        }
        assert_eq!(
            visible("p\u{200d}aypal"),
            "p<U+200D>aypal",
            "a joiner between Latin letters hides a word"
        );
    }

    #[test]
    fn json_on_a_terminal_keeps_its_value() {
        let json = serde_json::json!({"name": "a\u{202e}b\u{9b}c\u{e0041}"});
        let shown = escaped_json(&json.to_string()).into_owned();
        assert!(!shown.chars().any(acts), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
    }
}
