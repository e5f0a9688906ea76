//! Whether a day belongs to a rule.

use crate::{
    days::{civil_of, day_of, month_length, week, weekday, year_length},
    rule::{Freq, Rule},
};

/// The parts of a rule that choose days, with what it leaves open taken from the start of the series.
#[derive(Clone, Debug)]
pub(crate) struct Filter<'r> {
    rule: &'r Rule,
    months: Vec<i64>,
    month_days: Vec<i64>,
    weekdays: Vec<(i64, i64)>,
}

impl<'r> Filter<'r> {
    /// For a series that begins on this day.
    pub(crate) fn new(rule: &'r Rule, start: i64) -> Self {
        let mut filter = Self {
            rule,
            months: rule.months.clone(),
            month_days: rule.month_days.clone(),
            weekdays: rule.weekdays.clone(),
        };
        let (_, month, day) = civil_of(start);
        let week_only = !rule.weeks.is_empty()
            && rule.weekdays.is_empty()
            && rule.month_days.is_empty()
            && rule.year_days.is_empty();
        if week_only {
            // RFC 5545: what the rule does not say comes from the start, here the day of the week.
            filter.weekdays = vec![(0, weekday(start))];
        } else if rule.day_parts_empty() {
            match rule.freq {
                Freq::Yearly => {
                    if filter.months.is_empty() {
                        filter.months = vec![month];
                    }
                    filter.month_days = vec![day];
                }
                Freq::Monthly => filter.month_days = vec![day],
                Freq::Weekly => filter.weekdays = vec![(0, weekday(start))],
                _ => {}
            }
        }
        filter
    }

    /// Whether days of this month can belong to the rule.
    pub(crate) fn takes_month(&self, month: i64) -> bool {
        self.months.is_empty() || self.months.contains(&month)
    }

    /// Whether this day belongs to the rule.
    pub(crate) fn takes(&self, day: i64) -> bool {
        let (year, month, month_day) = civil_of(day);
        if !self.takes_month(month) {
            return false;
        }
        let month_len = month_length(year, month);
        if !self.month_days.is_empty()
            && !self.month_days.contains(&month_day)
            && !self.month_days.contains(&(month_day - month_len - 1))
        {
            return false;
        }
        let (year_day, year_len) = (day - day_of(year, 1, 1) + 1, year_length(year));
        if !self.rule.year_days.is_empty()
            && !self.rule.year_days.contains(&year_day)
            && !self.rule.year_days.contains(&(year_day - year_len - 1))
        {
            return false;
        }
        if !self.rule.weeks.is_empty() {
            let (number, weeks) = week(day, self.rule.week_start);
            if !self.rule.weeks.contains(&number) && !self.rule.weeks.contains(&(number - weeks - 1)) {
                return false;
            }
        }
        if self.weekdays.is_empty() {
            return true;
        }
        // A number counts within the month, but within the year where a yearly rule names no month.
        let (place, len) = if self.rule.freq == Freq::Yearly && self.rule.months.is_empty() {
            (year_day, year_len)
        } else {
            (month_day, month_len)
        };
        let of_week = weekday(day);
        self.weekdays.iter().any(|(nth, day)| {
            *day == of_week
                && match *nth {
                    0 => true,
                    nth if nth > 0 => (place - 1) / 7 + 1 == nth,
                    nth => (len - place) / 7 + 1 == -nth,
                }
        })
    }
}
