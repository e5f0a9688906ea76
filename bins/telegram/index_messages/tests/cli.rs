//! Reading chats into the index and asking it, over MTProto.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use serde_json::Value;
use testkit::Sandbox;
use testkit::telegram::world::Message;
use testkit::telegram::{Dc, Fault, world};

const BIN: &str = env!("CARGO_BIN_EXE_index_messages");
const CLUB: i64 = -1_000_000_001_002;
const LARGE: &str = "-1000000002001";

fn bin() -> &'static Path {
    Path::new(BIN)
}

fn json(sandbox: &Sandbox, args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.push("--json");
    sandbox.run(bin(), &all).expect_code(0).json()
}

/// Numbers of the messages a search finds.
fn found(sandbox: &Sandbox, args: &[&str]) -> Vec<i64> {
    let mut all = vec!["search"];
    all.extend(args);
    let output = json(sandbox, &all);
    let hits = output["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["id"].as_i64().unwrap()).collect()
}

#[test]
fn words_are_found_in_any_script_case_and_form_of_the_letter() {
    let dc = Dc::start(world("town"));
    dc.post(
        CLUB,
        Message {
            text: "Ёлка у реки".to_owned(),
            date: "2025-01-01T10:00:00".to_owned(),
            from: Some(112),
            ..Message::default()
        },
    );
    let sandbox = dc.sandbox();
    let run = json(&sandbox, &["index", "river_club", "@garden_news"]);
    assert_eq!(run["chats"][1]["new"], 5, "posts of a channel count: {run}");
    assert_eq!(found(&sandbox, &["ДОБРОЕ утр"]), [3]);
    assert_eq!(found(&sandbox, &["утр", "--exact"]), [0_i64; 0]);
    assert_eq!(found(&sandbox, &["елка"]), [21]);
    assert_eq!(found(&sandbox, &["صباح"]), [5]);
    assert_eq!(found(&sandbox, &["\"good morning\""]), [4]);
    assert_eq!(found(&sandbox, &["\"morning good\""]), [0_i64; 0]);
    assert_eq!(found(&sandbox, &["example.org/boat"]), [4]);
    assert_eq!(found(&sandbox, &["words", "--outgoing"]), [9]);
    assert_eq!(
        found(&sandbox, &["листья", "--chat-id", "1001", "-l", "2"]).len(),
        2
    );
    assert_eq!(found(&sandbox, &["листья", "--chat-id", "1002"]), [0_i64; 0]);
    assert_eq!(
        found(&sandbox, &["утро hammer", "--any", "--sender-id", "112"]),
        [3]
    );
    sandbox.run(bin(), &["search", " ** "]).expect_code(2);
    let text = sandbox
        .run(bin(), &["search", "утро", "--text"])
        .expect_code(0)
        .stdout;
    assert!(
        text.starts_with("1. [Score: ")
            && text.contains("] Борис Лесной in River Club\n   2025-01-01 09:05\n   Доброе утро! 🌞\n"),
        "{text}"
    );
}

#[test]
fn a_second_run_reads_only_what_changed_and_doubles_nothing() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let first = json(&sandbox, &["index", "river_club"]);
    let held = json(&sandbox, &["stats"]);
    assert_eq!(held["messages"], first["chats"][0]["new"]);
    let again = json(&sandbox, &["index", "river_club"]);
    let tally = &again["chats"][0];
    assert_eq!(
        (&tally["new"], &tally["changed"], &tally["removed"]),
        (&0.into(), &0.into(), &0.into())
    );
    dc.edit(CLUB, 9, "my changed words");
    // An edit that leaves the words as they were is no change.
    dc.edit(CLUB, 11, "forwarded thought");
    dc.delete(CLUB, &[3]);
    dc.post(
        CLUB,
        Message {
            text: "a fresh one".to_owned(),
            date: "2025-01-01T10:00:00".to_owned(),
            from: Some(111),
            reply_to: Some(9),
            ..Message::default()
        },
    );
    dc.forget_requests();
    let third = json(&sandbox, &["index", "river_club"]);
    let tally = &third["chats"][0];
    assert_eq!(
        (&tally["new"], &tally["changed"], &tally["removed"]),
        (&1.into(), &1.into(), &1.into()),
        "{third}"
    );
    assert!(
        dc.calls("messages.getHistory").len() <= 2,
        "only what is new is read"
    );
    assert_eq!(found(&sandbox, &["утро"]), [0_i64; 0]);
    assert_eq!(found(&sandbox, &["own words"]), [0_i64; 0]);
    let hit = &json(&sandbox, &["search", "changed words"])["hits"][0];
    assert_eq!((&hit["id"], &hit["answers"]), (&9.into(), &2.into()));
    let hit = &json(&sandbox, &["search", "fresh"])["hits"][0];
    assert_eq!(hit["answered_text"], "my changed words");
    assert_eq!(json(&sandbox, &["stats"])["messages"], held["messages"]);
}

