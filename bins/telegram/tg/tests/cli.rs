//! Quick exports, over MTProto.

use std::path::Path;

use testkit::telegram::{Dc, world};

const BIN: &str = env!("CARGO_BIN_EXE_tg");

fn bin() -> &'static Path {
    Path::new(BIN)
}

#[test]
fn lines_without_times_but_for_media() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["@river_club", "--text"]).expect_code(0);
    assert_eq!(run.stdout, "Экспорт завершён: @river_club.md\n");
    let file = std::fs::read_to_string(sandbox.path("@river_club.md")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines[0], "Борис Лесной: Доброе утро! 🌞 🔥CustomEmoji(42)");
    assert!(
        lines.contains(&"01.01.2025 09:10:00 Alice Doe: two pictures  [Media]"),
        "{file}"
    );
    assert!(
        lines.contains(&"01.01.2025 09:10:00 Alice Doe:   [Media]"),
        "{file}"
    );
    assert!(lines.contains(&"Owner Self: my own words"), "{file}");
}

#[test]
fn a_broadcast_channel_by_number_and_a_prompt() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox
        .run(bin(), &["1001", "-l", "1", "--prompt", "Sum this up."])
        .expect_code(0);
    assert_eq!(
        std::fs::read_to_string(sandbox.path("1001.md")).unwrap(),
        "Sum this up.\nНовости сада 🌿: Post number 5 — листья и свет\n"
    );
}

#[test]
fn without_a_chat_the_alias_or_the_setting_counts_and_nobody_is_guessed() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &[] as &[&str]).expect_code(2);
    assert!(
        run.stderr.contains("DEFAULT_CHAT") && run.stderr.contains("chat_delta"),
        "{}",
        run.stderr
    );
    assert!(dc.requests().is_empty());
    sandbox.file("config.yml", "chats:\n  chat_delta: { type: group, id: 1002 }\n");
    sandbox.run(bin(), &[] as &[&str]).expect_code(0);
    assert!(sandbox.path("chat_delta.md").is_file());
    let sandbox = dc.sandbox().env("DEFAULT_CHAT", "@garden_news");
    sandbox.run(bin(), &[] as &[&str]).expect_code(0);
    assert!(sandbox.path("@garden_news.md").is_file());
}

#[test]
fn a_name_with_a_path_in_it_stays_in_the_folder() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.file("config.yml", "chats:\n  ../out/side: { type: group, id: 1002 }\n");
    sandbox.run(bin(), &["../out/side", "-l", "1"]).expect_code(0);
    assert!(sandbox.path("_out_side.md").is_file(), "{:?}", sandbox.files());
}
