//! Deleting unanswered messages: reactions and replies really read, private chats left alone, nothing without asking.

use std::path::Path;

use testkit::telegram::world::{Message, Tally, World};
use testkit::telegram::{Dc, Fault, world};

const CLUB: i64 = -1_000_000_001_002;
const FORUM: i64 = -1_000_000_001_003;
const DELETE: &str = "channels.deleteMessages";

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_delete_unanswered"))
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

/// Own messages 10 to 15 of the club: unanswered, answered, reacted to, too fresh, a service entry, unanswered media.
fn town() -> World {
    let mut town = world("town");
    let fresh = jiff_now();
    let list = vec![
        message(1, 111, "not mine"),
        message(10, 500, "nobody cared"),
        message(11, 500, "somebody answered"),
        Message {
            reactions: vec![Tally {
                emoji: Some("👍".into()),
                count: 1,
                ..Tally::default()
            }],
            ..message(12, 500, "somebody liked")
        },
        Message {
            date: fresh,
            ..message(13, 500, "just now")
        },
        Message {
            service: true.into(),
            ..message(14, 500, "")
        },
        Message {
            media: Some("photo".into()),
            ..message(15, 500, "")
        },
        Message {
            reply_to: Some(11),
            ..message(16, 112, "an answer")
        },
        message(17, 500, &"длинный текст\n".repeat(9)),
    ];
    town.messages.insert(CLUB.to_string(), list);
    town
}

/// This moment as scenarios write it.
fn jiff_now() -> String {
    testkit::telegram::world::iso(app_core::Clock::System.now().as_second())
}

fn ids(dc: &Dc, chat: i64) -> Vec<i32> {
    dc.messages(chat).iter().map(|message| message.id).collect()
}

fn deletions(dc: &Dc) -> usize {
    dc.calls(DELETE).len() + dc.calls("messages.deleteMessages").len()
}

#[test]
fn only_what_is_own_old_unanswered_and_without_reactions_goes() {
    let dc = Dc::start(town());
    let sandbox = dc.sandbox();
    let plan = sandbox
        .run(bin(), &["--chat", "river_club", "--text"])
        .expect_code(0);
    let cut: String = "длинный текст ".repeat(4).chars().take(50).collect();
    assert_eq!(
        plan.stdout,
        format!(
            "Checking 9 messages in River Club...\n  WOULD DELETE: 01.01.2025 09:00 - {cut}...\n  \
             WOULD DELETE: 01.01.2025 09:00 - [media]\n  WOULD DELETE: 01.01.2025 09:00 - nobody cared\n\n\
             Deleted 0 messages\n"
        )
    );
    sandbox
        .run(bin(), &["--chat", "river_club", "--dry-run", "--apply"])
        .expect_code(0);
    assert_eq!(deletions(&dc), 0);
    let run = sandbox
        .run(bin(), &["--chat-id", "-1000000001002", "--apply", "--json"])
        .expect_code(0);
    assert_eq!(run.json()["deleted"], 3);
    assert_eq!(ids(&dc, CLUB), [1, 11, 12, 13, 14, 16]);
    assert_eq!(dc.calls(DELETE)[0].args["ids"], serde_json::json!([17, 15, 10]));
    let undo = std::fs::read_to_string(run.json()["chats"][0]["undo_list"].as_str().unwrap()).unwrap();
    assert!(undo.contains("nobody cared"));
    assert!(!run.stderr.contains("nobody"));
}

#[test]
fn what_is_answered_between_the_look_and_the_deletion_stays() {
    let dc = Dc::start(town());
    let sandbox = dc.sandbox();
    // The last look is held up; meanwhile one message gets a reply and one a reaction.
    dc.fail(Fault {
        method: "channels.getMessages".into(),
        times: 1,
        delay_ms: 1500,
        ..Fault::default()
    });
    let run = sandbox.start(bin(), &["--chat", "river_club", "--apply", "--json"], b"");
    while dc.calls("channels.getMessages").is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    dc.post(
        CLUB,
        Message {
            reply_to: Some(10),
            ..message(0, 111, "late answer")
        },
    );
    let told = run.finish().expect_code(0).json();
    let sweep = &told["chats"][0];
    assert_eq!(
        (&sweep["spared"], &sweep["deleted"]),
        (&1.into(), &2.into()),
        "{told}"
    );
    assert!(ids(&dc, CLUB).contains(&10));
}

