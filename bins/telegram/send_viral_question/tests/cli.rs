//! Posting prepared questions: planned, to exact chats, once each, whatever happens in between.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use testkit::Sandbox;
use testkit::telegram::{Dc, Fault, world};

const CLUB: i64 = -1_000_000_001_002;
const FORUM: i64 = -1_000_000_001_003;
const SEND: &str = "messages.sendMessage";

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_send_viral_question"))
}

const LIST: &str = "- {chat: '@river_club', text: \"First?\\n\\nSecond line\", priority: 1}\n\
                    - {chat: -1000000001003, text: 'Вопрос 🔨?', priority: 5}\n\
                    - {chat: '@garden_news', text: 'Not yet?', status: draft}\n\
                    - {chat: '@alice_doe', text: 'Old?', status: archived}\n";

fn place(dc: &Dc) -> Sandbox {
    let sandbox = dc.sandbox();
    sandbox.file("q.yml", LIST);
    sandbox
}

fn own(dc: &Dc, chat: i64, text: &str) -> usize {
    dc.messages(chat)
        .iter()
        .filter(|message| message.out && message.text == text)
        .count()
}

fn rows(sandbox: &Sandbox) -> Vec<(String, String, bool, Option<i64>)> {
    let connection = Connection::open(sandbox.path("viral_questions.db")).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT c.name, q.status, q.sent_at IS NOT NULL, d.message_id FROM viral_questions q \
             JOIN chats c ON c.id = q.chat_id LEFT JOIN viral_deliveries d ON d.question_id = q.id ORDER BY q.id",
        )
        .unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

const GO: [&str; 5] = ["q.yml", "--delay", "0", "--apply", "--json"];

#[test]
fn the_plan_sends_nothing_and_each_active_question_goes_once() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    let plan = sandbox.run(bin(), &["q.yml", "--text"]).expect_code(0);
    assert_eq!(
        plan.stdout,
        "🚀 Отправка вопросов: 2\n[1] Было бы отправлено в 'Workshop forum': Вопрос 🔨?\n\
         [2] Было бы отправлено в 'River Club': First?  Second line\n\nОтправлено: 0\nОшибок: 0\nЖдут: 0\n"
    );
    assert!(
        !sandbox.path("viral_questions.db").exists(),
        "a plan leaves nothing"
    );
    assert!(dc.calls(SEND).is_empty());

    let run = sandbox.run(bin(), &GO).expect_code(0);
    assert_eq!(run.json()["sent"], 2);
    assert!(!run.stderr.contains("First?"), "texts stay out of the log");
    let told = run.json();
    assert_eq!(told["items"][0]["chat_id"], FORUM);
    let (club, forum) = (
        told["items"][1]["message_id"].as_i64(),
        told["items"][0]["message_id"].as_i64(),
    );
    assert_eq!(
        rows(&sandbox),
        [
            ("@river_club".into(), "sent".into(), true, club),
            ("-1000000001003".into(), "sent".into(), true, forum),
            ("@garden_news".into(), "draft".into(), false, None),
            ("@alice_doe".into(), "archived".into(), false, None),
        ]
    );
    // The list still calls them active; the database knows better. So does a run without the list.
    for args in [&GO[..], &["--apply", "--json"], &["--json"]] {
        let again = sandbox.run(bin(), args).expect_code(0).json();
        assert_eq!(
            (&again["sent"], again["items"].as_array().unwrap().len()),
            (&0.into(), 0)
        );
    }
    assert_eq!(dc.calls(SEND).len(), 2);
    assert_eq!(own(&dc, CLUB, "First?\n\nSecond line"), 1);
}

#[test]
fn a_run_killed_between_sending_and_noting_repeats_nothing() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    dc.fail(Fault {
        method: SEND.into(),
        times: 1,
        delay_ms: 30_000,
        ..Fault::default()
    });
    let run = sandbox.start(bin(), &GO, b"");
    while dc.calls(SEND).is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    run.signal("KILL");
    run.finish();
    dc.heal();
    sandbox.run(bin(), &GO).expect_code(0);
    sandbox.run(bin(), &GO).expect_code(0);
    assert_eq!(own(&dc, FORUM, "Вопрос 🔨?"), 1);
    assert_eq!(own(&dc, CLUB, "First?\n\nSecond line"), 1);
    assert!(
        rows(&sandbox)[..2]
            .iter()
            .all(|row| row.1 == "sent" && row.3.is_some())
    );
}

#[test]
fn an_answer_that_is_lost_repeats_nothing() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    dc.fail(Fault {
        method: SEND.into(),
        times: 2,
        cut_at: Some(9),
        ..Fault::default()
    });
    sandbox.run(bin(), &GO).expect_code(0);
    assert_eq!(
        own(&dc, FORUM, "Вопрос 🔨?") + own(&dc, CLUB, "First?\n\nSecond line"),
        2
    );
    assert!(
        rows(&sandbox)[..2].iter().all(|row| row.3.is_some()),
        "its number was found"
    );
}

