//! What of people's names and numbers leaves the machine.

use std::fmt;

use app_core::contract::settings::LlmPrivacy;
use schemars::JsonSchema;
use serde::Serialize;

/// What of people a model sees in this run; settled once, by the setting and by where the model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// Names as they are.
    Names,
    /// `P1`, `P2` in place of names. The caller puts them there.
    Pseudonyms,
    /// Pseudonyms; and phones, mail addresses and card numbers are taken out of every text by the client.
    Redacted,
}

impl Privacy {
    /// What a setting means for a host that is near (this machine or its network) or not.
    pub(crate) const fn settle(setting: LlmPrivacy, near: bool) -> Self {
        match setting {
            LlmPrivacy::Auto if near => Self::Names,
            LlmPrivacy::Auto | LlmPrivacy::Pseudonyms => Self::Pseudonyms,
            LlmPrivacy::Names => Self::Names,
            LlmPrivacy::Redacted => Self::Redacted,
        }
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Names => "names go as they are",
            Self::Pseudonyms => "pseudonyms go in place of names",
            Self::Redacted => "no names, phones, mail addresses or card numbers go",
        })
    }
}

/// A text without phones, mail addresses and card numbers: `[phone]`, `[mail]`, `[card]` stand for them.
///
/// It rather takes too much: any run of ten to nineteen digits with single separators counts, unless it begins like a
/// date.
pub fn redacted(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        if let Some(end) = mail(&chars, at) {
            result.push_str("[mail]");
            at = end;
        } else if let Some((end, mark)) = number(&chars, at) {
            result.push_str(mark);
            at = end;
        } else {
            // A word is passed as a whole, so that a mail address is looked for at its beginning only.
            let word = chars[at..].iter().take_while(|&&c| is_local(c)).count();
            let word = if number_begins(chars[at]) { 1 } else { word.max(1) };
            result.extend(&chars[at..at + word]);
            at += word;
        }
    }
    result
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "._%+-".contains(c)
}

fn number_begins(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '+' | '(')
}

/// Where a mail address that begins here ends.
fn mail(chars: &[char], at: usize) -> Option<usize> {
    let local = chars[at..].iter().take_while(|&&c| is_local(c)).count();
    if local == 0 || chars.get(at + local) != Some(&'@') {
        return None;
    }
    let from = at + local + 1;
    let domain = chars[from..]
        .iter()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        .count();
    let mut end = from + domain;
    // The full stop of the sentence is not part of it.
    while end > from && matches!(chars[end - 1], '.' | '-') {
        end -= 1;
    }
    chars[from..end].contains(&'.').then_some(end)
}

/// Where a long number that begins here ends, and what stands for it.
fn number(chars: &[char], at: usize) -> Option<(usize, &'static str)> {
    let inside = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if !number_begins(chars[at]) || inside {
        return None;
    }
    let (mut digits, mut end, mut index, mut gap) = (Vec::new(), at, at, 0);
    while let Some(&c) = chars.get(index) {
        if c.is_ascii_digit() {
            digits.push(c as u8 - b'0');
            end = index + 1;
            gap = 0;
        } else if matches!(c, ' ' | '\u{a0}' | '-' | '.' | '(' | ')') || (c == '+' && index == at) {
            gap += 1;
            // `) ` and ` (` are two, and one thing.
            if gap > 2 {
                break;
            }
        } else {
            break;
        }
        index += 1;
    }
    let plain: String = chars[at..end].iter().collect();
    let dated = plain.len() >= 10 && {
        let bytes = plain.as_bytes();
        (bytes[4] == b'-' && bytes[7] == b'-') || (bytes[2] == b'.' && bytes[5] == b'.')
    };
    match digits.len() {
        10..=19 if dated => None,
        13..=19 if luhn(&digits) => Some((end, "[card]")),
        10..=19 => Some((end, "[phone]")),
        _ => None,
    }
}

/// The check digit of card numbers (ISO/IEC 7812-1).
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit) * 2) {
            (0, _) => u32::from(digit),
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_taken_out_and_dates_stay() {
        for (text, left) in [
            ("звони +7 (900) 000-00-00, жду", "звони [phone], жду"),
            ("89000000000", "[phone]"),
            ("card 4111 1111 1111 1111 ok", "card [card] ok"),
            ("write to ann.b+x@mail.example.org.", "write to [mail]."),
            ("почта иван@почта.рф!", "почта [mail]!"),
            (
                "on 2025-01-02 03:04 at 12.05.2025 10:00",
                "on 2025-01-02 03:04 at 12.05.2025 10:00",
            ),
            ("@ann, order 12345, 3.14, a@b", "@ann, order 12345, 3.14, a@b"),
            ("x1234567890123y", "x1234567890123y"),
        ] {
            assert_eq!(redacted(text), left, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_redacted(text in "[ -~а-я+()0-9@.]{0,80}") {
            let once = redacted(&text);
            proptest::prop_assert!(!text.is_empty() || once.is_empty());
        }
    }
}
