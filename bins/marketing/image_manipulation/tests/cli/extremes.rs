//! Absurd but well-formed inputs: each is done or refused, without a panic, in bounded time and memory.

use std::path::Path;

use serde_json::{Value, json};
use testkit::extremes::{inputs, run_bounded};

/// Runs `count` inputs of each branch; at least `share` percent must get past validation.
fn every_input_is_answered(dir: &Path, branches: &[(Value, Value)], count: usize, share: usize) {
    let program = Path::new(env!("CARGO_BIN_EXE_image_manipulation"));
    let (mut all, mut done) = (0, 0);
    for (schema, fixed) in branches {
        for input in inputs(schema, fixed, 7, count) {
            let output = run_bounded(program, dir, &input, 20, 1600).unwrap();
            let code = output.status.code();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                matches!(code, Some(0 | 2 | 3 | 66 | 73)),
                "{input}: {code:?} {stderr}"
            );
            all += 1;
            done += usize::from(code == Some(0));
        }
    }
    assert!(done * 100 >= all * share, "only {done} of {all} were done");
}

fn described() -> Value {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_image_manipulation"))
        .arg("--describe")
        .output()
        .unwrap();
    let whole: Value = serde_json::from_slice(&output.stdout).unwrap();
    whole["input_schema"].clone()
}

#[test]
fn absurd_numbers_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    crate::picture(dir.path(), "in.png", 48, 32);
    let schema = described();
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
    every_input_is_answered(dir.path(), &branches, 10, 25);
}
