//! Dates as the exports write them.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// `dd.mm.yyyy HH:MM` in a time zone.
pub fn minutes(at: Timestamp, zone: &TimeZone) -> String {
    let t = local(at, zone);
    format!(
        "{:02}.{:02}.{:04} {:02}:{:02}",
        t.day(),
        t.month(),
        t.year(),
        t.hour(),
        t.minute()
    )
}

/// As strftime writes it; `dd.mm.yyyy HH:MM` without a format, and where the format makes no sense.
pub fn formatted(at: Timestamp, zone: &TimeZone, format: Option<&str>) -> String {
    let Some(format) = format else {
        return minutes(at, zone);
    };
    jiff::fmt::strtime::format(format, &Zoned::new(at, zone.clone())).unwrap_or_else(|_| minutes(at, zone))
}

/// `dd.mm.yyyy HH:MM:SS` in a time zone.
pub fn seconds(at: Timestamp, zone: &TimeZone) -> String {
    format!("{}:{:02}", minutes(at, zone), local(at, zone).second())
}

/// `YYYY-MM-DD HH:MM:SS` in a time zone.
pub fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    local(at, zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `YYYY-MM-DDTHH:MM:SS` in a time zone, without its offset, as Telegram Desktop writes dates.
pub fn without_offset(at: Timestamp, zone: &TimeZone) -> String {
    let t = local(at, zone);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `2 January 2025`.
pub fn long_day(at: DateTime) -> String {
    let month = MONTHS[(at.month() - 1) as usize];
    format!("{} {month} {}", at.day(), at.year())
}

/// `January 2025`.
pub fn month(date: jiff::civil::Date) -> String {
    format!("{} {}", MONTHS[(date.month() - 1) as usize], date.year())
}

/// `2 January 2025, 03:04:05`.
pub fn long(at: DateTime) -> String {
    format!("{}, {}:{:02}", long_day(at), clock(at), at.second())
}

/// `03:04`.
pub fn clock(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// The zone as it may stand beside a time: `UTC`, `UTC+03:00`, `Europe/Berlin (UTC+01:00)`. The offset is that of the
/// moment given; in a zone with summer time it is another one in the other half of the year.
pub fn zone_name(at: Timestamp, zone: &TimeZone) -> String {
    if *zone == TimeZone::UTC {
        return "UTC".to_owned();
    }
    let offset = Zoned::new(at, zone.clone()).strftime("UTC%:z").to_string();
    match zone.iana_name() {
        Some(name) => format!("{name} ({offset})"),
        None => offset,
    }
}

/// The moment on the clock of a time zone.
pub fn local(at: Timestamp, zone: &TimeZone) -> DateTime {
    if *zone == TimeZone::UTC {
        return utc(at);
    }
    Zoned::new(at, zone.clone()).datetime()
}

fn utc(at: Timestamp) -> DateTime {
    Offset::UTC.to_datetime(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_contract() {
        let at: Timestamp = "2025-01-02T03:04:05Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(3));
        assert_eq!(minutes(at, &TimeZone::UTC), "02.01.2025 03:04");
        assert_eq!(seconds(at, &zone), "02.01.2025 06:04:05");
        assert_eq!(without_offset(at, &zone), "2025-01-02T06:04:05");
        assert_eq!(stamp(at, &TimeZone::UTC), "2025-01-02 03:04:05");
        assert_eq!(long(local(at, &zone)), "2 January 2025, 06:04:05");
        assert_eq!(zone_name(at, &TimeZone::UTC), "UTC");
        assert_eq!(zone_name(at, &zone), "UTC+03:00");
        let york = TimeZone::get("America/New_York").unwrap();
        assert_eq!(zone_name(at, &york), "America/New_York (UTC-05:00)");
    }
}
