//! Whatever a file holds, reading and expanding it ends, without a panic and within its limits.

use calendar::{DstGap, Limits, Window, Zone, group, read};
use jiff::civil::date;
use proptest::prelude::*;

const PIECES: [&str; 46] = [
    "BEGIN:VCALENDAR\n",
    "END:VCALENDAR\n",
    "BEGIN:VEVENT\n",
    "END:VEVENT\n",
    "BEGIN:VTIMEZONE\n",
    "END:VTIMEZONE\n",
    "BEGIN:STANDARD\n",
    "END:STANDARD\n",
    "TZID:A\n",
    "TZOFFSETFROM:+2500\n",
    "TZOFFSETTO:-2500\n",
    "UID:x\n",
    "DTSTART:20260101T000000Z\n",
    "DTSTART;TZID=A:20260101T000000\n",
    "DTSTART;VALUE=DATE:00010101\n",
    "DTSTART:99991231T235959\n",
    "DTSTART;TZID=Europe/Berlin:20260329T023000\n",
    "DTEND:00010101T000000Z\n",
    "DTEND:99991231T235959Z\n",
    "DURATION:P36500D\n",
    "DURATION:-P1W\n",
    "DURATION:PT999999999S\n",
    "RRULE:FREQ=SECONDLY\n",
    "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n",
    "RRULE:FREQ=DAILY;INTERVAL=4294967295\n",
    "RRULE:FREQ=YEARLY;INTERVAL=4294967295\n",
    "RRULE:FREQ=WEEKLY;INTERVAL=4294967295;BYDAY=SU,MO;WKST=SU\n",
    "RRULE:FREQ=MONTHLY;BYDAY=-5MO;BYSETPOS=-366\n",
    "RRULE:FREQ=MINUTELY;BYHOUR=3;COUNT=4294967295\n",
    "RRULE:FREQ=HOURLY;BYYEARDAY=-366;UNTIL=00010101\n",
    "RRULE:FREQ=YEARLY;BYWEEKNO=-53;UNTIL=99991231T235959Z\n",
    "EXRULE:FREQ=DAILY\n",
    "RDATE;VALUE=PERIOD:20260101T000000Z/99991231T235959Z\n",
    "RDATE:99991231,00010101\n",
    "EXDATE:20260101\n",
    "EXDATE:x,,20260101T000000Z\n",
    "RECURRENCE-ID:20260102T000000Z\n",
    "RECURRENCE-ID;RANGE=THISANDFUTURE:00010101\n",
    "RECURRENCE-ID;VALUE=DATE:99991231\n",
    "SEQUENCE:9223372036854775807\n",
    "SUMMARY:\u{1b}[31m\\",
    " folded\n",
    "\t\u{feff}\n",
    "BEGIN:\n",
    "ATTENDEE;CN=\"a:b\n",
    "\r\n\r",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_it_fail(order in proptest::collection::vec(0..PIECES.len(), 0..40), start in 1_i16..9990) {
        let text: String = order.iter().map(|at| PIECES[*at]).collect();
        let utc = Zone::utc();
        let calendar = read(text.as_bytes(), None, &utc);
        let limits = Limits { instances: 50, steps: 5_000 };
        for from in [date(start, 1, 1), date(2026, 1, 1)] {
            let to = date(from.year() + 9, 12, 31);
            let window = Window {
                from: utc.resolve(from.at(0, 0, 0, 0)).utc,
                to: utc.resolve(to.at(0, 0, 0, 0)).utc,
                first: from,
                last: to,
            };
            for series in group(&calendar.events) {
                for gap in [DstGap::Shift, DstGap::Omit] {
                    let overview = series.occurrences(&window, gap, &limits);
                    for found in &overview.occurrences {
                        prop_assert!(window.meets(&found.start, &found.end), "{found:?}\n{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes, None, &Zone::utc());
    }
}
