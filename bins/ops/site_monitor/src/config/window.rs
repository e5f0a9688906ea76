//! Maintenance windows: hours in which nothing is judged.

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use serde::Deserialize;

/// A daily stretch of time, for example nightly maintenance. It may pass midnight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    from: Time,
    to: Time,
    /// Days on which it begins (`monday` ...); all without any.
    #[serde(default)]
    days: Vec<Weekday>,
    /// IANA time zone.
    #[serde(default = "utc")]
    pub(super) timezone: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Window {
    pub(super) fn covers(&self, now: Timestamp) -> bool {
        let Ok(zone) = TimeZone::get(&self.timezone) else {
            return false;
        };
        let local = now.to_zoned(zone);
        let (time, today) = (local.time(), local.date().weekday());
        let begins = |day: jiff::civil::Weekday| {
            self.days.is_empty() || self.days.iter().any(|d| *d as i8 == day.to_monday_zero_offset())
        };
        if self.from <= self.to {
            begins(today) && self.from <= time && time < self.to
        } else {
            begins(today) && time >= self.from || begins(today.previous()) && time < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn windows_pass_midnight_in_their_zone_on_their_days() {
        let nightly = window("{from: '23:00:00', to: '01:00:00', days: [sunday], timezone: Europe/Berlin}");
        // 2026-03-01 is a Sunday; Berlin is UTC+1 then.
        for (at, covered) in [
            ("2026-03-01T22:30:00Z", true),
            ("2026-03-01T23:59:00Z", true),
            ("2026-03-02T00:00:00Z", false),
            ("2026-03-01T21:59:00Z", false),
            ("2026-03-02T22:30:00Z", false),
        ] {
            assert_eq!(nightly.covers(at.parse().unwrap()), covered, "{at}");
        }
    }
}
