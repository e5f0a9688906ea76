//! Series as files have them: sets of rules and dates, changed instances, ends, the change of the clock.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use calendar::{DstGap, Limits, Moment, Window, Zone, group, read};
use jiff::civil::{Date, date};

/// `start/end title` of everything that takes place, in UTC, or days.
fn listed(events: &[&str], from: Date, to: Date) -> Vec<String> {
    let mut text = "BEGIN:VCALENDAR\n".to_owned();
    for event in events {
        text.push_str(&format!("BEGIN:VEVENT\nUID:x\n{event}\nEND:VEVENT\n"));
    }
    text.push_str("END:VCALENDAR\n");
    let utc = Zone::utc();
    let calendar = read(text.as_bytes(), None, &utc);
    assert_eq!(calendar.skipped, [], "{text}");
    let window = Window {
        from: utc.resolve(from.at(0, 0, 0, 0)).utc,
        to: utc.resolve(to.tomorrow().unwrap().at(0, 0, 0, 0)).utc,
        first: from,
        last: to,
    };
    let series = group(&calendar.events);
    assert_eq!(series.len(), 1);
    let overview = series[0].occurrences(&window, DstGap::Shift, &Limits::default());
    assert_eq!(overview.cut, None);
    let shown = |moment: &Moment| match moment {
        Moment::Day(day) => day.to_string(),
        Moment::At { utc: at, .. } => utc.civil_at(*at).unwrap().strftime("%Y-%m-%d %H:%M").to_string(),
    };
    overview
        .occurrences
        .iter()
        .map(|found| {
            let off = if found.cancelled { " off" } else { "" };
            let line = format!(
                "{}/{} {}{off}",
                shown(&found.start),
                shown(&found.end),
                found.event.title
            );
            line.trim_end().to_owned()
        })
        .collect()
}

fn days(event: &str, from: Date, to: Date) -> Vec<String> {
    listed(&[event], from, to)
        .iter()
        .map(|line| line[..10].to_owned())
        .collect()
}

#[test]
fn sets_of_rules_and_dates_are_joined() {
    let found = listed(
        &[
            "DTSTART:20260105T090000Z\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;COUNT=2\n\
           RDATE:20260107T090000Z,20260105T090000Z\nRDATE;VALUE=PERIOD:20260109T140000Z/PT2H,20260110T140000Z/20260110T150000Z\n\
           EXDATE:20260112T090000Z",
        ],
        date(2026, 1, 1),
        date(2026, 2, 1),
    );
    assert_eq!(
        found,
        [
            "2026-01-05 09:00/2026-01-05 09:30",
            "2026-01-07 09:00/2026-01-07 09:30",
            "2026-01-09 14:00/2026-01-09 16:00",
            "2026-01-10 14:00/2026-01-10 15:00"
        ]
    );
}

#[test]
fn rules_of_rfc_5545_give_what_it_says() {
    let cases: [(&str, &[&str]); 6] = [
        (
            "DTSTART:20260130T090000Z\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=4",
            &["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"],
        ),
        (
            "DTSTART;VALUE=DATE:20260131\nRRULE:FREQ=MONTHLY;COUNT=4",
            &["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"],
        ),
        (
            "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=3",
            &["2024-02-29", "2028-02-29", "2032-02-29"],
        ),
        (
            "DTSTART:20260106T090000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            &["2026-01-06", "2026-01-18", "2026-01-20", "2026-02-01"],
        ),
        (
            "DTSTART:20260511T090000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=20;COUNT=3",
            &["2026-05-11", "2027-05-17", "2028-05-15"],
        ),
        (
            "DTSTART:20260901T090000Z\nRRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3",
            &["2026-09-01", "2026-11-13", "2027-08-13"],
        ),
    ];
    for (event, wanted) in cases {
        assert_eq!(days(event, date(2020, 1, 1), date(2034, 1, 1)), wanted, "{event}");
    }
}

#[test]
fn an_end_in_the_repeated_hour_is_met_by_the_first_of_both() {
    let event = |until: &str| {
        format!("DTSTART;TZID=Europe/Amsterdam:20261024T023000\nRRULE:FREQ=DAILY;UNTIL={until}")
    };
    for until in ["20261025T013000Z", "20261025T003000Z"] {
        let found = listed(&[&event(until)], date(2026, 10, 20), date(2026, 10, 30));
        assert_eq!(
            found,
            [
                "2026-10-24 00:30/2026-10-24 00:30",
                "2026-10-25 00:30/2026-10-25 00:30"
            ]
        );
    }
    assert_eq!(
        listed(
            &[&event("20261025T002959Z")],
            date(2026, 10, 20),
            date(2026, 10, 30)
        )
        .len(),
        1
    );
}

