//! Money in US dollars as an integer, so that sums never drift.
//!
//! The unit is the nano-dollar: prices per token times a quarter token (a character) are not whole micro-dollars.

use std::{
    borrow::Cow,
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Sub},
    str::FromStr,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount of US dollars in whole nano-dollars. On the wire it is a JSON number of dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i64);

/// Nano-dollars in a dollar.
const NANOS: i64 = 1_000_000_000;

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From nano-dollars.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nano-dollars.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// From whole cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents * (NANOS / 100))
    }

    /// From dollars as a float, rounded to the nearest nano-dollar; `None` unless finite and below nine billion.
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let nanos = (dollars * NANOS as f64).round();
        (nanos.is_finite() && nanos.abs() < 9e18).then_some(Self(nanos as i64))
    }

    /// Dollars as a float, for output only.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / NANOS as f64
    }

    /// This amount times a whole number; saturates.
    pub const fn times(self, count: i64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// This amount minus `other`, never below zero.
    pub fn minus_floor(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// Four decimals, as the replaced budget script printed it: `$0.0140`. A precision is honoured: `{:.2}`.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = f.precision().unwrap_or(4);
        write!(f, "${:.*}", precision, self.dollars())
    }
}

impl FromStr for Usd {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().trim_start_matches('$');
        number
            .parse::<f64>()
            .ok()
            .and_then(Self::from_dollars)
            .ok_or_else(|| format!("`{text}` is not an amount of dollars"))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.dollars())
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        Self::from_dollars(dollars).ok_or_else(|| de::Error::custom("not an amount of dollars"))
    }
}

impl JsonSchema for Usd {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Usd".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "format": "usd"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_drift() {
        let tenth: Usd = "0.1".parse().unwrap();
        let sum: Usd = std::iter::repeat_n(tenth, 20).sum();
        assert_eq!(sum, Usd::from_cents(200));
        assert_eq!(serde_json::to_string(&sum).unwrap(), "2.0");
        assert_eq!(
            format!("{} / {:.2}", Usd::from_nanos(14_000_000), sum),
            "$0.0140 / $2.00"
        );
    }

    #[test]
    fn a_quarter_token_is_exact() {
        let per_token = Usd::from_dollars(1.25e-5).unwrap();
        assert_eq!(per_token.nanos(), 12_500);
    }
}
