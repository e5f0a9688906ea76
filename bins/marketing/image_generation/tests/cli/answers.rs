//! The recorded answers of the providers: what each means for the exit code, the money, the chain and the files.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use testkit::images::{JPEG, Scene, WEBP, png};

use crate::town::{Town, error, usd};

/// The answer of that name from the field case, with real pictures in place of its marks.
fn recorded(name: &str) -> Scene {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../fixtures/images/provider-answers/answers.json"
    );
    let all: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let case = all.iter().find(|case| case["name"] == name).unwrap();
    if case["close_after_request"] == true {
        return Scene::Lost;
    }
    let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
    if case["body"] == "<png>" {
        let headers = case["headers"].as_object().unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        return Scene::Raw(status, headers.collect(), png(1024, 1024));
    }
    let mut text = case["body"].to_string();
    for (mark, bytes) in [
        ("<draft>", png(8, 8)),
        ("<only>", png(24, 24)),
        ("<final>", JPEG.to_vec()),
        ("UklGRh...", WEBP.to_vec()),
    ] {
        text = text.replace(mark, &STANDARD.encode(bytes));
    }
    Scene::Json(status, serde_json::from_str(&text).unwrap())
}

/// Runs one recorded answer of `provider` with a working one behind it in the chain.
fn chained(case: &str, providers: &str, more: &[&str]) -> (Town, testkit::Finished) {
    let town = Town::new(vec![recorded(case)]);
    let mut args = vec!["--providers", providers];
    args.extend_from_slice(more);
    let finished = town.generate(&args);
    (town, finished)
}

fn refunded() -> (String, Option<app_core::Usd>, bool) {
    ("refunded".to_owned(), None, false)
}

#[test]
fn a_retired_model_is_refused_with_the_present_ones_and_the_next_is_asked() {
    let (town, finished) = chained("openai refuses the retired model", "openai", &[]);
    let told = error(&finished.clone().expect_code(69));
    assert_eq!(
        (&told["kind"], &told["code"]),
        (&json!("provider_rejected"), &json!("model_not_found"))
    );
    assert!(
        told["hint"].as_str().unwrap().contains("gpt-image-2.6-sunburst"),
        "{told}"
    );
    assert_eq!(
        (town.services.asked().len(), town.money()),
        (1, vec![refunded()]),
        "not repeated"
    );

    let (town, finished) = chained("openai refuses the retired model", "openai,stability", &[]);
    let output = finished.expect_code(0).json();
    assert_eq!(output["images"][0]["provider"], "stability");
    assert_eq!(output["attempts"][0]["code"], "model_not_found");
    assert_eq!(
        town.money(),
        [refunded(), ("committed".to_owned(), Some(usd("0.03")), false)]
    );
}

#[test]
fn a_refusal_ends_the_chain_unless_the_caller_wants_the_next_one_asked() {
    for case in ["openai moderation", "gemini safety", "stability blurred with 200"] {
        let provider = case.split(' ').next().unwrap();
        let chain = format!("{provider},automatic1111");
        let (town, finished) = chained(case, &chain, &[]);
        let told = error(&finished.clone().expect_code(69));
        assert_eq!(told["code"], "refused", "{case}: {told}");
        assert_eq!(town.services.asked().len(), 1, "{case}");
        assert!(
            town.sandbox.files().is_empty(),
            "{case}: {:?}",
            town.sandbox.files()
        );

        let (town, finished) = chained(case, &chain, &["--fallback-on-refusal"]);
        assert_eq!(
            finished.expect_code(0).json()["images"][0]["provider"],
            "automatic1111"
        );
        assert_eq!(town.services.asked().len(), 2, "{case}");
    }
}

#[test]
fn what_a_refusal_costs_is_what_the_answer_and_the_table_say() {
    let (town, _) = chained("openai moderation", "openai", &[]);
    assert_eq!(town.money(), [refunded()]);
    // Nothing tells what the model read: nothing is known to be owed, and that is marked.
    let (town, _) = chained("gemini safety", "gemini", &[]);
    assert_eq!(town.money(), [("committed".to_owned(), Some(usd("0")), true)]);
    let (town, _) = chained("stability blurred with 200", "stability", &[]);
    assert_eq!(town.money(), [("committed".to_owned(), Some(usd("0.03")), false)]);

    let town = Town::new(vec![recorded("stability blurred with 200")]);
    std::fs::write(
        town.sandbox.root().join("config/prices.toml"),
        "[[models.\"stable-image-core\"]]\nfrom = \"2025-01-01\"\nper_image = 0.03\nfiltered_is_free = true\n",
    )
    .unwrap();
    town.generate(&["--provider", "stability"]).expect_code(69);
    assert_eq!(town.money(), [refunded()], "the price table says so");
}

#[test]
fn an_answer_without_a_picture_costs_its_tokens_and_leaves_no_file() {
    let (town, finished) = chained("openai without data", "openai", &[]);
    assert_eq!(error(&finished.expect_code(69))["code"], "no_picture");
    // 20 tokens of text at 5 dollars a million.
    assert_eq!(
        town.money(),
        [("committed".to_owned(), Some(usd("0.0001")), false)]
    );

    let (town, finished) = chained("gemini words only", "gemini", &[]);
    let told = error(&finished.expect_code(69));
    assert_eq!(told["code"], "no_picture");
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .contains("Image generation failed."),
        "{told}"
    );
    // 12 tokens at half a dollar a million.
    assert_eq!(
        town.money(),
        [("committed".to_owned(), Some(usd("0.000006")), false)]
    );
    assert!(town.sandbox.files().is_empty());
}

