//! Calls of the replaced function: routes, names of files and sentences as they were.

use std::path::Path;

use serde_json::{Value, json};
use testkit::images::{Scene, png};

use crate::town::Town;

const PROGRAM: &str = env!("CARGO_BIN_EXE_image_generation");

fn call(town: &Town, call: &Value) -> Value {
    let finished = town.sandbox.run_with(
        Path::new(PROGRAM),
        &["--legacy", "--quiet"],
        call.to_string().as_bytes(),
    );
    finished.json()
}

fn paths(town: &Town) -> Vec<String> {
    town.services
        .asked()
        .iter()
        .map(|asked| asked.path.clone())
        .collect()
}

#[test]
fn stability_is_asked_first_and_its_picture_is_touched() {
    let town = Town::new(Vec::new());
    let answer = call(
        &town,
        &json!({"prompt": "A cup of tea/in spring", "campaign_dir": "c"}),
    );
    let path = "c/A_cup_of_tea_in_spring_20261128100000_humanized.png";
    assert_eq!(answer, json!({"status": "success", "result": path}));
    assert_eq!(paths(&town), ["/v2beta/stable-image/generate/core"]);
    assert_eq!(
        town.json("c/A_cup_of_tea_in_spring_20261128100000_humanized.json")["humanized"],
        true
    );
    let touched = image::open(town.sandbox.path(path)).unwrap().into_rgb8();
    // The paper is white; the touch adds noise.
    assert!(touched.pixels().any(|pixel| pixel.0 != [255, 255, 255]));
}

#[test]
fn gemini_is_asked_for_references_and_whenever_stability_fails() {
    let town = Town::new(vec![Scene::Lost]);
    let answer = call(&town, &json!({"prompt": "tea"}));
    assert_eq!(answer["result"], "tea_20261128100000_gemini.png");
    assert_eq!(paths(&town).len(), 2);

    let town = Town::new(Vec::new());
    town.sandbox.file("ref.png", png(64, 64));
    let answer = call(
        &town,
        &json!({"prompt": "tea", "reference_image_path": "ref.png"}),
    );
    assert_eq!(answer["result"], "tea_20261128100000_gemini.png");
    assert_eq!(
        paths(&town),
        ["/v1/models/gemini-3.1-flash-image:generateContent"]
    );
}

#[test]
fn failures_are_the_old_sentences_and_never_a_path() {
    let mut town = Town::new(vec![Scene::Json(
        200,
        json!({"candidates": [{"finishReason": "NO_IMAGE"}]}),
    )]);
    town.sandbox.file("bad.png", "no picture");
    town.sandbox = town.sandbox.env("STABILITY_API_KEY", "");
    for (input, reason) in [
        (json!({"prompt": "tea"}), "No image data."),
        (
            json!({"prompt": "tea", "reference_image_path": "absent.png"}),
            "Reference image not found.",
        ),
        (
            json!({"prompt": "tea", "reference_image_path": "bad.png"}),
            "Could not open reference image.",
        ),
    ] {
        let message = format!("Gemini image generation failed: {reason}");
        assert_eq!(
            call(&town, &input),
            json!({"status": "error", "message": message})
        );
    }
    town.sandbox = town.sandbox.env("GEMINI_API_KEY", "");
    let message = "Gemini image generation failed: API key not set.";
    assert_eq!(
        call(&town, &json!({"prompt": "tea"})),
        json!({"status": "error", "message": message})
    );
    assert_eq!(paths(&town).len(), 1);
}
