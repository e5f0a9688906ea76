//! The instances of a rule as civil times, in order, from any place on. Zones come later: a rule speaks of the clock
//! on the wall, so that a daily nine o'clock stays at nine through a change of the clock.

use std::collections::VecDeque;

use jiff::civil::DateTime;

use crate::{
    days::{self, DAY, civil_of, day_of, month_length, weekday, year_length},
    filter::Filter,
    rule::{Freq, Rule},
};

/// Between which civil times instances are wanted, and how much work that may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Nothing before this is needed; some may come all the same.
    pub from: DateTime,
    /// Nothing after this is wanted.
    pub to: DateTime,
    /// Periods looked at, at most.
    pub steps: u64,
}

/// An iterator over the instances of a rule, in seconds of civil time. It knows neither `COUNT` nor `UNTIL`.
#[derive(Debug)]
pub struct Expansion<'r> {
    rule: &'r Rule,
    filter: Filter<'r>,
    /// First instance possible.
    start: i64,
    /// Last instance wanted.
    to: i64,
    /// Where the periods are counted from, in units of the frequency.
    base: i64,
    /// The next period.
    period: i64,
    ready: VecDeque<i64>,
    last: Option<i64>,
    steps: u64,
    cut: bool,
}

impl<'r> Expansion<'r> {
    /// Instances of `rule` for a series that begins at `start`.
    ///
    /// With a `COUNT` they come from the start on, wherever `bounds` begins, so that they can be counted.
    pub fn new(rule: &'r Rule, start: DateTime, bounds: &Bounds) -> Self {
        let start = days::seconds(start);
        let mut expansion = Self {
            rule,
            filter: Filter::new(rule, start.div_euclid(DAY)),
            start,
            to: days::seconds(bounds.to),
            base: 0,
            period: 0,
            ready: VecDeque::new(),
            last: None,
            steps: bounds.steps,
            cut: false,
        };
        expansion.base = expansion.unit_of(start);
        let from = days::seconds(bounds.from);
        if rule.count.is_none() && from > start {
            // One period earlier: a week or a set of days may begin before.
            let ahead = (expansion.unit_of(from) - expansion.base).div_euclid(rule.interval) - 1;
            expansion.period = ahead.max(0);
        }
        expansion
    }

    /// Whether the work was more than allowed, so that instances may be missing.
    pub fn was_cut(&self) -> bool {
        self.cut
    }

    /// The instances as civil times.
    pub fn times(&mut self) -> impl Iterator<Item = DateTime> {
        self.filter_map(days::datetime)
    }

    /// The number of the period that a time lies in.
    fn unit_of(&self, seconds: i64) -> i64 {
        let day = seconds.div_euclid(DAY);
        let (year, month, _) = civil_of(day);
        match self.rule.freq {
            Freq::Yearly => year,
            Freq::Monthly => year * 12 + month - 1,
            Freq::Weekly => (day - self.first_week()).div_euclid(7),
            Freq::Daily => day,
            Freq::Hourly | Freq::Minutely | Freq::Secondly => seconds.div_euclid(self.seconds()),
        }
    }

    /// Length of a period below a day.
    fn seconds(&self) -> i64 {
        match self.rule.freq {
            Freq::Hourly => 3600,
            Freq::Minutely => 60,
            _ => 1,
        }
    }

    /// Looks at the next period; `false` when there is none.
    fn look(&mut self) -> bool {
        if self.steps == 0 {
            self.cut = true;
            return false;
        }
        self.steps -= 1;
        let Some(unit) = self
            .period
            .checked_mul(self.rule.interval)
            .and_then(|ahead| self.base.checked_add(ahead))
        else {
            return false;
        };
        let found = match self.rule.freq {
            Freq::Yearly if unit > 9999 => return false,
            Freq::Yearly => self.days(day_of(unit, 1, 1), year_length(unit)),
            Freq::Monthly => {
                let (year, month) = (unit.div_euclid(12), unit.rem_euclid(12) + 1);
                if year > 9999 {
                    return false;
                }
                self.days(day_of(year, month, 1), month_length(year, month))
            }
            Freq::Weekly => {
                let first = unit * 7 + self.first_week();
                self.days(first, 7)
            }
            Freq::Daily => self.days(unit, 1),
            Freq::Hourly | Freq::Minutely | Freq::Secondly => return self.moment(unit),
        };
        self.period += 1;
        let Some(times) = found else { return false };
        self.select(times);
        true
    }

