//! Recurrence rules (RFC 5545 3.3.10), read strictly: a part that is not understood is an error, since a rule without
//! it would mean something else, often an endless series.

use jiff::civil::{Date, DateTime};

use crate::{
    short,
    value::{Plain, plain},
};

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Freq {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// Where a series ends; the end itself belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A time in UTC.
    Utc(DateTime),
    /// A civil time, read in the zone of the series.
    Local(DateTime),
    /// A day, read in the zone of the series, whole.
    Date(Date),
}

/// A recurrence rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How often.
    pub freq: Freq,
    /// Every how many periods.
    pub interval: i64,
    /// How many instances in all.
    pub count: Option<u64>,
    /// Where it ends.
    pub until: Option<Until>,
    pub(crate) seconds: Vec<i64>,
    pub(crate) minutes: Vec<i64>,
    pub(crate) hours: Vec<i64>,
    /// Days of the week (Monday is 0), each with its place in month or year; 0 for every one.
    pub(crate) weekdays: Vec<(i64, i64)>,
    pub(crate) month_days: Vec<i64>,
    pub(crate) year_days: Vec<i64>,
    pub(crate) weeks: Vec<i64>,
    pub(crate) months: Vec<i64>,
    pub(crate) places: Vec<i64>,
    pub(crate) week_start: i64,
}

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// Values of one part at most; the year has no more seconds of a minute, days or places that could be meant.
const MOST_VALUES: usize = 1_000;

