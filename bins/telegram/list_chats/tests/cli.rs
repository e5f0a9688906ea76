//! Listings, their cache and their file, over MTProto.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use serde_json::Value;
use testkit::telegram::world::Entity;
use testkit::telegram::{Dc, Fault, world};

const BIN: &str = env!("CARGO_BIN_EXE_list_chats");
const CACHE: &str = ".cache/list_chats_cache.json";

fn bin() -> &'static Path {
    Path::new(BIN)
}

fn titles(output: &Value) -> Vec<&str> {
    let chats = output["chats"].as_array().unwrap();
    chats.iter().map(|chat| chat["title"].as_str().unwrap()).collect()
}

#[test]
fn the_layout_is_that_of_the_script() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["-l", "2", "--text"]).expect_code(0);
    assert_eq!(
        run.stdout,
        "Наиболее активные чаты:\n\n\
         1. Small group\n   ID: -77 | Тип: group | Непрочитано: 1\n   Последнее сообщение: 02.03.2025 10:01\n\n\
         2. Alice Doe\n   ID: 111 | Тип: user | Непрочитано: 0\n   Последнее сообщение: 01.03.2025 10:02\n\n\
         \nИнформация сохранена в chats.yml (6 чатов)\n"
    );
    let file = std::fs::read_to_string(sandbox.path("chats.yml")).unwrap();
    assert!(
        file.starts_with("# Активные чаты Telegram\n# Обновлено: 02.03.2025 10:01\n\nchats:\n  - title: \"Small group\"\n    id: -77\n"),
        "{file}"
    );
    assert!(!file.contains("Helper bot"), "bots are left out");
}

#[test]
fn a_fresh_cache_answers_for_any_filter_but_not_for_another_account() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["-f", "USERS", "--json"]).expect_code(0);
    let asked = dc.calls("messages.getDialogs").len();
    assert!(asked > 0);
    let run = sandbox
        .run(bin(), &["-f", "channel", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(titles(&run), ["Новости сада 🌿"]);
    assert!(
        run["cache_age_s"].is_i64() || run["cache_age_s"].is_u64(),
        "{run}"
    );
    assert_eq!(dc.calls("messages.getDialogs").len(), asked);
    let text = sandbox.run(bin(), &["--text"]).expect_code(0).stdout;
    assert!(
        text.starts_with("Использую кэш диалогов (") && text.contains(" сек назад, 6 чатов)\n"),
        "{text}"
    );
    let mut cache: Value = serde_json::from_slice(&std::fs::read(sandbox.path(CACHE)).unwrap()).unwrap();
    cache["account"] = 501.into();
    sandbox.file(CACHE, cache.to_string());
    let run = sandbox.run(bin(), &["--json"]).expect_code(0).json();
    assert!(run["cache_age_s"].is_null());
    assert_eq!(dc.calls("messages.getDialogs").len(), asked * 2);
    sandbox.run(bin(), &["--refresh", "--json"]).expect_code(0);
    assert_eq!(dc.calls("messages.getDialogs").len(), asked * 3);
}

#[test]
fn a_damaged_cache_is_told_and_fetched_anew_and_can_be_turned_off() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.file(CACHE, "{\"generated_at\": ");
    let run = sandbox.run(bin(), &["--json"]).expect_code(0);
    assert!(run.stderr.contains(CACHE), "{}", run.stderr);
    assert_eq!(run.json()["total"], 6);
    let sandbox = dc
        .sandbox()
        .env("LIST_CHATS_DISABLE_CACHE", "TRUE")
        .env("LIST_CHATS_MAX_DIALOGS", "2")
        .env("LIST_CHATS_PARALLEL", "none");
    let run = sandbox.run(bin(), &["--json"]).expect_code(0);
    assert_eq!(run.json()["total"], 2);
    assert!(run.stderr.contains("LIST_CHATS_PARALLEL"), "{}", run.stderr);
    assert!(!sandbox.path(CACHE).exists());
}

#[test]
fn a_mistyped_filter_is_refused() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["-f", "chanels"]).expect_code(2);
    assert!(
        run.stderr.contains("chanels") && run.stderr.contains("channels"),
        "{}",
        run.stderr
    );
    assert!(dc.requests().is_empty());
}

