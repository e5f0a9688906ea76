//! Exports by username in the layout of the replaced script, over MTProto.

use std::path::Path;

use testkit::telegram::{Dc, world};

const BIN: &str = env!("CARGO_BIN_EXE_export_chat");

fn bin() -> &'static Path {
    Path::new(BIN)
}

#[test]
fn a_private_chat_becomes_lines_with_times() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["@alice_doe", "--text"]).expect_code(0);
    assert_eq!(
        run.stdout,
        "Экспортирую чат: Alice Doe (@alice_doe)\nЭкспортировано 3 сообщений в alice_doe.md\n"
    );
    assert_eq!(
        std::fs::read_to_string(sandbox.path("alice_doe.md")).unwrap(),
        "# Чат с @alice_doe\n\n01.03.2025 10:00:00 Alice Doe: hello\n01.03.2025 10:01:00 Я: hi Alice\n"
    );
}

#[test]
fn a_group_shows_who_wrote_what_and_media_without_words() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox
        .run(bin(), &["river_club", "out/club.md", "--limit", "0"])
        .expect_code(0);
    let file = std::fs::read_to_string(sandbox.path("out/club.md")).unwrap();
    assert!(file.starts_with("# Чат с @river_club\n\n"), "{file}");
    for line in [
        "01.01.2025 09:05:00 Борис Лесной: Доброе утро! 🌞",
        "01.01.2025 09:10:00 Alice Doe: two pictures",
        "01.01.2025 09:10:00 Alice Doe: [Media]",
        "01.01.2025 09:15:00 Я: my own words",
    ] {
        assert!(file.lines().any(|found| found == line), "{line}\n{file}");
    }
}

#[test]
fn other_formats_have_their_own_names() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["garden_news", "-l", "2", "-f", "json", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(
        (&run["path"], &run["messages"]),
        (&"garden_news.json".into(), &2.into())
    );
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sandbox.path("garden_news.json")).unwrap()).unwrap();
    assert_eq!(document["messages"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_unknown_name_leaves_no_file() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["nobody_at_all"]).expect_code(66);
    assert!(run.stderr.contains("@nobody_at_all"), "{}", run.stderr);
    assert!(!sandbox.path("nobody_at_all.md").exists());
}