#[test]
fn a_run_that_was_cut_off_goes_on_and_loses_nothing() {
    let dc = Dc::start(world("large"));
    let sandbox = dc.sandbox().env("TELEGRAM_FLOOD_WAIT_MAX", "0");
    dc.fail(Fault {
        method: "messages.getHistory".to_owned(),
        after: 5,
        times: 1,
        error: Some("FLOOD_WAIT_1".to_owned()),
        ..Fault::default()
    });
    let args = ["index", LARGE, "-l", "1500", "--run-attempts", "1"];
    sandbox.run(bin(), &args).expect_code(75);
    dc.heal();
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let held = json(&sandbox, &["stats"])["messages"].as_u64().unwrap();
    assert!(held > 100, "{held}");
    json(&sandbox, &["index", LARGE, "-l", "1500"]);
    let resumed = json(&sandbox, &["stats"])["messages"].clone();
    json(&sandbox, &["index", LARGE, "-l", "1500", "--rebuild"]);
    assert_eq!(json(&sandbox, &["stats"])["messages"], resumed);
    assert!(resumed.as_u64().unwrap() > held);
}

#[test]
fn people_of_shared_chats_by_how_much_they_write() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.file(
        "config.yml",
        "chats:\n  club: { type: group, id: 1002 }\n  small: { type: group, id: 77 }\n  gone: { type: username, username: nobody_at_all }\n",
    );
    let run = sandbox.run(bin(), &["index", "--text"]).expect_code(3);
    assert!(
        run.stderr.contains("1 of 3 chats"),
        "the others are read: {}",
        run.stderr
    );
    let people = json(&sandbox, &["contacts", "500"]);
    let people = people["contacts"].as_array().unwrap();
    let ids: Vec<i64> = people.iter().map(|p| p["id"].as_i64().unwrap()).collect();
    assert!(
        ids.contains(&111) && ids.contains(&112) && !ids.contains(&500),
        "{people:?}"
    );
    let boris = people.iter().find(|p| p["id"] == 112).unwrap();
    assert_eq!(boris["shared_chats"], 2);
}

#[test]
fn a_dry_run_stores_nothing_and_an_empty_index_is_told() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["search", "утро", "--text"]).expect_code(0);
    assert_eq!(run.stdout, "No results found.\n");
    assert!(run.stderr.contains("index_messages index"), "{}", run.stderr);
    let run = json(&sandbox, &["index", "river_club", "--dry-run"]);
    assert!(run["chats"][0]["new"].as_u64().unwrap() > 5, "{run}");
    assert_eq!(json(&sandbox, &["stats"])["messages"], 0);
    let run = sandbox.run(bin(), &["index"]).expect_code(2);
    assert!(run.stderr.contains("config.yml"), "{}", run.stderr);
}

#[test]
fn only_the_owner_may_read_the_index() {
    use std::os::unix::fs::PermissionsExt;
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let path = json(&sandbox, &["index", "river_club"])["index"]
        .as_str()
        .unwrap()
        .to_owned();
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn messages_that_the_service_leaves_out_do_not_end_the_reading() {
    let dc = Dc::start(testkit::telegram::scenes::gappy(600, &[120..=340, 600..=600]));
    let sandbox = dc.sandbox();
    let run = json(&sandbox, &["index", "gappy_club", "--limit", "0"]);
    assert_eq!(run["chats"][0]["new"], 378, "{run}");
    let again = json(&sandbox, &["index", "gappy_club", "--limit", "0"]);
    assert_eq!(again["chats"][0]["new"], 0, "{again}");
}
