//! The recorded cases over MTProto and a real MariaDB, and the same rows in SQLite.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::telegram::{Dc, Fault, world};
use testkit::{Golden, MariaDb};

const BIN: &str = env!("CARGO_BIN_EXE_load_messages_to_db");

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../fixtures/parity/load_messages_to_db")
        .join(name)
}

/// Old reactions were a JSON string of emoji; the rows of a case as they should be.
fn mended(rows: Vec<Value>, reactions: &[(i64, &str)], media: &[(i64, &str)]) -> Vec<Value> {
    rows.into_iter()
        .map(|mut row| {
            let id = row["id"].as_i64().unwrap();
            // On the wire views and forwards come together; the recording had objects of its own.
            if row["forwards"].is_null() && !row["views"].is_null() {
                row["forwards"] = json!(0);
            }
            for (of, text) in reactions {
                if *of == id {
                    row["reactions_json"] = json!(text);
                }
            }
            for (of, word) in media {
                if *of == id {
                    row["media_type"] = json!(word);
                }
            }
            row
        })
        .collect()
}

#[test]
fn recorded_cases_give_their_rows_and_their_report() {
    let server = MariaDb::start();
    let reactions = [
        (29, r#"[{"emoji":"🔥","count":3},{"emoji":"👍","count":1}]"#),
        (5, r#"[{"emoji":"❤","count":11}]"#),
    ];
    let media = [(94, "sticker"), (95, "audio"), (96, "voice")];
    for (name, code) in [
        ("happy_path", 0),
        ("days_filter_and_limit", 0),
        ("media_types", 0),
        ("failing_chat", 3),
        ("chat_id_not_found", 0),
        ("upsert_keeps_sender_and_date", 0),
    ] {
        let golden = Golden::set_up(&case(name), &server);
        let run = golden.run(Path::new(BIN)).expect_code(code);
        let (recorded, now) = golden.rows(&server, "telegram_messages");
        let wanted = if name == "upsert_keeps_sender_and_date" {
            recorded
        } else {
            mended(recorded, &reactions, &media)
        };
        assert_eq!(now.len(), wanted.len(), "{name}");
        for (now, wanted) in now.iter().zip(&wanted) {
            assert_eq!(now, wanted, "{name}");
        }
        if name == "failing_chat" {
            assert!(run.stdout.contains("CHANNEL_PRIVATE"), "{}", run.stdout);
            assert!(
                run.stdout
                    .ends_with("🎉 Готово! Всего загружено: 2 сообщений из 1 чатов\n"),
                "{}",
                run.stdout
            );
        } else {
            assert_eq!(run.stdout, golden.stdout(), "{name}");
        }
    }
}

#[test]
fn a_database_that_is_down_is_told_before_telegram_is_asked() {
    let dc = Dc::start(world("town"));
    let sandbox = dc
        .sandbox()
        .env("MYSQL_HOST", "127.0.0.1")
        .env("MYSQL_PORT", "1")
        .env("MYSQL_PASSWORD", "sesame-open");
    let run = sandbox.run(Path::new(BIN), &[] as &[&str]).expect_code(75);
    assert!(run.stderr.contains("cannot connect to MySQL"), "{}", run.stderr);
    assert!(!run.stderr.contains("sesame") && run.stdout.is_empty());
    assert!(dc.requests().is_empty());
}

#[test]
fn sqlite_and_mariadb_end_with_equal_rows_and_a_second_run_adds_nothing() {
    let server = MariaDb::start();
    let dc = Dc::start(world("town"));
    let mut servers = dc.sandbox();
    for (name, value) in server.env() {
        servers = servers.env(name, value);
    }
    let files = dc.sandbox();
    for round in 0..2 {
        let first = servers
            .run(Path::new(BIN), &["--json", "--limit", "1000"])
            .expect_code(0)
            .json();
        let second = files
            .run(Path::new(BIN), &["--json", "--limit", "1000"])
            .expect_code(0)
            .json();
        assert_eq!(first["chats"], second["chats"]);
        assert!(first["messages"].as_u64().unwrap() > 20);
        let fresh: u64 = first["chats"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["inserted"].as_u64().unwrap())
            .sum();
        assert_eq!(fresh > 0, round == 0);
    }
    let columns = "id chat_id sender_id sender_name message_text date reply_to_msg_id forward_from_id views forwards reactions_count reactions_json media_type";
    let columns: Vec<String> = columns.split(' ').map(str::to_owned).collect();
    let mut there = server.rows("telegram_messages", &columns);
    there.sort_by_key(|row| (row["chat_id"].as_i64(), row["id"].as_i64()));
    let here = sqlite_rows(&files.path("telegram.sqlite"), &columns);
    assert_eq!(there, here);
}

fn sqlite_rows(path: &Path, columns: &[String]) -> Vec<Value> {
    let pairs: Vec<String> = columns
        .iter()
        .map(|column| format!("'{column}',{column}"))
        .collect();
    let sql = format!(
        "SELECT json_object({}) FROM telegram_messages ORDER BY chat_id, id",
        pairs.join(",")
    );
    let file = rusqlite::Connection::open(path).unwrap();
    let mut rows = file.prepare(&sql).unwrap();
    let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap())
        .collect()
}

#[test]
fn a_plan_touches_nothing_and_a_wrong_chat_is_refused() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(Path::new(BIN), &["--dry-run", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(run["planned"], true);
    assert!(!sandbox.path("telegram.sqlite").exists());
    assert!(dc.calls("messages.getHistory").is_empty());
    sandbox.run(Path::new(BIN), &["--chat", "0"]).expect_code(2);
    sandbox.run(Path::new(BIN), &["--limit", "0"]).expect_code(2);
}

#[test]
fn a_page_that_was_stored_stays_when_the_next_one_fails() {
    let mut town = world("town");
    let history = testkit::telegram::world::Generated {
        count: 450,
        seed: 3,
        start: "2024-01-01T00:00:00".into(),
        every: 60,
        ..Default::default()
    };
    town.generated
        .insert("-1001000001002".to_owned(), history.clone());
    let chat = town
        .dialogs
        .iter()
        .map(|dialog| dialog.chat)
        .find(|chat| *chat < -1_000_000_000_000)
        .unwrap();
    town.messages.remove(&chat.to_string());
    town.generated.insert(chat.to_string(), history);
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    dc.fail(Fault {
        method: "messages.getHistory".into(),
        after: 2,
        error: Some("FLOOD_WAIT_90000".into()),
        ..Fault::default()
    });
    let id = chat.to_string();
    let run = sandbox
        .run(Path::new(BIN), &["--chat-id", &id, "--limit", "450"])
        .expect_code(75);
    assert!(run.stderr.contains("wait"), "{}", run.stderr);
    let kept = sqlite_rows(&sandbox.path("telegram.sqlite"), &["id".to_owned()]);
    assert_eq!(kept.len(), 200);
}

#[test]
fn messages_that_the_service_leaves_out_do_not_end_the_loading() {
    let dc = Dc::start(testkit::telegram::scenes::gappy(600, &[120..=340, 590..=590]));
    let sandbox = dc.sandbox();
    let args = [
        "--chat-id",
        "-1000000002500",
        "--limit",
        "1000",
        "--database",
        "sqlite:club.db",
        "--json",
    ];
    let run = sandbox.run(Path::new(BIN), &args).expect_code(0).json();
    assert_eq!(run["chats"][0]["stored"], 378, "{run}");
}
