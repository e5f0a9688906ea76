//! All chats, or those of a folder, in one run.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use serde_json::Value;
use testkit::Sandbox;
use testkit::telegram::world::Folder;
use testkit::telegram::{Dc, world};

const CLUB: i64 = -1_000_000_001_002;
const NEWS: i64 = -1_000_000_001_001;
const FORUM: i64 = -1_000_000_001_003;
const SECOND_CLUB: i64 = -1_000_000_001_005;
const GROUP: i64 = -77;

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_export_any_chat"))
}

fn ids(list: &Value) -> Vec<i64> {
    let chats = list.as_array().unwrap().iter();
    chats.map(|chat| chat["chat_id"].as_i64().unwrap()).collect()
}

fn read(sandbox: &Sandbox, path: &Value) -> String {
    std::fs::read_to_string(sandbox.path(path.as_str().unwrap())).unwrap()
}

#[test]
fn every_chat_gets_a_file_of_its_own_also_where_two_share_a_title() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["--all", "--json"]).expect_code(0).json();
    assert_eq!(
        ids(&run["chats"]),
        [CLUB, NEWS, 111, GROUP, FORUM, 600, SECOND_CLUB],
        "{run}"
    );
    assert_eq!(
        (&run["left"], &run["failed"]),
        (&0.into(), &Value::Array(Vec::new()))
    );
    let paths: Vec<&Value> = run["chats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["path"])
        .collect();
    for (at, path) in paths.iter().enumerate() {
        assert!(sandbox.path(path.as_str().unwrap()).is_file());
        assert!(!paths[..at].contains(path), "{path} twice");
    }
    let sum: i64 = run["chats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["messages"].as_i64().unwrap())
        .sum();
    assert_eq!(run["messages"], sum);
    // Once more: the same files, and with `--incremental` nothing is read that was read before.
    let again = sandbox
        .run(bin(), &["--all", "--incremental", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(
        again["chats"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| &c["path"])
            .collect::<Vec<_>>(),
        paths
    );
}

#[test]
fn one_chat_that_cannot_be_read_does_not_hold_up_the_others() {
    let mut town = world("town");
    town.history_errors
        .insert(NEWS.to_string(), "CHANNEL_PRIVATE".to_owned());
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["--all", "--json"]).expect_code(3);
    assert!(
        run.stderr.contains("1 chats could not be exported"),
        "{}",
        run.stderr
    );
    let run = run.json();
    assert_eq!(ids(&run["failed"]), [NEWS]);
    assert_eq!(run["chats"].as_array().unwrap().len(), 6);
}

#[test]
fn a_folder_holds_what_its_rule_says_and_what_it_names() {
    let mut town = world("town");
    for dialog in &mut town.dialogs {
        match dialog.chat {
            GROUP => dialog.archived = true,
            SECOND_CLUB => dialog.muted_until = Some(i32::MAX),
            // Muted once, and not any more.
            CLUB => dialog.muted_until = Some(1_000_000_000),
            _ => {}
        }
    }
    let alice = town.entities.iter_mut().find(|one| one.id == 111).unwrap();
    alice.contact = true;
    town.folders = vec![
        Folder {
            id: 3,
            title: "Groups".into(),
            groups: true,
            exclude_muted: true,
            exclude_archived: true,
            exclude: vec![FORUM],
            ..Folder::default()
        },
        Folder {
            id: 4,
            title: "Работа".into(),
            contacts: true,
            bots: true,
            // It is archived, and in all the same. The last has gone from the list.
            include: vec![GROUP, -1_000_000_001_004],
            exclude_archived: true,
            ..Folder::default()
        },
        Folder {
            id: 5,
            title: "Unread".into(),
            groups: true,
            broadcasts: true,
            exclude_read: true,
            ..Folder::default()
        },
    ];
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    let of = |name: &str, code: i32| {
        let run = sandbox
            .run(bin(), &["--folder", name, "--json"])
            .expect_code(code);
        (run.json(), run.stderr)
    };
    let (groups, told) = of("groups", 0);
    assert_eq!(ids(&groups["chats"]), [CLUB]);
    assert!(!told.contains("general settings"), "{told}");
    let (work, told) = of("Работа", 3);
    assert_eq!(ids(&work["chats"]), [111, GROUP, 600]);
    assert_eq!(work["lacking"], 1);
    assert!(
        told.contains("1 chats of the folder are not in the account's list"),
        "{told}"
    );
    assert_eq!(ids(&of("Unread", 0).0["chats"]), [CLUB, NEWS, GROUP]);
    let unknown = sandbox.run(bin(), &["--folder", "Play"]).expect_code(66);
    assert!(
        unknown.stderr.contains("`Groups`, `Работа`, `Unread`"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn chats_under_the_general_settings_are_said_to_be_in() {
    let mut town = world("town");
    town.folders = vec![Folder {
        id: 3,
        title: "Loud".into(),
        broadcasts: true,
        exclude_muted: true,
        ..Folder::default()
    }];
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["--folder", "Loud"]).expect_code(0);
    assert!(
        run.stderr.contains("1 chats follow the general settings"),
        "{}",
        run.stderr
    );
    let news = read(&sandbox, &"chats/Новости_сада.txt".into());
    assert!(news.contains("Post number 1"), "{news}");
}

#[test]
fn what_means_one_chat_is_refused_with_several() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    for args in [
        &["river_club", "--all"][..],
        &["--all", "--folder", "Garden"],
        &["--all", "-o", "x.txt"],
        &["--folder", "Garden", "--topic", "1"],
        &[],
    ] {
        sandbox.run(bin(), args).expect_code(2);
    }
    assert!(dc.calls("messages.getDialogs").is_empty());
    assert!(!sandbox.path("chats").exists());
}
