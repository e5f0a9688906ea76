//! Prices as shops write them: for machines (`content`, JSON), where a point is always decimal, and for people, where
//! the language of the page decides.
//!
//! Nothing is a float, and nothing that could be read in two ways is taken silently: such a price says which reading
//! was chosen, and why.

pub mod currency;
mod decimal;
mod display;
mod lex;
mod number;
mod words;

use schemars::JsonSchema;
use serde::Serialize;

pub use decimal::Decimal;
pub use display::display;

/// What is known of the place where a price stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// Language of the page, for example `de` or `pt-BR`.
    pub language: Option<String>,
    /// Last label of the shop's host name, for example `jp`.
    pub country: Option<String>,
}

impl Hint {
    /// A language alone.
    pub fn language(language: &str) -> Self {
        Self {
            language: Some(language.to_owned()),
            country: None,
        }
    }

    /// The language without its region, lower case.
    pub(crate) fn tongue(&self) -> Option<String> {
        let language = self.language.as_deref()?;
        let first = language.split(['-', '_']).next().unwrap_or_default();
        (!first.is_empty()).then(|| first.to_ascii_lowercase())
    }

    /// Whether the language or the host name says so.
    pub(crate) fn is(&self, language: &str, country: &str) -> bool {
        self.tongue().as_deref() == Some(language) || self.country.as_deref() == Some(country)
    }
}

/// What was read in a price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reading {
    /// The price, as a decimal number with a point; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub amount: Option<Decimal>,
    /// The upper end of a range that begins with `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub to: Option<Decimal>,
    /// The price before a reduction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub list_price: Option<Decimal>,
    /// Code of the currency (ISO 4217).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether the currency was concluded from a sign that several currencies use.
    pub currency_inferred: bool,
    /// Why the reading is not the only possible one, and which was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ambiguous: Option<String>,
    /// Whether it is the lowest of several prices (`from 5 EUR`).
    pub from: bool,
    /// Whether the text says that it costs nothing.
    pub free: bool,
    /// The quantity that stands beside the price, for example `0,5 kg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What had to be repaired or left aside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Reading {
    /// Says that the reading is not the only one; the first reason stays.
    pub(crate) fn doubt(&mut self, why: impl Into<String>) {
        self.ambiguous.get_or_insert_with(|| why.into());
    }

    fn note(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.notes.contains(&what) {
            self.notes.push(what);
        }
    }
}

/// Reads a price that is meant for machines: `content` attributes, JSON, `price` of schema.org.
///
/// A point is decimal, whatever follows it. A decimal comma, thousands, blanks and signs are repaired and noted.
pub fn machine(text: &str) -> Reading {
    let mut reading = Reading::default();
    let text = lex::plain(text);
    let text = text.trim();
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | ' ');
    let Some(first) = text.find(|c: char| c.is_ascii_digit()) else {
        reading.note("no number");
        return reading;
    };
    // A separator before the first digit is part of the number.
    let begin = text[..first].strip_suffix(['.', ',']).map_or(first, str::len);
    let end = text[begin..]
        .find(|c| !is_part(c))
        .map_or(text.len(), |length| begin + length);
    let (before, digits, after) = (text[..begin].trim(), &text[begin..end], text[end..].trim());
    if after.contains(|c: char| c.is_ascii_digit()) {
        // More than one number is no machine value any more.
        let mut reading = display(text, &Hint::default());
        reading.note("a text for people in a field for machines");
        return reading;
    }
    if before.ends_with('-') {
        reading.note(format!("negative: `{text}`"));
        return reading;
    }
    if after.starts_with('%') {
        reading.note("a percentage");
        return reading;
    }
    for (word, close) in [(before, true), (after, false)] {
        if let Some(found) = currency::find(word, close, &Hint::default()) {
            reading.currency = found.code.map(str::to_owned);
            reading.currency_inferred = found.inferred;
            if let Some(why) = found.ambiguous {
                reading.doubt(why);
            }
            reading.note(format!("currency `{}` in the number", found.written));
        } else if !word.is_empty() && word != "+" {
            reading.note("text beside the number left aside");
        }
    }
    match number::machine(digits.trim()) {
        Some(found) => {
            reading.amount = Some(found.value);
            if let Some(repair) = found.repair {
                reading.note(repair);
            }
            if let Some(why) = found.ambiguous {
                reading.doubt(why);
            }
        }
        None => reading.note("a number without end"),
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let reading = machine(text);
        let part = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let doubt = if reading.ambiguous.is_some() { " ?" } else { "" };
        format!(
            "{} {}{doubt}",
            part(reading.amount.map(|amount| amount.to_string())),
            part(reading.currency)
        )
    }

    #[test]
    fn a_point_for_machines_is_decimal() {
        for (text, value) in [
            ("3.350 USD", "3.350 USD"),
            ("34.992001", "34.992001 -"),
            ("18.50", "18.50 -"),
            ("9,90", "9.90 -"),
            ("$1,250", "1250 USD ?"),
            ("1,250.00", "1250.00 -"),
            ("1.250,00", "1250.00 -"),
            ("1.234.567", "1234567 -"),
            ("1 299,90 zł", "1299.90 PLN"),
            (".5", "0.5 -"),
            ("12", "12 -"),
            ("0.00", "0.00 -"),
        ] {
            assert_eq!(told(text), value, "{text}");
        }
    }

    #[test]
    fn what_is_no_price_for_machines_is_none() {
        for text in ["", "call", "-5.00", "20%", "99999999999999999999999999", "−5"] {
            assert_eq!(machine(text).amount, None, "{text}");
            assert!(!machine(text).notes.is_empty(), "{text}");
        }
        let two = machine("12.99 - 15.99 EUR");
        assert_eq!(two.to.map(|to| to.to_string()).as_deref(), Some("15.99"));
    }
}
