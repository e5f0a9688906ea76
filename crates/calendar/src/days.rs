//! Days and civil times as numbers, so that stepping through periods is plain arithmetic.
//!
//! A day is counted from 1970-01-01, a civil time in seconds from its midnight; neither knows a zone.

use jiff::civil::{Date, DateTime, Time};

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// Number of a date (the algorithm `days_from_civil` of H. Hinnant).
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number.
pub(crate) fn civil_of(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_month)
}

/// Number of a date.
pub(crate) fn number(date: Date) -> i64 {
    day_of(
        i64::from(date.year()),
        i64::from(date.month()),
        i64::from(date.day()),
    )
}

/// The date of a number; `None` outside of the years 1 to 9999.
pub(crate) fn date(day: i64) -> Option<Date> {
    let (year, month, day) = civil_of(day);
    if !(1..=9999).contains(&year) {
        return None;
    }
    Date::new(year as i16, month as i8, day as i8).ok()
}

/// Seconds of a civil time.
pub(crate) fn seconds(time: DateTime) -> i64 {
    number(time.date()) * DAY
        + i64::from(time.hour()) * 3600
        + i64::from(time.minute()) * 60
        + i64::from(time.second())
}

/// The civil time of so many seconds; `None` outside of the years 1 to 9999.
pub(crate) fn datetime(seconds: i64) -> Option<DateTime> {
    let of_day = seconds.rem_euclid(DAY);
    let time = Time::new(
        (of_day / 3600) as i8,
        (of_day / 60 % 60) as i8,
        (of_day % 60) as i8,
        0,
    )
    .ok()?;
    Some(date(seconds.div_euclid(DAY))?.to_datetime(time))
}

/// Day of the week, Monday is 0.
pub(crate) fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// Days of a year.
pub(crate) fn year_length(year: i64) -> i64 {
    day_of(year + 1, 1, 1) - day_of(year, 1, 1)
}

/// Days of a month.
pub(crate) fn month_length(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    day_of(next_year, next, 1) - day_of(year, month, 1)
}

/// First day of the first week of a year: the first week with four days in it, where weeks begin on `start`.
fn first_week(year: i64, start: i64) -> i64 {
    let january = day_of(year, 1, 1);
    let into = (weekday(january) - start).rem_euclid(7);
    if into <= 3 {
        january - into
    } else {
        january + 7 - into
    }
}

/// The number of the week that a day lies in, and how many weeks the year of that week has.
pub(crate) fn week(day: i64, start: i64) -> (i64, i64) {
    let (mut year, ..) = civil_of(day);
    if day < first_week(year, start) {
        year -= 1;
    } else if day >= first_week(year + 1, start) {
        year += 1;
    }
    let first = first_week(year, start);
    let weeks = (first_week(year + 1, start) - first) / 7;
    ((day - first) / 7 + 1, weeks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_the_calendar() {
        let mut day = jiff::civil::date(1890, 1, 1);
        let mut counted = number(day);
        while day.year() < 2110 {
            assert_eq!(number(day), counted, "{day}");
            assert_eq!(date(counted), Some(day));
            assert_eq!(weekday(counted), i64::from(day.weekday().to_monday_zero_offset()));
            let iso = day.iso_week_date();
            assert_eq!(week(counted, 0).0, i64::from(iso.week()), "{day}");
            assert_eq!(week(counted, 0).1, i64::from(iso.weeks_in_year()), "{day}");
            day = day.tomorrow().unwrap();
            counted += 1;
        }
    }

    #[test]
    fn civil_times_come_back() {
        for text in [
            "1601-01-01T03:00:00",
            "1969-12-31T23:59:59",
            "2026-03-29T02:30:00",
        ] {
            let time: DateTime = text.parse().unwrap();
            assert_eq!(datetime(seconds(time)), Some(time));
        }
        assert_eq!(date(day_of(10_000, 1, 1)), None);
    }
}
