//! Exports by id and name, over MTProto.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use testkit::telegram::{Dc, world};

const BIN: &str = env!("CARGO_BIN_EXE_download_chat");

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_chat_is_written_under_its_title_oldest_first() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(Path::new(BIN), &["-1000000001002", "3", "--text"])
        .expect_code(0);
    assert_eq!(run.stdout, "Saved: chats/River_Club.md\n");
    let file = text(&sandbox.path("chats/River_Club.md"));
    assert!(
        file.starts_with("# River Club\nChat ID: -1000000001002\nMessages: 3\n\n---\n\n**"),
        "{file}"
    );
    let whole = sandbox
        .run(Path::new(BIN), &["@river_club", "0", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(whole["chat_id"], -1_000_000_001_002_i64);
    let all = text(&sandbox.path("chats/River_Club.md"));
    let newest = file.split("\n---\n\n").nth(1).unwrap_or_default();
    assert!(all.ends_with(newest), "the newest stand at the end");
    assert!(all.contains("🔥"), "reactions are there");
}

#[test]
fn two_chats_of_one_title_do_not_overwrite_each_other() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    for _ in 0..2 {
        sandbox.run(Path::new(BIN), &["-1000000001002"]).expect_code(0);
        sandbox.run(Path::new(BIN), &["-1000000001005"]).expect_code(0);
    }
    assert!(text(&sandbox.path("chats/River_Club.md")).contains("Chat ID: -1000000001002\n"));
    assert!(text(&sandbox.path("chats/River_Club_1000000001005.md")).contains("Chat ID: -1000000001005\n"));
}

#[test]
fn every_format_is_whole() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    for (format, end) in [
        ("json", " ]\n}\n"),
        ("ndjson", "}\n"),
        ("html", "</html>\n"),
        ("text", "\n"),
    ] {
        let out = format!("out.{format}");
        sandbox
            .run(Path::new(BIN), &["@river_club", "0", "-f", format, "-o", &out])
            .expect_code(0);
        let file = text(&sandbox.path(&out));
        assert!(file.ends_with(end) && file.len() > 500, "{format}");
        if format == "json" {
            let document: serde_json::Value = serde_json::from_str(&file).unwrap();
            assert_eq!(document["type"], "public_supergroup");
            assert_eq!(document["messages"].as_array().map(Vec::len), Some(20));
        }
    }
}

#[test]
fn what_is_no_chat_is_refused() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(Path::new(BIN), &["0"]).expect_code(2);
    sandbox.run(Path::new(BIN), &["@nobody_at_all"]).expect_code(66);
    assert!(!sandbox.path("chats").exists());
}

#[test]
fn two_chats_of_one_title_have_files_of_their_own_in_every_format() {
    let mut town = world("town");
    let message = |text: &str, file: i64| testkit::telegram::world::Message {
        id: 2,
        text: text.into(),
        date: "2025-01-01T09:02:00".into(),
        from: Some(111),
        media: Some("document".into()),
        attached: serde_json::json!({"file_name": "a.pdf", "size": 4000, "file_id": file}),
        sender_known: true,
        ..Default::default()
    };
    let (one, two) = ("-1000000001002", "-1000000001005");
    town.messages.insert(one.into(), vec![message("first club", 11)]);
    town.messages.insert(two.into(), vec![message("second club", 99)]);
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    for format in ["html", "text", "markdown", "json", "ndjson"] {
        let run = |chat: &str| {
            let args = [chat, "0", "-f", format, "--media", "5", "--json"];
            let path = sandbox.run(Path::new(BIN), &args).expect_code(0).json()["path"].clone();
            path.as_str().unwrap().to_owned()
        };
        // The second run of each finds its own file again.
        let paths = [run(one), run(two), run(one), run(two)];
        assert_eq!((&paths[0], &paths[1]), (&paths[2], &paths[3]), "{format}");
        assert!(paths[1].contains("River_Club_1000000001005."), "{paths:?}");
        let text = |path: &str| std::fs::read_to_string(sandbox.path(path)).unwrap();
        assert!(text(&paths[0]).contains("first club") && text(&paths[1]).contains("second club"));
    }
    let file = std::fs::read(sandbox.path("chats/River_Club_1000000001005_files/2_a.pdf")).unwrap();
    assert_eq!(file, testkit::telegram::media::bytes(99, 4000, 0, 4000));
}
