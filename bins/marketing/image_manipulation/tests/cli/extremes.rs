//! Absurd but well-formed inputs: each is done or refused, without a panic, in bounded time and memory.

use std::path::Path;

use serde_json::{Value, json};
use testkit::extremes::{every_input_is_answered, input_schema};

const PROGRAM: &str = env!("CARGO_BIN_EXE_image_manipulation");

#[test]
fn absurd_numbers_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    crate::picture(dir.path(), "in.png", 48, 32);
    let schema = input_schema(Path::new(PROGRAM));
    let branches: Vec<(Value, Value)> = schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|branch| {
            let action = branch["properties"]["action"]["const"].clone();
            let mut fixed =
                json!({"action": action, "images": ["in.png"], "output": "o.png", "output_dir": null});
            for key in ["watermark", "font"] {
                if branch["properties"].get(key).is_some() {
                    fixed[key] = if key == "watermark" {
                        json!("in.png")
                    } else {
                        Value::Null
                    };
                }
            }
            if branch["properties"].get("caption").is_some() {
                fixed["caption"] = json!("Some words");
            }
            if branch["properties"].get("max_bytes").is_some() {
                fixed["max_bytes"] = json!(3000);
            }
            (branch.clone(), fixed)
        })
        .collect();
    every_input_is_answered(Path::new(PROGRAM), dir.path(), &branches, 10, 25);
}
