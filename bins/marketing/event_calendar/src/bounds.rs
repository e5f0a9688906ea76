//! Days and times of the caller, and the range that they span.

use app_core::{Context, ToolError, ToolResult, host_zone};
use calendar::{Window, Zone};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime},
};

use crate::settings::Settings;

/// Longest range in days: ten years.
const LONGEST: i32 = 3_660;

/// A day, a time on the clock, or a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given {
    Day(Date),
    Local(DateTime),
    Moment(Timestamp),
}

/// `2026-03-01`, `2026-03-01T09:00`, or the same with an offset or `Z`. `None` for anything else.
pub fn parse(text: &str) -> Option<Given> {
    let text = text.trim();
    let bytes = text.as_bytes();
    // Only plain ISO 8601: whatever else a parser would take could be read in two ways.
    let shape = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shape || text.contains('[') {
        return None;
    }
    if bytes.len() == 10 {
        let day: Date = text.parse().ok()?;
        return (day.year() >= 1).then_some(Given::Day(day));
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let clock = &text[11..];
    if clock.contains(['Z', 'z', '+', '-']) {
        return text.parse().ok().map(Given::Moment);
    }
    let time: DateTime = text.parse().ok()?;
    (time.year() >= 1).then_some(Given::Local(time))
}

/// As [`parse`], with the refusal for a field.
pub fn given(field: &str, text: &str) -> ToolResult<Given> {
    parse(text).ok_or_else(|| {
        ToolError::invalid(field, format!("`{}` is not a date", web::shown_text(text)))
            .hint("write it as 2026-03-01 or 2026-03-01T09:00")
    })
}

/// The zone that days are counted in: asked for, set, or the host's.
pub fn zone(asked: Option<&str>, settings: &Settings) -> ToolResult<Zone> {
    match asked {
        Some(name) => named("zone", name),
        None => match settings.zone.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => Zone::database(name).ok_or_else(|| {
                ToolError::config(format!(
                    "`{name}` of `[tools.event_calendar.settings]` is no time zone"
                ))
            }),
            None => Ok(Zone::of(host_zone())),
        },
    }
}

/// A zone that the caller names.
pub fn named(field: &str, name: &str) -> ToolResult<Zone> {
    Zone::database(name).ok_or_else(|| {
        ToolError::invalid(field, format!("`{}` is no time zone", web::shown_text(name)))
            .hint("give the name of the zone database, for example Europe/Berlin")
    })
}

/// Seconds since 1970 of what was given; days begin at midnight in `zone`.
pub fn seconds(given: Given, zone: &Zone) -> i64 {
    match given {
        Given::Day(day) => zone.resolve(day.at(0, 0, 0, 0)).utc,
        Given::Local(time) => zone.resolve(time).utc,
        Given::Moment(at) => at.as_second(),
    }
}

/// Where a range begins when nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Today,
    Now,
}

/// The range from a first to a last day or time, both of which belong to it.
pub fn window(
    from: Option<&str>,
    to: Option<&str>,
    (start, days): (Start, i64),
    zone: &Zone,
    ctx: &Context,
) -> ToolResult<Window> {
    let now = ctx.now();
    let early = || ToolError::invalid("from", "the range leaves the calendar");
    let civil = |utc: i64| zone.civil_at(utc).ok_or_else(early);
    let from = match (from, start) {
        (Some(text), _) => given("from", text)?,
        (None, Start::Today) => Given::Day(civil(now.as_second())?.date()),
        (None, Start::Now) => Given::Moment(now),
    };
    let begin = seconds(from, zone);
    let first = civil(begin)?.date();
    let to = match to {
        Some(text) => given("to", text)?,
        None => Given::Day(first.checked_add(days.days()).map_err(|_| early())?),
    };
    let (end, last) = match to {
        Given::Day(day) => {
            let next = day.tomorrow().map_err(|_| early())?;
            (zone.resolve(next.at(0, 0, 0, 0)).utc, day)
        }
        // The moment itself belongs to the range.
        other => {
            let end = seconds(other, zone).saturating_add(1);
            (end, civil(end - 1)?.date())
        }
    };
    if end <= begin {
        return Err(ToolError::invalid("to", "the range ends before it begins"));
    }
    if first
        .checked_add(LONGEST.days())
        .is_ok_and(|latest| last > latest)
    {
        return Err(ToolError::invalid("to", "the range is longer than ten years"));
    }
    Ok(Window {
        from: begin,
        to: end,
        first,
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_dates_are_read() {
        assert!(matches!(parse("2026-03-01"), Some(Given::Day(_))));
        assert!(matches!(parse("2026-03-01T09:00"), Some(Given::Local(_))));
        assert!(matches!(parse("2026-03-01 09:00:30"), Some(Given::Local(_))));
        assert!(matches!(parse("2026-03-01T09:00+02:00"), Some(Given::Moment(_))));
        assert!(matches!(parse("2026-03-01T09:00Z"), Some(Given::Moment(_))));
        for bad in [
            "2023/10/26",
            "tomorrow",
            "",
            "2026-02-30",
            "20260301",
            "2026-03-01Tx",
            "2026-03-01T09:00[Europe/Berlin]",
            "-12026-01-01",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