#[test]
fn the_bytes_decide_what_a_picture_is_called() {
    let (town, finished) = chained("openai asked png, sent webp", "openai", &[]);
    let output = finished.expect_code(0).json();
    assert_eq!(output["images"][0]["path"], "a-red-teapot_1.webp");
    assert!(
        output["warnings"].to_string().contains("sent image/webp"),
        "{output}"
    );
    assert_eq!(
        std::fs::read(town.sandbox.path("a-red-teapot_1.webp")).unwrap(),
        WEBP
    );

    let (town, finished) = chained("openai asked png, sent webp", "openai", &["-o", "tea.png"]);
    assert!(
        finished.expect_code(0).json()["warnings"]
            .to_string()
            .contains("converted")
    );
    let bytes = std::fs::read(town.sandbox.path("tea.png")).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let found = image::load_from_memory(&bytes).unwrap();
    assert_eq!((found.width(), found.height()), (16, 16));
}

#[test]
fn a_picture_in_a_thought_is_a_draft_unless_there_is_no_other() {
    let (town, finished) = chained("gemini picture in a thought, then picture", "gemini", &[]);
    assert_eq!(
        finished.expect_code(0).json()["images"][0]["path"],
        "a-red-teapot_1.jpg"
    );
    assert_eq!(
        std::fs::read(town.sandbox.path("a-red-teapot_1.jpg")).unwrap(),
        JPEG
    );
    let (town, finished) = chained("gemini only a thought picture", "gemini", &[]);
    assert_eq!(finished.expect_code(0).json()["images"][0]["width"], 24);
    // Nobody said what it cost: the price of the piece, marked.
    assert_eq!(town.money(), [("committed".to_owned(), Some(usd("0.067")), true)]);
}

#[test]
fn an_empty_account_is_a_budget_of_the_provider() {
    let (town, finished) = chained("stability out of credits", "stability", &["-n", "3"]);
    let told = error(&finished.expect_code(75));
    assert_eq!(
        (&told["kind"], &told["retryable"]),
        (&json!("budget_exceeded"), &json!(false))
    );
    assert_eq!((town.services.asked().len(), town.money()), (1, vec![refunded()]));
    // With another provider behind it, it is not asked for the further pictures either.
    let (town, finished) = chained("stability out of credits", "stability,gemini", &["-n", "3"]);
    finished.expect_code(0);
    let paths: Vec<String> = town
        .services
        .asked()
        .iter()
        .map(|asked| asked.path.clone())
        .collect();
    assert_eq!(
        paths.iter().filter(|path| path.contains("stable-image")).count(),
        1,
        "{paths:?}"
    );
}

#[test]
fn a_lost_answer_is_committed_and_nobody_else_is_asked() {
    let (town, finished) = chained("answer lost", "openai,gemini", &[]);
    let told = error(&finished.expect_code(69));
    assert_eq!(
        (&told["code"], &told["retryable"]),
        (&json!("unconfirmed"), &json!(false))
    );
    assert_eq!(town.services.asked().len(), 1, "asked once");
    let entry = &town.ledger()[0];
    assert!(
        entry.unconfirmed && entry.spent_usd == Some(entry.reserved_usd),
        "{entry:?}"
    );

    let (town, finished) = chained("answer lost", "openai,gemini", &["--fallback-on-unconfirmed"]);
    let output = finished.expect_code(0).json();
    assert_eq!(output["images"][0]["provider"], "gemini");
    assert_eq!(output["attempts"][0]["unconfirmed"], true);
    assert_eq!(town.money().len(), 2);
}

#[test]
fn a_connection_that_is_refused_is_tried_again_and_given_back() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let services = testkit::ImageServices::start(Vec::new()).unwrap();
    let settings = format!(
        "[images.openai]\nbase_url = \"http://{closed}\"\n[images.gemini]\nbase_url = \"{}\"\n",
        services.url()
    );
    let town = Town::with(services, &settings);
    let told = error(&town.generate(&["--provider", "openai"]).expect_code(75));
    assert_eq!(
        (&told["kind"], &told["code"]),
        (&json!("network"), &json!("cannot_connect"))
    );
    assert_eq!(town.money(), [refunded()]);
    let output = town
        .generate(&["--providers", "openai,gemini"])
        .expect_code(0)
        .json();
    assert_eq!(output["images"][0]["provider"], "gemini");
}

#[test]
fn a_server_that_broke_may_have_drawn_and_one_that_is_busy_has_not() {
    for (status, money) in [(500, true), (502, true), (504, true), (503, false), (429, false)] {
        let town = Town::new(vec![Scene::Json(
            status,
            json!({"error": {"message": "trouble"}}),
        )]);
        let finished = town.generate(&["--provider", "openai"]).expect_code(75);
        let entry = &town.ledger()[0];
        assert_eq!(entry.unconfirmed, money, "{status}: {entry:?}");
        assert_eq!(error(&finished)["retryable"], !money, "{status}");
        assert_eq!(town.services.asked().len(), 1, "{status}");
    }
}

#[test]
fn what_is_no_picture_is_no_file() {
    for scene in [
        Scene::File(b"<html>hello</html>".to_vec()),
        Scene::Json(200, json!({"data": [{"b64_json": "%%%"}]})),
        Scene::Raw(200, Vec::new(), b"\x1b[31mnoise".to_vec()),
    ] {
        let town = Town::new(vec![scene.clone()]);
        let finished = town.generate(&["--provider", "openai"]).expect_code(69);
        assert!(town.sandbox.files().is_empty(), "{scene:?}");
        assert!(!finished.stderr.contains('\u{1b}'));
        assert_eq!(town.money()[0].0, "committed", "{scene:?}: a model may have run");
    }
}
