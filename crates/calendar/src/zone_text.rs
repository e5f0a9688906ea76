//! A zone of the database written as `VTIMEZONE`, which a file needs for every zone that it names.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{
    days::{self, civil_of, month_length, weekday},
    write::{Text, civil, offset},
};

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// Years that changes of the clock are written for where no rule covers them.
const YEARS: i64 = 15;

struct Change {
    civil: i64,
    before: i32,
    after: i32,
    dst: bool,
    name: String,
}

/// The `VTIMEZONE` of a zone for events from `from` on: by yearly rules where the zone follows them, else change by
/// change for fifteen years. `None` when it has no name.
pub fn vtimezone(zone: &TimeZone, from: DateTime) -> Option<String> {
    let name = zone.iana_name()?;
    let start = days::seconds(from) - 370 * days::DAY;
    let at = Timestamp::from_second(start).ok()?;
    let mut changes = Vec::new();
    let mut before = zone.to_offset(at).seconds();
    for change in zone.following(at) {
        let utc = change.timestamp().as_second();
        if utc > start + YEARS * 366 * days::DAY {
            break;
        }
        changes.push(Change {
            civil: utc + i64::from(before),
            before,
            after: change.offset().seconds(),
            dst: change.dst().is_dst(),
            name: change.abbreviation().to_owned(),
        });
        before = change.offset().seconds();
    }
    let mut text = Text::new();
    text.line("BEGIN", &[], "VTIMEZONE").line("TZID", &[], name);
    let info = zone.to_offset_info(at);
    let first = Change {
        civil: start + i64::from(info.offset().seconds()),
        before: info.offset().seconds(),
        after: info.offset().seconds(),
        dst: info.dst().is_dst(),
        name: info.abbreviation().to_owned(),
    };
    part(&mut text, &first, &[], None);
    let mut kinds: Vec<(i32, i32, bool)> = Vec::new();
    for change in &changes {
        let kind = (change.before, change.after, change.dst);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let (last_year, ..) = civil_of((start + (YEARS - 1) * 365 * days::DAY).div_euclid(days::DAY));
    for kind in kinds {
        let same: Vec<&Change> = changes
            .iter()
            .filter(|change| (change.before, change.after, change.dst) == kind)
            .collect();
        let Some(begin) = same.first() else { continue };
        match yearly(&same, last_year) {
            Some(rule) => part(&mut text, begin, &[], Some(&rule)),
            None => part(&mut text, begin, &same[1..], None),
        }
    }
    text.line("END", &[], "VTIMEZONE");
    Some(text.finish())
}

fn part(text: &mut Text, change: &Change, more: &[&Change], rule: Option<&str>) {
    let kind = if change.dst { "DAYLIGHT" } else { "STANDARD" };
    text.line("BEGIN", &[], kind)
        .line("DTSTART", &[], &civil(change.civil))
        .line("TZOFFSETFROM", &[], &offset(change.before))
        .line("TZOFFSETTO", &[], &offset(change.after))
        .line("TZNAME", &[], &change.name);
    if let Some(rule) = rule {
        text.line("RRULE", &[], rule);
    }
    for change in more {
        text.line("RDATE", &[], &civil(change.civil));
    }
    text.line("END", &[], kind);
}

/// The yearly rule that gives exactly these changes, one in every year up to `last_year`; `None` when there is none.
fn yearly(changes: &[&Change], last_year: i64) -> Option<String> {
    let place = |change: &Change| {
        let day = change.civil.div_euclid(days::DAY);
        let (year, month, of_month) = civil_of(day);
        (
            year,
            month,
            of_month,
            weekday(day),
            change.civil.rem_euclid(days::DAY),
        )
    };
    let (first_year, month, _, day, clock) = place(changes.first()?);
    let mut numbers = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let (year, this_month, of_month, this_day, this_clock) = place(change);
        if (year, this_month, this_day, this_clock) != (first_year + at as i64, month, day, clock) {
            return None;
        }
        let from_end = month_length(year, month) - of_month;
        numbers.push(((of_month - 1) / 7 + 1, -(from_end / 7 + 1)));
    }
    if first_year + (changes.len() as i64) <= last_year {
        return None;
    }
    let same = |pick: fn(&(i64, i64)) -> i64| {
        let first = numbers.first().map(pick)?;
        numbers
            .iter()
            .all(|number| pick(number) == first)
            .then_some(first)
    };
    let number = same(|number| number.1).or_else(|| same(|number| number.0))?;
    Some(format!(
        "FREQ=YEARLY;BYMONTH={month};BYDAY={number}{}",
        DAYS[day as usize]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{component::parse, vtimezone::Table, zone::Zone};

    #[test]
    fn a_written_zone_is_read_back_with_the_same_offsets() {
        for name in [
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata",
            "Africa/Casablanca",
            "Australia/Lord_Howe",
            "America/Santiago",
        ] {
            let zone = Zone::database(name).unwrap();
            let from = jiff::civil::date(2026, 3, 1).at(0, 0, 0, 0);
            let text = vtimezone(zone.time_zone().unwrap(), from).unwrap();
            let table = Table::read(&parse(text.as_bytes()).components[0]).unwrap();
            let start = days::seconds(from);
            for hour in 0..10 * 366 * 24 {
                let at = start + hour * 3600;
                assert_eq!(table.offset_at(at), zone.offset_at(at), "{name} {at}\n{text}");
            }
        }
    }
}
