//! Judged beside systemd itself.

use std::process::Command;

use jiff::{Timestamp, civil::DateTime};

use super::{When, translated, troubles};

const BASE: &str = "2026-03-25 00:00:00 UTC";

fn base() -> Timestamp {
    "2026-03-25T00:00:00Z".parse().unwrap()
}

/// What `systemd-analyze calendar` says: `Err` when it cannot read it, `Ok(None)` when it never comes.
fn systemd(text: &str) -> Result<Option<Timestamp>, ()> {
    let output = Command::new("systemd-analyze")
        .args(["calendar", "--iterations=1"])
        .arg(format!("--base-time={BASE}"))
        .arg(text)
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("systemd-analyze is installed by scripts/test");
    if !output.status.success() {
        return Err(());
    }
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said
        .lines()
        .find(|line| line.contains("Next elapse:"))
        .unwrap_or_else(|| panic!("{said}"));
    let utc = said
        .lines()
        .find(|line| line.contains("(in UTC):"))
        .unwrap_or(line);
    let value = utc.split_once(": ").unwrap().1.trim();
    if value == "never" {
        return Ok(None);
    }
    // `Wed 2026-03-25 01:00:00 UTC`
    let mut words = value.split(' ').skip(1);
    let text = format!("{}T{}", words.next().unwrap(), words.next().unwrap());
    let civil: DateTime = text.parse().unwrap();
    Ok(Some(jiff::tz::TimeZone::UTC.to_timestamp(civil).unwrap()))
}

fn ours(text: &str) -> Result<Option<Timestamp>, ()> {
    let when = When::parse(text).map_err(drop)?;
    let mut utc = when.clone();
    if utc.zone.is_none() {
        utc.zone = Some("UTC".to_owned());
    }
    if utc.never_after(base()) {
        return Ok(None);
    }
    Ok(utc.next(base()))
}

fn agrees(text: &str) {
    assert_eq!(ours(text), systemd(text), "{text}");
}

#[test]
fn expressions_are_judged_as_systemd_judges_them() {
    for text in [
        "minutely",
        "Hourly",
        "daily",
        "DAILY",
        "weekly",
        "monthly",
        "quarterly",
        "semiannually",
        "yearly",
        "daily UTC",
        "daily Europe/Berlin",
        "Mon..Fri 02:00 Europe/Berlin",
        "*:0/7",
        "*-*~1 03:00",
        "*-02-30",
        "0 2 * * *",
        "@daily",
        "Mon *-*-* 25:00",
        "",
        " ",
        "Mon",
        "mon,",
        "Mon,Wed 3:5",
        "Fri..Mon",
        "Sat..Sun 08:00",
        "Mon-Fri",
        "Mon,..Fri",
        "Mon..",
        "monday,tuesday 12:00",
        "Mondays",
        "*-*-* *:*:*",
        "*:*",
        "*:*:0/10",
        "*/5:00",
        "00:00",
        "24:00",
        "23:60",
        "23:59:59.5",
        "12:00:00.25",
        "2026-01-01",
        "2027-*-* 12:00",
        "26-12-24",
        "99-01-01",
        "70-01-01",
        "*-1,7-1",
        "*-4..6-01",
        "*-02~03",
        "*-*~7/1",
        "*-*~29",
        "*-2-29",
        "Fri *-*-13",
        "*-*-1..7",
        "Mon *-*-1..7",
        "1..1:00",
        "8..17/2:00",
        "0/15:00",
        "0/24:00",
        "9,12,18:30",
        "05..3:00",
        "12:00 UTC",
        "12:00 utc",
        "12:00 Mars/Phobos",
        "12:00 Europe/berlin",
        "2026-02-29",
        "2024-01-01",
        "*-13-01",
        "*-00-01",
        "*-*-32",
        "*-*-0",
        "*:00/20",
        "*:0/0",
        "1:2:3:4",
        "1-2-3-4",
        "*-*-*",
        "*-*",
        "*",
        "Mon *",
        "12",
        "2026",
        "12:",
        ":12",
        "12:00 ",
        " 12:00",
        "12:00  UTC",
        "*-*-* 02:30:00 Europe/Berlin",
        "*-6..8-* 06:00",
        "*-*-1/10",
        "*-*~1..3",
        "Tue *-*~7/1 04:00",
        "Wed,Fri *-*-* 06:30:15",
        "*-01/3-01",
        "2026..2028-06-01",
        "2026/2-06-01",
    ] {
        agrees(text);
    }
}

