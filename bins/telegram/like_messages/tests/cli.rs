//! Liking the messages of one person: exactly that person, one fitting reaction each, at a human pace.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use testkit::telegram::world::{Message, Tally, World};
use testkit::telegram::{Dc, Fault, world};

const CLUB: i64 = -1_000_000_001_002;
const REACT: &str = "messages.sendReaction";

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_like_messages"))
}

fn message(id: i32, from: i64, text: &str) -> Message {
    Message {
        id,
        text: text.into(),
        date: format!("2025-01-0{}T23:30:00", 1 + id % 2),
        from: Some(from),
        out: from == 500,
        sender_known: true,
        ..Message::default()
    }
}

fn club() -> World {
    let mut town = world("town");
    let list = vec![
        message(1, 111, "Спасибо!"),
        message(2, 112, "смешно"),
        Message {
            reactions: vec![Tally {
                emoji: Some("👍".into()),
                count: 3,
                chosen: true,
                ..Tally::default()
            }],
            ..message(3, 111, "liked before")
        },
        message(4, 111, "вкусный рецепт"),
        Message {
            service: true.into(),
            ..message(5, 111, "")
        },
        Message {
            media: Some("photo".into()),
            ..message(6, 111, "")
        },
        message(7, 500, "my own"),
    ];
    town.messages.insert(CLUB.to_string(), list);
    town
}

fn chosen(dc: &Dc, id: i32) -> Option<String> {
    let message = dc.message(CLUB, id).unwrap();
    let tally = message.reactions.into_iter().find(|tally| tally.chosen);
    tally.and_then(|tally| tally.emoji)
}

#[test]
fn the_plan_sends_nothing_and_apply_gives_each_message_its_reaction() {
    let dc = Dc::start(club());
    let sandbox = dc.sandbox();
    let args = ["river_club", "@alice_doe", "--pause-ms", "0"];
    let plan = sandbox
        .run(bin(), &[&args[..], &["--text"]].concat())
        .expect_code(0);
    assert_eq!(
        plan.stdout,
        format!(
            "Чат: River Club\nПользователь: Alice Doe (111)\nРеакция: по тексту\n\n  \
             WOULD LIKE: 👍 01.01.2025 23:30 - [media]\n  WOULD LIKE: 🤩 01.01.2025 23:30 - вкусный рецепт\n  \
             WOULD LIKE: 🙏 02.01.2025 23:30 - Спасибо!\n\n{}\n📊 Результат:\n   \
             Просканировано сообщений: 7\n   Поставлено лайков: 0\n   Пропущено по фильтру отправителя: 3\n   \
             Уже была наша реакция: 1\n   Ошибок: 0\n",
            "━".repeat(35)
        )
    );
    assert!(dc.calls(REACT).is_empty());
    let run = sandbox
        .run(bin(), &[&args[..], &["--apply", "--text"]].concat())
        .expect_code(0);
    assert!(
        run.stdout.contains("🙏 Лайк на сообщение 1: Спасибо!\n"),
        "{}",
        run.stdout
    );
    assert_eq!(chosen(&dc, 1).as_deref(), Some("🙏"));
    assert_eq!(chosen(&dc, 3).as_deref(), Some("👍"), "an earlier reaction stays");
    assert_eq!(
        chosen(&dc, 4).as_deref(),
        Some("🤩"),
        "the nearest that Telegram has"
    );
    assert_eq!(chosen(&dc, 2), None);
    dc.forget_requests();
    let again = sandbox
        .run(bin(), &[&args[..], &["--apply", "--json"]].concat())
        .expect_code(0);
    assert_eq!(again.json()["already"], 4);
    assert!(dc.calls(REACT).is_empty());
}

#[test]
fn one_emoji_for_all_in_the_words_of_the_other_script() {
    let dc = Dc::start(club());
    let sandbox = dc.sandbox().env("ONEJOB_CLOCK", "2025-01-02T23:59:00Z");
    let args = [
        "-c",
        "river_club",
        "-u",
        "Борис",
        "-e",
        "❤️",
        "--pause-ms",
        "0",
        "--apply",
    ];
    sandbox.run(bin(), &args).expect_code(0);
    assert_eq!(chosen(&dc, 2).as_deref(), Some("❤"));
    // Of today are those of the second of January, by Telegram's clock.
    let sandbox = sandbox.env("TZ", "Asia/Tokyo");
    let args = ["river_club", "111", "--today", "-r", "👍", "--replace", "--json"];
    let plan = sandbox.run(bin(), &args).expect_code(0).json();
    let ids: Vec<_> = plan["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["id"])
        .collect();
    assert_eq!(ids, [3, 1]);
    assert_eq!(plan["items"][0]["state"], "already");
}

#[test]
fn a_message_that_met_a_flood_wait_is_tried_again() {
    let dc = Dc::start(club());
    dc.fail(Fault {
        method: REACT.into(),
        times: 1,
        error: Some("FLOOD_WAIT_2".into()),
        ..Fault::default()
    });
    let args = ["river_club", "111", "--pause-ms", "0", "--apply", "--json"];
    let told = dc.sandbox().run(bin(), &args).expect_code(0).json();
    assert_eq!((&told["liked"], &told["errors"]), (&3.into(), &0.into()));
    assert_eq!(dc.impatient(), 0);
}

#[test]
fn the_pace_is_human() {
    let dc = Dc::start(club());
    let args = ["river_club", "111", "--max", "2", "--apply", "--json"];
    let run = dc.sandbox().run(bin(), &args).expect_code(0);
    assert!(run.took.as_millis() >= 1365, "{:?}", run.took);
    assert_eq!(run.json()["beyond_cap"], 1);
    assert_eq!(dc.calls(REACT).len(), 2);
}

#[test]
fn an_emoji_that_is_no_reaction_here_fails_by_message() {
    let dc = Dc::start(club());
    let args = ["river_club", "112", "-r", "🧿", "--apply", "--text"];
    let run = dc.sandbox().run(bin(), &args).expect_code(3);
    assert!(run.stdout.contains("REACTION_INVALID"), "{}", run.stdout);
}

#[test]
fn nobody_is_guessed() {
    let dc = Dc::start(club());
    let sandbox = dc
        .sandbox()
        .env("LIKE_CHAT_ID", "0")
        .env("LIKE_TARGET_USER_ID", "0");
    for args in [
        vec![],
        vec!["river_club"],
        vec!["river_club", ""],
        vec!["river_club", "0"],
        vec!["river_club", "o"],
        vec!["river_club", "@alice"],
        vec!["river_club", "nobody"],
        vec!["River Club", "111"],
        vec!["0", "111"],
        vec!["river_club", "111", "--user", "112"],
        vec!["river_club", "111", "--limit", "0"],
    ] {
        let run = sandbox.run(bin(), &[&args[..], &["--apply"]].concat());
        assert!(
            matches!(run.code, Some(2 | 66)),
            "{args:?}: {:?} {}",
            run.code,
            run.stderr
        );
    }
    assert!(dc.calls(REACT).is_empty());
}
