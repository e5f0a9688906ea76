//! Exports by username, and what the replaced script wrote for the same chats, over MTProto.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::Sandbox;
use testkit::telegram::world::Entity;
use testkit::telegram::{Dc, World, world};

const BIN: &str = env!("CARGO_BIN_EXE_export_user_simple");

fn bin() -> &'static Path {
    Path::new(BIN)
}

/// Where a case lies.
fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../fixtures/parity/export_user_simple")
        .join(case)
}

/// A recorded case behind a data centre, with its expectations.
fn recorded(case: &str) -> (Dc, Sandbox, Value) {
    let folder = folder(case);
    let told: Value = serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
    let mut world = World::load(&folder.join("in/world.json")).unwrap();
    // The recordings did not need the account itself; the wire does.
    let own = world.account.id;
    if !world.entities.iter().any(|e| e.kind == "user" && e.id == own) {
        world.entities.push(Entity {
            kind: "user".to_owned(),
            id: own,
            first_name: Some("Owner".to_owned()),
            ..Entity::default()
        });
    }
    let dc = Dc::start(world);
    let sandbox = dc.sandbox().env("ONEJOB_CLOCK", "2025-01-02T10:00:00Z");
    (dc, sandbox, told)
}

fn check(case: &str, fix: impl Fn(&str) -> String) {
    let (_dc, sandbox, told) = recorded(case);
    let name = told["args"][0].as_str().unwrap();
    let run = sandbox.run(bin(), &[name, "--text"]).expect_code(0);
    let expected = &told["expected"];
    assert_eq!(
        run.stdout,
        fix(expected["stdout"].as_str().unwrap()),
        "{case}: stdout"
    );
    for file in expected["files_out"].as_array().unwrap() {
        let file = file.as_str().unwrap();
        let wanted = folder(case).join("out").join(file);
        assert_eq!(
            std::fs::read_to_string(sandbox.path(file)).unwrap(),
            fix(&std::fs::read_to_string(wanted).unwrap()),
            "{case}: {file}"
        );
    }
}

#[test]
fn the_files_are_those_of_the_script() {
    for case in ["happy_path", "channel_unicode", "empty_chat"] {
        check(case, str::to_owned);
    }
}

#[test]
fn a_missing_last_name_is_not_called_none() {
    check("no_last_name", |text| text.replace("Алиса None", "Алиса"));
}

#[test]
fn a_link_a_dated_range_and_other_formats() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(
            bin(),
            &[
                "https://t.me/garden_news/3",
                "1",
                "--since",
                "2025-01-03",
                "--until",
                "2025-01-05",
                "--format",
                "ndjson",
                "--json",
            ],
        )
        .expect_code(0)
        .json();
    assert_eq!(run["messages"], 2);
    assert_eq!(run["path"], "chats/garden_news.ndjson");
    let file = std::fs::read_to_string(sandbox.path("chats/garden_news.ndjson")).unwrap();
    sandbox.run(bin(), &["me"]).expect_code(0);
    assert!(sandbox.path("chats/me.txt").is_file(), "one's own notes");
    assert!(
        file.contains("Post number 3") && file.contains("Post number 4") && !file.contains("Post number 5"),
        "{file}"
    );
}

#[test]
fn what_is_wrong_is_told_before_anything_is_asked() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["demo", "many"]).expect_code(2);
    assert!(run.stderr.contains("`LIMIT`"), "{}", run.stderr);
    sandbox.run(bin(), &[] as &[&str]).expect_code(2);
    sandbox.run(bin(), &["a/b"]).expect_code(66);
    sandbox
        .run(bin(), &["alice_doe", "--since", "soon"])
        .expect_code(2);
    assert!(dc.calls("messages.getHistory").is_empty());
    let run = sandbox.run(bin(), &["nobody_at_all"]).expect_code(66);
    assert!(run.stderr.contains("nobody_at_all"), "{}", run.stderr);
    assert!(!sandbox.path("chats").exists());
}

#[test]
fn a_file_that_may_hold_something_else_is_not_overwritten() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    std::fs::create_dir(sandbox.path("chats")).unwrap();
    std::fs::write(sandbox.path("chats/garden_news.txt"), "precious\n").unwrap();
    let path = |run: &Value| run["path"].as_str().unwrap().to_owned();
    let beside = path(
        &sandbox
            .run(bin(), &["garden_news", "--json"])
            .expect_code(0)
            .json(),
    );
    let name = Path::new(&beside);
    assert!(beside.starts_with("chats/garden_news_"), "{beside}");
    assert_eq!(name.extension().unwrap(), "txt");
    let first = std::fs::read_to_string(sandbox.path(&beside)).unwrap();
    assert!(first.contains("Post number 3"), "{first}");
    let kept = std::fs::read_to_string(sandbox.path("chats/garden_news.txt")).unwrap();
    assert_eq!(kept, "precious\n");

    // An export of its own is written anew, and a file that was named by the user is theirs to overwrite.
    std::fs::remove_file(sandbox.path("chats/garden_news.txt")).unwrap();
    for _ in 0..2 {
        let run = sandbox
            .run(bin(), &["garden_news", "--json"])
            .expect_code(0)
            .json();
        assert_eq!(path(&run), "chats/garden_news.txt");
    }
}
