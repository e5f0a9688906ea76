//! Calendars that broke other programs.

use serde_json::{Value, json};

use crate::{lines, output, run, sandbox};

/// Lists a calendar of `fixtures` in UTC; the exit code too.
fn listed(name: &str, from: &str, to: &str, more: &[&str]) -> (i32, Value) {
    let sandbox = sandbox(&[]);
    let source = format!("{}/fixtures/{name}.ics", env!("CARGO_MANIFEST_DIR"));
    let mut args = vec![
        "list", "-z", "UTC", "--from", from, "--to", to, "-s", &source, "--json",
    ];
    args.extend(more);
    let finished = run(&sandbox, &args);
    (finished.code.unwrap(), output(&finished))
}

fn event<'a>(output: &'a Value, uid: &str) -> &'a Value {
    let events = output["events"].as_array().unwrap();
    let whole = format!("{uid}@quillmoss.example");
    events
        .iter()
        .find(|event| event["uid"] == whole.as_str())
        .unwrap()
}

fn starts(output: &Value, uid: &str) -> Vec<String> {
    let of = format!("{uid} ");
    lines(output)
        .into_iter()
        .filter_map(|line| line.strip_prefix(&of).map(str::to_owned))
        .collect()
}

#[test]
fn a_time_in_a_gap_of_the_clock_is_moved_and_marked() {
    let (code, found) = listed("dst-gap-daily", "2026-03-20", "2026-04-10", &[]);
    assert_eq!(code, 0);
    assert_eq!(
        starts(&found, "gap-daily"),
        [
            "2026-03-27T01:30:00Z",
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-30T00:30:00Z"
        ]
    );
    assert_eq!(
        starts(&found, "gap-weekly"),
        [
            "2026-03-22T01:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-04-05T00:30:00Z"
        ]
    );
    assert_eq!(starts(&found, "gap-single"), ["2026-03-29T01:30:00Z"]);
    for event in found["events"].as_array().unwrap() {
        let in_gap = event["start"]["utc"] == "2026-03-29T01:30:00Z";
        assert_eq!(event["dst_gap"] == true, in_gap, "{event}");
        if in_gap {
            assert_eq!(event["start"]["local"], "2026-03-29T03:30:00+02:00");
        }
    }
}

#[test]
fn a_time_in_a_gap_can_be_left_out_uncounted() {
    let (_, found) = listed(
        "dst-gap-daily",
        "2026-03-20",
        "2026-04-12",
        &["--dst-gap", "omit"],
    );
    assert_eq!(
        starts(&found, "gap-daily"),
        [
            "2026-03-27T01:30:00Z",
            "2026-03-28T01:30:00Z",
            "2026-03-30T00:30:00Z",
            "2026-03-31T00:30:00Z"
        ]
    );
    assert_eq!(
        starts(&found, "gap-weekly"),
        [
            "2026-03-22T01:30:00Z",
            "2026-04-05T00:30:00Z",
            "2026-04-12T00:30:00Z"
        ]
    );
    assert_eq!(
        starts(&found, "gap-single"),
        ["2026-03-29T01:30:00Z"],
        "a single event is never dropped"
    );
}

#[test]
fn every_form_of_an_end_is_read_and_told() {
    let (code, found) = listed("until-forms", "2026-10-25", "2026-11-10", &[]);
    assert_eq!(code, 0);
    let days = [
        "2026-10-31T00:00:00Z",
        "2026-11-01T00:00:00Z",
        "2026-11-02T01:00:00Z",
        "2026-11-03T01:00:00Z",
    ];
    for uid in ["until-utc", "until-date", "until-local"] {
        assert_eq!(starts(&found, uid), days, "{uid}");
        assert_eq!(event(&found, uid)["until_lenient"] == true, uid != "until-utc");
    }
    assert_eq!(
        starts(&found, "until-allday"),
        ["2026-10-30", "2026-10-31", "2026-11-01"]
    );
    let told: Vec<_> = found["basis"]["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| {
            (
                warning["line"].as_u64().unwrap(),
                warning["message"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                17,
                "UNTIL is a date though DTSTART has a time: whole local day taken"
            ),
            (25, "UNTIL has no zone: zone of DTSTART taken"),
            (32, "UNTIL has a time though DTSTART is a date: its day taken"),
        ]
    );
}

