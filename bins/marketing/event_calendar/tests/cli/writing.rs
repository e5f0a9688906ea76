//! New events and changed copies.

use crate::{calendar, lines, run, sandbox};

const SERIES: &str = "UID:s\nX-OWN;A=\"b;c\":d\nDTSTART;TZID=Europe/Berlin:20260302T100000\nDTEND;TZID=Europe/Berlin:20260302T110000\nRRULE:FREQ=WEEKLY;COUNT=4\nSUMMARY:Review";
const SINGLE: &str = "UID:one\nDTSTART:20260303T100000Z\nDTEND:20260303T110000Z\nSUMMARY:Once\nSEQUENCE:4";

fn listed(sandbox: &testkit::Sandbox, file: &str) -> Vec<String> {
    let args = [
        "list",
        "-s",
        file,
        "--from",
        "2026-03-01",
        "--to",
        "2026-04-30",
        "-z",
        "UTC",
        "--json",
    ];
    lines(&run(sandbox, &args).expect_code(0).json())
}

#[test]
fn a_new_series_is_read_back_as_it_was_asked_for() {
    let sandbox = sandbox(&[]);
    let title = "Größe; \"A, B\" \\ C – ".repeat(6);
    run(
        &sandbox,
        &[
            "create",
            &title,
            "--start",
            "2026-03-25T09:00",
            "--end",
            "2026-03-25T09:30",
            "-z",
            "Europe/Berlin",
            "--rrule",
            "FREQ=WEEKLY;UNTIL=20260408",
            "--description",
            "one\ntwo",
            "--category",
            "a,b",
            "--attendee",
            "Weber, \"Ina\" <ina@quillmoss.example>",
            "--uid",
            "new",
            "-o",
            "n.ics",
            "--json",
        ],
    )
    .expect_code(0);
    let text = std::fs::read_to_string(sandbox.path("n.ics")).unwrap();
    assert!(
        text.split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains('\n')),
        "{text}"
    );
    assert!(text.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"));
    assert!(
        text.contains("RRULE:FREQ=WEEKLY;UNTIL=20260408T215959Z\r\n"),
        "{text}"
    );
    assert!(
        text.contains("ATTENDEE;CN=\"Weber, ^'Ina\":mailto:ina@quillmoss.example\r\n"),
        "{text}"
    );
    let args = [
        "list",
        "-s",
        "n.ics",
        "--from",
        "2026-03-01",
        "--to",
        "2026-04-30",
        "-z",
        "UTC",
        "--json",
    ];
    let output = run(&sandbox, &args).expect_code(0).json();
    assert_eq!(
        lines(&output),
        [
            "new 2026-03-25T08:00:00Z",
            "new 2026-04-01T07:00:00Z",
            "new 2026-04-08T07:00:00Z"
        ]
    );
    assert_eq!(output["events"][0]["title"], title.as_str());
    assert_eq!(output["events"][0]["description"], "one\ntwo");
    assert_eq!(output["events"][0]["categories"], serde_json::json!(["a,b"]));
    run(&sandbox, &["lint", "n.ics", "--strict"]).expect_code(0);
}

#[test]
fn a_copy_with_an_event_more_keeps_the_rest() {
    let original = calendar(&[SERIES]);
    let sandbox = sandbox(&[("t.ics", &original)]);
    let before = std::fs::read(sandbox.path("t.ics")).unwrap();
    run(
        &sandbox,
        &[
            "create",
            "Day off",
            "--start",
            "2026-03-04",
            "--add-to",
            "t.ics",
            "-o",
            "u.ics",
            "--uid",
            "off",
        ],
    )
    .expect_code(0);
    let after = std::fs::read(sandbox.path("u.ics")).unwrap();
    assert!(after.starts_with(&before[..before.len() - "END:VCALENDAR\r\n".len()]));
    assert!(listed(&sandbox, "u.ics").contains(&"off 2026-03-04".to_owned()));
    assert_eq!(std::fs::read(sandbox.path("t.ics")).unwrap(), before);
    // Never in the place of the original, and never twice.
    run(
        &sandbox,
        &[
            "create",
            "x",
            "--start",
            "2026-03-04",
            "--add-to",
            "t.ics",
            "-o",
            "t.ics",
        ],
    )
    .expect_code(73);
    run(
        &sandbox,
        &[
            "create",
            "x",
            "--start",
            "2026-03-04",
            "--add-to",
            "u.ics",
            "-o",
            "v.ics",
            "--uid",
            "off",
        ],
    )
    .expect_code(73);
    assert_eq!(std::fs::read(sandbox.path("t.ics")).unwrap(), before);
}

#[test]
fn an_instance_is_moved_and_moved_again() {
    let sandbox = sandbox(&[("t.ics", &calendar(&[SERIES, SINGLE]))]);
    let go = |file: &str, args: &[&str], to: &str| {
        let mut all = vec!["move", file];
        all.extend(args);
        all.extend(["-o", to]);
        run(&sandbox, &all).expect_code(0);
        listed(&sandbox, to)
    };
    let first = go(
        "t.ics",
        &["s", "--instance", "2026-03-09", "--to", "2026-03-10T15:00"],
        "1.ics",
    );
    assert_eq!(
        first,
        [
            "s 2026-03-02T09:00:00Z",
            "one 2026-03-03T10:00:00Z",
            "s 2026-03-10T14:00:00Z",
            "s 2026-03-16T09:00:00Z",
            "s 2026-03-23T09:00:00Z"
        ]
    );
    let again = go(
        "1.ics",
        &["s", "--instance", "2026-03-09T10:00", "--to", "2026-03-11T15:00"],
        "2.ics",
    );
    assert_eq!(again.len(), 5);
    assert!(again.contains(&"s 2026-03-11T14:00:00Z".to_owned()), "{again:?}");
    let single = go("2.ics", &["one", "--to", "2026-03-05T08:00"], "3.ics");
    assert!(
        single.contains(&"one 2026-03-05T08:00:00Z".to_owned()),
        "{single:?}"
    );
    let text = std::fs::read_to_string(sandbox.path("3.ics")).unwrap();
    assert!(
        text.contains("SEQUENCE:5\r\n") && text.contains("X-OWN;A=\"b;c\":d\r\n"),
        "{text}"
    );
    run(&sandbox, &["lint", "3.ics", "--strict"]).expect_code(0);
}

