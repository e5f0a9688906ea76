//! The listing of groups and channels, over MTProto.

use std::path::Path;

use testkit::telegram::{Dc, Fault, world};

const BIN: &str = env!("CARGO_BIN_EXE_get_active_chats");

fn bin() -> &'static Path {
    Path::new(BIN)
}

#[test]
fn groups_and_channels_with_their_unread_messages() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["-l", "2", "--text"]).expect_code(0);
    assert_eq!(
        run.stdout,
        "Наиболее активные чаты:\n\n\
         1. Small group\n   ID: -77 | Тип: group | Непрочитано: 1\n   Последнее сообщение: 02.03.2025 10:01\n\n\
         2. Workshop forum\n   ID: -1000000001003 | Тип: group | Непрочитано: 0\n   Последнее сообщение: 01.02.2025 08:07\n\n"
    );
    let run = sandbox.run(bin(), &["--json"]).expect_code(0).json();
    let chats = run["chats"].as_array().unwrap();
    assert_eq!(chats.len(), 5, "{run}");
    assert!(chats.iter().all(|chat| chat["chat_type"] != "user"));
    assert!(chats.iter().any(|chat| chat["unread"] == 5));
    assert!(!sandbox.path("chats.yml").exists());
}

#[test]
fn private_chats_count_among_the_dialogs_looked_at() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["--max-dialogs", "3", "--bare-ids", "--text"])
        .expect_code(0);
    assert_eq!(run.stdout.matches("ID: ").count(), 2, "{}", run.stdout);
    assert!(run.stdout.contains("ID: 1002 |"), "{}", run.stdout);
}

#[test]
fn a_refusal_of_the_service_is_told() {
    let dc = Dc::start(world("town"));
    dc.fail(Fault {
        method: "messages.getDialogs".to_owned(),
        error: Some("AUTH_KEY_UNREGISTERED".to_owned()),
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["--json"]).expect_code(77);
}
