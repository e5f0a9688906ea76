//! Exports by username, over MTProto.

use std::path::Path;

use testkit::telegram::{Dc, world};

const BIN: &str = env!("CARGO_BIN_EXE_download_user_chat");

fn bin() -> &'static Path {
    Path::new(BIN)
}

#[test]
fn a_private_chat_is_headed_by_name_and_username() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox().env("USER_NAME", "The owner");
    let run = sandbox.run(bin(), &["@@alice_doe", "--text"]).expect_code(0);
    assert_eq!(run.stdout, "Saved: chats/alice_doe.md\n");
    let file = std::fs::read_to_string(sandbox.path("chats/alice_doe.md")).unwrap();
    assert_eq!(
        file,
        "# Chat with Alice Doe\nUsername: @alice_doe\nMessages: 3\n\n---\n\n\
         **Alice Doe** (01.03.2025 10:00):\nhello\n\n**The owner** (01.03.2025 10:01):\nhi Alice\n\n"
    );
}

#[test]
fn reactions_full_names_and_the_limit_are_there() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["river_club", "18"]).expect_code(0);
    let file = std::fs::read_to_string(sandbox.path("chats/river_club.md")).unwrap();
    assert!(file.contains("Messages: 18\n"), "{file}");
    assert!(
        file.contains("**Борис Лесной** (01.01.2025 09:05):\nДоброе утро! 🌞 🔥CustomEmoji(42)\n"),
        "{file}"
    );
}

#[test]
fn the_second_run_fetches_only_what_is_new() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["river_club", "-i"]).expect_code(0);
    dc.edit(-1_000_000_001_002, 20, "and that");
    // Looking at it without writing takes nothing away from the run that writes.
    for dry in [true, false] {
        let mut args = vec!["river_club", "-i", "--json"];
        args.extend(dry.then_some("--dry-run"));
        let run = sandbox.run(bin(), &args).expect_code(0).json();
        assert_eq!(
            (&run["edited"], &run["new"]),
            (&1.into(), &0.into()),
            "dry: {dry}"
        );
    }
    let file = std::fs::read_to_string(sandbox.path("chats/river_club.md")).unwrap();
    assert!(file.contains("and that [Media]"), "{file}");
}

#[test]
fn an_unknown_name_and_an_unwritable_place_are_told() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["@nobody_at_all"]).expect_code(66);
    sandbox.file("chats", "a file stands where the folder should be");
    let run = sandbox.run(bin(), &["river_club"]);
    assert!(matches!(run.code, Some(73 | 74)), "{:?} {}", run.code, run.stderr);
    assert!(run.stderr.contains("chats"), "{}", run.stderr);
}