#[test]
fn what_is_called_off_is_not_shown() {
    let sandbox = sandbox(&[("t.ics", &calendar(&[SERIES, SINGLE]))]);
    let go = |file: &str, args: &[&str], to: &str| {
        let mut all = vec!["cancel", file];
        all.extend(args);
        all.extend(["-o", to]);
        run(&sandbox, &all).expect_code(0);
        listed(&sandbox, to)
    };
    let one = go("t.ics", &["s", "--instance", "2026-03-16T10:00"], "1.ics");
    assert_eq!(one.len(), 4);
    assert!(!one.contains(&"s 2026-03-16T09:00:00Z".to_owned()));
    let two = go("1.ics", &["s", "--instance", "2026-03-23T10:00"], "2.ics");
    assert_eq!(
        two,
        [
            "s 2026-03-02T09:00:00Z",
            "one 2026-03-03T10:00:00Z",
            "s 2026-03-09T09:00:00Z"
        ]
    );
    // A changed instance goes with its series.
    run(
        &sandbox,
        &[
            "move",
            "2.ics",
            "s",
            "--instance",
            "2026-03-09",
            "--to",
            "2026-03-10T15:00",
            "-o",
            "3.ics",
        ],
    )
    .expect_code(0);
    assert_eq!(go("3.ics", &["s"], "4.ics"), ["one 2026-03-03T10:00:00Z"]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let sandbox = sandbox(&[("t.ics", &calendar(&[SERIES, SINGLE]))]);
    let refused = |args: &[&str], code: i32, told: &str| {
        let mut all = args.to_vec();
        all.extend(["-o", "x.ics"]);
        let finished = run(&sandbox, &all).expect_code(code);
        assert!(finished.stderr.contains(told), "{told}: {}", finished.stderr);
        assert_eq!(sandbox.files(), ["t.ics"]);
    };
    refused(
        &["move", "t.ics", "none", "--to", "2026-03-02"],
        66,
        "no event `none`",
    );
    refused(
        &["move", "t.ics", "s", "--to", "2026-03-02T10:00"],
        2,
        "is a series",
    );
    refused(
        &[
            "move",
            "t.ics",
            "s",
            "--instance",
            "2026-03-03",
            "--to",
            "2026-03-04T10:00",
        ],
        66,
        "no instance",
    );
    refused(
        &["move", "t.ics", "one", "--to", "2026-03-04"],
        2,
        "the event has a time",
    );
    refused(
        &["cancel", "t.ics", "one", "--instance", "2026-03-03"],
        2,
        "no series",
    );
    refused(
        &[
            "create",
            "x",
            "--start",
            "2026-03-29T02:30",
            "-z",
            "Europe/Berlin",
        ],
        2,
        "leaps over",
    );
    refused(
        &[
            "create",
            "x",
            "--start",
            "2026-03-02T10:00",
            "--end",
            "2026-03-02T09:00",
        ],
        2,
        "ends before it begins",
    );
    refused(
        &[
            "create",
            "x",
            "--start",
            "2026-03-02T10:00",
            "--rrule",
            "FREQ=DAILY;CUONT=3",
        ],
        2,
        "CUONT",
    );
    refused(
        &[
            "create",
            "x",
            "--start",
            "2026-03-02T10:00",
            "--rrule",
            "FREQ=DAILY\nATTENDEE:x",
        ],
        2,
        "line ends",
    );
    refused(
        &[
            "create",
            "x\nBEGIN:VEVENT",
            "--start",
            "2026-03-02T10:00",
            "--attendee",
            "i@x.example\r\nATTENDEE:mailto:evil@x.example",
        ],
        2,
        "`title` must not have line ends or control characters; `attendees[0]` must not",
    );
    refused(
        &["create", "x", "--start", "2026-03-02T10:00", "--attendee", "ina"],
        2,
        "`attendees[0]` is no address",
    );
}

#[test]
fn a_list_is_written_as_a_calendar_of_its_own() {
    let sandbox = sandbox(&[("t.ics", &calendar(&[SERIES, SINGLE]))]);
    let args = [
        "list",
        "-s",
        "t.ics",
        "--from",
        "2026-03-01",
        "--to",
        "2026-04-30",
        "-o",
        "o.ics",
        "--json",
    ];
    run(&sandbox, &args).expect_code(0);
    let args = [
        "list",
        "-s",
        "o.ics",
        "--from",
        "2026-03-01",
        "--to",
        "2026-04-30",
        "-z",
        "UTC",
        "--json",
    ];
    let again = run(&sandbox, &args).expect_code(0).json();
    assert_eq!(again["events"].as_array().unwrap().len(), 5);
    assert_eq!(again["events"][0]["start"]["utc"], "2026-03-02T09:00:00Z");
    assert_eq!(again["events"][0]["recurrence_id"], serde_json::Value::Null);
}
