//! Moderating: it tells, and acts only where that was asked for and allowed.

use std::path::Path;
use std::time::Duration;

use testkit::telegram::world::{Message, World};
use testkit::telegram::{Dc, world};

const CLUB: i64 = -1_000_000_001_002;
const SEND: &str = "messages.sendMessage";
const DELETE: &str = "channels.deleteMessages";

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_moderate"))
}

fn message(id: i32, from: i64, text: &str) -> Message {
    Message {
        id,
        text: text.into(),
        date: "2025-01-01T09:00:00".into(),
        from: Some(from),
        out: from == 500,
        sender_known: true,
        ..Message::default()
    }
}

fn club() -> World {
    let mut town = world("town");
    for entity in &mut town.entities {
        entity.creator |= entity.id == 1002;
    }
    let list = vec![
        message(1, 111, "мудрый человек купил сукно"),
        message(2, 112, "вот дерьмо, сука"),
        message(3, 111, "Binance: пассивный доход"),
        message(4, 112, "опять дерьмо"),
        message(5, 500, "моё дерьмо"),
        message(6, 113, "жопа"),
    ];
    town.messages.insert(CLUB.to_string(), list);
    town
}

fn acted(dc: &Dc) -> usize {
    dc.calls(SEND).len() + dc.calls(DELETE).len()
}

#[test]
fn one_pass_tells_and_does_nothing() {
    let dc = Dc::start(club());
    let sandbox = dc.sandbox().env("MODERATE_CHATS", "river_club");
    for args in [vec![], vec!["--apply"], vec!["--send-warnings", "--delete"]] {
        let args = [&["river_club", "--once", "--text"], &args[..]].concat();
        let run = sandbox.run(bin(), &args).expect_code(0);
        assert!(
            run.stdout
                .starts_with("River Club: 6 messages, 3 findings\n2 Борис Лесной: дерьмо, сука")
        );
        assert!(!run.stderr.contains("дерьмо"), "words stay out of the log");
    }
    let args = [
        "river_club",
        "--once",
        "--spam",
        "60",
        "--word",
        "человек",
        "--json",
    ];
    let told = sandbox.run(bin(), &args).expect_code(0).json();
    let ids: Vec<_> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [1, 2, 3, 4, 6]);
    assert_eq!(acted(&dc), 0);
}

#[test]
fn without_an_allowed_chat_nothing_is_done() {
    let dc = Dc::start(club());
    for (allowed, code) in [
        ("", 78),
        ("0, ,", 78),
        ("River Club", 2),
        ("@garden_news", 2),
        ("-1000000001005", 2),
    ] {
        let sandbox = dc.sandbox().env("MODERATE_CHATS", allowed);
        let args = ["river_club", "--once", "--send-warnings", "--delete", "--apply"];
        sandbox.run(bin(), &args).expect_code(code);
    }
    let sandbox = dc.sandbox().env("MODERATE_CHATS", "river_club");
    for chat in ["0", "River Club", "River"] {
        let run = sandbox.run(bin(), &[chat, "--once", "--delete", "--apply"]);
        assert!(matches!(run.code, Some(2 | 66)), "{chat}: {:?}", run.code);
    }
    assert_eq!(acted(&dc), 0);
}

#[test]
fn warnings_answer_censored_once_and_not_everybody_at_once() {
    let dc = Dc::start(club());
    let sandbox = dc.sandbox().env("MODERATE_CHATS", "@alice_doe, -1000000001002");
    let args = ["river_club", "--once", "--send-warnings", "--apply", "--json"];
    let told = sandbox.run(bin(), &args).expect_code(0).json();
    let calls = dc.calls(SEND);
    assert_eq!(calls.len(), 2, "the second of the same person is spared: {told}");
    assert_eq!(
        (&calls[0].args["chat"], &calls[0].args["reply_to"]),
        (&CLUB.into(), &2.into())
    );
    assert_eq!(
        calls[0].args["text"],
        "⚠️ Борис Лесной, пожалуйста, без таких слов: вот хулиган, хулиган"
    );
    assert_eq!(told["findings"][1]["warning"], "spared");
    assert!(dc.calls(DELETE).is_empty());
    // Nobody is warned twice for the same message.
    dc.forget_requests();
    let again = [&args[..], &["--warn-every", "0", "--limit", "3"]].concat();
    sandbox.run(bin(), &again).expect_code(0);
    let replied: Vec<_> = dc
        .calls(SEND)
        .iter()
        .map(|call| call.args["reply_to"].clone())
        .collect();
    assert!(replied.iter().all(|id| *id != 2 && *id != 6), "{replied:?}");
}

#[test]
fn deletions_keep_the_texts_and_the_cap() {
    let dc = Dc::start(club());
    let sandbox = dc.sandbox();
    sandbox.file(
        "shared-config/onejob.toml",
        "[tools.moderate.settings]\nchats = [\"river_club\"]\n",
    );
    let args = [
        "river_club",
        "--once",
        "-d",
        "--max-actions",
        "2",
        "--apply",
        "--json",
    ];
    let told = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(told["acted"], 2);
    assert_eq!(told["findings"][2]["deletion"], "left");
    let ids: Vec<i32> = dc.messages(CLUB).iter().map(|message| message.id).collect();
    assert_eq!(ids, [1, 3, 5, 6]);
    let undo = std::fs::read_to_string(told["undo_list"].as_str().unwrap()).unwrap();
    assert!(
        undo.contains("вот дерьмо, сука") && undo.contains("опять дерьмо"),
        "{undo}"
    );
    assert!(dc.calls(SEND).is_empty());
}

#[test]
fn a_watch_begins_with_what_comes_and_misses_no_burst() {
    let dc = Dc::start(club());
    let sandbox = dc.sandbox().env("MODERATE_CHATS", "river_club");
    let args = ["river_club", "--interval", "0.3", "--delete", "--apply", "--json"];
    let run = sandbox.start(bin(), &args, b"");
    while dc.calls("messages.getHistory").len() < 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
    for n in 0..120 {
        let text = if n % 40 == 0 { "дерьмо" } else { "мудро" };
        dc.post(CLUB, message(0, 112, text));
    }
    while dc.calls(DELETE).len() < 3 {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(700));
    run.signal("INT");
    let ended = run.finish().expect_code(130);
    assert_eq!(dc.calls(DELETE).len(), 3, "{}", ended.stderr);
    assert!(
        dc.message(CLUB, 2).is_some(),
        "what stood there before is left alone"
    );
    assert_eq!(dc.messages(CLUB).len(), 6 + 117);
}

#[test]
fn stats_count_people() {
    let dc = Dc::start(club());
    let run = dc
        .sandbox()
        .run(bin(), &["river_club", "--stats", "--text"])
        .expect_code(0);
    assert_eq!(
        run.stdout,
        "Всего сообщений: 6\nС нецензурной лексикой: 4 (66.7%)\n  Борис Лесной - 2 violations\n  \
         ليلى - 1 violations\n  Owner Self - 1 violations\n"
    );
    dc.sandbox()
        .run(bin(), &["river_club", "--stats", "--delete", "--apply"])
        .expect_code(2);
    assert_eq!(acted(&dc), 0);
}
