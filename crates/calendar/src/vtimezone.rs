//! Zones that a file defines itself (`VTIMEZONE`): a table of the changes of the clock.

use jiff::civil::{DateTime, date};

use crate::{
    Note,
    component::Component,
    days,
    expand::{Bounds, Expansion},
    rule::{Rule, Until},
    value::{Plain, offset, plain},
    zone::Resolved,
};

/// Changes of the clock of one part of a zone at most.
const MOST_CHANGES: usize = 2_000;

/// Rules are followed from this year on. A zone of Outlook begins in 1601.
const FIRST_YEAR: i16 = 1900;

/// And up to this one.
const LAST_YEAR: i16 = 2200;

/// A change of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    /// Seconds since 1970 in UTC.
    utc: i64,
    before: i32,
    after: i32,
}

/// The offsets of a zone over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    changes: Vec<Change>,
}

impl Table {
    /// From a `VTIMEZONE`. `Err` says which line is wrong.
    pub(crate) fn read(component: &Component) -> Result<Self, Note> {
        let mut changes = Vec::new();
        for part in &component.parts {
            if matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT") {
                observance(part, &mut changes)?;
            }
        }
        if changes.is_empty() {
            return Err(Note::new(component.line, "the time zone has no offsets"));
        }
        changes.sort_by_key(|change| change.utc);
        changes.dedup_by_key(|change| change.utc);
        Ok(Self { changes })
    }

    pub(crate) fn offset_at(&self, utc: i64) -> i32 {
        let next = self.changes.partition_point(|change| change.utc <= utc);
        match next.checked_sub(1) {
            Some(last) => self.changes[last].after,
            None => self.changes.first().map_or(0, |first| first.before),
        }
    }

    pub(crate) fn resolve(&self, civil: i64) -> Resolved {
        // Changes within two days of the time are all that can matter.
        let near = |change: &&Change| (change.utc - civil).abs() <= 2 * days::DAY;
        let begin = self
            .changes
            .partition_point(|change| change.utc < civil - 3 * days::DAY);
        let around = || self.changes[begin..].iter().take(8).filter(near);
        let mut offsets = vec![self.offset_at(civil - 2 * days::DAY)];
        offsets.extend(around().flat_map(|change| [change.before, change.after]));
        let mut fits: Vec<i64> = offsets
            .iter()
            .map(|offset| (civil - i64::from(*offset), *offset))
            .filter(|(utc, offset)| self.offset_at(*utc) == *offset)
            .map(|(utc, _)| utc)
            .collect();
        fits.sort_unstable();
        fits.dedup();
        if let Some(utc) = fits.first() {
            return Resolved {
                utc: *utc,
                offset: self.offset_at(*utc),
                gap: false,
                repeated: fits.len() > 1,
            };
        }
        let leaps = |change: &&Change| {
            (change.utc + i64::from(change.before)..change.utc + i64::from(change.after)).contains(&civil)
        };
        let before = around().find(leaps).map_or(offsets[0], |change| change.before);
        let utc = civil - i64::from(before);
        Resolved {
            utc,
            offset: self.offset_at(utc),
            gap: true,
            repeated: false,
        }
    }
}

/// The changes of one `STANDARD` or `DAYLIGHT`.
fn observance(part: &Component, changes: &mut Vec<Change>) -> Result<(), Note> {
    let needed = |name: &str| {
        part.get(name)
            .ok_or_else(|| Note::new(part.line, format!("the time zone lacks `{name}`")))
    };
    let wrong = |line: &crate::Line| {
        Note::new(
            line.number,
            format!("the time zone has an unreadable `{}`", line.name),
        )
    };
    let shift = |name: &str| {
        let line = needed(name)?;
        offset(&line.value).ok_or_else(|| wrong(line))
    };
    let (before, after) = (shift("TZOFFSETFROM")?, shift("TZOFFSETTO")?);
    let line = needed("DTSTART")?;
    let start = civil(&line.value).ok_or_else(|| wrong(line))?;
    let mut push = |time: DateTime| {
        changes.push(Change {
            utc: days::seconds(time) - i64::from(before),
            before,
            after,
        });
    };
    push(start);
    for line in part.all("RDATE") {
        for text in line.value.split(',').take(MOST_CHANGES) {
            push(civil(text).ok_or_else(|| wrong(line))?);
        }
    }
    for line in part.all("RRULE") {
        let rule = Rule::parse(&line.value)
            .map_err(|what| Note::new(line.number, format!("the time zone has a bad rule: {what}")))?;
        let last = match rule.until {
            // The end is in UTC, the changes are read with the offset before them (RFC 5545 3.6.5).
            Some(Until::Utc(end)) => days::datetime(days::seconds(end) + i64::from(before)),
            Some(Until::Local(end)) => Some(end),
            Some(Until::Date(end)) => Some(end.at(23, 59, 59, 0)),
            None => None,
        };
        let horizon = date(LAST_YEAR, 12, 31).at(0, 0, 0, 0);
        let bounds = Bounds {
            from: date(FIRST_YEAR, 1, 1).at(0, 0, 0, 0),
            to: last.map_or(horizon, |last| last.min(horizon)),
            steps: 20_000,
        };
        let count = rule
            .count
            .map_or(MOST_CHANGES, |count| count.min(MOST_CHANGES as u64) as usize);
        for time in Expansion::new(&rule, start, &bounds).times().take(count) {
            push(time);
        }
    }
    Ok(())
}

fn civil(text: &str) -> Option<DateTime> {
    match plain(text)? {
        Plain::Local(time) | Plain::Utc(time) => Some(time),
        Plain::Date(date) => Some(date.at(0, 0, 0, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::parse;

    const ROMANCE: &str = "BEGIN:VTIMEZONE\nTZID:Romance Standard Time\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
        TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
        BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
        RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE";

    #[test]
    fn a_zone_of_outlook_agrees_with_the_database() {
        let table = Table::read(&parse(ROMANCE.as_bytes()).components[0]).unwrap();
        let paris = crate::Zone::database("Europe/Paris").unwrap();
        let mut at = days::seconds(date(2024, 1, 1).at(0, 30, 0, 0));
        let end = days::seconds(date(2031, 1, 1).at(0, 0, 0, 0));
        while at < end {
            assert_eq!(
                table.resolve(at),
                paris.resolve(days::datetime(at).unwrap()),
                "{at}"
            );
            assert_eq!(table.offset_at(at), paris.offset_at(at), "{at}");
            at += 3600;
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, told) in [
            ("BEGIN:VTIMEZONE\nTZID:x", "no offsets"),
            (
                "BEGIN:VTIMEZONE\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0100",
                "TZOFFSETFROM",
            ),
            (
                "BEGIN:VTIMEZONE\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:1\nTZOFFSETTO:+0100",
                "unreadable `TZOFFSETFROM`",
            ),
        ] {
            let note = Table::read(&parse(text.as_bytes()).components[0]).unwrap_err();
            assert!(note.message.contains(told), "{}", note.message);
        }
    }
}
