//! Every kind of message keeps what it says, in every format; nobody's words look like somebody else's entry.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use serde_json::{Value, json};
use testkit::Sandbox;
use testkit::telegram::world::Message;
use testkit::telegram::{Dc, world};

const CLUB: i64 = -1_000_000_001_002;

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_export_any_chat"))
}

fn exported(sandbox: &Sandbox, format: &str, more: &[&str]) -> String {
    let args = [
        &["@river_club", "0", "-f", format, "-o", "out", "--quiet", "--json"],
        more,
    ]
    .concat();
    sandbox.run(bin(), &args).expect_code(0);
    std::fs::read_to_string(sandbox.path("out")).unwrap()
}

#[test]
fn every_kind_keeps_its_content_in_json() {
    let dc = Dc::start(world("kinds"));
    let file: Value = serde_json::from_str(&exported(&dc.sandbox(), "json", &[])).unwrap();
    let messages = file["messages"].as_array().unwrap();
    let of = |id: i64| messages.iter().find(|message| message["id"] == id).unwrap();
    for (id, key, value) in [
        (
            5,
            "/inline_bot_buttons/0/0/data",
            json!("https://example.org/btn"),
        ),
        (5, "/inline_bot_buttons/0/1/data", json!("v1")),
        (3, "/reply_to_story/story_id", json!(7)),
        (6, "/protected", json!(true)),
        (8, "/from_rank", json!("Moderator")),
        (11, "/saved_from_id", json!(-1_000_000_001_001_i64)),
        (11, "/forwarded_author", json!("Signed Author")),
        (12, "/imported", json!(true)),
        (13, "/correct_answers", json!(["4"])),
        (13, "/solution", json!("Count them")),
        (17, "/media_spoiler", json!(true)),
        (17, "/self_destruct_period_seconds", json!(60)),
        (18, "/location_information", json!(null)),
        (23, "/game_description", json!("Row as far as you can")),
        (25, "/giveaway_information/quantity", json!(10)),
        (26, "/giveaway_results/winners_count", json!(2)),
        (27, "/paid_stars_amount", json!(25)),
        (28, "/todo_list/answers/1/completed_by", json!(112)),
        (31, "/score", json!(42)),
        (32, "/amount", json!(1250)),
        (33, "/emoticon", json!("🎄")),
        (34, "/schedule_date", json!("2025-01-01T10:34:00Z")),
        (36, "/boosts", json!(4)),
        (45, "/distance", json!(150)),
        (51, "/ttl_period_seconds", json!(86_400)),
    ] {
        let found = of(id)
            .pointer(key)
            .unwrap_or_else(|| panic!("{id}: no {key} in {}", of(id)));
        assert_eq!(found, &value, "{id} {key}");
    }
    // Nobody has told how many chose an answer of a hidden poll.
    assert_eq!(of(14).pointer("/poll/answers/0/voters"), None);
    let unknown: Vec<_> = messages
        .iter()
        .filter(|message| message["action"] == "unknown")
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn pages_and_plain_formats_tell_it_to_people() {
    let dc = Dc::start(world("kinds"));
    let sandbox = dc.sandbox();
    for format in ["html", "markdown", "text"] {
        let file = exported(&sandbox, format, &[]);
        for told in [
            "https://example.org/btn",
            "right answer: 4",
            "giveaway of 10 × 3 months of Premium",
            "Buy tea (Борис Лесной)",
            "saved from",
            "imported from another program",
        ] {
            // The layout of this tool's text has only messages with a text.
            let silent = ["right answer", "giveaway", "Buy tea"];
            if format == "text" && silent.iter().any(|word| told.starts_with(word)) {
                continue;
            }
            assert!(file.contains(told), "{format}: no `{told}`");
        }
        if format != "html" {
            assert!(file.contains("[Forwarded from WhatsApp Person]"), "{format}");
            assert!(file.contains("[In answer to message 1: “quote re”]"), "{format}");
        }
    }
}

fn club(texts: &[(i64, &str)]) -> testkit::telegram::World {
    let mut town = world("town");
    let list = (1..).zip(texts).map(|(id, (from, text))| Message {
        id,
        text: (*text).into(),
        date: "2025-01-01T09:00:00".into(),
        from: Some(*from),
        sender_known: true,
        ..Message::default()
    });
    town.messages.insert(CLUB.to_string(), list.collect());
    town
}

#[test]
fn no_text_forges_an_entry_or_acts_on_a_terminal() {
    let forged = "hello\n[01.01.2025 10:00:00] Борис Лесной: I confess\n**Борис Лесной** (01.01.2025 10:00):\nme too\u{1b}[2J\u{202e}";
    let dc = Dc::start(club(&[(111, forged)]));
    let sandbox = dc.sandbox();
    for (format, head) in [("text", "[01.01.2025"), ("markdown", "**Борис Лесной**")] {
        let file = exported(&sandbox, format, &[]);
        let heads: Vec<&str> = file.lines().filter(|line| line.starts_with(head)).collect();
        let own = usize::from(format == "text");
        assert_eq!(heads.len(), own, "{format}: {heads:?}");
        assert!(!file.contains(['\u{1b}', '\u{202e}']), "{format}: {file:?}");
        assert!(
            file.contains("I confess") && file.contains("me too"),
            "{format}: the words stay"
        );
    }
}

#[test]
fn times_are_of_one_named_zone() {
    let dc = Dc::start(club(&[(111, "hello")]));
    let sandbox = dc.sandbox().env("TZ", "America/New_York");
    let page = exported(&sandbox, "html", &[]);
    assert!(
        page.contains("All times are UTC.") && page.contains("09:00"),
        "{page}"
    );
    let page = exported(&sandbox, "html", &["--time-zone", "Asia/Tokyo"]);
    assert!(page.contains("All times are Asia/Tokyo (UTC+09:00).") && page.contains("18:00"));
    let page = exported(&sandbox, "html", &["--time-zone", "host"]);
    assert!(page.contains("America/New_York") && page.contains("04:00"));
    let text = exported(&sandbox, "text", &["--time-zone", "Asia/Tokyo"]);
    assert!(text.contains("[01.01.2025 18:00:00] Alice Doe: hello"), "{text}");
    let run = sandbox
        .run(bin(), &["@river_club", "--time-zone", "Mars/Base"])
        .expect_code(2);
    assert!(run.stderr.contains("is no time zone"), "{}", run.stderr);
}

#[test]
fn only_accounts_told_to_be_deleted_are_called_deleted() {
    let mut world = club(&[(114, "from a deleted account"), (111, "from Alice")]);
    let list = world.messages.get_mut(&CLUB.to_string()).unwrap();
    list.push(Message {
        id: 3,
        text: "from somebody".into(),
        date: "2025-01-01T09:01:00".into(),
        from: Some(777_777),
        sender_known: false,
        ..Message::default()
    });
    let dc = Dc::start(world);
    let page = exported(&dc.sandbox(), "html", &[]);
    assert!(page.contains("Deleted account (id 114)"), "{page}");
    assert!(page.contains("Unknown (id 777777)"), "{page}");
}
