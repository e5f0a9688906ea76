//! Frames per second as a fraction: 30000/1001 is not 29.97.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Frames per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Frames.
    pub frames: u32,
    /// In this many seconds.
    pub seconds: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            frames: 30,
            seconds: 1,
        }
    }
}

impl Rate {
    /// Whole frames that are nearest to `seconds`.
    pub fn frames_in(self, seconds: f64) -> u64 {
        (seconds * f64::from(self.frames) / f64::from(self.seconds)).round() as u64
    }

    /// Seconds that `frames` take.
    pub fn seconds_of(self, frames: u64) -> f64 {
        frames as f64 * f64::from(self.seconds) / f64::from(self.frames)
    }

    /// `frames` in whole units of which there are `units` a second, rounded.
    pub fn units_of(self, frames: u64, units: u32) -> u64 {
        let exact = u128::from(frames) * u128::from(self.seconds) * u128::from(units);
        let rate = u128::from(self.frames);
        u64::try_from((exact + rate / 2) / rate).unwrap_or(u64::MAX)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a frame rate: write a whole number, or a fraction such as 30000/1001 for 29.97"
            )
        };
        let (frames, seconds) = text.trim().split_once('/').unwrap_or((text.trim(), "1"));
        let frames: u32 = frames.trim().parse().map_err(|_| wrong())?;
        let seconds: u32 = seconds.trim().parse().map_err(|_| wrong())?;
        if frames == 0 || seconds == 0 || frames > 240_000 || seconds > 10_000 {
            return Err(wrong());
        }
        let speed = f64::from(frames) / f64::from(seconds);
        if !(1.0..=120.0).contains(&speed) {
            return Err(format!("`{text}` is not between 1 and 120 frames per second"));
        }
        Ok(Self { frames, seconds })
    }
}

/// A whole number, or the fraction.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.frames)?;
        if self.seconds != 1 {
            write!(f, "/{}", self.seconds)?;
        }
        Ok(())
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl de::Visitor<'_> for Written {
            type Value = Rate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("frames per second such as 30 or 30000/1001")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Rate, E> {
                value.to_string().parse().map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Rate, E> {
                value.to_string().parse().map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Rate, E> {
                value.to_string().parse().map_err(E::custom)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Rate, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]+(/[0-9]+)?$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_stays_one() {
        let rate: Rate = "30000/1001".parse().unwrap();
        assert_eq!(rate.frames_in(1.001), 30);
        assert_eq!(rate.units_of(90, 48_000), 144_144);
        assert_eq!(rate.units_of(90, 1000), 3003);
        assert_eq!(rate.to_string(), "30000/1001");
        for wrong in ["29.97", "0", "30/0", "", "-5", "500", "1/3"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