#[test]
fn days_follow_the_calendar_and_hours_pass() {
    for (length, end) in [
        ("DTEND;TZID=Europe/Amsterdam:20261025T040000", "2026-10-25 03:00"),
        ("DURATION:P1D", "2026-10-25 21:00"),
        ("DURATION:PT24H", "2026-10-25 20:00"),
    ] {
        let event = format!("DTSTART;TZID=Europe/Amsterdam:20261024T220000\n{length}");
        let found = listed(&[&event], date(2026, 10, 24), date(2026, 10, 24));
        assert_eq!(found, [format!("2026-10-24 20:00/{end}")]);
    }
}

const DAILY: &str =
    "DTSTART:20260105T090000Z\nDTEND:20260105T100000Z\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:plain";

#[test]
fn this_and_future_shifts_what_follows() {
    let later = "RECURRENCE-ID;RANGE=THISANDFUTURE:20260107T090000Z\nDTSTART:20260107T110000Z\nDURATION:PT30M\nSUMMARY:later";
    let single = "RECURRENCE-ID:20260108T090000Z\nDTSTART:20260108T200000Z\nSUMMARY:single";
    assert_eq!(
        listed(&[DAILY, single, later], date(2026, 1, 1), date(2026, 1, 31)),
        [
            "2026-01-05 09:00/2026-01-05 10:00 plain",
            "2026-01-06 09:00/2026-01-06 10:00 plain",
            "2026-01-07 11:00/2026-01-07 11:30 later",
            "2026-01-08 20:00/2026-01-08 20:00 single",
            "2026-01-09 11:00/2026-01-09 11:30 later"
        ]
    );
    // What is shifted into a range is found there, and what is shifted out of it is not.
    let far = "RECURRENCE-ID;RANGE=THISANDFUTURE:20260108T090000Z\nDTSTART:20260208T090000Z\nSUMMARY:far";
    assert_eq!(
        listed(&[DAILY, far], date(2026, 2, 1), date(2026, 2, 28)),
        [
            "2026-02-08 09:00/2026-02-08 09:00 far",
            "2026-02-09 09:00/2026-02-09 09:00 far"
        ]
    );
    assert_eq!(
        listed(&[DAILY, far], date(2026, 1, 8), date(2026, 1, 31)).len(),
        0
    );
}

#[test]
fn the_later_revision_counts() {
    let old = "RECURRENCE-ID:20260106T090000Z\nSEQUENCE:1\nDTSTART:20260106T150000Z\nSUMMARY:old";
    let new = "RECURRENCE-ID:20260106T090000Z\nSEQUENCE:2\nDTSTART:20260106T160000Z\nSUMMARY:new";
    for order in [[DAILY, old, new], [new, DAILY, old]] {
        let found = listed(&order, date(2026, 1, 6), date(2026, 1, 6));
        assert_eq!(found, ["2026-01-06 16:00/2026-01-06 16:00 new"]);
    }
    // The series was revised since, and takes the instance out.
    let revised = format!("{DAILY}\nSEQUENCE:3\nEXDATE:20260106T090000Z");
    assert_eq!(
        listed(&[&revised, new], date(2026, 1, 6), date(2026, 1, 6)).len(),
        0
    );
    // It was taken out before: the change of it is later.
    let earlier = format!("{DAILY}\nSEQUENCE:1\nEXDATE:20260106T090000Z");
    assert_eq!(
        listed(&[&earlier, new], date(2026, 1, 6), date(2026, 1, 6)).len(),
        1
    );
}

#[test]
fn an_instance_that_was_called_off_is_marked() {
    let off = "RECURRENCE-ID:20260106T090000Z\nDTSTART:20260106T090000Z\nSTATUS:CANCELLED\nSUMMARY:plain";
    let found = listed(&[DAILY, off], date(2026, 1, 5), date(2026, 1, 7));
    assert_eq!(found.iter().filter(|line| line.ends_with(" off")).count(), 1);
    assert_eq!(found.len(), 3);
}

#[test]
fn a_start_beside_its_rule_is_the_first_and_counted() {
    let event = "DTSTART:20260107T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3";
    assert_eq!(
        days(event, date(2026, 1, 1), date(2026, 3, 1)),
        ["2026-01-07", "2026-01-12", "2026-01-19"]
    );
}

#[test]
fn a_long_event_that_began_before_the_range_is_found() {
    let event = "DTSTART:20200101T090000Z\nDURATION:P40D\nRRULE:FREQ=YEARLY";
    assert_eq!(days(event, date(2026, 2, 1), date(2026, 2, 1)), ["2026-01-01"]);
    assert!(days(event, date(2026, 3, 1), date(2026, 3, 1)).is_empty());
}