#[test]
fn a_moved_instance_is_shown_where_it_is_now() {
    let (_, found) = listed("moved-instances", "2026-09-01", "2026-09-30", &[]);
    assert_eq!(
        starts(&found, "weekly"),
        [
            "2026-09-02T08:00:00Z",
            "2026-09-16T10:00:00Z",
            "2026-09-30T08:00:00Z"
        ]
    );
    assert_eq!(found["events"][1]["title"], "Stand-up (later, same day)");
    assert_eq!(found["events"][1]["recurrence_id"]["utc"], "2026-09-16T08:00:00Z");
    let (_, found) = listed("moved-instances", "2026-10-01", "2026-10-02", &[]);
    assert_eq!(starts(&found, "weekly"), ["2026-10-01T13:00:00Z"]);
    assert_eq!(found["events"][0]["title"], "Stand-up (moved)");
}

#[test]
fn one_broken_event_costs_no_other() {
    let (code, found) = listed("broken-text", "2026-03-01", "2026-03-31", &[]);
    assert_eq!(code, 3);
    assert_eq!(
        lines(&found),
        [
            "fold 2026-03-10T09:00:00Z",
            "lf 2026-03-11T09:00:00Z",
            "last 2026-03-13T09:00:00Z"
        ]
    );
    let fold = event(&found, "fold");
    assert_eq!(
        fold["title"],
        "Frühjahrsaktion – Teil „größer“ mit Umlauten äöüß und Gedankenstrich – Ende"
    );
    assert_eq!(
        fold["description"],
        "Zeile eins\nZeile zwei; mit Komma, und Pfad C:\\neu"
    );
    assert_eq!(event(&found, "lf")["end"], event(&found, "lf")["start"]);
    assert_eq!(found["basis"]["events_read"], 4);
    let missing = &found["basis"]["missing"];
    assert_eq!(missing.as_array().unwrap().len(), 1);
    assert_eq!(missing[0]["line"], 28);
    assert_eq!(missing[0]["uid"], "bad@quillmoss.example");
    assert_eq!(
        missing[0]["message"],
        "event left out: DTSTART `2026-03-12T09:00`"
    );
    assert_eq!(
        found["basis"]["warnings"][0]["message"],
        "file ends inside an event"
    );
}

#[test]
fn a_zone_is_never_guessed_in_silence() {
    let (code, found) = listed("outlook-zones", "2026-05-20", "2026-05-20", &[]);
    assert_eq!(code, 3);
    for (uid, utc) in [
        ("1", "2026-05-20T07:30:00Z"),
        ("2", "2026-05-20T07:30:00Z"),
        ("3", "2026-05-20T06:00:00Z"),
        ("4", "2026-05-20T08:30:00Z"),
    ] {
        assert_eq!(starts(&found, uid), [utc], "{uid}");
        assert_eq!(event(&found, uid)["zone_unknown"], Value::Null);
    }
    assert_eq!(event(&found, "1")["zone_assumed"], Value::Null);
    assert_eq!(event(&found, "2")["zone_assumed"], "Europe/Berlin");
    assert_eq!(event(&found, "4")["floating"], true);
    let unknown = event(&found, "5");
    assert_eq!(
        (&unknown["zone_unknown"], &unknown["floating"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(found["basis"]["missing"][0]["uid"], "5@quillmoss.example");
    let (_, found) = listed(
        "outlook-zones",
        "2026-05-20",
        "2026-05-20",
        &["--floating", "Asia/Tokyo"],
    );
    assert_eq!(starts(&found, "4"), ["2026-05-20T00:30:00Z"]);
}

#[test]
fn days_begin_and_end_where_they_should() {
    let (code, found) = listed("all-day-edges", "2026-04-10", "2026-04-10", &[]);
    assert_eq!(code, 0);
    assert_eq!(
        lines(&found),
        [
            "c 2026-04-08",
            "a 2026-04-10",
            "g 2026-04-10",
            "d 2026-04-10T23:59:59Z"
        ]
    );
    assert_eq!(event(&found, "c")["end"]["date"], "2026-04-15");
    assert_eq!(event(&found, "g")["end"]["date"], "2026-04-11");
    assert_eq!(
        found["basis"]["warnings"][0]["message"],
        "DTEND equals DTSTART: one day taken"
    );
    // A day is the same day in every zone.
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let (_, found) = listed("all-day-edges", "2026-04-10", "2026-04-10", &["--zone", zone]);
        let days: Vec<_> = lines(&found).into_iter().filter(|line| line.len() < 13).collect();
        assert_eq!(days, ["c 2026-04-08", "a 2026-04-10", "g 2026-04-10"], "{zone}");
    }
}
