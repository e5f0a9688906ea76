//! Calendar expressions of systemd (`OnCalendar=`, systemd.time(7)), read and judged as systemd does, so that a slip is
//! found before a timer is installed that never runs.

mod cron;
mod dates;
mod gaps;
mod read;

use jiff::tz::TimeZone;

pub(crate) use cron::translated;
pub(crate) use gaps::troubles;

/// One value, range or repetition: `9`, `8..17`, `0/15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    start: i64,
    stop: Option<i64>,
    repeat: i64,
}

/// The parts of one position; empty means every value.
type Chain = Vec<Part>;

/// An expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct When {
    /// Bit 0 is Monday; 0 means every day.
    weekdays: u8,
    year: Chain,
    month: Chain,
    day: Chain,
    /// Days are counted from the end of the month.
    from_end: bool,
    hour: Chain,
    minute: Chain,
    /// In microseconds.
    second: Chain,
    /// The zone it names; the host's without one.
    zone: Option<String>,
}

impl When {
    /// Reads an expression. `Err` says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let when = read::when(text)?;
        when.check()?;
        Ok(when)
    }

    /// The zone it runs in.
    pub(crate) fn time_zone(&self) -> TimeZone {
        self.zone
            .as_deref()
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or_else(app_core::host_zone)
    }

    /// The name of its zone, as written.
    pub(crate) fn zone_name(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    fn check(&self) -> Result<(), String> {
        let days = if self.from_end { (1, 28) } else { (1, 31) };
        for (name, chain, (from, to), from_end) in [
            ("year", &self.year, (1970, 2199), false),
            ("month", &self.month, (1, 12), false),
            ("day", &self.day, days, self.from_end),
            ("hour", &self.hour, (0, 23), false),
            ("minute", &self.minute, (0, 59), false),
            ("second", &self.second, (0, 60_000_000 - 1), false),
        ] {
            for part in chain {
                if !part.fits(from, to, from_end) {
                    return Err(format!("the {name} is outside what there is"));
                }
            }
        }
        Ok(())
    }
}

impl Part {
    /// The rules of systemd: a repetition must come at least once.
    fn fits(&self, from: i64, to: i64, from_end: bool) -> bool {
        let within = |value: i64| (from..=to).contains(&value);
        if !within(self.start) || self.repeat > to - from {
            return false;
        }
        match self.stop {
            Some(stop) => within(stop) && self.start + self.repeat <= stop,
            None if from_end => self.start - self.repeat >= from,
            None => self.start + self.repeat <= to,
        }
    }

    fn holds(&self, value: i64) -> bool {
        if value == self.start {
            return true;
        }
        let past = value - self.start;
        self.repeat > 0 && past > 0 && past % self.repeat == 0 && self.stop.is_none_or(|stop| value <= stop)
    }
}

fn holds(chain: &Chain, value: i64) -> bool {
    chain.is_empty() || chain.iter().any(|part| part.holds(value))
}

#[cfg(test)]
mod tests;
