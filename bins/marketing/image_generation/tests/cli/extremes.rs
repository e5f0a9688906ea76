//! Absurd but well-formed inputs: each is done or refused, without a panic, in bounded time and memory.

use std::path::Path;

use serde_json::{Value, json};
use testkit::extremes::{every_input_is_answered, input_schema};

const PROGRAM: &str = env!("CARGO_BIN_EXE_image_generation");

#[test]
fn absurd_numbers_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    image::RgbImage::from_pixel(40, 30, image::Rgb([9, 200, 30]))
        .save(dir.path().join("in.png"))
        .unwrap();
    let schema = input_schema(Path::new(PROGRAM));
    let branches: Vec<(Value, Value)> = schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|branch| {
            let action = branch["properties"]["action"]["const"].clone();
            let fixed = if action == "humanize" {
                json!({"action": action, "image": "in.png", "output": "o.png", "noise_file": null})
            } else {
                json!({"action": action, "prompt": "Tea", "output": "o.png", "reference": null, "output_dir": null})
            };
            (branch.clone(), fixed)
        })
        .collect();
    every_input_is_answered(Path::new(PROGRAM), dir.path(), &branches, 16, 20);
}
