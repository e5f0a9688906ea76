//! Deleting own messages: the recorded cases, the typed title, the list of what goes, batches, and a kill in the middle.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use testkit::telegram::world::{Entity, Message, Stretch, World};
use testkit::telegram::{Dc, Fault, world};

const CLUB: i64 = -1_000_000_001_002;
const DELETE: &str = "channels.deleteMessages";
const FAST: &str = "[telegram.pace.deletes]\nburst = 100000\nper_minute = 100000\n";

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_delete_my_messages"))
}

fn message(id: i32, from: i64, date: &str, text: &str) -> Message {
    Message {
        id,
        text: text.into(),
        date: date.into(),
        from: Some(from),
        out: from == 500,
        sender_known: true,
        ..Message::default()
    }
}

/// The world of the recorded cases.
fn demo(messages: Vec<Message>) -> World {
    let mut town = world("town");
    town.entities.retain(|entity| entity.kind == "user");
    town.entities.push(Entity {
        kind: "supergroup".into(),
        id: 1002,
        title: Some("Demo group".into()),
        ..Entity::default()
    });
    town.dialogs.clear();
    town.messages.clear();
    town.topics.clear();
    town.messages.insert(CLUB.to_string(), messages);
    town
}

fn recorded() -> Vec<Message> {
    let long = "длинное сообщение ".repeat(5) + "\nвторая строка";
    vec![
        message(9, 500, "2025-01-02T03:05:00", &long),
        message(8, 111, "2025-01-01T12:00:00", "not mine"),
        Message {
            media: Some("photo".into()),
            ..message(7, 500, "2025-01-01T00:00:00", "")
        },
        Message {
            entities: vec![Stretch {
                kind: "bold".into(),
                offset: 0,
                length: 4,
                ..Stretch::default()
            }],
            ..message(6, 500, "2024-12-31T23:59:00", "bold 🔥")
        },
        Message {
            service: true.into(),
            ..message(5, 500, "2024-12-30T00:00:00", "")
        },
    ]
}

const ALL_PLANNED: &str = "Found chat: Demo group\nScanning messages in Demo group...\n\
    Found 4 outgoing messages out of 5 total\n  \
    WOULD DELETE: 02.01.2025 03:05 - длинное сообщение длинное сообщение длинное сообще\n  \
    WOULD DELETE: 01.01.2025 00:00 - [media]\n  \
    WOULD DELETE: 31.12.2024 23:59 - **bold** 🔥\n  \
    WOULD DELETE: 30.12.2024 00:00 - [media]\n\n=== Deleted 0 messages ===\n";

#[test]
fn the_recorded_plans_come_out_to_the_letter() {
    let dc = Dc::start(demo(recorded()));
    let sandbox = dc.sandbox();
    let newest = "Found chat: Demo group\nScanning messages in Demo group...\n\
        Found 1 outgoing messages out of 2 total\n  \
        WOULD DELETE: 02.01.2025 03:05 - длинное сообщение длинное сообщение длинное сообще\n\n\
        === Deleted 0 messages ===\n";
    let id = CLUB.to_string();
    for (args, expected) in [
        (vec![id.as_str(), "--dry-run"], ALL_PLANNED),
        (vec![&id, "2", "--dry-run"], newest),
        // The script took the limit after the flag for nothing and looked at everything.
        (vec![&id, "--dry-run", "2"], newest),
        // Without any flag it deleted at once.
        (vec![&id], ALL_PLANNED),
        (vec!["--chat", &id, "--limit", "0"], ALL_PLANNED),
    ] {
        let run = sandbox
            .run(bin(), &[&args[..], &["--text"]].concat())
            .expect_code(0);
        assert_eq!(run.stdout, expected, "{args:?}");
    }
    assert!(dc.calls(DELETE).is_empty());
    // What it did not understand it took for "delete for real".
    for args in [
        vec![id.as_str(), "50", "--dryrun"],
        vec![&id, "all"],
        vec![&id, "-5"],
        vec![&id, "5", "--limit", "6"],
        vec![],
        vec!["0"],
        vec!["Demo group"],
    ] {
        let confirmed = ["--apply", "--confirm", "Demo group"];
        let run = sandbox.run(bin(), &[&args[..], &confirmed].concat());
        assert!(matches!(run.code, Some(2 | 66)), "{args:?}: {:?}", run.code);
    }
    sandbox
        .run(bin(), &["424242", "--apply", "--confirm", "Demo group"])
        .expect_code(66);
    assert!(dc.calls(DELETE).is_empty());
}

