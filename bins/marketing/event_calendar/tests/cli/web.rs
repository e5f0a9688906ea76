//! Calendars from the web: fetched when they changed, kept for when nobody answers, never from inside.

use std::collections::BTreeMap;

use testkit::{Reply, Route, Site};

use crate::{calendar, lines, output, run, sandbox};

fn reply(status: u16, etag: &str, body: &str) -> Reply {
    Reply {
        status: Some(status),
        headers: BTreeMap::from([("etag".to_owned(), etag.to_owned())]),
        body_text: Some(body.to_owned()),
        ..Reply::default()
    }
}

fn site(responses: Vec<Reply>) -> Site {
    let route = Route {
        responses,
        ..Route::text("/private/team.ics", "text/calendar", "")
    };
    Site::routes(vec![route]).unwrap()
}

#[test]
fn a_calendar_is_fetched_again_only_when_it_changed() {
    let text = calendar(&["UID:a\nDTSTART:20260302T090000Z\nSUMMARY:Planning"]);
    let site = site(vec![
        reply(200, "\"v1\"", &text),
        reply(304, "\"v1\"", ""),
        reply(503, "", ""),
    ]);
    let sandbox = sandbox(&[]);
    let address = format!("{}/private/team.ics?token=CANARY", site.url());
    let args = [
        "list",
        "-s",
        &address,
        "--from",
        "2026-03-01",
        "--json",
        "--run-attempts",
        "1",
    ];
    for _ in 0..2 {
        let finished = run(&sandbox, &args).expect_code(0);
        assert_eq!(lines(&finished.json()), ["a 2026-03-02T09:00:00Z"]);
        assert!(!format!("{}{}", finished.stdout, finished.stderr).contains("CANARY"));
    }
    let asked = site.requests();
    assert_eq!(asked[0].headers.get("if-none-match"), None);
    assert_eq!(asked[1].headers["if-none-match"], "\"v1\"");
    // Nobody answers: the copy serves, and that is said.
    let stale = run(&sandbox, &args).expect_code(3);
    let found = output(&stale);
    assert_eq!(lines(&found), ["a 2026-03-02T09:00:00Z"]);
    let told = found["basis"]["missing"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        told.contains("the copy of 2026-03-01T08:00:00Z is used"),
        "{told}"
    );
    assert!(!format!("{}{}{told}", stale.stdout, stale.stderr).contains("CANARY"));
    // The copy is for this user alone, and no name tells the address.
    let folder = sandbox.root().join("state/event_calendar");
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&entry.metadata().unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "{entry:?}");
        assert!(!entry.file_name().to_string_lossy().contains("private"));
    }
}

#[test]
fn without_a_copy_a_failure_is_a_failure() {
    let site = site(vec![reply(503, "", "")]);
    let address = format!("{}/private/team.ics", site.url());
    let sandbox = sandbox(&[]);
    run(&sandbox, &["list", "-s", &address, "--run-attempts", "1"]).expect_code(75);
    run(&sandbox, &["list", "-s", &format!("{}/none.ics", site.url())]).expect_code(66);
}

#[test]
fn a_damaged_copy_is_not_taken_for_the_calendar() {
    let text = calendar(&["UID:a\nDTSTART:20260302T090000Z\nSUMMARY:Planning"]);
    let site = site(vec![reply(200, "\"v1\"", &text)]);
    let sandbox = sandbox(&[]);
    let address = format!("{}/private/team.ics", site.url());
    let args = ["list", "-s", &address, "--from", "2026-03-01", "--json"];
    run(&sandbox, &args).expect_code(0);
    for entry in std::fs::read_dir(sandbox.root().join("state/event_calendar"))
        .unwrap()
        .flatten()
    {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "ics")
        {
            std::fs::write(entry.path(), "BEGIN:VCALENDAR\n").unwrap();
        }
    }
    assert_eq!(lines(&run(&sandbox, &args).expect_code(0).json()).len(), 1);
    assert_eq!(site.requests()[1].headers.get("if-none-match"), None);
}

#[test]
fn nothing_inside_is_reached() {
    let site = site(vec![reply(200, "", "BEGIN:VCALENDAR\nEND:VCALENDAR\n")]);
    let sandbox = sandbox(&[]).env("ONEJOB_ALLOW_PRIVATE", "0");
    for address in [
        site.url(),
        format!("webcal://{}", site.address()),
        "http://169.254.169.254/x.ics".to_owned(),
    ] {
        let finished = run(&sandbox, &["list", "-s", &address, "--json"]).expect_code(2);
        assert!(finished.stderr.contains("private"), "{}", finished.stderr);
    }
    assert!(site.requests().is_empty());
}
