//! The program from outside: calendars of all kinds in, what takes place out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "cli/field.rs"]
mod field;
#[path = "cli/finding.rs"]
mod finding;
#[path = "cli/web.rs"]
mod web;
#[path = "cli/writing.rs"]
mod writing;

use std::path::Path;

use serde_json::Value;
use testkit::{Finished, Sandbox};

fn sandbox(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new()
        .unwrap()
        .env("ONEJOB_ALLOW_PRIVATE", "1")
        .env("ONEJOB_CLOCK", "2026-03-01T08:00:00Z");
    for (name, text) in files {
        sandbox.file(name, text.replace('\n', "\r\n"));
    }
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_event_calendar")), args)
}

/// The result of a run, whether it succeeded or only in part.
fn output(finished: &Finished) -> Value {
    let end = finished.events.last().unwrap();
    let found = if end["output"].is_null() {
        &end["error"]["output"]
    } else {
        &end["output"]
    };
    assert!(!found.is_null(), "no output: {}", finished.stderr);
    found.clone()
}

/// `uid utc-or-date title` of each event.
fn lines(output: &Value) -> Vec<String> {
    let events = output["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            let start = event["start"]["utc"]
                .as_str()
                .or_else(|| event["start"]["date"].as_str());
            let uid = event["uid"].as_str().unwrap().split('@').next().unwrap();
            format!("{uid} {}", start.unwrap())
        })
        .collect()
}

/// A calendar of these events.
fn calendar(events: &[&str]) -> String {
    let mut text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//quillmoss//cases//EN\n".to_owned();
    for event in events {
        text.push_str("BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n");
        text.push_str(event.trim());
        text.push_str("\nEND:VEVENT\n");
    }
    text.push_str("END:VCALENDAR\n");
    text
}