#[test]
fn private_chats_are_left_alone_unless_asked_for() {
    let mut town = world("town");
    town.messages.insert(
        "111".into(),
        vec![
            message(101, 500, "before her answer"),
            message(102, 111, "her answer, as people answer in private"),
            message(103, 500, "last word"),
        ],
    );
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    let refused = sandbox
        .run(bin(), &["--chat", "@alice_doe", "--apply"])
        .expect_code(2);
    assert!(refused.stderr.contains("--private"), "{}", refused.stderr);
    assert_eq!(deletions(&dc), 0);
    sandbox
        .run(bin(), &["--chat", "@alice_doe", "--private", "--apply"])
        .expect_code(0);
    assert_eq!(ids(&dc, 111), [101, 102]);
}

#[test]
fn all_needs_its_own_confirmation_and_keeps_to_the_cap() {
    let mut town = town();
    town.messages.get_mut(&FORUM.to_string()).unwrap().push(Message {
        date: "2025-02-01T09:00:00".into(),
        ..message(30, 500, "alone")
    });
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["--all"]).expect_code(2); // no configuration, no chat
    sandbox.file("config.yml", "chats: {}\n");
    sandbox
        .run(bin(), &["--all", "--apply", "--confirm", "all"])
        .expect_code(2);
    sandbox.file(
        "config.yml",
        "chats:\n  a_club: {type: channel, id: 1002}\n  alice: {type: username, username: alice_doe}\n  \
         b_forum: {type: group, id: 1003}\n  c_same: {type: username, username: river_club}\n  \
         zero: {type: group, id: 0}\n",
    );
    for confirm in [vec![], vec!["--confirm", "yes"]] {
        let args = [&["--all", "--apply"], &confirm[..]].concat();
        sandbox.run(bin(), &args).expect_code(2);
    }
    assert_eq!(deletions(&dc), 0);
    let args = ["--all", "--apply", "--confirm", "all", "--max", "4", "--text"];
    let run = sandbox.run(bin(), &args).expect_code(0);
    assert!(
        run.stdout.contains("River Club: deleted 3 messages\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with("\n=== Total deleted: 4 messages ===\n"),
        "{}",
        run.stdout
    );
    assert_eq!(ids(&dc, 111), [101, 102, 103], "the private chat is as it was");
    assert_eq!(ids(&dc, -77), [201, 202]);
    assert!(run.stdout.contains("alice: a private chat"), "{}", run.stdout);
}

#[test]
fn without_one_exact_chat_nothing_happens() {
    let dc = Dc::start(town());
    let sandbox = dc.sandbox();
    for args in [
        vec![],
        vec!["--chat", ""],
        vec!["--chat", "0"],
        vec!["--chat-id", "0"],
        vec!["--chat", "River Club"],
        vec!["--chat", "river_club", "--all"],
        vec!["--chat", "river_club", "--chat-id", "5"],
        vec!["--chat", "river_club", "--limit", "-1"],
        vec!["--chat", "river_club", "--dryrun"],
    ] {
        let run = sandbox.run(bin(), &[&args[..], &["--apply"]].concat());
        assert!(matches!(run.code, Some(2 | 66)), "{args:?}: {:?}", run.code);
    }
    let none = sandbox
        .run(
            bin(),
            &["--chat", "river_club", "--limit", "0", "--apply", "--json"],
        )
        .expect_code(0);
    assert_eq!(none.json()["deleted"], 0);
    assert_eq!(deletions(&dc), 0);
}

#[test]
fn a_stopped_run_is_finished_within_the_cap_of_each_run() {
    let mut town = world("town");
    let list = (1..=9).map(|id| message(id, 500, "alone")).collect();
    town.messages.insert(CLUB.to_string(), list);
    let dc = Dc::start(town);
    let sandbox = dc.sandbox().env("TELEGRAM_FLOOD_WAIT_MAX", "0");
    dc.fail(Fault {
        method: DELETE.into(),
        times: 1,
        error: Some("FLOOD_WAIT_1".into()),
        ..Fault::default()
    });
    let run = |max: &str, code| {
        let args = [
            "--chat",
            "river_club",
            "--limit",
            "5",
            "--apply",
            "--json",
            "--max",
            max,
        ];
        sandbox.run(bin(), &args).expect_code(code).json()
    };
    assert_eq!(run("5", 3)["chats"][0]["items"][0]["state"], "left");
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let two = run("2", 0);
    assert_eq!(
        (&two["deleted"], &two["chats"][0]["beyond_cap"]),
        (&2.into(), &3.into())
    );
    assert_eq!(ids(&dc, CLUB), [1, 2, 3, 4, 5, 6, 7]);
    // The rest of what was asked for, and not the newest five of what is there now.
    run("50", 0);
    assert_eq!(ids(&dc, CLUB), [1, 2, 3, 4]);
}
