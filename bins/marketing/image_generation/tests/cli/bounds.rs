//! Keys, limits, plans and prices: what holds before anything is sent.

use serde_json::json;
use testkit::images::Scene;

use crate::town::{Town, error};

#[test]
fn a_missing_key_is_named_and_skipped_only_on_request() {
    let mut town = Town::new(Vec::new());
    town.sandbox = town
        .sandbox
        .env("OPENAI_API_KEY", "")
        .env("GEMINI_API_KEY", "")
        .env("GOOGLE_API_KEY", "canary-g");
    let finished = town.generate(&["--providers", "openai,gemini"]).expect_code(78);
    assert!(finished.stderr.contains("OPENAI_API_KEY"), "{}", finished.stderr);
    assert!(town.services.asked().is_empty());
    let output = town
        .generate(&["--providers", "openai,gemini", "--skip-unconfigured"])
        .expect_code(0)
        .json();
    assert_eq!(output["images"][0]["provider"], "gemini");
    assert!(output["warnings"].to_string().contains("openai is left out"));
    assert_eq!(
        town.services.asked()[0].header("x-goog-api-key"),
        Some("canary-g")
    );
}

#[test]
fn a_wrong_key_is_no_reason_to_ask_the_next_one_in_silence() {
    let mut town = Town::new(Vec::new());
    town.sandbox = town.sandbox.env("GEMINI_API_KEY", "canary-wrong");
    let finished = town
        .generate(&["--providers", "gemini,stability"])
        .expect_code(77);
    assert_eq!(error(&finished)["kind"], "unauthorised");
    assert_eq!(town.services.asked().len(), 1);
    town.generate(&["--providers", "gemini,stability", "--skip-unconfigured"])
        .expect_code(0);
}

#[test]
fn a_dry_run_shows_the_cost_of_every_link_without_keys() {
    let mut town = Town::new(Vec::new());
    for name in ["OPENAI_API_KEY", "GEMINI_API_KEY", "STABILITY_API_KEY"] {
        town.sandbox = town.sandbox.env(name, "");
    }
    let output = town
        .generate(&[
            "--providers",
            "openai,stability,canvas",
            "-n",
            "3",
            "--size",
            "1024x1536",
            "--dry-run",
        ])
        .expect_code(0)
        .json();
    let links = output["links"].as_array().unwrap();
    assert_eq!(links.len(), 3);
    assert_eq!(
        (&links[1]["most_usd"], &links[1]["makes"]),
        (&json!(0.09), &json!("2:3"))
    );
    // 1800 tokens a megapixel at 30 dollars a million, and the prompt.
    assert!(links[0]["most_usd_each"].as_f64().unwrap() > 0.081, "{output}");
    assert_eq!(
        (&links[0]["key_set"], &links[2]["most_usd"]),
        (&json!(false), &json!(0.0))
    );
    assert_eq!(output["plan"]["actions"].as_array().unwrap().len(), 6);
    assert!(town.services.asked().is_empty() && town.ledger().is_empty() && town.sandbox.files().is_empty());
}

#[test]
fn limits_of_the_run_and_of_the_host_hold_before_a_call() {
    let town = Town::new(Vec::new());
    let finished = town
        .generate(&["-p", "stability", "-n", "3", "--max-usd", "0.07"])
        .expect_code(3);
    assert_eq!(error(&finished)["code"], "max_usd_exceeded");
    assert_eq!((town.services.asked().len(), town.ledger().len()), (2, 2));
    assert!(town.sandbox.files().contains(&"a-red-teapot_1-2.png".to_owned()));

    let town = Town::new(Vec::new());
    let told = error(
        &town
            .generate(&["-p", "openai", "--max-usd", "0.01"])
            .expect_code(75),
    );
    assert_eq!(told["code"], "max_usd_exceeded");
    assert!(town.services.asked().is_empty() && town.ledger().is_empty());

    let mut town = Town::new(Vec::new());
    town.sandbox = town.sandbox.env("DAILY_BUDGET_USD", "0.05");
    let told = error(
        &town
            .generate(&["-p", "openai", "--quality", "high"])
            .expect_code(75),
    );
    assert_eq!(told["code"], "day_budget_exceeded");
    assert!(town.services.asked().is_empty());
}

#[test]
fn what_was_made_before_a_failure_is_kept_and_said() {
    let trouble = Scene::Json(400, json!({"errors": ["prompt: no"], "name": "bad_request"}));
    let town = Town::new(vec![Scene::Picture, trouble]);
    let finished = town.generate(&["-p", "stability", "-n", "3"]).expect_code(3);
    let told = error(&finished);
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .starts_with("1 of 3 pictures were made"),
        "{told}"
    );
    assert_eq!(finished.json()["images"].as_array().unwrap().len(), 1);
    assert!(town.sandbox.files().contains(&"a-red-teapot_1.png".to_owned()));
}

#[test]
fn a_picture_that_was_paid_for_is_not_written_over() {
    let town = Town::new(Vec::new());
    for expected in [
        "a-red-teapot_1.png",
        "a-red-teapot_1_2.png",
        "a-red-teapot_1_3.png",
    ] {
        let output = town.generate(&["-p", "automatic1111"]).expect_code(0).json();
        assert_eq!(output["images"][0]["path"], expected);
    }
}

#[test]
fn models_show_prices_and_end_dates() {
    let services = testkit::ImageServices::start(Vec::new()).unwrap();
    let town = Town::with(services, "[images.openai]\nmodel = \"gpt-image-1\"\n");
    let output = town.run(&["models"]).expect_code(0).json();
    let models = output["models"].as_array().unwrap();
    let by = |name: &str| models.iter().find(|model| model["model"] == name).unwrap();
    let retired = by("gpt-image-1");
    assert_eq!(
        (&retired["on_sale"], &retired["until"]),
        (&json!(false), &json!("2026-10-22"))
    );
    assert_eq!(
        (
            &by("stable-image-core")["most_usd"],
            &by("brand-card-1")["most_usd"]
        ),
        (&json!(0.03), &json!(0.0))
    );
    assert!(
        output["warnings"]
            .to_string()
            .contains("was sold until 2026-10-22"),
        "{output}"
    );
    assert!(town.services.asked().is_empty());
}

#[test]
fn keys_go_only_where_the_operator_sends_them() {
    let services = testkit::ImageServices::start(Vec::new()).unwrap();
    let town = Town::with(
        services,
        "[images.gemini]\nbase_url = \"http://pictures.example\"\n",
    );
    let finished = town.generate(&["-p", "gemini"]).expect_code(78);
    assert!(
        finished.stderr.contains("must begin with https"),
        "{}",
        finished.stderr
    );

    let town = Town::new(Vec::new());
    town.sandbox
        .file("shared-config/onejob.toml", town.services.settings());
    let mut elsewhere = town;
    elsewhere.sandbox = elsewhere.sandbox.env("ONEJOB_CONFIG_DIR", "");
    let finished = elsewhere.generate(&["-p", "openai"]).expect_code(78);
    assert!(
        finished.stderr.contains("ONEJOB_CONFIG_DIR"),
        "{}",
        finished.stderr
    );
    elsewhere.generate(&["-p", "automatic1111"]).expect_code(0);
    assert_eq!(elsewhere.services.asked().len(), 1, "it has no key to lose");
}
