//! Values of properties (RFC 5545 3.3): dates, times, durations, offsets, text.

use jiff::civil::{Date, DateTime, Time as Clock};

use crate::{
    Note,
    content::Line,
    short,
    zone::{Zone, Zones},
};

/// A date, or a time in a zone.
#[derive(Clone, Debug, PartialEq)]
pub enum Time {
    /// A whole day, in no zone.
    Date(Date),
    /// A civil time in a zone.
    At(DateTime, Zone),
}

impl Time {
    /// The day as it is written.
    pub fn date(&self) -> Date {
        match self {
            Self::Date(date) => *date,
            Self::At(time, _) => time.date(),
        }
    }

    /// The civil time as it is written; midnight for a date.
    pub fn civil(&self) -> DateTime {
        match self {
            Self::Date(date) => date.to_datetime(Clock::midnight()),
            Self::At(time, _) => *time,
        }
    }

    /// The zone; `None` for a date.
    pub fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Date(_) => None,
            Self::At(_, zone) => Some(zone),
        }
    }
}

/// A date or time without a zone, and whether it ends in `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    Date(Date),
    Local(DateTime),
    Utc(DateTime),
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// `20260310` or `20260310T090000`, with or without `Z`.
pub(crate) fn plain(text: &str) -> Option<Plain> {
    let text = text.trim();
    let (day, clock) = match text.split_once(['T', 't']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    if day.len() != 8 || !day.is_ascii() {
        return None;
    }
    let number = |from: usize, to: usize| digits(&day[from..to]);
    let year = number(0, 4)?;
    if year < 1 {
        return None;
    }
    let date = Date::new(year as i16, number(4, 6)? as i8, number(6, 8)? as i8).ok()?;
    let Some(clock) = clock else {
        return Some(Plain::Date(date));
    };
    let (clock, utc) = match clock.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, true),
        None => (clock, false),
    };
    if !matches!(clock.len(), 4 | 6) || !clock.is_ascii() {
        return None;
    }
    let (hour, minute) = (digits(&clock[0..2])?, digits(&clock[2..4])?);
    let second = if clock.len() == 6 {
        digits(&clock[4..6])?
    } else {
        0
    };
    // A leap second is the one before it, where there are none (RFC 5545 3.3.12).
    let second = if second == 60 { 59 } else { second };
    let time = date.to_datetime(Clock::new(hour as i8, minute as i8, second as i8, 0).ok()?);
    Some(if utc { Plain::Utc(time) } else { Plain::Local(time) })
}

/// One date or time of a property, in the zone of its `TZID`. `Err` says what is wrong with it.
pub fn parse_time(line: &Line, text: &str, zones: &Zones, notes: &mut Vec<Note>) -> Result<Time, String> {
    let wrong = || format!("{} `{}`", line.name, short(text));
    let read = plain(text).ok_or_else(wrong)?;
    let stated = line.param("VALUE").map(str::to_ascii_uppercase);
    let mut note = |text: &str| notes.push(Note::new(line.number, format!("{} {text}", line.name)));
    Ok(match (read, stated.as_deref(), line.param("TZID")) {
        (Plain::Date(date), stated, _) => {
            if stated.is_none() {
                note("is a date without `VALUE=DATE`: a whole day is taken");
            }
            Time::Date(date)
        }
        (Plain::Local(time) | Plain::Utc(time), Some("DATE"), _) => {
            note("is a time though it says `VALUE=DATE`: its day is taken");
            Time::Date(time.date())
        }
        (Plain::Utc(time), _, zone) => {
            if zone.is_some() {
                note("ends in `Z` and names a zone: UTC is taken");
            }
            Time::At(time, Zone::utc())
        }
        (Plain::Local(time), _, Some(name)) => Time::At(time, zones.named(name)),
        (Plain::Local(time), _, None) => Time::At(time, zones.floating()),
    })
}

/// A duration: whole days, and seconds that are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duration {
    pub(crate) days: i64,
    pub(crate) seconds: i64,
}

/// Longest duration in days that is taken.
const LONGEST: i64 = 366 * 100;

/// `P1W`, `P1DT2H`, `-PT15M`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_uppercase();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let mut rest = text.strip_prefix('P')?;
    let (mut days, mut seconds, mut timed, mut any) = (0_i64, 0_i64, false, false);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            if timed {
                return None;
            }
            timed = true;
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let count = digits(&rest[..end]).filter(|count| *count < 1_000_000_000)?;
        match (rest.as_bytes()[end], timed) {
            (b'W', false) => days += count * 7,
            (b'D', false) => days += count,
            (b'H', true) => seconds += count * 3600,
            (b'M', true) => seconds += count * 60,
            (b'S', true) => seconds += count,
            _ => return None,
        }
        any = true;
        rest = &rest[end + 1..];
    }
    (any && days + seconds / 86_400 <= LONGEST).then_some(Duration {
        days: sign * days,
        seconds: sign * seconds,
    })
}

/// `+0330`, `-050000`: seconds east of UTC.
pub(crate) fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    if !matches!(rest.len(), 4 | 6) || !rest.is_ascii() {
        return None;
    }
    let (hours, minutes) = (digits(&rest[..2])?, digits(&rest[2..4])?);
    let seconds = if rest.len() == 6 { digits(&rest[4..])? } else { 0 };
    let total = hours * 3600 + minutes * 60 + seconds;
    (hours < 26 && minutes < 60 && seconds < 60).then_some(sign * total as i32)
}

/// A text value without its escapes, resolved in one pass: `\\n` is a backslash and the letter n.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(marked @ ('\\' | ';' | ',' | ':' | '"')) => out.push(marked),
            // No escape of the format: kept as it is, a path of Windows for example.
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// The parts of a list of texts, split at commas that are not escaped.
pub(crate) fn list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match c {
            ',' if !escaped => parts.push(String::new()),
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.push(c);
                }
            }
        }
        escaped = c == '\\' && !escaped;
    }
    parts
        .iter()
        .map(|part| unescape(part.trim()))
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_strictly() {
        assert!(matches!(plain("20260310T090000Z"), Some(Plain::Utc(_))));
        assert!(matches!(plain("20260310T0900"), Some(Plain::Local(_))));
        assert!(matches!(plain("20260310"), Some(Plain::Date(_))));
        for bad in [
            "2026-03-12T09:00",
            "20260230",
            "20260310T240000",
            "20260310T",
            "",
            "0000010T",
            "é260310",
        ] {
            assert_eq!(plain(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_and_offsets_are_read() {
        let of = |text| duration(text).map(|found| (found.days, found.seconds));
        assert_eq!(of("P1W"), Some((7, 0)));
        assert_eq!(of("P1DT2H3M4S"), Some((1, 7384)));
        assert_eq!(of("-PT15M"), Some((0, -900)));
        for bad in [
            "P",
            "PT",
            "P1H",
            "1D",
            "P1",
            "PT1D",
            "P99999999999999999999D",
            "P900000D",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(offset("+0330"), Some(12_600));
        assert_eq!(offset("-050000"), Some(-18_000));
        assert_eq!((offset("0100"), offset("+9900")), (None, None));
    }

    #[test]
    fn escapes_are_resolved_in_one_pass() {
        assert_eq!(unescape(r"a\nb\; c\, C:\\neu \x \"), "a\nb; c, C:\\neu \\x \\");
        assert_eq!(list(r"a\,b, c,,d\\,e"), ["a,b", "c", "d\\", "e"]);
    }
}
