//! A decimal number that is neither negative nor a float.

use std::{cmp::Ordering, fmt};

use serde::{Serialize, Serializer};

/// Digits before the point, at most.
const WHOLE: usize = 15;
/// Digits behind the point, at most.
const FRACTION: usize = 9;

/// A decimal number of at most fifteen digits before the point and nine behind it. It keeps the zeros it was written
/// with, and compares by value.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    units: u128,
    scale: u32,
}

impl Decimal {
    /// From the digits before and behind the point; `None` when there are none or too many.
    pub fn new(whole: &str, fraction: &str) -> Option<Self> {
        let whole = whole.trim_start_matches('0');
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() > WHOLE || fraction.len() > FRACTION || !digits(whole) || !digits(fraction) {
            return None;
        }
        let all = format!("0{whole}{fraction}");
        Some(Self {
            units: all.parse().ok()?,
            scale: fraction.len() as u32,
        })
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    /// With at least so many digits behind the point; more than nine are not added.
    pub fn padded(self, digits: u32) -> Self {
        let scale = self.scale.max(digits.min(FRACTION as u32));
        Self {
            units: self.units * 10_u128.pow(scale - self.scale),
            scale,
        }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // Twenty-four digits and nine more fit.
        let scale = self.scale.max(other.scale);
        self.padded(scale).units.cmp(&other.padded(scale).units)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = 10_u128.pow(self.scale);
        write!(f, "{}", self.units / power)?;
        if self.scale > 0 {
            write!(f, ".{:0width$}", self.units % power, width = self.scale as usize)?;
        }
        Ok(())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_kept_and_values_compared() {
        let of = |whole: &str, fraction: &str| Decimal::new(whole, fraction).unwrap();
        assert_eq!(of("007", "50").to_string(), "7.50");
        assert_eq!(of("", "05").to_string(), "0.05");
        assert_eq!(of("12", ""), of("12", "00"));
        assert_eq!(of("12", "").padded(2).to_string(), "12.00");
        assert!(of("9", "9") < of("10", ""));
        let largest = of(&"9".repeat(15), &"9".repeat(9));
        assert!(largest > of("1", "000000001") && largest > of("1", ""));
        assert!(Decimal::new(&"9".repeat(16), "").is_none() && Decimal::new("1", &"0".repeat(10)).is_none());
    }
}