    /// First day of the week that 1970 began in, which weeks are counted from.
    fn first_week(&self) -> i64 {
        -(weekday(0) - self.rule.week_start).rem_euclid(7)
    }

    /// The times on days of a period; `None` when it begins after what is wanted.
    fn days(&self, first: i64, length: i64) -> Option<Vec<i64>> {
        if first * DAY > self.to {
            return None;
        }
        let clock = self.clock();
        let mut times = Vec::new();
        for day in (first..first + length).filter(|day| self.filter.takes(*day)) {
            times.extend(clock.iter().map(|time| day * DAY + time));
        }
        Some(times)
    }

    /// The times of a day, for frequencies of a day and more.
    fn clock(&self) -> Vec<i64> {
        let of_day = self.start.rem_euclid(DAY);
        let or = |given: &[i64], start: i64| {
            if given.is_empty() {
                vec![start]
            } else {
                given.to_vec()
            }
        };
        let hours = or(&self.rule.hours, of_day / 3600);
        let minutes = or(&self.rule.minutes, of_day / 60 % 60);
        let seconds = or(&self.rule.seconds, of_day % 60);
        let mut times = Vec::with_capacity(hours.len() * minutes.len() * seconds.len());
        for hour in &hours {
            for minute in &minutes {
                times.extend(seconds.iter().map(|second| hour * 3600 + minute * 60 + second));
            }
        }
        times
    }

    /// Looks at a period below a day. What cannot match is leapt over: a day, an hour or a minute at once.
    fn moment(&mut self, unit: i64) -> bool {
        let length = self.seconds();
        let begin = unit * length;
        if begin > self.to {
            return false;
        }
        let (day, of_day) = (begin.div_euclid(DAY), begin.rem_euclid(DAY));
        let (hour, minute) = (of_day / 3600, of_day / 60 % 60);
        let misses = |wanted: &[i64], value: i64| !wanted.is_empty() && !wanted.contains(&value);
        let rule = self.rule;
        let next = if !self.filter.takes(day) {
            Some((day + 1) * DAY)
        } else if misses(&rule.hours, hour) {
            Some(day * DAY + (hour + 1) * 3600)
        } else if rule.freq != Freq::Hourly && misses(&rule.minutes, minute) {
            Some(day * DAY + hour * 3600 + (minute + 1) * 60)
        } else if rule.freq == Freq::Secondly && misses(&rule.seconds, of_day % 60) {
            Some(begin + 1)
        } else {
            None
        };
        if let Some(next) = next {
            let units = next.div_euclid(length) + i64::from(next.rem_euclid(length) > 0);
            let ahead = units - self.base;
            let period = ahead.div_euclid(rule.interval) + i64::from(ahead.rem_euclid(rule.interval) > 0);
            self.period = period.max(self.period + 1);
            return true;
        }
        self.period += 1;
        let start = self.start.rem_euclid(DAY);
        let or = |given: &[i64], start: i64| {
            if given.is_empty() {
                vec![start]
            } else {
                given.to_vec()
            }
        };
        let times = match rule.freq {
            Freq::Hourly => {
                let seconds = or(&rule.seconds, start % 60);
                or(&rule.minutes, start / 60 % 60)
                    .iter()
                    .flat_map(|minute| seconds.iter().map(move |second| begin + minute * 60 + second))
                    .collect()
            }
            Freq::Minutely => or(&rule.seconds, start % 60)
                .iter()
                .map(|second| begin + second)
                .collect(),
            _ => vec![begin],
        };
        self.select(times);
        true
    }

    /// Keeps the wanted places of a set, which is in order.
    fn select(&mut self, times: Vec<i64>) {
        let places = &self.rule.places;
        let count = times.len() as i64;
        for (at, time) in times.into_iter().enumerate() {
            let at = at as i64;
            if places.is_empty() || places.contains(&(at + 1)) || places.contains(&(at - count)) {
                self.ready.push_back(time);
            }
        }
    }
}

impl Iterator for Expansion<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        loop {
            while let Some(time) = self.ready.pop_front() {
                if time > self.to {
                    return None;
                }
                if time >= self.start && self.last.is_none_or(|last| time > last) {
                    self.last = Some(time);
                    return Some(time);
                }
            }
            if !self.look() {
                return None;
            }
        }
    }
}
