//! Calls of the replaced tool: `{path}`, answered with the bundled page.

use app_core::{ErrorKind, ToolError};
use serde_json::{Value, json};

use crate::Output;

/// Turns an old call into this tool's input.
pub fn from_legacy(call: &Value) -> Result<Value, Value> {
    match call
        .get("path")
        .and_then(Value::as_str)
        .filter(|path| !path.is_empty())
    {
        Some(path) => Ok(json!({"target": path})),
        None => Err(json!({"status": "error", "message": "Path is required for html_bundler"})),
    }
}

/// The old answer to an old call.
pub fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
    let path = call.get("path").and_then(Value::as_str).unwrap_or_default();
    match outcome {
        Ok(output) => {
            let html = output.html.as_deref().unwrap_or_default();
            json!({"status": "success", "path": path, "bundled_html": html, "length": html.len()})
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            json!({"status": "error", "message": format!("Input HTML file not found: {path}")})
        }
        Err(error) => json!({"status": "error", "message": error.message}),
    }
}