/// Made from the parts of expressions, so that most can be read; the numbers behind them come from a fixed sequence.
#[test]
fn made_expressions_are_judged_as_systemd_judges_them() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let weekdays = [
        "",
        "",
        "",
        "Mon ",
        "Tue..Thu ",
        "Sat,Sun ",
        "Fri,Mon..Tue ",
        "sun ",
    ];
    let dates = [
        "",
        "",
        "*-*-* ",
        "*-*-1 ",
        "*-*-15,31 ",
        "*-*~1 ",
        "*-*~3/1 ",
        "*-2,4-* ",
        "*-03/3-05 ",
        "2026-*-* ",
        "2026..2030-02-29 ",
        "*-*-10..20/5 ",
        "*-12-24..26 ",
        "02-28 ",
        "5-* ",
        "*-11..2-1 ",
        "2028-2-29 ",
    ];
    let times = [
        "",
        "00:00",
        "02:30",
        "7:5:3",
        "*:15",
        "*:0/20",
        "0/6:00",
        "8..18:30",
        "*:*:30",
        "23:59:59",
        "1,13:45",
        "12:00:00/15",
        "4..2:00",
        "6:61",
        "*:5..10/2",
    ];
    let zones = [
        "",
        "",
        "",
        " UTC",
        " Europe/Berlin",
        " America/New_York",
        " Asia/Kolkata",
    ];
    for _ in 0..200 {
        let mut text = String::new();
        for list in [&weekdays[..], &dates, &times, &zones] {
            text.push_str(list[draw(list.len())]);
        }
        let text = text.trim_start().to_owned();
        if !text.is_empty() {
            agrees(&text);
        }
    }
}

#[test]
fn lines_of_crontabs_are_put_into_words_that_systemd_reads() {
    for (cron, expected) in [
        ("0 2 * * *", Some("*-*-* 02:00:00")),
        ("*/15 * * * *", Some("*-*-* *:00/15:00")),
        ("30 6 * * 1-5", Some("Mon..Fri *-*-* 06:30:00")),
        ("0 0 1 */3 *", Some("*-01/3-01 00:00:00")),
        ("5,35 8-18 * * sun", Some("Sun *-*-* 08..18:05,35:00")),
        ("0 4 * * 0-2", Some("Sun,Mon..Tue *-*-* 04:00:00")),
        ("@daily", Some("daily")),
        ("@reboot", None),
        // A day of the month or a weekday: two entries.
        ("0 4 13 * 5", None),
        ("61 2 * * *", None),
        ("nonsense", None),
    ] {
        let said = translated(cron);
        assert_eq!(said.as_deref(), expected, "{cron}");
        if let Some(text) = said {
            assert!(systemd(&text).is_ok(), "{text}");
        }
    }
}

#[test]
fn a_time_that_the_clock_leaps_over_or_shows_twice_is_named() {
    let said = |text: &str| -> Vec<String> {
        let when = When::parse(text).unwrap();
        troubles(&when, base())
            .into_iter()
            .map(|t| t.text("Europe/Berlin"))
            .collect()
    };
    assert_eq!(
        said("*-*-* 02:30:00 Europe/Berlin"),
        [
            "02:30 does not exist on 2026-03-29 in Europe/Berlin: that run is skipped; use UTC or a time outside 02:00 to 03:00",
            "02:30 comes twice on 2026-10-25 in Europe/Berlin: it runs once"
        ]
    );
    for fine in [
        "*-*-* 04:00 Europe/Berlin",
        "*:0/7 Europe/Berlin",
        "02:30 UTC",
        "Mon 02:30 Europe/Berlin",
    ] {
        assert_eq!(said(fine), Vec::<String>::new(), "{fine}");
    }
}
