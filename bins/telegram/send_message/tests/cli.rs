//! Sending one message: to exactly one target, once, and never on a guess.

use std::path::Path;

use testkit::Sandbox;
use testkit::telegram::{Dc, Fault, world};

const CLUB: i64 = -1_000_000_001_002;

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_send_message"))
}

fn sent(dc: &Dc) -> usize {
    dc.calls("messages.sendMessage").len()
}

fn own(dc: &Dc, chat: i64, text: &str) -> usize {
    dc.messages(chat)
        .iter()
        .filter(|message| message.out && message.text == text)
        .count()
}

const ALIASES: &str = "chats:\n  club: {type: channel, id: 1002}\n  ghost: {type: group, id: 0}\n  \
                       nobody: {type: user, id: 0}\n  alice: {type: username, username: alice_doe}\n";

fn place(dc: &Dc) -> Sandbox {
    let sandbox = dc.sandbox();
    sandbox.file("config.yml", ALIASES);
    sandbox
}

#[test]
fn one_exact_target_gets_the_text_as_it_is() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    for (target, chat, told) in [
        ("@alice_doe", 111, "✓ Сообщение отправлено @alice_doe\n"),
        ("111", 111, "✓ Сообщение отправлено пользователю 111\n"),
        ("club", CLUB, "✓ Сообщение отправлено в club\n"),
        (
            "-1000000001002",
            CLUB,
            "✓ Сообщение отправлено в -1000000001002\n",
        ),
        (
            "https://t.me/river_club",
            CLUB,
            "✓ Сообщение отправлено @river_club\n",
        ),
    ] {
        dc.forget_requests();
        let run = sandbox
            .run(bin(), &[target, "**not bold** — привет", "--text"])
            .expect_code(0);
        assert_eq!(run.stdout, told);
        let calls = dc.calls("messages.sendMessage");
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].args["chat"], chat);
        let last = dc.messages(chat).pop().unwrap();
        assert_eq!(last.text, "**not bold** — привет");
        assert!(last.entities.is_empty(), "no Markdown unless asked for");
        assert!(!run.stderr.contains("привет"), "texts stay out of the log");
    }
}

#[test]
fn formatting_replies_and_silence_are_asked_for() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    let run = sandbox
        .run(
            bin(),
            &[
                "club",
                "**bold** word",
                "--markdown",
                "--reply-to",
                "9",
                "--silent",
                "--json",
            ],
        )
        .expect_code(0);
    let id = run.json()["message_id"].as_i64().unwrap() as i32;
    let message = dc.message(CLUB, id).unwrap();
    assert_eq!((message.text.as_str(), message.reply_to), ("bold word", Some(9)));
    assert_eq!(message.entities[0].kind, "bold");
    assert_eq!(dc.calls("messages.sendMessage")[0].args["silent"], true);
}

#[test]
fn a_plan_sends_nothing_and_says_who_would_get_it() {
    let dc = Dc::start(world("town"));
    let run = place(&dc)
        .run(bin(), &["club", "hello", "--dry-run", "--json"])
        .expect_code(0);
    assert_eq!(run.json()["chat"], "River Club");
    assert_eq!(run.json()["planned"], true);
    assert_eq!(sent(&dc), 0);
}

#[test]
fn no_guess_ever_becomes_a_target() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    for (target, code) in [
        ("0", 2),
        ("-0", 2),
        ("", 2),
        ("   ", 2),
        ("River Club", 2),    // a title, and of two chats
        ("river", 2),         // a part of one
        ("river_club", 2),    // a public name without @ may be meant as an alias
        ("Alice", 2),         // a first name that a stranger may have as username
        ("ghost", 2),         // alias of id 0
        ("nobody", 2),        // alias of id 0
        ("424242", 66),       // nobody
        ("@nobody_here", 66), // nobody
    ] {
        sandbox.run(bin(), &["--", target, "hello"]).expect_code(code);
    }
    sandbox.run(bin(), &["club", "  "]).expect_code(2);
    sandbox.run(bin(), &["club", &"я".repeat(4097)]).expect_code(2);
    sandbox.run(bin(), &["club"]).expect_code(2);
    sandbox.run(bin(), &["club", "a", "b"]).expect_code(2);
    assert_eq!(sent(&dc), 0);
}

