//! A tool that asks a model, from outside: what it prints, sends, pays and how it ends.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod failing;
mod forms;

use std::path::PathBuf;

use app_core::state::{BudgetLimits, Ledger, LedgerEntry};
use serde_json::{Value, json};
use testkit::{
    FakeModel, Finished, Sandbox,
    llm::{Manners, Script},
};

const PROVIDERS: [(&str, &str, &str); 4] = [
    ("openai", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    ("anthropic", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    ("gemini", "GEMINI_BASE_URL", "GOOGLE_API_KEY"),
    ("ollama", "OLLAMA_BASE_URL", "OLLAMA_UNUSED"),
];

fn tool() -> PathBuf {
    let path = testkit::tools::target_dir().join("examples/ask");
    assert!(
        path.is_file(),
        "`ask` is not built: run `cargo build -p llm --example ask` first"
    );
    path
}

struct Place {
    sandbox: Sandbox,
    fake: FakeModel,
}

fn place(script: Script, manners: Manners) -> Place {
    let fake = FakeModel::start(script, manners).unwrap();
    let mut sandbox = Sandbox::new()
        .unwrap()
        .env("ONEJOB_CLOCK", "2026-03-04T05:06:07Z");
    for (_, base, key) in PROVIDERS {
        sandbox = sandbox.env(base, fake.url()).env(key, "CANARY-key");
    }
    let place = Place { sandbox, fake };
    place.settings("connect_s = 1\nfirst_byte_s = 1\nsilence_s = 1\ncall_s = 5\nmax_usd = 1");
    let prices = format!(
        "[[models.m]]\nfrom = \"2025-01-01\"\nhost = \"{}\"\ninput = 1e-6\noutput = 1e-5\n",
        place.fake.host()
    );
    place.sandbox.file("shared-config/prices.toml", prices);
    place
}

fn canned(text: &str) -> Place {
    place(Script::Canned(vec![text.to_owned()]), Manners::default())
}

impl Place {
    fn settings(&self, llm: &str) {
        let policy = "[tools.ask.policy]\nretry = { attempts = 3, backoff_ms = 5, max_backoff_ms = 1500 }";
        self.sandbox
            .file("shared-config/onejob.toml", format!("[llm]\n{llm}\n{policy}\n"));
    }

    fn ask(&self, provider: &str, more: &[&str]) -> Finished {
        let usual = [
            "--question",
            "Сколько?",
            "--model",
            "m",
            "--provider",
            provider,
            "--json",
        ];
        let args: Vec<&str> = usual.iter().chain(more).copied().collect();
        let finished = self.sandbox.run(&tool(), &args);
        let seen = format!("{}{}{:?}", finished.stdout, finished.stderr, finished.events);
        assert!(!seen.contains("CANARY"), "the key is shown: {seen}");
        finished
    }

    fn ledger(&self) -> Vec<LedgerEntry> {
        let dir = self.sandbox.root().join("state");
        let mut ledger = Ledger::open(&dir, BudgetLimits::default()).unwrap();
        ledger.entries(jiff::Timestamp::MIN).unwrap()
    }
}

#[track_caller]
fn error(finished: &Finished) -> Value {
    let line = finished.stderr.lines().rev().find(|line| line.starts_with('{'));
    let line: Value =
        serde_json::from_str(line.unwrap_or_else(|| panic!("no error: {}", finished.stderr))).unwrap();
    line["error"].clone()
}

#[test]
fn every_dialect_answers_in_pieces_of_any_size_and_is_paid_by_usage() {
    for (provider, ..) in PROVIDERS {
        for piece in [0, 1, 7] {
            let place = place(
                Script::Canned(vec!["Ответ 🎄.".to_owned()]),
                Manners {
                    piece,
                    ..Manners::default()
                },
            );
            let answer = place.ask(provider, &["--streamed"]).expect_code(0);
            let json = answer.json();
            assert_eq!(json["text"], "Ответ 🎄.", "{provider} by {piece}");
            assert!(json["pieces"].as_u64().unwrap() >= 1);
            let (input, output) = (
                json["usage"]["input"].as_u64().unwrap(),
                json["usage"]["output"].as_u64().unwrap(),
            );
            let ledger = place.ledger();
            assert_eq!(ledger.len(), 1);
            let spent = ledger[0].spent_usd.unwrap();
            assert_eq!(spent.nanos(), (input * 1_000 + output * 10_000) as i64);
            assert!(!ledger[0].unconfirmed && ledger[0].reserved_usd >= spent);
            assert_eq!(ledger[0].what, format!("{provider} m"));
        }
    }
}

#[test]
fn the_key_is_in_its_header_and_in_no_address() {
    for (provider, header) in [
        ("openai", "authorization"),
        ("anthropic", "x-api-key"),
        ("claude", "x-api-key"),
        ("gemini", "x-goog-api-key"),
    ] {
        let place = canned("x");
        place.ask(provider, &[]).expect_code(0);
        let asked = place.fake.asked();
        assert!(
            asked[0]
                .headers
                .iter()
                .any(|(name, value)| name == header && value.contains("CANARY"))
        );
        assert!(!asked[0].target.contains("CANARY"));
    }
}

#[test]
fn a_whole_document_is_taken_where_a_stream_was_asked_for() {
    for (provider, ..) in PROVIDERS {
        let manners = Manners {
            whole: true,
            ..Manners::default()
        };
        let place = place(Script::Echo, manners);
        assert_eq!(
            place.ask(provider, &[]).expect_code(0).json()["text"],
            "Сколько?",
            "{provider}"
        );
    }
}

#[test]
fn an_answer_is_used_again_at_no_cost_unless_it_is_asked_anew() {
    let place = canned("once");
    place.ask("openai", &[]).expect_code(0);
    let again = place.ask("openai", &[]).expect_code(0).json();
    assert_eq!(
        (&again["text"], &again["cached"], &again["cost_usd"]),
        (&json!("once"), &json!(true), &json!(0.0))
    );
    assert_eq!((place.fake.asked().len(), place.ledger().len()), (1, 1));
    place.ask("openai", &["--fresh"]).expect_code(0);
    place.ask("openai", &["--max-output", "101"]).expect_code(0);
    assert_eq!(place.fake.asked().len(), 3);
}

#[test]
fn the_plan_is_said_and_a_run_above_its_limit_does_not_start() {
    let place = canned("x");
    let dear = place
        .ask("openai", &["--max-output", "30000", "--times", "4"])
        .expect_code(75);
    let told = error(&dear);
    assert_eq!(told["code"], "run_budget_exceeded");
    assert!(told["hint"].as_str().unwrap().contains("--max-usd 1.2"), "{told}");
    assert_eq!(told["context"]["plan"]["calls"], 4);
    let planned = place.ask("openai", &["--dry-run"]).expect_code(0);
    assert!(planned.stdout.contains("m at 127.0.0.1"), "{}", planned.stdout);
    assert!(place.fake.asked().is_empty() && place.ledger().is_empty());
    place
        .ask(
            "openai",
            &[
                "--max-output",
                "30000",
                "--times",
                "4",
                "--max-usd",
                "2",
                "--fresh",
            ],
        )
        .expect_code(0);
    assert_eq!(place.fake.asked().len(), 4);
}

#[test]
fn what_may_not_be_asked_is_refused_before_anything_is_sent() {
    let place = canned("x");
    let unknown = error(&place.ask("openai", &["--model", "other"]).expect_code(2));
    assert_eq!(unknown["code"], "unknown_model_cost");
    assert!(
        unknown["hint"]
            .as_str()
            .unwrap()
            .contains(r#"[[models."other"]]"#)
    );
    assert!(place.fake.asked().is_empty());

    let outside = Sandbox::new()
        .unwrap()
        .env("OPENAI_API_KEY", "CANARY")
        .env("OPENAI_BASE_URL", "https://203.0.113.7/v1");
    let ask = |sandbox: &Sandbox, more: &[&str]| {
        let args: Vec<&str> = ["--question", "x", "--json"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        sandbox.run(&tool(), &args)
    };
    let personal = ask(&outside, &["--personal"]).expect_code(2);
    assert_eq!(error(&personal)["code"], "personal_data_would_leave");
    outside.file("shared-config/onejob.toml", "[llm]\nremote = false\n");
    let forbidden = ask(&outside, &[]).expect_code(78);
    assert_eq!(error(&forbidden)["code"], "remote_model_forbidden");
    let offline = ask(&outside, &["--provider", "offline"]).expect_code(0);
    assert!(offline.stdout.contains("no model"));

    let keyless = Sandbox::new().unwrap();
    let told = error(&ask(&keyless, &[]).expect_code(78));
    assert!(told["message"].as_str().unwrap().contains("OPENAI_API_KEY"));
    let stranger = Sandbox::new().unwrap().env("OPENAI_API_KEY", "CANARY");
    stranger.file(".env", "OPENAI_BASE_URL=https://203.0.113.7/v1\n");
    assert_eq!(
        error(&ask(&stranger, &[]).expect_code(78))["code"],
        "key_would_leave"
    );
    let plain = outside.env("OPENAI_BASE_URL", "http://203.0.113.7/v1");
    plain.file("shared-config/onejob.toml", "");
    assert_eq!(
        error(&ask(&plain, &[]).expect_code(78))["code"],
        "unencrypted_key"
    );
}

#[test]
fn redacted_texts_leave_without_numbers_and_the_first_line_says_so() {
    let place = canned("x");
    place.settings("privacy = \"redacted\"");
    let question = "call +7 (900) 000-00-00 or ann@example.org";
    let ended = place.ask("openai", &["--question", question]).expect_code(0);
    assert_eq!(
        place.fake.asked()[0].body["messages"][1]["content"],
        "call [phone] or [mail]"
    );
    assert!(
        ended.stderr.contains(&place.fake.host()) && ended.stderr.contains("no names, phones"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_the_settings_say_of_an_address_is_about_their_own_provider() {
    let (place, own) = (canned("the variable's"), canned("the settings'"));
    let settings = format!(
        "provider = \"ollama\"\nbase_url = \"{}\"\nmodel = \"mine\"",
        own.fake.url()
    );
    place.settings(&settings);
    let free = format!(
        "[[hosts.\"{}\"]]\nfrom = \"2025-01-01\"\ninput = 0\noutput = 0\n",
        own.fake.host()
    );
    let prices = std::fs::read_to_string(place.sandbox.path("shared-config/prices.toml")).unwrap();
    place.sandbox.file("shared-config/prices.toml", prices + &free);
    place.ask("anthropic", &[]).expect_code(0);
    assert!(
        own.fake.asked().is_empty(),
        "the key of another provider goes nowhere else"
    );
    let ended = place
        .sandbox
        .run(&tool(), &["--question", "x", "--json"])
        .expect_code(0);
    assert_eq!(ended.json()["text"], "the settings'");
    assert_eq!(own.fake.asked()[0].body["model"], "mine");
}
