//! When an expression comes next.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};

use super::{When, holds};

/// The last day that systemd looks at.
const LAST_YEAR: i16 = 2199;

impl When {
    /// Whether it comes on this day.
    pub(super) fn on(&self, day: Date) -> bool {
        let weekday = day.weekday().to_monday_zero_offset();
        let of_month = if self.from_end {
            i64::from(day.days_in_month()) - i64::from(day.day()) + 1
        } else {
            i64::from(day.day())
        };
        let day_holds = if self.from_end {
            self.day.is_empty() || self.day.iter().any(|part| part.holds_backwards(of_month))
        } else {
            holds(&self.day, of_month)
        };
        (self.weekdays == 0 || self.weekdays & (1 << weekday) != 0)
            && holds(&self.year, i64::from(day.year()))
            && holds(&self.month, i64::from(day.month()))
            && day_holds
    }

    /// The first day from this one on which it comes; `None` when there is none before the year 2200.
    pub(super) fn day_from(&self, day: Date) -> Option<Date> {
        let mut day = day;
        while day.year() <= LAST_YEAR {
            if self.on(day) {
                return Some(day);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// Its times of a day, in order, at most so many, without fractions of a second.
    pub(super) fn times(&self, most: usize) -> Vec<Time> {
        let values = |chain, to: i64| (0..=to).filter(move |value| holds(chain, *value));
        let seconds = self.seconds();
        let mut times = Vec::new();
        for hour in values(&self.hour, 23) {
            for minute in values(&self.minute, 59) {
                for second in &seconds {
                    if times.len() == most {
                        return times;
                    }
                    times.extend(Time::new(hour as i8, minute as i8, *second as i8, 0));
                }
            }
        }
        times
    }

    /// The seconds of a minute in which it comes.
    fn seconds(&self) -> BTreeSet<i64> {
        const MINUTE: i64 = 60_000_000;
        let mut seconds = BTreeSet::new();
        for part in &self.second {
            let step = if part.repeat == 0 { MINUTE } else { part.repeat };
            // A step below a second need not be walked: it comes in every second.
            let step = step.max(500_000);
            let mut at = part.start;
            while at < MINUTE && part.stop.is_none_or(|stop| at <= stop) {
                seconds.insert(at / 1_000_000);
                at += step;
            }
        }
        seconds
    }

    /// Its next time after `now`, to the second; `None` when it never comes.
    ///
    /// A local time that the clock leaps over is left out, one that comes twice counts at its first coming.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = self.time_zone();
        let times = self.times(86_400);
        let mut day = self.day_from(now.to_zoned(zone.clone()).date())?;
        loop {
            for time in &times {
                if let Some(at) = instant(&zone, day, *time)
                    && at > now
                {
                    return Some(at);
                }
            }
            if times.is_empty() {
                return None;
            }
            day = self.day_from(day.checked_add(1.day()).ok()?)?;
        }
    }

    /// Whether it comes at all after this day.
    pub(crate) fn never_after(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(self.time_zone()).date();
        self.day_from(today).is_none()
    }
}

/// The moment of a local time; `None` where the clock leaps over it.
fn instant(zone: &TimeZone, day: Date, time: Time) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(day.to_datetime(time));
    if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        return None;
    }
    ambiguous.compatible().ok()
}

impl super::Part {
    /// As `holds`, for days that are counted from the end of the month: a repetition goes towards the end.
    fn holds_backwards(self, value: i64) -> bool {
        let ahead = self.start - value;
        let last = self.stop.unwrap_or(1);
        match self.stop {
            // A range counts like any other.
            Some(stop) => {
                value == self.start
                    || (value > self.start && value <= stop && (value - self.start) % self.repeat.max(1) == 0)
            }
            None => ahead == 0 || (self.repeat > 0 && ahead > 0 && ahead % self.repeat == 0 && value >= last),
        }
    }
}
