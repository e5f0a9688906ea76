//! The list of chats, over MTProto.

use std::path::Path;

use testkit::telegram::{Dc, Fault, world};

const BIN: &str = env!("CARGO_BIN_EXE_dialogs");

#[test]
fn the_list_is_in_order_and_has_marked_ids() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(Path::new(BIN), &["--json"]).expect_code(0);
    let list = run.json()["dialogs"].as_array().unwrap().clone();
    let titles: Vec<&str> = list.iter().map(|line| line["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "Helper bot",
            "Small group",
            "Alice Doe",
            "Workshop forum",
            "River Club",
            "Новости сада 🌿",
            "River Club"
        ],
        "newest message first"
    );
    let club = list.iter().find(|line| line["username"] == "river_club").unwrap();
    assert_eq!(club["id"], -1_000_000_001_002_i64);
    assert_eq!(club["chat_type"], "supergroup");
    assert_eq!(club["unread"], 3);
    assert_eq!(club["last_message"], "2025-01-01T09:40:00Z");
}

#[test]
fn more_than_a_page_is_walked_to_its_end() {
    let mut town = world("town");
    for id in 5000..5230 {
        let mut entity = town.entities[0].clone();
        entity.id = id;
        entity.first_name = Some(format!("Guest {id}"));
        entity.username = None;
        town.dialogs.push(testkit::telegram::world::Dialog {
            chat: id,
            ..Default::default()
        });
        town.messages.insert(
            id.to_string(),
            vec![testkit::telegram::world::Message {
                id: id as i32,
                text: "hello".into(),
                date: "2024-01-01T00:00:00".into(),
                from: Some(id),
                sender_known: true,
                ..Default::default()
            }],
        );
        town.entities.push(entity);
    }
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(Path::new(BIN), &["--json", "--limit", "1000"])
        .expect_code(0);
    assert_eq!(run.json()["dialogs"].as_array().unwrap().len(), 237);
    assert_eq!(dc.calls("messages.getDialogs").len(), 3, "a hundred at a time");
}

#[test]
fn a_session_that_is_signed_out_fails_at_once() {
    let mut town = world("town");
    town.authorized = false;
    let dc = Dc::start(town);
    let run = dc.sandbox().run(Path::new(BIN), &["--json"]).expect_code(77);
    assert!(run.stderr.contains("init_session"), "{}", run.stderr);
}

#[test]
fn without_a_session_nothing_is_made_and_the_way_out_is_told() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    std::fs::remove_file(sandbox.path("telegram_session.session")).unwrap();
    let run = sandbox.run(Path::new(BIN), &["--json"]).expect_code(78);
    assert!(run.stderr.contains("Session file not found"), "{}", run.stderr);
    assert!(!sandbox.path("telegram_session.session").exists());
    assert!(dc.requests().is_empty());
}

#[test]
fn a_short_flood_wait_is_sat_out_and_a_long_one_is_told() {
    let dc = Dc::start(world("town"));
    dc.fail(Fault {
        method: "messages.getDialogs".into(),
        times: 1,
        error: Some("FLOOD_WAIT_2".into()),
        ..Fault::default()
    });
    let run = dc.sandbox().run(Path::new(BIN), &["--json"]).expect_code(0);
    assert!(run.took.as_secs() >= 2);
    assert_eq!(dc.impatient(), 0);
    dc.fail(Fault {
        method: "messages.getDialogs".into(),
        error: Some("FLOOD_WAIT_90000".into()),
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    sandbox.run(Path::new(BIN), &["--json"]).expect_code(75);
    // The wait is remembered: another program of this host does not even ask.
    let before = dc.calls("messages.getDialogs").len();
    let run = sandbox.run(Path::new(BIN), &["--json"]).expect_code(75);
    assert!(run.stderr.contains("wait"), "{}", run.stderr);
    assert_eq!(dc.calls("messages.getDialogs").len(), before);
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    let dc = Dc::start(world("town"));
    dc.fail(Fault {
        method: "messages.getDialogs".into(),
        times: 1,
        cut_at: Some(100),
        ..Fault::default()
    });
    let run = dc.sandbox().run(Path::new(BIN), &["--json"]).expect_code(0);
    assert_eq!(run.json()["dialogs"].as_array().unwrap().len(), 7);
}

#[test]
fn formats_are_named_as_the_script_took_them() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    for word in ["pretty", "TABLE", "JSON", "yml"] {
        sandbox
            .run(Path::new(BIN), &["--format", word, "-o", "list.txt"])
            .expect_code(0);
    }
    let yaml = std::fs::read_to_string(sandbox.path("list.txt")).unwrap();
    assert!(yaml.contains("title: River Club"), "{yaml}");
    let before = dc.requests().len();
    sandbox.run(Path::new(BIN), &["--format", "xml"]).expect_code(2);
    assert_eq!(dc.requests().len(), before, "refused before anything is asked");
}

#[test]
fn chats_left_out_of_their_page_do_not_end_the_list() {
    let mut town = world("town");
    for id in 5000..5230 {
        town.dialogs.push(testkit::telegram::world::Dialog {
            chat: id,
            hidden: id == 5040,
            ..Default::default()
        });
        town.messages.insert(
            id.to_string(),
            vec![testkit::telegram::world::Message {
                id: id as i32,
                text: "hello".into(),
                date: "2024-01-01T00:00:00".into(),
                from: Some(id),
                sender_known: true,
                ..Default::default()
            }],
        );
        town.entities.push(testkit::telegram::world::Entity {
            kind: "user".into(),
            id,
            first_name: Some(format!("Guest {id}")),
            ..Default::default()
        });
    }
    let dc = Dc::start(town);
    let run = dc
        .sandbox()
        .run(Path::new(BIN), &["--limit", "1000", "--json"])
        .expect_code(0);
    assert_eq!(run.json()["dialogs"].as_array().unwrap().len(), 7 + 229);
}
