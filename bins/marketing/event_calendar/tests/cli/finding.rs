//! Ranges, words, overlaps, free times, mistakes.

use serde_json::{Value, json};

use crate::{calendar, lines, output, run, sandbox};

const TEAM: [&str; 4] = [
    "UID:a\nDTSTART:20260302T090000Z\nDTEND:20260302T100000Z\nSUMMARY:Planning\nDESCRIPTION:paper",
    "UID:b\nDTSTART:20260302T093000Z\nDTEND:20260302T110000Z\nSUMMARY:Call\nLOCATION:Кухня",
    "UID:c\nDTSTART:20260302T093000Z\nDTEND:20260302T110000Z\nSUMMARY:Free\nTRANSP:TRANSPARENT",
    "UID:d\nDTSTART:20260302T093000Z\nDTEND:20260302T110000Z\nSUMMARY:Off\nSTATUS:CANCELLED",
];

#[test]
fn words_are_looked_for_in_title_description_and_place() {
    let sandbox = sandbox(&[("t.ics", &calendar(&TEAM))]);
    let found = |word: &str| {
        let finished = run(
            &sandbox,
            &[
                "list",
                word,
                "-s",
                "t.ics",
                "--from",
                "2026-03-02",
                "--to",
                "2026-03-02",
                "--json",
            ],
        );
        lines(&finished.expect_code(0).json())
            .iter()
            .map(|line| line[..1].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("PLANNING"), ["a"]);
    assert_eq!(found("Paper"), ["a"]);
    assert_eq!(found("кухня"), ["b"]);
    assert!(found("nothing").is_empty());
    let finished = run(
        &sandbox,
        &[
            "list",
            "planning",
            "call",
            "off",
            "-s",
            "t.ics",
            "--from",
            "2026-03-02",
            "--json",
        ],
    );
    let output = finished.expect_code(0).json();
    assert_eq!(lines(&output).len(), 2);
    assert_eq!(output["cancelled"], 1);
}

#[test]
fn overlaps_are_found_and_told_by_exit_code() {
    let sandbox = sandbox(&[("t.ics", &calendar(&TEAM))]);
    let finished = run(
        &sandbox,
        &["conflicts", "-s", "t.ics", "--from", "2026-03-02", "--json"],
    );
    let found = output(&finished.expect_code(3));
    let clashes = found["clashes"].as_array().unwrap();
    assert_eq!(clashes.len(), 1, "{found}");
    assert_eq!(
        (&clashes[0]["event"]["uid"], &clashes[0]["with"]["uid"]),
        (&json!("a"), &json!("b"))
    );
    assert_eq!(clashes[0]["minutes"], 30);
    let apart = run(
        &sandbox,
        &["conflicts", "-s", "t.ics", "--from", "2026-03-03", "--json"],
    )
    .expect_code(0);
    assert_eq!(apart.json()["clashes"], json!([]));
}

#[test]
fn the_same_event_in_two_calendars_is_one() {
    let one = calendar(&TEAM[..1]);
    let sandbox = sandbox(&[
        ("x/a.ics", &one),
        ("x/b.ics", &one),
        ("x/notes.txt", "no calendar"),
    ]);
    let finished = run(
        &sandbox,
        &["conflicts", "-s", "x", "--from", "2026-03-02", "--json"],
    )
    .expect_code(0);
    assert_eq!(finished.json()["compared"], 1);
    assert_eq!(finished.json()["basis"]["calendars"], 2);
}

#[test]
fn free_time_lies_between_busy_times_within_working_hours() {
    let sandbox = sandbox(&[("t.ics", &calendar(&TEAM))]);
    let free = |more: &[&str]| {
        let mut args = vec![
            "free",
            "-s",
            "t.ics",
            "-z",
            "UTC",
            "--from",
            "2026-03-02",
            "--to",
            "2026-03-02",
            "--json",
        ];
        args.extend(more);
        let output = run(&sandbox, &args).expect_code(0).json();
        let slots = output["free"].as_array().unwrap().iter();
        slots
            .map(|slot| format!("{} {}", slot["from_utc"].as_str().unwrap(), slot["minutes"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(free(&[]), ["2026-03-02T11:00:00Z 360"]);
    assert_eq!(
        free(&["--day-start", "08:00"]),
        ["2026-03-02T08:00:00Z 60", "2026-03-02T11:00:00Z 360"]
    );
    assert_eq!(
        free(&["--day-start", "08:00", "-m", "61"]),
        ["2026-03-02T11:00:00Z 360"]
    );
    assert!(free(&["-m", "361"]).is_empty());
    // From now on, and nothing on a Sunday.
    let next = run(&sandbox, &["free", "-s", "t.ics", "-z", "UTC", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(next["next"]["from_utc"], "2026-03-02T11:00:00Z");
    let sunday = run(
        &sandbox,
        &["free", "-s", "t.ics", "-z", "UTC", "--weekends", "--json"],
    )
    .expect_code(0)
    .json();
    assert_eq!(sunday["next"]["from_utc"], "2026-03-01T09:00:00Z");
}

#[test]
fn a_whole_day_is_busy_unless_it_says_otherwise() {
    let day = ["UID:d\nDTSTART;VALUE=DATE:20260302\nSUMMARY:Fair"];
    let sandbox = sandbox(&[("t.ics", &calendar(&day))]);
    let args = [
        "free",
        "-s",
        "t.ics",
        "-z",
        "UTC",
        "--from",
        "2026-03-02",
        "--to",
        "2026-03-02",
        "--json",
    ];
    assert_eq!(run(&sandbox, &args).expect_code(0).json()["next"], Value::Null);
    let mut ignoring = args.to_vec();
    ignoring.push("--ignore-all-day");
    assert_eq!(
        run(&sandbox, &ignoring).expect_code(0).json()["free"][0]["minutes"],
        480
    );
}

#[test]
fn a_plan_is_checked_against_holidays_and_other_launches() {
    let plan = calendar(&[
        "UID:p\nDTSTART:20260406T090000Z\nSUMMARY:Post",
        "UID:q\nDTSTART:20260410T090000Z\nDURATION:PT1H\nSUMMARY:Launch",
        "UID:r\nDTSTART:20260411T090000Z\nSUMMARY:Saturday post",
    ]);
    let holidays =
        calendar(&["UID:h\nDTSTART;VALUE=DATE:20260406\nSUMMARY:Easter Monday\nTRANSP:TRANSPARENT"]);
    let other = calendar(&[
        "UID:o\nDTSTART:20260410T093000Z\nDURATION:PT1H\nSUMMARY:Other",
        "UID:s\nDTSTART:20260411T150000Z\nSUMMARY:Evening",
    ]);
    let sandbox = sandbox(&[
        ("plan.ics", &plan),
        ("holidays.ics", &holidays),
        ("campaigns/o.ics", &other),
    ]);
    let check = |more: &[&str]| {
        let mut args = vec![
            "check",
            "plan.ics",
            "--from",
            "2026-04-01",
            "--to",
            "2026-04-30",
            "-z",
            "UTC",
            "--json",
        ];
        args.extend(more);
        let finished = run(&sandbox, &args);
        let found = output(&finished);
        let kinds: Vec<String> = found["clashes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|clash| {
                format!(
                    "{} {}",
                    clash["kind"].as_str().unwrap(),
                    clash["event"]["uid"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(finished.code, Some(if kinds.is_empty() { 0 } else { 3 }));
        kinds
    };
    assert_eq!(check(&["--holidays", "holidays.ics"]), ["holiday p"]);
    assert_eq!(check(&["-a", "campaigns"]), ["overlap q"]);
    assert_eq!(
        check(&["-a", "campaigns", "--same-day"]),
        ["overlap q", "same_day r"]
    );
    assert_eq!(check(&["--weekends"]), ["weekend r"]);
    run(&sandbox, &["check", "plan.ics"]).expect_code(2);
}

#[test]
fn a_series_without_end_is_cut_and_said() {
    let endless = calendar(&["UID:e\nDTSTART:20200101T000000Z\nRRULE:FREQ=SECONDLY\nSUMMARY:Tick"]);
    let never = calendar(&[
        "UID:n\nDTSTART:20200101T000000Z\nRRULE:FREQ=SECONDLY;INTERVAL=7200;BYMINUTE=30\nSUMMARY:Never",
    ]);
    let sandbox = sandbox(&[("e.ics", &endless), ("n.ics", &never)]);
    let finished = run(
        &sandbox,
        &[
            "list",
            "-s",
            "e.ics",
            "--from",
            "2026-03-01",
            "--to",
            "2026-03-31",
            "--json",
        ],
    );
    let found = output(&finished.clone().expect_code(3));
    assert_eq!(found["events"].as_array().unwrap().len(), 10_000);
    assert!(
        found["basis"]["missing"][0]["message"]
            .as_str()
            .unwrap()
            .contains("10000 instances")
    );
    assert!(finished.took.as_secs() < 20, "{:?}", finished.took);
    let finished = run(
        &sandbox,
        &[
            "list",
            "-s",
            "n.ics",
            "--from",
            "2026-03-01",
            "--to",
            "2036-02-01",
            "--json",
        ],
    );
    assert!(finished.took.as_secs() < 20, "{:?}", finished.took);
    // The start itself lies before the range.
    assert_eq!(output(&finished)["events"], json!([]));
}

#[test]
fn a_misspelt_rule_is_no_endless_series() {
    let text = calendar(&[
        "UID:m\nDTSTART:20260302T090000Z\nRRULE:FREQ=DAILY;CUONT=3\nSUMMARY:x",
        TEAM[0],
    ]);
    let sandbox = sandbox(&[("t.ics", &text)]);
    let finished = run(&sandbox, &["lint", "t.ics", "--json"]).expect_code(3);
    let found = output(&finished);
    assert_eq!(found["errors"][0]["line"], 8);
    assert!(
        found["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("`CUONT` is not a known part of a rule")
    );
    let listed = output(
        &run(
            &sandbox,
            &["list", "-s", "t.ics", "--from", "2026-03-02", "--json"],
        )
        .expect_code(3),
    );
    assert_eq!(lines(&listed), ["a 2026-03-02T09:00:00Z"]);
}

#[test]
fn bad_ranges_and_sources_are_refused_by_name() {
    let sandbox = sandbox(&[
        ("t.ics", &calendar(&TEAM)),
        ("page.html", "<html>BEGIN"),
        ("empty/x.txt", ""),
    ]);
    let refused = |args: &[&str], code: i32, told: &str| {
        let mut all = vec!["list", "--json"];
        all.extend(args);
        let finished = run(&sandbox, &all).expect_code(code);
        assert!(finished.stderr.contains(told), "{told}: {}", finished.stderr);
        assert_eq!(finished.stdout, "");
    };
    refused(&["-s", "t.ics", "--from", "2026-02-30"], 2, "is not a date");
    refused(
        &["-s", "t.ics", "--from", "2026-03-02", "--to", "2026-03-01"],
        2,
        "ends before it begins",
    );
    refused(
        &["-s", "t.ics", "--from", "2026-03-02", "--to", "2039-03-01"],
        2,
        "longer than ten years",
    );
    refused(
        &["-s", "t.ics", "--zone", "Nowhere/Imagined"],
        2,
        "is no time zone",
    );
    refused(&["-s", "page.html"], 2, "is no calendar");
    refused(&["-s", "empty"], 66, "no .ics files");
    refused(&["-s", "absent.ics"], 66, "absent.ics");
    refused(&["-s", "ftp://x.example/a.ics"], 2, "ftp");
    refused(&[], 78, "no calendar is named");
}

#[test]
fn calendars_and_zone_can_be_set() {
    let sandbox = sandbox(&[
        ("t.ics", &calendar(&TEAM)),
        (
            "shared-config/onejob.toml",
            "[tools.event_calendar.settings]\nsources = [\"t.ics\"]\nzone = \"Asia/Tokyo\"\n",
        ),
    ]);
    let output = run(&sandbox, &["list", "--json"]).expect_code(0).json();
    assert_eq!(output["zone"], "Asia/Tokyo");
    assert_eq!(output["events"].as_array().unwrap().len(), 3);
    // Today in Tokyo began at 15:00 of yesterday in UTC.
    assert_eq!(output["from"], "2026-02-28T15:00:00Z");
}

#[test]
fn titles_of_others_cannot_act_on_a_terminal() {
    let text = calendar(&["UID:x\nDTSTART:20260302T090000Z\nSUMMARY:red\u{1b}[31m\\nerror: forged\u{202e}"]);
    let sandbox = sandbox(&[("t.ics", &text)]);
    let finished = run(
        &sandbox,
        &[
            "list",
            "-s",
            "t.ics",
            "--from",
            "2026-03-02",
            "-z",
            "UTC",
            "--text",
        ],
    )
    .expect_code(0);
    assert!(
        finished.stdout.contains("red␛[31m␊error: forged<U+202E>"),
        "{}",
        finished.stdout
    );
    assert!(
        finished.stdout.starts_with("Mon 02 Mar 2026\n  09:00 "),
        "{}",
        finished.stdout
    );
}
