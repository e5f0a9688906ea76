//! The honesty check of the Telegram data centre: an unmodified Telethon client, written by others, talks to it.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::telegram::world::Message;
use testkit::telegram::{Dc, media, scenes, session, world};
use testkit::tools;

const CLUB: i64 = -1_000_000_001_002;

/// The interpreter of an environment with Telethon, made if it is not there.
fn python() -> PathBuf {
    let made = Command::new(tools::workspace().join("scripts/telethon-venv"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
}

#[test]
fn telethon_lists_reads_downloads_sends_reacts_and_hears() {
    let python = python();
    // A chat of more than one page, with messages that the service leaves out.
    let mut town = world("town");
    let gappy = scenes::gappy(150, &[20..=21, 90..=90]);
    town.entities
        .extend(gappy.entities.into_iter().filter(|entity| entity.id == 2500));
    town.messages.extend(
        gappy
            .messages
            .into_iter()
            .filter(|(chat, _)| *chat == scenes::GAPPY.to_string()),
    );
    let dc = Dc::start(town);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("peer.session");
    session::write_telethon(&file, dc.port());
    let script = tools::workspace().join("crates/testkit/tests/telethon_client.py");
    let mut client = Command::new(python)
        .arg(script)
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().expect("the client ended early").unwrap()).unwrap();
    assert_eq!(first["listening"], true);
    dc.post(
        CLUB,
        Message {
            text: "a word to whoever listens".into(),
            date: "2025-05-01T00:00:00".into(),
            from: Some(111),
            ..Message::default()
        },
    );
    let seen: Value = serde_json::from_str(&lines.next().expect("the client ended early").unwrap()).unwrap();
    assert!(client.wait().unwrap().success());

    assert_eq!(seen["me"], 500);
    assert_eq!(seen["dialogs"].as_array().unwrap().len(), 7);
    assert_eq!(seen["dialogs"][0], json!([CLUB, "River Club", 3]));
    assert_eq!(seen["folders"], json!([["Garden", true, [111]]]));
    let history = seen["history"].as_array().unwrap();
    assert_eq!(history.len(), 20);
    assert!(history.contains(&json!([3, "Доброе утро! 🌞"])));
    assert!(history.contains(&json!([2, "MessageActionChatAddUser"])));
    assert_eq!(
        seen["formatted"],
        "**bold** and `code` and [link](https://example.org/x)"
    );
    assert_eq!(seen["oldest_first"], json!([1, 2, 3, 4, 5]));
    let shown: Vec<i32> = (1..=150).filter(|id| ![20, 21, 90].contains(id)).collect();
    assert_eq!(seen["gappy_oldest_first"], json!(shown));
    assert_eq!(
        seen["gappy_newest_first"],
        json!(shown.iter().rev().collect::<Vec<_>>())
    );
    assert_eq!(seen["search"], json!([4]));
    assert_eq!(
        seen["senders"],
        json!({"3": "Борис", "5": "ليلى", "13": null, "14": "River Club"})
    );
    assert_eq!(seen["photo"], 200_000);
    let start: i64 = media::bytes(7_000_020, 900_000, 0, 4096)
        .into_iter()
        .map(i64::from)
        .sum();
    assert_eq!(seen["document"], json!([900_000, start]));
    assert_eq!(seen["edited"], "edited by Telethon");
    assert_eq!(
        seen["reactions"],
        json!([["🔥", 2, false], ["custom", 1, false], ["❤", 1, true]])
    );
    assert_eq!(seen["refused"], "ReactionInvalidError");
    assert_eq!(seen["participants"], json!([111, 112, 113, 114, 500]));
    assert_eq!(seen["topics"], json!(["Wood", "Tools", "General"]));
    assert_eq!(seen["upload"], 700_000);
    assert_eq!(seen["forwarded"], json!(["Доброе утро! 🌞", true]));
    assert_eq!(seen["deleted"], 1);
    assert_eq!(seen["heard"], "a word to whoever listens");
    // What it did is what the data centre keeps.
    assert!(
        dc.messages(500)
            .iter()
            .any(|message| message.media.as_deref() == Some("document"))
    );
    assert!(
        dc.messages(CLUB)
            .iter()
            .all(|message| message.text != "edited by Telethon")
    );
}