#[test]
fn a_chat_without_messages_is_left_out_and_titles_may_hold_anything() {
    let mut town = world("town");
    let title = "say \"hi\" \\ : # yes";
    for (id, title) in [(1010, title), (1011, "Empty")] {
        town.entities.push(Entity {
            kind: "supergroup".to_owned(),
            id,
            title: Some(title.to_owned()),
            ..Entity::default()
        });
    }
    let dialogs: Value = serde_json::json!([{"chat": -1000000001010_i64}, {"chat": -1000000001011_i64}]);
    town.dialogs
        .extend(serde_json::from_value::<Vec<_>>(dialogs).unwrap());
    let dc = Dc::start(town);
    dc.post(
        -1_000_000_001_010,
        testkit::telegram::world::Message {
            text: "x".to_owned(),
            from: Some(111),
            ..testkit::telegram::world::Message::default()
        },
    );
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["-f", "groups", "--json"])
        .expect_code(0)
        .json();
    let titles = titles(&run);
    assert!(
        titles.contains(&title) && !titles.contains(&"Empty"),
        "{titles:?}"
    );
    let file = std::fs::read_to_string(sandbox.path("chats.yml")).unwrap();
    let read: Value = serde_saphyr::from_str(&file).unwrap();
    let found = read["chats"].as_array().unwrap();
    assert!(found.iter().any(|chat| chat["title"] == title), "{file}");
}

#[test]
fn a_login_that_is_gone_says_why() {
    for (error, word) in [
        ("AUTH_KEY_DUPLICATED", "two addresses"),
        ("USER_DEACTIVATED_BAN", "banned the account"),
        ("SESSION_PASSWORD_NEEDED", "password"),
    ] {
        let dc = Dc::start(world("town"));
        dc.fail(Fault {
            method: "users.getUsers".into(),
            error: Some(error.into()),
            ..Fault::default()
        });
        let run = dc.sandbox().run(Path::new(BIN), &["--json"]).expect_code(77);
        assert!(
            run.stderr.contains(error) && run.stderr.contains(word),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_lock_file_is_neither_emptied_nor_followed() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let precious = sandbox.file("precious", "precious");
    let lock = sandbox.path("telegram_session.lock");
    std::os::unix::fs::symlink(&precious, &lock).unwrap();
    let run = sandbox.run(bin(), &["--json"]).expect_code(78);
    assert!(run.stderr.contains("telegram_session.lock"), "{}", run.stderr);
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    // Nor one that would be made somewhere else.
    std::fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(sandbox.path("elsewhere"), &lock).unwrap();
    sandbox.run(bin(), &["--json"]).expect_code(78);
    assert!(!sandbox.path("elsewhere").exists());
    std::fs::remove_file(&lock).unwrap();
    std::fs::write(&lock, "what the owner wrote").unwrap();
    sandbox.run(bin(), &["--json"]).expect_code(0);
    assert_eq!(std::fs::read(&lock).unwrap(), b"what the owner wrote");
}

#[test]
fn a_mistake_in_config_yml_shows_no_secret() {
    let dc = Dc::start(world("town"));
    for text in [
        "telegram:\n  api_hash: CANARY-HASH\n  phone: \"+10000000001\"\nchats: [a, b\n",
        "telegram:\n  api_hash: CANARY-HASH\n phone: +10000000001\n",
        "telegram: {api_hash: CANARY-HASH, phone: *10000000001}\n",
    ] {
        let sandbox = dc.sandbox();
        sandbox.file("config.yml", text);
        let run = sandbox.run(bin(), &["--json"]).expect_code(78);
        let told = format!("{}{}", run.stdout, run.stderr);
        assert!(told.contains("config.yml"), "{told}");
        assert!(
            !told.contains("CANARY") && !told.contains("10000000001"),
            "{told}"
        );
    }
}

#[test]
fn patience_without_end_is_no_panic() {
    let dc = Dc::start(world("town"));
    for patience in ["1e300", "inf"] {
        let sandbox = dc.sandbox().env("TELEGRAM_LOCK_WAIT", patience);
        sandbox.run(bin(), &["--json"]).expect_code(0);
    }
    dc.sandbox()
        .env("TELEGRAM_LOCK_WAIT", "NaN")
        .run(bin(), &["--json"])
        .expect_code(78);
}

#[test]
fn listings_are_closed_to_others() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["--json"]).expect_code(0);
    let mut seen = 0;
    for name in sandbox.files() {
        if name == "chats.yml" || name == CACHE {
            let there = std::fs::metadata(sandbox.path(&name)).unwrap();
            assert_eq!(
                std::os::unix::fs::PermissionsExt::mode(&there.permissions()) & 0o077,
                0,
                "{name}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 2, "{:?}", sandbox.files());
}
