//! What the separators in a number mean.

use super::{Decimal, Hint, words};

/// A number and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: Decimal,
    /// What was repaired, for machine values.
    pub(super) repair: Option<&'static str>,
    /// Why it could be another number.
    pub(super) ambiguous: Option<String>,
}

impl Number {
    fn sure(value: Decimal) -> Self {
        Self {
            value,
            repair: None,
            ambiguous: None,
        }
    }
}

/// The separators of a number in their order: each with its place among the digits' text.
fn separators(text: &str) -> Vec<(usize, char)> {
    text.char_indices().filter(|(_, c)| !c.is_ascii_digit()).collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Whole and fraction, parted at this place.
fn parted(text: &str, at: usize) -> Option<Decimal> {
    Decimal::new(&digits(&text[..at]), &digits(&text[at + 1..]))
}

/// A number for machines: one point is decimal, whatever follows.
pub(super) fn machine(text: &str) -> Option<Number> {
    let text = text.trim_end_matches(['.', ',', ' ', '\'']);
    let marks = separators(text);
    let points = marks.iter().filter(|(_, c)| *c == '.').count();
    let commas: Vec<usize> = marks
        .iter()
        .filter(|(_, c)| *c == ',')
        .map(|(at, _)| *at)
        .collect();
    let repaired = |value: Option<Decimal>, repair: &'static str| {
        value.map(|value| Number {
            repair: Some(repair),
            ..Number::sure(value)
        })
    };
    match (points, commas.as_slice()) {
        (0, []) => {
            let whole = Decimal::new(&digits(text), "");
            if marks.is_empty() {
                whole.map(Number::sure)
            } else {
                repaired(whole, "thousands separators")
            }
        }
        (1, []) => {
            let at = marks.iter().find(|(_, c)| *c == '.')?.0;
            let value = parted(text, at);
            if marks.len() == 1 {
                value.map(Number::sure)
            } else {
                repaired(value, "thousands separators")
            }
        }
        (0, [at]) if text.len() - at - 1 == 3 && *at > 0 && !text.starts_with('0') => {
            let mut number = repaired(Decimal::new(&digits(text), ""), "thousands separators")?;
            number.ambiguous = Some(format!(
                "`{text}`: the comma taken for thousands, three digits follow it"
            ));
            Some(number)
        }
        (0, [at]) => repaired(parted(text, *at), "decimal comma"),
        _ => {
            let mixed = by_last(text, &marks)?;
            repaired(Some(mixed), "thousands separators")
        }
    }
}

/// Two kinds of separators, or one several times: the last kind is decimal when it stands there once.
fn by_last(text: &str, marks: &[(usize, char)]) -> Option<Decimal> {
    let (at, last) = *marks.last()?;
    let others = marks.iter().any(|(_, c)| *c != last);
    if others && marks.iter().filter(|(_, c)| *c == last).count() == 1 && matches!(last, '.' | ',') {
        parted(text, at)
    } else {
        Decimal::new(&digits(text), "")
    }
}

/// A number for people. `currency` decides where the language does not.
pub(super) fn display(text: &str, hint: &Hint, currency: Option<&str>) -> Option<Number> {
    let text = text.trim_end_matches(['.', ',', ' ', '\'']);
    let marks = separators(text);
    let [(at, mark)] = marks[..] else {
        return match marks.len() {
            0 => Decimal::new(text, "").map(Number::sure),
            _ => by_last(text, &marks).map(Number::sure),
        };
    };
    if !matches!(mark, '.' | ',') {
        return Decimal::new(&digits(text), "").map(Number::sure);
    }
    let (before, after) = (&text[..at], &text[at + 1..]);
    if after.len() != 3 || before.is_empty() || before.len() > 3 || before.starts_with('0') {
        return parted(text, at).map(Number::sure);
    }
    // Currencies without small change leave no doubt.
    if currency.is_some_and(|code| super::currency::minor_digits(code) == 0) {
        return Decimal::new(&digits(text), "").map(Number::sure);
    }
    let (decimal, why) = match (words::decimal_mark(hint), currency) {
        (Some(decimal), _) => (decimal == mark, "the language of the page".to_owned()),
        (None, Some(code)) if super::currency::decimal_mark(code).is_some() => (
            super::currency::decimal_mark(code) == Some(mark),
            format!("the custom where {code} is paid"),
        ),
        _ => (false, "prices rarely having three decimals".to_owned()),
    };
    let value = if decimal {
        parted(text, at)?
    } else {
        Decimal::new(&digits(text), "")?
    };
    let meaning = if decimal { "decimal" } else { "thousands" };
    Some(Number {
        value,
        repair: None,
        ambiguous: Some(format!("`{text}`: `{mark}` taken for {meaning}, by {why}")),
    })
}
