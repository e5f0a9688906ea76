//! The tool from outside: feedback that is found again, and approvals of exact bytes.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::PathBuf;

use app_core::state::{Approvals, Decision, Principal};
use serde_json::{Value, json};
use testkit::{Finished, Sandbox};

fn tool() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_human_feedback"))
}

fn host() -> Sandbox {
    Sandbox::new()
        .unwrap()
        .env("ONEJOB_CLOCK", "2026-05-01T12:00:00Z")
}

fn run(host: &Sandbox, args: &[&str]) -> Finished {
    host.run(&tool(), args)
}

/// The user of the system, as approvals know him.
fn me() -> String {
    Principal::os_user("cli").as_str().to_owned()
}

/// The host, whose operator lets this user decide without a terminal.
fn deciding(host: Sandbox) -> Sandbox {
    let settings = format!("[tools.human_feedback.settings]\nagents = [\"{}\"]\n", me());
    let file = host.file("operator/onejob.toml", settings);
    host.env("ONEJOB_CONFIG_DIR", file.parent().unwrap().display().to_string())
}

#[test]
fn what_was_said_is_found_listed_counted_and_taken_back() {
    let host = host();
    host.file("post.json", "{}");
    let args = [
        "collect",
        "Warmer than the last one",
        "-r",
        "4",
        "-t",
        "tone",
        "-t",
        "copy",
        "-a",
        "post.json",
        "--by",
        " max ",
    ];
    let id = run(&host, &args).expect_code(0).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    run(
        &host,
        &[
            "collect",
            "Слишком холодно",
            "--rating",
            "2",
            "--tag",
            "tone",
            "--by",
            "ina",
        ],
    )
    .expect_code(0);
    run(&host, &["collect", "=HYPERLINK(\"x\"), no rating", "--by", "ina"]).expect_code(0);

    let found = run(&host, &["retrieve", "last warmer", "--where", "rating>=4"])
        .expect_code(0)
        .json();
    let document = &found["hits"][0]["document"];
    assert_eq!(
        (&document["author"], &document["tags"]),
        (&json!("max"), &json!(["copy", "tone"]))
    );
    assert_eq!(document["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        run(&host, &["retrieve", "холодный"]).expect_code(0).json()["matching"],
        1
    );
    assert_eq!(
        run(&host, &["list", "--where", "tags=tone"])
            .expect_code(0)
            .json()["matching"],
        2
    );

    let summary = run(&host, &["summary"]).expect_code(0).json();
    assert_eq!(
        (&summary["count"], &summary["rated"], &summary["mean_rating"]),
        (&json!(3), &json!(2), &json!(3.0))
    );
    assert_eq!(
        (&summary["tags"]["tone"], &summary["authors"]["ina"]),
        (&json!(2), &json!(2))
    );

    run(&host, &["export", "out.csv"]).expect_code(0);
    let csv = std::fs::read_to_string(host.path("out.csv")).unwrap();
    assert!(csv.starts_with('\u{feff}') && csv.lines().count() == 4, "{csv}");
    assert!(csv.contains("\"'=HYPERLINK(\"\"x\"\"), no rating\""), "{csv}");
    run(&host, &["export", "out.jsonl", "-f", "jsonl"]).expect_code(0);
    assert_eq!(
        std::fs::read_to_string(host.path("out.jsonl"))
            .unwrap()
            .lines()
            .count(),
        3
    );

    run(&host, &["undo", &id, "--dry-run"]).expect_code(0);
    run(&host, &["undo", &id]).expect_code(0);
    run(&host, &["undo", &id]).expect_code(66);
    assert_eq!(
        run(&host, &["retrieve", "warmer"]).expect_code(0).json()["matching"],
        0
    );
}

#[test]
fn what_cannot_be_kept_is_refused_and_not_kept() {
    let host = host();
    host.file("post.json", "{}");
    for (args, field) in [
        (vec!["collect", "Positive", "--rating", "6"], "rating"),
        (vec!["collect", "Positive", "--rating", "0"], "rating"),
        (
            vec!["collect", "--feedback", r#"{"text": "Positive", "rating": 6}"#],
            "feedback.rating",
        ),
        (vec!["collect", "--feedback", "{}"], "feedback"),
        (vec!["collect", " "], "feedback"),
        (
            vec!["collect", "Positive", "--artifact", "post.json", "--sha256", "aa"],
            "sha256",
        ),
        (vec!["collect", "Positive", "--sha256", "aa"], "sha256"),
        (
            vec!["collect", "Positive", "--feedback", r#"{"a": 1}"#],
            "feedback",
        ),
        (vec!["retrieve", ""], "query"),
    ] {
        let mut args = args;
        args.push("--json");
        let refused = run(&host, &args).expect_code(2);
        let line = refused.stderr.lines().last().unwrap();
        let error: Value = serde_json::from_str(line).unwrap();
        assert_eq!(error["error"]["field_paths"], json!([field]), "{args:?}");
    }
    let missing = run(&host, &["collect", "Positive", "--artifact", "none.json"]);
    assert!([Some(2), Some(66)].contains(&missing.code), "{:?}", missing.code);
    assert_eq!(
        run(&host, &["retrieve", "positive"]).expect_code(0).json()["matching"],
        0
    );
    let dry = run(&host, &["collect", "Positive", "--dry-run"])
        .expect_code(0)
        .json();
    assert_eq!(dry["done"], false);
    assert_eq!(run(&host, &["list"]).expect_code(0).json()["matching"], 0);
}

#[test]
fn a_request_is_bound_to_bytes_and_not_decided_by_whoever_asked_or_by_programs() {
    let host = host();
    host.file("post.json", "one");
    let asked = run(&host, &["request", "post.json", "--needs", "1", "--by", "Ina"])
        .expect_code(0)
        .json();
    let id = asked["request"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&asked["standing"], &asked["request"]["by"]),
        (&json!("waiting"), &json!(me()))
    );
    let again = run(&host, &["request", "post.json", "--needs", "1", "--by", "Ina"])
        .expect_code(0)
        .json();
    assert_eq!(
        again["request"]["id"], asked["request"]["id"],
        "the same question is one request"
    );
    let code = |host: &Sandbox, args: &[&str], exit: i32| {
        let refused = run(host, &[args, &["--json"]].concat()).expect_code(exit);
        let line = refused.stderr.lines().last().unwrap();
        serde_json::from_str::<Value>(line).unwrap()["error"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(code(&host, &["check", &id], 3), "waiting");
    assert_eq!(code(&host, &["approve", &id], 77), "no_terminal");

    host.file(
        "shared-config/onejob.toml",
        format!("[tools.human_feedback.settings]\nagents = [\"{}\"]\n", me()),
    );
    assert_eq!(
        code(&host, &["approve", &id], 77),
        "no_terminal",
        "a file of the working directory gives no rights"
    );
    let host = deciding(host);
    assert_eq!(code(&host, &["approve", &id], 77), "own_request");
    // Somebody else, at another face of the same store.
    let store = Approvals::open(&host.root().join("state")).unwrap();
    let max = Principal::token("console", "max").unwrap();
    let shown = store.get(&id).unwrap().shown;
    store
        .decide(
            &id,
            &max,
            Decision::Approve,
            &shown,
            "fine",
            "2026-05-01T12:00:00Z".parse().unwrap(),
        )
        .unwrap();
    let approved = run(&host, &["check", &id]).expect_code(0).json();
    assert_eq!(approved["request"]["decisions"][0]["principal"], "console:max");
    host.file("post.json", "two");
    assert_eq!(code(&host, &["check", &id], 3), "stale");
    let anew = run(&host, &["request", "post.json"]).expect_code(0).json();
    assert_ne!(anew["request"]["id"], asked["request"]["id"]);
    assert_eq!(run(&host, &["verify"]).expect_code(0).json()["rows"], 3);
    assert_eq!(code(&host, &["check", "a99"], 66), "not_found");
}

#[test]
fn a_request_of_others_is_approved_as_the_user_of_the_system() {
    let host = host().env("ONEJOB_CLOCK", "2026-05-01T12:00:00Z");
    host.file("post.json", "one");
    let host = deciding(host);
    let file = std::fs::canonicalize(host.path("post.json")).unwrap();
    let store = Approvals::open(&host.root().join("state")).unwrap();
    let ask = || {
        let shown = [app_core::files::sha256_of(&file).unwrap()];
        let subject = format!("feedback:{}", serde_json::to_string(&[&file]).unwrap());
        let new = app_core::state::NewRequest {
            subject: &subject,
            question: "?",
            shown: &shown,
            needed: 1,
            by: "console:ina",
        };
        store
            .request(&new, "2026-05-01T12:00:00Z".parse().unwrap())
            .unwrap()
            .id
    };
    let id = ask();
    run(&host, &["approve", &id, "--dry-run"]).expect_code(0);
    run(&host, &["check", &id]).expect_code(3);
    host.file("post.json", "two");
    run(&host, &["approve", &id]).expect_code(2);
    host.file("post.json", "one");
    let approved = run(&host, &["approve", &id, "--comment", "good"])
        .expect_code(0)
        .json();
    assert_eq!(
        (
            &approved["standing"],
            &approved["request"]["decisions"][0]["principal"]
        ),
        (&json!("approved"), &json!(me()))
    );
    run(&host, &["check", &id]).expect_code(0);
    host.file("post.json", "three");
    let second = ask();
    run(&host, &["reject", &second]).expect_code(2);
    run(&host, &["reject", &second, "--reason", "price"]).expect_code(0);
    let rejected = run(&host, &["check", &second, "--text"]).expect_code(3);
    assert!(rejected.stdout.contains("price"), "{}", rejected.stdout);
}
