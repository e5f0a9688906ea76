//! Deleting Zoom invitations: own ones, in the named chats, and nothing that only resembles them.

use std::path::Path;

use testkit::telegram::world::{Message, Stretch, World};
use testkit::telegram::{Dc, Fault, world};

const CLUB: i64 = -1_000_000_001_002;

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_delete_zoom_messages"))
}

fn message(id: i32, from: i64, text: &str) -> Message {
    Message {
        id,
        text: text.into(),
        date: "2025-01-01T09:00:05".into(),
        from: Some(from),
        out: from == 500,
        sender_known: true,
        ..Message::default()
    }
}

fn chats() -> World {
    let mut town = world("town");
    let list = |start: i32| {
        vec![
            message(
                start,
                500,
                "Join https://us06web.zoom.us/j/123?pwd=abcdefghijklmnopqrstuvwxyz",
            ),
            message(start + 1, 111, "https://us02web.zoom.us/j/9"),
            message(start + 2, 500, "zoom.us is down again"),
            Message {
                entities: vec![Stretch {
                    kind: "text_url".into(),
                    offset: 0,
                    length: 4,
                    url: Some("https://company.zoom.us/my/room".into()),
                    ..Stretch::default()
                }],
                ..message(start + 3, 500, "here")
            },
            message(start + 4, 500, "https://notzoom.us/j/1"),
        ]
    };
    town.messages.insert("111".into(), list(101));
    town.messages.insert(CLUB.to_string(), list(1));
    town
}

fn ids(dc: &Dc, chat: i64) -> Vec<i32> {
    dc.messages(chat).iter().map(|message| message.id).collect()
}

fn deletions(dc: &Dc) -> usize {
    dc.calls("channels.deleteMessages").len() + dc.calls("messages.deleteMessages").len()
}

#[test]
fn own_invitations_go_and_the_plan_comes_first() {
    let dc = Dc::start(chats());
    let sandbox = dc.sandbox();
    let plan = sandbox.run(bin(), &["alice_doe", "--text"]).expect_code(0);
    assert_eq!(
        plan.stdout,
        "Ищу сообщения с Zoom ссылками: Alice Doe\n\
         Было бы удалено: 01.01.2025 09:00:05 Я: [here](https://company.zoom.us/my/room)\n\
         Было бы удалено: 01.01.2025 09:00:05 Я: Join https://us06web.zoom.us/j/123?pwd=abcdefghijk...\n\n\
         Удалено 0 сообщений с Zoom ссылками\n"
    );
    assert_eq!(deletions(&dc), 0);
    let run = sandbox
        .run(bin(), &["alice_doe", "-1000000001002", "--apply", "--text"])
        .expect_code(0);
    assert!(
        run.stdout.ends_with("\nУдалено 4 сообщений с Zoom ссылками\n"),
        "{}",
        run.stdout
    );
    assert_eq!(ids(&dc, 111), [102, 103, 105]);
    assert_eq!(ids(&dc, CLUB), [2, 3, 5]);
    let revoked = &dc.calls("messages.deleteMessages")[0].args;
    assert_eq!(
        (&revoked["revoke"], &revoked["ids"]),
        (&true.into(), &serde_json::json!([104, 101]))
    );
    let undo = std::fs::read_dir(sandbox.root().join("state/telegram/undo")).unwrap();
    let mut lists: Vec<String> = undo
        .flatten()
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    lists.sort();
    assert!(
        lists.iter().any(|name| name.ends_with(" 111.json"))
            && lists.iter().any(|name| name.ends_with(" -1000000001002.json")),
        "a list for each chat: {lists:?}"
    );
}

#[test]
fn the_settings_of_the_script_are_heard_and_zero_is_no_setting() {
    let dc = Dc::start(chats());
    let sandbox = dc
        .sandbox()
        .env("ZOOM_CLEANUP_CHATS", "-1000000001002, @alice_doe")
        .env("ZOOM_URL_PATTERN", "https://us06web.zoom.us/")
        .env("ZOOM_SENDER_ID", "0");
    let told = sandbox.run(bin(), &["--json"]).expect_code(0).json();
    let found: Vec<_> = told["chats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chat| chat["found"].as_i64().unwrap())
        .collect();
    assert_eq!(found, [1, 1]);
    for chats in ["", " , ", "0", "@alice_doe,0"] {
        let sandbox = dc.sandbox().env("ZOOM_CLEANUP_CHATS", chats);
        sandbox.run(bin(), &["--apply"]).expect_code(2);
    }
    for name in ["0", "River Club", "River"] {
        let run = dc.sandbox().run(bin(), &[name, "--apply"]);
        assert!(matches!(run.code, Some(2 | 66)), "{name}: {:?}", run.code);
    }
    // One unknown chat keeps the others untouched as well.
    sandbox
        .run(bin(), &["alice_doe", "@nobody_here", "--apply"])
        .expect_code(66);
    assert_eq!(deletions(&dc), 0);
}

#[test]
fn others_messages_need_rights() {
    let dc = Dc::start(chats());
    let sandbox = dc.sandbox();
    for args in [["@river_club", "--anyone"], ["@river_club", "--sender=111"]] {
        let run = sandbox.run(bin(), &[&args[..], &["--apply"]].concat());
        assert!(run.stderr.contains("may not delete others'"), "{}", run.stderr);
    }
    assert_eq!(deletions(&dc), 0);
    let only_hers = ["alice_doe", "--sender", "111", "--apply"];
    sandbox.run(bin(), &only_hers).expect_code(0);
    assert_eq!(ids(&dc, 111), [101, 103, 104, 105]);
    let mut town = chats();
    for entity in &mut town.entities {
        entity.creator |= entity.id == 1002;
    }
    let dc = Dc::start(town);
    dc.sandbox()
        .run(bin(), &["@river_club", "--anyone", "--apply"])
        .expect_code(0);
    assert_eq!(ids(&dc, CLUB), [3, 5]);
}

#[test]
fn a_flood_wait_that_is_too_long_leaves_the_rest_for_the_next_run() {
    let dc = Dc::start(chats());
    let sandbox = dc.sandbox().env("TELEGRAM_FLOOD_WAIT_MAX", "1");
    dc.fail(Fault {
        method: "messages.deleteMessages".into(),
        times: 1,
        error: Some("FLOOD_WAIT_3".into()),
        ..Fault::default()
    });
    let args = ["alice_doe", "--apply", "--json"];
    let stopped = sandbox.run(bin(), &args).expect_code(3).json();
    assert_eq!(stopped["chats"][0]["items"][0]["state"], "left");
    let patient = sandbox.env("TELEGRAM_FLOOD_WAIT_MAX", "60");
    let told = patient.run(bin(), &args).expect_code(0).json();
    assert_eq!(told["deleted"], 2);
    assert_eq!(told["chats"][0]["resumed"], true);
    assert_eq!(dc.impatient(), 0);
    assert_eq!(ids(&dc, 111), [102, 103, 105]);
}
