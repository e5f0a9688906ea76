//! Calls of the replaced function `take_screenshot(url, output_path)`.

use app_core::ToolError;
use serde_json::{Value, json};

use crate::Output;

/// The old parameters as this tool's input. Without an address the settings name it, as the old script form did.
pub fn from_legacy(call: &Value) -> Result<Value, Value> {
    let mut input = json!({"action": "take"});
    for (old, new) in [("url", "url"), ("output_path", "output")] {
        match call.get(old) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if !text.is_empty() => input[new] = text.clone().into(),
            Some(_) => return Err(json!({"status": "error", "message": format!("`{old}` is no text")})),
        }
    }
    Ok(input)
}

/// The old answer: where the picture is.
pub fn to_legacy(outcome: Result<&Output, &ToolError>) -> Value {
    match outcome {
        Ok(Output::Take(taken)) => {
            json!({"status": "success", "path": taken.pictures.first().map(|picture| &picture.path)})
        }
        Ok(other) => serde_json::to_value(other).unwrap_or_default(),
        // The old one took pictures of error pages without a word.
        Err(error) if error.output.is_some() => {
            let output = error.output.as_deref().unwrap_or(&Value::Null);
            json!({"status": "success", "path": output["pictures"][0]["path"], "warning": error.message})
        }
        Err(error) => json!({"status": "error", "message": error.message}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_parameters_are_taken() {
        let input = from_legacy(&json!({"url": "https://a.example", "output_path": "a.png"})).unwrap();
        assert_eq!(
            input,
            json!({"action": "take", "url": "https://a.example", "output": "a.png"})
        );
        assert_eq!(from_legacy(&json!({})).unwrap(), json!({"action": "take"}));
        assert!(from_legacy(&json!({"url": 3})).is_err());
    }
}