impl Rule {
    /// Reads a rule. `Err` says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut seen: Vec<String> = Vec::new();
        let mut freq = None;
        let mut rule = Self::empty();
        for part in text.trim().split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{}` is no part of a rule", short(part)))?;
            let (name, value) = (
                name.trim().to_ascii_uppercase(),
                value.trim().to_ascii_uppercase(),
            );
            if seen.contains(&name) {
                return Err(format!("`{name}` stands twice"));
            }
            rule.part(&name, &value, &mut freq)?;
            seen.push(name);
        }
        rule.freq = freq.ok_or_else(|| "there is no `FREQ`".to_owned())?;
        rule.check()?;
        Ok(rule)
    }

    fn empty() -> Self {
        Self {
            freq: Freq::Yearly,
            interval: 1,
            count: None,
            until: None,
            seconds: Vec::new(),
            minutes: Vec::new(),
            hours: Vec::new(),
            weekdays: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weeks: Vec::new(),
            months: Vec::new(),
            places: Vec::new(),
            week_start: 0,
        }
    }

    fn part(&mut self, name: &str, value: &str, freq: &mut Option<Freq>) -> Result<(), String> {
        let wrong = || format!("`{name}={}` cannot be read", short(value));
        let whole = |most: i64| {
            value
                .parse::<i64>()
                .ok()
                .filter(|number| (1..=most).contains(number) && value.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(wrong)
        };
        match name {
            "FREQ" => {
                *freq = Some(match value {
                    "YEARLY" => Freq::Yearly,
                    "MONTHLY" => Freq::Monthly,
                    "WEEKLY" => Freq::Weekly,
                    "DAILY" => Freq::Daily,
                    "HOURLY" => Freq::Hourly,
                    "MINUTELY" => Freq::Minutely,
                    "SECONDLY" => Freq::Secondly,
                    _ => return Err(wrong()),
                });
            }
            "INTERVAL" => self.interval = whole(i64::from(u32::MAX))?,
            "COUNT" => self.count = Some(whole(i64::from(u32::MAX))? as u64),
            "UNTIL" => {
                self.until = Some(match plain(value).ok_or_else(wrong)? {
                    Plain::Utc(time) => Until::Utc(time),
                    Plain::Local(time) => Until::Local(time),
                    Plain::Date(date) => Until::Date(date),
                });
            }
            "WKST" => {
                self.week_start = DAYS.iter().position(|day| *day == value).ok_or_else(wrong)? as i64;
            }
            "BYSECOND" => {
                self.seconds = numbers(value, 0, 60, false).ok_or_else(wrong)?;
                // A leap second is the one before it, where there are none (RFC 5545 3.3.12).
                for second in &mut self.seconds {
                    *second = (*second).min(59);
                }
                self.seconds.dedup();
            }
            "BYMINUTE" => self.minutes = numbers(value, 0, 59, false).ok_or_else(wrong)?,
            "BYHOUR" => self.hours = numbers(value, 0, 23, false).ok_or_else(wrong)?,
            "BYMONTH" => self.months = numbers(value, 1, 12, false).ok_or_else(wrong)?,
            "BYMONTHDAY" => self.month_days = numbers(value, 1, 31, true).ok_or_else(wrong)?,
            "BYYEARDAY" => self.year_days = numbers(value, 1, 366, true).ok_or_else(wrong)?,
            "BYWEEKNO" => self.weeks = numbers(value, 1, 53, true).ok_or_else(wrong)?,
            "BYSETPOS" => self.places = numbers(value, 1, 366, true).ok_or_else(wrong)?,
            "BYDAY" => self.weekdays = weekdays(value).ok_or_else(wrong)?,
            other => return Err(format!("`{}` is not a known part of a rule", short(other))),
        }
        Ok(())
    }

    /// What RFC 5545 forbids: programs disagree on what it means, so no reading is better than the other.
    fn check(&self) -> Result<(), String> {
        let freq = self.freq;
        let refuse = |wrong: bool, text: &str| if wrong { Err(text.to_owned()) } else { Ok(()) };
        refuse(
            self.count.is_some() && self.until.is_some(),
            "`COUNT` and `UNTIL` stand together",
        )?;
        refuse(
            !self.weeks.is_empty() && freq != Freq::Yearly,
            "`BYWEEKNO` needs `FREQ=YEARLY`",
        )?;
        refuse(
            !self.year_days.is_empty() && matches!(freq, Freq::Monthly | Freq::Weekly | Freq::Daily),
            "`BYYEARDAY` is not allowed with this `FREQ`",
        )?;
        refuse(
            !self.month_days.is_empty() && freq == Freq::Weekly,
            "`BYMONTHDAY` is not allowed with `FREQ=WEEKLY`",
        )?;
        let placed = self.weekdays.iter().any(|(place, _)| *place != 0);
        refuse(
            placed && (!matches!(freq, Freq::Yearly | Freq::Monthly) || !self.weeks.is_empty()),
            "a numbered `BYDAY` needs `FREQ=MONTHLY`, or `FREQ=YEARLY` without `BYWEEKNO`",
        )?;
        let selects = !self.day_parts_empty()
            || !self.months.is_empty()
            || !self.hours.is_empty()
            || !self.minutes.is_empty()
            || !self.seconds.is_empty();
        refuse(
            !self.places.is_empty() && !selects,
            "`BYSETPOS` needs another `BY` part",
        )
    }

    /// Whether nothing says which days of a period are meant.
    pub(crate) fn day_parts_empty(&self) -> bool {
        self.weekdays.is_empty()
            && self.month_days.is_empty()
            && self.year_days.is_empty()
            && self.weeks.is_empty()
    }

    /// Without what has no meaning for whole days (RFC 5545: must be ignored); whether there was something.
    pub(crate) fn for_days(mut self) -> (Self, bool) {
        let had = !(self.hours.is_empty() && self.minutes.is_empty() && self.seconds.is_empty());
        self.hours.clear();
        self.minutes.clear();
        self.seconds.clear();
        (self, had)
    }
}

fn number(text: &str, least: i64, most: i64, negative: bool) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    if !(least..=most).contains(&value) || !negative && digits.len() != text.len() {
        return None;
    }
    Some(if text.starts_with('-') { -value } else { value })
}

/// A list of numbers, sorted, each once.
fn numbers(text: &str, least: i64, most: i64, negative: bool) -> Option<Vec<i64>> {
    let mut found: Vec<i64> = text
        .split(',')
        .take(MOST_VALUES)
        .map(|part| number(part, least, most, negative))
        .collect::<Option<_>>()?;
    found.sort_unstable();
    found.dedup();
    Some(found)
}

fn weekdays(text: &str) -> Option<Vec<(i64, i64)>> {
    text.split(',')
        .take(MOST_VALUES)
        .map(|part| {
            let part = part.trim();
            let at = part
                .len()
                .checked_sub(2)
                .filter(|at| part.is_char_boundary(*at))?;
            let day = DAYS.iter().position(|day| *day == &part[at..])? as i64;
            let place = match &part[..at] {
                "" => 0,
                place => number(place, 1, 53, true)?,
            };
            Some((place, day))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_in_any_case_and_order() {
        let rule = Rule::parse("byday=-1su, +2mo;FREQ=monthly;Interval=2;WKST=SU;").unwrap();
        assert_eq!(rule.weekdays, [(-1, 6), (2, 0)]);
        assert_eq!((rule.freq, rule.interval, rule.week_start), (Freq::Monthly, 2, 6));
    }

    #[test]
    fn what_is_misspelt_or_forbidden_is_an_error() {
        for (text, part) in [
            ("FREQ=DAILY;CUONT=3", "CUONT"),
            ("FREQ=DAYLY", "DAYLY"),
            ("INTERVAL=2", "FREQ"),
            ("FREQ=DAILY;COUNT=0", "COUNT"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
            ("FREQ=DAILY;COUNT=3;COUNT=4", "twice"),
            ("FREQ=DAILY;COUNT=3;UNTIL=20260101", "together"),
            ("FREQ=DAILY;BYDAY=1MO", "numbered"),
            ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO"),
            ("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY"),
            ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS"),
            ("FREQ=DAILY;BYHOUR=24", "BYHOUR"),
            ("FREQ=DAILY;BYHOUR=-1", "BYHOUR"),
            ("FREQ=YEARLY;BYDAY=é", "BYDAY"),
            ("FREQ=YEARLY;UNTIL=2026-01-01", "UNTIL"),
            ("FREQ=YEARLY;RSCALE=CHINESE", "RSCALE"),
            ("FREQ", "FREQ"),
        ] {
            let told = Rule::parse(text).unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
    }
}
