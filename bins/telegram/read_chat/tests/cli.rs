//! Exports and watching, over MTProto.

use std::path::Path;
use std::time::{Duration, Instant};

use testkit::Sandbox;
use testkit::telegram::world::Message;
use testkit::telegram::{Dc, Fault, world};

const BIN: &str = env!("CARGO_BIN_EXE_read_chat");
const CLUB: i64 = -1_000_000_001_002;

fn bin() -> &'static Path {
    Path::new(BIN)
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(name)).unwrap_or_default()
}

fn written(text: &str) -> Message {
    Message {
        text: text.to_owned(),
        date: "2025-01-01T10:00:00".to_owned(),
        from: Some(112),
        ..Message::default()
    }
}

/// Waits for a file to hold something.
fn wait_for(sandbox: &Sandbox, name: &str, part: &str) {
    let began = Instant::now();
    while !text(sandbox, name).contains(part) {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{part} never came: {}",
            text(sandbox, name)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn lines_are_plain_or_dated_and_nothing_is_left_out_but_service_entries() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["@river_club", "--text"]).expect_code(0);
    assert_eq!(run.stdout, "LIMIT=3000\nЭкспорт завершён: @river_club.md\n");
    let file = text(&sandbox, "@river_club.md");
    assert!(
        file.starts_with(
            "Борис Лесной: Доброе утро! 🌞 🔥CustomEmoji(42)\n\
             Alice Doe: [In answer to message 3] Good morning, see https://example.org/boat [Media]\n"
        ),
        "{file}"
    );
    assert!(
        file.contains("Alice Doe: two pictures [Media]\nAlice Doe: [Media]\n"),
        "{file}"
    );
    assert!(!file.contains("Alice Doe:\n"), "service entries have no line");
    sandbox
        .run(
            bin(),
            &[
                "-1000000001002",
                "-l",
                "1",
                "--timestamps",
                "--prompt",
                "Sum up.",
                "-o",
                "out.md",
            ],
        )
        .expect_code(0);
    assert_eq!(
        text(&sandbox, "out.md"),
        "Sum up.\n01.01.2025 09:40:00 Борис Лесной: and this [Media]\n"
    );
}

#[test]
fn the_limit_is_that_of_the_configuration_and_another_one_under_ci() {
    let dc = Dc::start(world("town"));
    let config = "limits:\n  default: 7\n  ci: 4\nchats:\n  chat_alpha: { type: channel, id: 1002 }\n";
    let sandbox = dc.sandbox();
    sandbox.file("config.yml", config);
    let run = sandbox.run(bin(), &["--json"]).expect_code(0).json();
    assert_eq!((&run["messages"], &run["read_limit"]), (&7.into(), &7.into()));
    assert_eq!(run["path"], "chat_alpha.md");
    let sandbox = dc.sandbox().env("GITHUB_ACTIONS", "true");
    sandbox.file("config.yml", config);
    let run = sandbox.run(bin(), &["--json"]).expect_code(0).json();
    assert_eq!(run["messages"], 4);
}

#[test]
fn exporting_never_deletes_and_says_which_tool_does() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["river_club", "-d"]).expect_code(0);
    assert!(run.stderr.contains("delete_unanswered"), "{}", run.stderr);
    assert_eq!(dc.messages(CLUB).len(), 20);
    let changing = dc
        .requests()
        .into_iter()
        .any(|call| call.method.contains("delete"));
    assert!(!changing);
}

#[test]
fn what_is_written_next_is_appended_at_once() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let args = ["river_club", "--watch", "--watch-every", "0.25", "--text"];
    let running = sandbox.start(bin(), &args, b"");
    wait_for(&sandbox, "river_club.md", "and this [Media]\n");
    dc.post(CLUB, written("first news"));
    wait_for(&sandbox, "river_club.md", "\nБорис Лесной: first news\n");
    // More than a page at once, as after a night without a connection.
    dc.fail(Fault {
        method: "messages.getHistory".to_owned(),
        times: 1,
        cut_at: Some(3),
        ..Fault::default()
    });
    for n in 0..150 {
        dc.post(CLUB, written(&format!("line {n}")));
    }
    wait_for(&sandbox, "river_club.md", ": line 149\n");
    running.signal("INT");
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    let file = text(&sandbox, "river_club.md");
    let news: Vec<&str> = file
        .lines()
        .skip_while(|line| !line.contains("first news"))
        .collect();
    assert_eq!(news.len(), 151, "nothing is missed and nothing twice");
    assert!(
        (0..150).all(|n| news[n + 1] == format!("Борис Лесной: line {n}")),
        "in order"
    );
    assert!(
        run.stdout.starts_with(
            "LIMIT=3000\nЭкспорт завершён: river_club.md\n[10:00:00] Борис Лесной: first news\n"
        ),
        "{}",
        run.stdout
    );
}

#[test]
fn watching_ends_after_its_time() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["alice_doe", "--watch-seconds", "0.5", "--text"])
        .expect_code(0);
    assert!(
        run.stdout.ends_with("Новых сообщений: 0 → alice_doe.md\n"),
        "{}",
        run.stdout
    );
    let run = sandbox
        .run(bin(), &["alice_doe", "--watch", "--format", "json"])
        .expect_code(2);
    assert!(run.stderr.contains("text"), "{}", run.stderr);
}