#[test]
fn a_lost_answer_sends_nothing_twice() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    dc.fail(Fault {
        method: "messages.sendMessage".into(),
        times: 2,
        cut_at: Some(7),
        ..Fault::default()
    });
    let run = sandbox
        .run(bin(), &["club", "only once", "--json"])
        .expect_code(0);
    assert!(sent(&dc) >= 2, "it asked again");
    assert_eq!(own(&dc, CLUB, "only once"), 1, "{}", run.stdout);
}

#[test]
fn under_a_key_a_message_is_sent_once_for_all() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    let args = ["club", "regatta", "--idempotency-key", "2025", "--json"];
    let first = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(first["repeated"], false);
    let second = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(second["repeated"], true);
    assert_eq!(second["message_id"], first["message_id"]);
    assert_eq!(sent(&dc), 1);
    // The key belongs to that text; another chat has keys of its own.
    sandbox
        .run(bin(), &["club", "other", "--idempotency-key", "2025"])
        .expect_code(73);
    assert_eq!(sent(&dc), 1);
    sandbox
        .run(bin(), &["alice", "regatta", "--idempotency-key", "2025"])
        .expect_code(0);
    assert_eq!(own(&dc, 111, "regatta"), 1);
}

#[test]
fn a_run_killed_while_sending_is_found_out_about() {
    let dc = Dc::start(world("town"));
    let sandbox = place(&dc);
    dc.fail(Fault {
        method: "messages.sendMessage".into(),
        times: 1,
        delay_ms: 30_000,
        ..Fault::default()
    });
    let args = ["club", "killed", "--idempotency-key", "k", "--json"];
    let run = sandbox.start(bin(), &args, b"");
    while sent(&dc) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    run.signal("KILL");
    run.finish();
    dc.heal();
    if own(&dc, CLUB, "killed") == 0 {
        // It arrives all the same, and Telegram does not know its number any more.
        dc.post(
            CLUB,
            testkit::telegram::world::Message {
                text: "killed".into(),
                date: "2025-02-02T00:00:00".into(),
                from: Some(500),
                out: true,
                ..Default::default()
            },
        );
    }
    dc.forget_requests();
    let told = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(told["repeated"], true);
    assert_eq!(sent(&dc), 0, "it was found");
    assert_eq!(own(&dc, CLUB, "killed"), 1);
    sandbox.run(bin(), &args).expect_code(0);
    assert_eq!(own(&dc, CLUB, "killed"), 1);
}

#[test]
fn refusals_are_told_and_can_be_tried_again_under_the_same_key() {
    let mut town = world("town");
    for entity in &mut town.entities {
        match entity.id {
            1002 => entity.slow_mode = Some(3),
            1003 => entity.write_forbidden = true,
            _ => {}
        }
    }
    let dc = Dc::start(town);
    let sandbox = place(&dc);
    let shut = sandbox.run(bin(), &["-1000000001003", "hello"]).expect_code(69);
    assert!(
        shut.stderr.contains("CHAT_WRITE_FORBIDDEN")
            && shut.stderr.contains("may not write in `Workshop forum`"),
        "{}",
        shut.stderr
    );
    sandbox.run(bin(), &["club", "one"]).expect_code(0);
    let args = ["club", "two", "--idempotency-key", "two"];
    let slow = sandbox.run(bin(), &args).expect_code(75);
    assert!(
        slow.stderr.contains("SLOWMODE_WAIT") && slow.stderr.contains("slow mode"),
        "{}",
        slow.stderr
    );
    std::thread::sleep(std::time::Duration::from_secs(4));
    sandbox.run(bin(), &args).expect_code(0);
    assert_eq!(own(&dc, CLUB, "two"), 1);
}
