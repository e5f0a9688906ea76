//! Calls of the replaced script: its parameters, its checks in their order, its messages.

use std::path::Path;

use app_core::ToolError;
use serde_json::{Value, json};

use crate::geometry::Gravity;

/// The old parameters as this tool's input, or the old answer where an old check fails.
pub fn input(call: &Value) -> Result<Value, Value> {
    let text = |key: &str| call.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    let (Some(input), Some(output)) = (text("input_path"), text("output_path")) else {
        return Err(error("input_path and output_path are required."));
    };
    if !Path::new(input).exists() {
        return Err(error(&format!("Input file not found: {input}")));
    }
    match text("action") {
        Some("resize") => {
            let (width, height) = (side(call, "width"), side(call, "height"));
            if width.is_none() && height.is_none() {
                return Err(error("For 'resize' action, 'width' or 'height' is required."));
            }
            let mut new = json!({"action": "resize", "images": [input], "output": output, "in_place": true});
            for (key, value) in [("width", width), ("height", height)] {
                if let Some(value) = value {
                    new[key] = json!(value);
                }
            }
            Ok(new)
        }
        Some("add_watermark") => {
            let Some(mark) = text("watermark_path") else {
                return Err(error("For 'add_watermark' action, 'watermark_path' is required."));
            };
            if !Path::new(mark).exists() {
                return Err(error(&format!("Watermark file not found: {mark}")));
            }
            let wanted = call.get("gravity").and_then(Value::as_str).unwrap_or("SouthEast");
            let gravity = Gravity::OLD_NAMES
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            let Some((_, gravity)) = gravity else {
                let names: Vec<&str> = Gravity::OLD_NAMES.iter().map(|(name, _)| *name).collect();
                return Err(error(&format!(
                    "Image manipulation 'add_watermark' failed. Unknown gravity '{wanted}'; use one of: {}",
                    names.join(", ")
                )));
            };
            Ok(json!({
                "action": "watermark", "images": [input], "output": output, "watermark": mark,
                "gravity": gravity, "in_place": true,
            }))
        }
        _ => Err(error("Invalid action. Must be 'resize' or 'add_watermark'.")),
    }
}

/// A side as a whole number, given as a number or as digits; 0 means not given, as before.
fn side(call: &Value, key: &str) -> Option<u64> {
    let value = call.get(key)?;
    let number = value.as_u64().or_else(|| value.as_f64().map(|v| v as u64));
    number
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|&v| v > 0)
}

/// The old answer.
pub fn answer(call: &Value, outcome: Result<(), &ToolError>) -> Value {
    let text = |key: &str| call.get(key).and_then(Value::as_str).unwrap_or_default();
    let action = text("action");
    match outcome {
        Ok(()) => {
            let output = text("output_path");
            json!({"status": "success", "message": format!("Image manipulation '{action}' successful. Output: {output}")})
        }
        Err(_) => error(&format!("Image manipulation '{action}' failed.")),
    }
}

fn error(message: &str) -> Value {
    json!({"status": "error", "message": message})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(call: Value) -> String {
        input(&call).unwrap_err()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    #[test]
    fn the_old_checks_come_in_the_old_order() {
        assert_eq!(
            message(json!({"action": "resize"})),
            "input_path and output_path are required."
        );
        let absent = json!({"action": "crop", "input_path": "absent.png", "output_path": "o.png"});
        assert_eq!(message(absent), "Input file not found: absent.png");
        let crop = json!({"action": "crop", "input_path": "Cargo.toml", "output_path": "o.png"});
        assert_eq!(
            message(crop),
            "Invalid action. Must be 'resize' or 'add_watermark'."
        );
        let zero =
            json!({"action": "resize", "input_path": "Cargo.toml", "output_path": "o.png", "width": 0});
        assert_eq!(
            message(zero),
            "For 'resize' action, 'width' or 'height' is required."
        );
        let mark = json!({"action": "add_watermark", "input_path": "Cargo.toml", "output_path": "o.png"});
        assert_eq!(
            message(mark),
            "For 'add_watermark' action, 'watermark_path' is required."
        );
    }

    #[test]
    fn old_parameters_become_new_ones() {
        let call = json!({"action": "add_watermark", "input_path": "Cargo.toml", "output_path": "o.png",
            "watermark_path": "Cargo.toml", "gravity": "Center"});
        assert_eq!(input(&call).unwrap()["gravity"], "center");
        assert_eq!(
            answer(&call, Ok(()))["message"],
            "Image manipulation 'add_watermark' successful. Output: o.png"
        );
    }
}