#[test]
fn nothing_to_delete_is_told() {
    let dc = Dc::start(demo(vec![message(8, 111, "2025-01-01T12:00:00", "not mine")]));
    let args = [&CLUB.to_string(), "--apply", "--confirm", "Demo group", "--text"];
    let run = dc.sandbox().run(bin(), &args).expect_code(0);
    assert_eq!(
        run.stdout,
        "Found chat: Demo group\nScanning messages in Demo group...\n\
         Found 0 outgoing messages out of 1 total\n\n=== Deleted 0 messages ===\n"
    );
    assert!(dc.calls(DELETE).is_empty());
}

#[test]
fn only_the_typed_title_deletes_and_the_texts_are_kept_first() {
    let dc = Dc::start(demo(recorded()));
    let sandbox = dc.sandbox();
    let id = CLUB.to_string();
    for typed in [None, Some("demo group"), Some("Demo"), Some("yes")] {
        let mut args = vec![id.as_str(), "--apply"];
        args.extend(typed.iter().flat_map(|typed| ["--confirm", typed]));
        let run = sandbox.run(bin(), &args).expect_code(2);
        assert!(run.stderr.contains("--confirm \"Demo group\""), "{}", run.stderr);
    }
    assert!(dc.calls(DELETE).is_empty());

    // The server holds the deletion back: the list is there before anything is gone.
    dc.fail(Fault {
        method: DELETE.into(),
        times: 1,
        delay_ms: 1500,
        ..Fault::default()
    });
    let args = [id.as_str(), "--apply", "--confirm", "Demo group", "--json"];
    let run = sandbox.start(bin(), &args, b"");
    while dc.calls(DELETE).is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let folder = sandbox.root().join("state/telegram/undo");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let list = std::fs::read_to_string(files[0].path()).unwrap();
    assert!(list.contains("вторая строка"), "the full text: {list}");

    let done = run.finish().expect_code(0);
    let told = done.json();
    assert_eq!((&told["deleted"], &told["found"]), (&4.into(), &4.into()));
    let left: Vec<i32> = dc.messages(CLUB).iter().map(|message| message.id).collect();
    assert_eq!(left, [8], "others' messages stay");
    assert_eq!(dc.calls(DELETE).len(), 1, "one request for all");
    assert_eq!(dc.calls(DELETE)[0].args["ids"], serde_json::json!([9, 7, 6, 5]));
    assert!(!done.stderr.contains("длинное"), "texts stay out of the log");
}

