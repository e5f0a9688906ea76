//! Local times that do not exist on a day, or come twice.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::AmbiguousOffset,
};

use super::When;

/// Most times of a day that are looked at: what comes more often does not miss one.
const FEW: usize = 24;

/// A day on which a time is not what it seems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The clock leaps over it: that run is skipped.
    Skipped(Date, Time),
    /// The clock shows it twice: it runs once.
    Twice(Date, Time),
}

/// The first of each kind within 400 days.
pub(crate) fn troubles(when: &When, now: Timestamp) -> Vec<Trouble> {
    let zone = when.time_zone();
    let times = when.times(FEW + 1);
    let (mut skipped, mut twice) = (None, None);
    let Some(mut day) = when.day_from(now.to_zoned(zone.clone()).date()) else {
        return Vec::new();
    };
    let Ok(last) = day.checked_add(400.days()) else {
        return Vec::new();
    };
    if times.len() > FEW {
        return Vec::new();
    }
    while day <= last && (skipped.is_none() || twice.is_none()) {
        for time in &times {
            match zone.to_ambiguous_timestamp(day.to_datetime(*time)).offset() {
                AmbiguousOffset::Gap { .. } => skipped = skipped.or(Some(Trouble::Skipped(day, *time))),
                AmbiguousOffset::Fold { .. } => twice = twice.or(Some(Trouble::Twice(day, *time))),
                AmbiguousOffset::Unambiguous { .. } => {}
            }
        }
        let Some(next) = day.tomorrow().ok().and_then(|day| when.day_from(day)) else {
            break;
        };
        day = next;
    }
    skipped.into_iter().chain(twice).collect()
}

impl Trouble {
    /// In words, with the name of the zone.
    pub(crate) fn text(self, zone: &str) -> String {
        let clock = |time: Time| time.strftime("%H:%M").to_string();
        match self {
            Self::Skipped(day, time) => format!(
                "{} does not exist on {day} in {zone}: that run is skipped; use UTC or a time outside {}",
                clock(time),
                hours(time)
            ),
            Self::Twice(day, time) => format!("{} comes twice on {day} in {zone}: it runs once", clock(time)),
        }
    }
}

/// `02:00 to 03:00`: the hour that is missing.
fn hours(time: Time) -> String {
    format!("{:02}:00 to {:02}:00", time.hour(), (time.hour() + 1) % 24)
}
