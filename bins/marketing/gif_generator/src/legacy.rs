//! Calls of the replaced script: its parameters, its messages.

use std::path::Path;

use app_core::ToolError;
use serde_json::{Value, json};

/// The old parameters as this tool's input, or the old answer where the old checks fail, in the old order.
pub fn input(call: &Value) -> Result<Value, Value> {
    let images = call
        .get("input_images")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let Some(images) = images else {
        return Err(error("input_images list is required and cannot be empty."));
    };
    let Some(output) = call
        .get("output_path")
        .and_then(Value::as_str)
        .filter(|path| !path.is_empty())
    else {
        return Err(error("output_path is required."));
    };
    let names: Vec<&str> = images.iter().filter_map(Value::as_str).collect();
    if let Some(missing) = names.iter().find(|name| !Path::new(name).exists()) {
        return Err(error(&format!("Input image not found: {missing}")));
    }
    let rate = call.get("frame_rate").cloned().unwrap_or(json!(10));
    let loops = call.get("loop_count").cloned().unwrap_or(json!(0));
    Ok(json!({"images": names, "output": output, "rate": rate, "loop_count": loops}))
}

/// The old answer.
pub fn answer(call: &Value, outcome: Result<(), &ToolError>) -> Value {
    match outcome {
        Ok(()) => {
            let output = call
                .get("output_path")
                .and_then(Value::as_str)
                .unwrap_or_default();
            json!({"status": "success", "message": format!("GIF generated successfully. Output: {output}")})
        }
        Err(_) => error("GIF generation failed."),
    }
}

fn error(message: &str) -> Value {
    json!({"status": "error", "message": message})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_checks_come_in_the_old_order() {
        let message = |call: Value| {
            input(&call).unwrap_err()["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(
            message(json!({})),
            "input_images list is required and cannot be empty."
        );
        assert_eq!(
            message(json!({"input_images": ["absent.png"]})),
            "output_path is required."
        );
        let call = json!({"input_images": ["absent.png"], "output_path": "o.gif"});
        assert_eq!(message(call), "Input image not found: absent.png");
    }

    #[test]
    fn the_old_defaults_are_kept() {
        let call = json!({"input_images": ["Cargo.toml"], "output_path": "o.gif"});
        let input = input(&call).unwrap();
        assert_eq!((&input["rate"], &input["loop_count"]), (&json!(10), &json!(0)));
        assert_eq!(
            answer(&call, Ok(()))["message"],
            "GIF generated successfully. Output: o.gif"
        );
    }
}