#[test]
fn one_that_may_not_be_deleted_keeps_no_other() {
    let mut messages: Vec<Message> = (1..=60)
        .map(|id| message(id, 500, "2025-01-01T09:00:00", "mine"))
        .collect();
    messages[16].delete_error = Some("MESSAGE_DELETE_FORBIDDEN".into());
    let dc = Dc::start(demo(messages));
    let sandbox = dc.sandbox();
    sandbox.file("shared-config/onejob.toml", FAST);
    let args = [&CLUB.to_string(), "--apply", "--confirm", "Demo group", "--text"];
    let run = sandbox.run(bin(), &args).expect_code(3);
    assert!(
        run.stdout.contains("    Error: MESSAGE_DELETE_FORBIDDEN"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with("=== Deleted 59 messages ===\n"),
        "{}",
        run.stdout
    );
    let left: Vec<i32> = dc.messages(CLUB).iter().map(|message| message.id).collect();
    assert_eq!(left, [17]);
}

#[test]
fn killed_in_the_middle_it_goes_on_and_asks_for_nothing_twice() {
    let mut messages: Vec<Message> = (1..=350)
        .map(|id| message(id, 500, "2025-01-01T09:00:00", &format!("number {id}")))
        .collect();
    // Older than what is asked for: it must survive the second run.
    messages[0].text = "keep me".into();
    let dc = Dc::start(demo(messages));
    let sandbox = dc.sandbox();
    sandbox.file("shared-config/onejob.toml", FAST);
    dc.fail(Fault {
        method: DELETE.into(),
        after: 1,
        times: 1,
        delay_ms: 60_000,
        ..Fault::default()
    });
    let id = CLUB.to_string();
    let args = [id.as_str(), "250", "--apply", "--confirm", "Demo group", "--json"];
    let run = sandbox.start(bin(), &args, b"");
    while dc.calls(DELETE).len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    run.signal("KILL");
    run.finish();
    dc.heal();
    let gone_before: HashSet<i32> = (1..=350).filter(|id| dc.message(CLUB, *id).is_none()).collect();
    assert!(gone_before.len() >= 100);
    dc.forget_requests();
    // A plan in between shows what is left of it.
    let plan = sandbox
        .run(bin(), &[id.as_str(), "250", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(plan["items"].as_array().unwrap().len(), 250 - gone_before.len());

    let told = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(told["deleted"], 250, "{told}");
    assert_eq!(told["resumed"], true);
    let undo = std::fs::read_to_string(told["undo_list"].as_str().unwrap()).unwrap();
    assert!(undo.contains("number 350") && undo.contains("number 101"));
    let asked: Vec<i32> = dc
        .calls(DELETE)
        .iter()
        .flat_map(|call| call.args["ids"].as_array().unwrap().clone())
        .map(|id| id.as_i64().unwrap() as i32)
        .collect();
    assert!(asked.iter().all(|id| !gone_before.contains(id)), "nothing twice");
    let left: Vec<i32> = dc.messages(CLUB).iter().map(|message| message.id).collect();
    assert_eq!(
        left,
        (1..=100).collect::<Vec<_>>(),
        "exactly what was asked for is gone"
    );
}

#[test]
fn the_chat_with_oneself_needs_to_be_meant() {
    let mut town = demo(recorded());
    town.messages.insert(
        "500".into(),
        vec![message(401, 500, "2025-01-01T09:00:00", "a note")],
    );
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    for name in ["me", "500"] {
        let run = sandbox
            .run(bin(), &[name, "--apply", "--confirm", "Owner Self"])
            .expect_code(2);
        assert!(run.stderr.contains("--saved-messages"), "{}", run.stderr);
    }
    assert!(dc.calls("messages.deleteMessages").is_empty());
    sandbox
        .run(
            bin(),
            &["me", "--saved-messages", "--apply", "--confirm", "Owner Self"],
        )
        .expect_code(0);
    assert_eq!(dc.messages(500).len(), 0);
}

#[test]
fn a_cap_leaves_the_rest_for_another_run() {
    let messages = (1..=30)
        .map(|id| message(id, 500, "2025-01-01T09:00:00", "mine"))
        .collect();
    let dc = Dc::start(demo(messages));
    let id = CLUB.to_string();
    let args = [
        id.as_str(),
        "--max",
        "10",
        "--apply",
        "--confirm",
        "Demo group",
        "--json",
    ];
    let told = dc.sandbox().run(bin(), &args).expect_code(0).json();
    assert_eq!((&told["deleted"], &told["beyond_cap"]), (&10.into(), &20.into()));
    assert_eq!(dc.messages(CLUB).len(), 20);
}

#[test]
fn stopped_by_hand_it_says_so_and_goes_on_later() {
    let messages: Vec<Message> = (1..=250)
        .map(|id| message(id, 500, "2025-01-01T09:00:00", "mine"))
        .collect();
    let dc = Dc::start(demo(messages));
    let sandbox = dc.sandbox();
    sandbox.file("shared-config/onejob.toml", FAST);
    dc.fail(Fault {
        method: DELETE.into(),
        after: 1,
        times: 1,
        delay_ms: 60_000,
        ..Fault::default()
    });
    let id = CLUB.to_string();
    let args = [id.as_str(), "--apply", "--confirm", "Demo group", "--json"];
    let run = sandbox.start(bin(), &args, b"");
    while dc.calls(DELETE).len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    run.signal("INT");
    run.finish().expect_code(130);
    dc.heal();
    let told = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(told["deleted"], 250, "{told}");
    assert!(dc.messages(CLUB).is_empty());
}

#[test]
fn a_short_or_an_empty_page_is_not_the_end_of_the_chat() {
    // Two messages alone, the newest one, and more than two whole pages are left out.
    for (hidden, scanned, found) in [
        (vec![820..=820, 950..=951], 997, 332),
        (vec![1000..=1000], 999, 333),
        (vec![401..=640], 760, 253),
        (vec![901..=1000], 900, 300),
        (vec![1..=300], 700, 233),
    ] {
        let dc = Dc::start(testkit::telegram::scenes::gappy(1000, &hidden));
        let plan = dc
            .sandbox()
            .run(bin(), &["@gappy_club", "--json"])
            .expect_code(0)
            .json();
        assert_eq!(
            (&plan["scanned"], &plan["found"]),
            (&scanned.into(), &found.into()),
            "{hidden:?}"
        );
        assert!(dc.calls("messages.getHistory").len() < 20, "{hidden:?}");
    }
}