#[test]
fn one_that_is_refused_keeps_the_others_going_and_is_tried_again() {
    let mut town = world("town");
    for entity in &mut town.entities {
        entity.write_forbidden |= entity.id == 1003;
    }
    let dc = Dc::start(town);
    let sandbox = place(&dc);
    let run = sandbox.run(bin(), &GO).expect_code(3);
    let told = run.json();
    assert_eq!((&told["sent"], &told["errors"]), (&1.into(), &1.into()), "{told}");
    assert_eq!(told["items"][0]["error"], "CHAT_WRITE_FORBIDDEN");
    assert_eq!(rows(&sandbox)[1].1, "active");
    sandbox.run(bin(), &GO).expect_code(3);
    assert_eq!(own(&dc, CLUB, "First?\n\nSecond line"), 1);
}

#[test]
fn titles_zero_and_broken_lists_send_nothing() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["--apply"]).expect_code(66);
    sandbox.run(bin(), &["absent.yml", "--apply"]).expect_code(66);
    for (list, code) in [
        ("- {chat: 'River Club', text: a}\n", 3),
        ("- {chat: 'Small group', text: a}\n", 3),
        ("- {chat: 424242, text: a}\n", 3),
        ("- {chat: 0, text: a}\n", 2),
        ("- {chat: club}\n", 2),
        ("text: a\n", 2),
    ] {
        sandbox.file("q.yml", list);
        sandbox.run(bin(), &GO).expect_code(code);
        let _ = std::fs::remove_file(sandbox.path("viral_questions.db"));
    }
    sandbox.file(
        "viral_questions.db",
        "this is no database, whatever its name says",
    );
    sandbox.run(bin(), &["--apply"]).expect_code(74);
    assert!(dc.calls(SEND).is_empty());
}

#[test]
fn the_database_of_the_old_migration_is_taken_as_it_is() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let connection = Connection::open(sandbox.path("viral_questions.db")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE chats (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, description TEXT,
                 expected_reactions_min INTEGER, expected_reactions_max INTEGER, expected_comments INTEGER,
                 created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
             CREATE TABLE viral_questions (id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id INTEGER NOT NULL,
                 question_text TEXT NOT NULL, status TEXT DEFAULT 'active', priority INTEGER DEFAULT 0, tags TEXT,
                 created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, sent_at TIMESTAMP,
                 reactions_received INTEGER DEFAULT 0, comments_received INTEGER DEFAULT 0);
             INSERT INTO chats (name) VALUES ('club');
             INSERT INTO viral_questions (chat_id, question_text, priority) VALUES
                 (1, 'one', 1), (1, 'two', 2), (1, 'three', 3), (1, 'four', 4);",
        )
        .unwrap();
    drop(connection);
    sandbox.file("config.yml", "chats:\n  club: {type: channel, id: 1002}\n");
    let plan = sandbox.run(bin(), &["--json"]).expect_code(0).json();
    assert_eq!(
        (plan["items"].as_array().unwrap().len(), &plan["waiting"]),
        (3, &1.into())
    );
    sandbox.run(bin(), &["--delay", "0", "--apply"]).expect_code(0);
    let texts: Vec<String> = dc
        .calls(SEND)
        .iter()
        .map(|call| call.args["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["four", "three", "two"]);
    assert_eq!(rows(&sandbox)[0].1, "active");
}

#[test]
fn what_stands_in_the_chat_is_found_even_when_telegram_forgot_its_number() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    // A first run makes the database; then it is as if that run had been killed while it sent, long ago.
    dc.fail(Fault {
        method: SEND.into(),
        error: Some("CHAT_WRITE_FORBIDDEN".into()),
        ..Fault::default()
    });
    sandbox.run(bin(), &GO).expect_code(3);
    dc.heal();
    let connection = Connection::open(sandbox.path("viral_questions.db")).unwrap();
    connection
        .execute_batch(
            "UPDATE viral_questions SET status = 'active', sent_at = NULL; DELETE FROM viral_deliveries;
             INSERT INTO viral_deliveries (question_id, chat_id, random_id, after_id, attempted_at)
             VALUES (2, -1000000001003, 12345, 22, '2025-01-01 00:00:00');
             UPDATE viral_questions SET status = 'archived' WHERE id <> 2;",
        )
        .unwrap();
    drop(connection);
    let posted = dc.post(
        FORUM,
        testkit::telegram::world::Message {
            text: "Вопрос 🔨?".into(),
            date: "2025-02-02T00:00:00".into(),
            from: Some(500),
            out: true,
            ..Default::default()
        },
    );
    dc.forget_requests();
    let told = sandbox.run(bin(), &["--apply", "--json"]).expect_code(0).json();
    assert_eq!(
        (&told["items"][0]["state"], &told["sent"]),
        (&"already".into(), &0.into())
    );
    assert_eq!(told["items"][0]["message_id"], posted);
    assert!(dc.calls(SEND).is_empty());
    assert_eq!(rows(&sandbox)[1].1, "sent");
}
