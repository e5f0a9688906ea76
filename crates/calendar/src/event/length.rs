//! How long events are, and further instances with a length of their own.

use crate::{
    Note,
    component::Component,
    content::Line,
    days,
    value::{self, Time, parse_time},
    zone::Zones,
};

/// How long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Seconds that pass, whatever the clock does meanwhile.
    Exact(i64),
    /// Whole days of an event without times.
    Days(i64),
    /// Days by the calendar, then seconds that pass (RFC 5545 3.3.6).
    Nominal {
        /// Days by the calendar.
        days: i64,
        /// Seconds after them.
        seconds: i64,
    },
}

impl Length {
    /// At most so many seconds: a day can have 25 hours.
    pub(crate) fn seconds(self) -> i64 {
        match self {
            Self::Exact(seconds) | Self::Nominal { days: 0, seconds } => seconds,
            Self::Days(days) => days.saturating_add(1).saturating_mul(days::DAY),
            Self::Nominal { days, seconds } => days
                .saturating_add(1)
                .saturating_mul(days::DAY)
                .saturating_add(seconds),
        }
    }
}

/// A further instance: a time, or a period with a length of its own.
pub(super) fn more(
    line: &Line,
    text: &str,
    zones: &Zones,
    notes: &mut Vec<Note>,
) -> Result<(Time, Option<Length>), Note> {
    let told = |what: String| Note::new(line.number, what);
    let Some((first, second)) = text.split_once('/') else {
        return Ok((parse_time(line, text, zones, notes).map_err(told)?, None));
    };
    let start = parse_time(line, first, zones, notes).map_err(told)?;
    let length = if let Some(span) = value::duration(second) {
        Length::Nominal {
            days: span.days.max(0),
            seconds: span.seconds.max(0),
        }
    } else {
        let end = parse_time(line, second, zones, notes).map_err(told)?;
        between(&start, &end).unwrap_or(Length::Exact(0))
    };
    Ok((start, Some(length)))
}

/// From one time to another of its kind; `None` when they are of different kinds.
fn between(start: &Time, end: &Time) -> Option<Length> {
    match (start, end) {
        (Time::Date(start), Time::Date(end)) => Some(Length::Days(days::number(*end) - days::number(*start))),
        (Time::At(start, zone), Time::At(end, other)) => {
            Some(Length::Exact(other.resolve(*end).utc - zone.resolve(*start).utc))
        }
        _ => None,
    }
}

pub(super) fn length(component: &Component, start: &Time, zones: &Zones, notes: &mut Vec<Note>) -> Length {
    let whole_day = matches!(start, Time::Date(_));
    let none = if whole_day {
        Length::Days(1)
    } else {
        Length::Exact(0)
    };
    let (end, duration) = (component.get("DTEND"), component.get("DURATION"));
    if let (Some(_), Some(line)) = (end, duration) {
        notes.push(Note::new(line.number, "DURATION beside DTEND is left out"));
    }
    let mut note = |line: &Line, text: &str| notes.push(Note::new(line.number, text));
    if let Some(line) = end {
        let mut more = Vec::new();
        let read = parse_time(line, &line.value, zones, &mut more);
        let found = read.as_ref().ok().and_then(|end| between(start, end));
        match (&read, found) {
            (Err(what), _) => note(line, &format!("left out: {what}")),
            (_, None) => note(line, "DTEND is of another kind than DTSTART: left out"),
            (_, Some(Length::Days(0))) => note(line, "DTEND equals DTSTART: one day taken"),
            (_, Some(Length::Days(length) | Length::Exact(length))) if length < 0 => {
                note(line, "DTEND lies before DTSTART: left out");
            }
            (_, Some(length)) => {
                notes.extend(more);
                return length;
            }
        }
        notes.extend(more);
        return none;
    }
    let Some(line) = duration else { return none };
    match value::duration(&line.value) {
        None => note(line, "left out: unreadable DURATION"),
        Some(span) if span.days < 0 || span.seconds < 0 => {
            note(line, "DURATION is negative: left out");
        }
        Some(span) if whole_day && span.seconds > 0 => {
            note(
                line,
                "DURATION has a time though DTSTART is a date: whole days taken",
            );
            return Length::Days((span.days + (span.seconds + days::DAY - 1) / days::DAY).max(1));
        }
        Some(span) if whole_day => return Length::Days(span.days.max(1)),
        Some(span) => {
            return Length::Nominal {
                days: span.days,
                seconds: span.seconds,
            };
        }
    }
    none
}
