//! Calls of the replaced script: the library function `get_all_css(url)`, and the tool call `{url, html_content}`.

use app_core::ToolError;
use serde_json::{Value, json};

use crate::Output;

/// File the library call leaves its CSS in.
const RESULT_FILE: &str = "result.css";

fn is_library_call(call: &Value) -> bool {
    call.get("function").is_some()
}

/// Turns an old call into this tool's input.
pub fn from_legacy(call: &Value) -> Result<Value, Value> {
    let url = call
        .get("url")
        .and_then(Value::as_str)
        .filter(|url| !url.is_empty());
    let Some(url) = url else {
        return Err(json!({"status": "error", "message": "URL is required for css_analyzer"}));
    };
    if is_library_call(call) {
        return Ok(json!({"target": url, "mode": "compact", "output": RESULT_FILE}));
    }
    let mut input = json!({"target": url, "mode": "compact"});
    if let Some(html) = call.get("html_content").filter(|html| html.is_string()) {
        input["html"] = html.clone();
    }
    Ok(input)
}

/// The old answer to an old call.
pub fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
    let url = call.get("url").and_then(Value::as_str).unwrap_or_default();
    let started = format!("Analyzing CSS for {url}...");
    match outcome {
        Ok(output) if is_library_call(call) => {
            let mut messages = vec![started];
            messages.extend(output.skipped.iter().map(|skipped| {
                format!(
                    "Error fetching external CSS from {}: {}",
                    skipped.name, skipped.reason
                )
            }));
            let length = output.length_characters;
            messages.push(format!(
                "Finished CSS analysis for {url}. Total size: {length} characters."
            ));
            json!({"ok": {"length_characters": length}, "messages": messages})
        }
        Err(error) if is_library_call(call) => {
            let failed = format!("Error fetching HTML from {url}: {}", error.message);
            json!({"error": error.code, "message": error.message, "messages": [started, failed]})
        }
        Ok(output) => {
            let css = output.css.as_deref().unwrap_or_default();
            json!({"status": "success", "url": url, "css_content": css, "length": css.len()})
        }
        Err(error) => json!({"status": "error", "message": error.message}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_without_url_is_answered_at_once() {
        let answer = from_legacy(&json!({})).unwrap_err();
        assert_eq!(
            answer,
            json!({"status": "error", "message": "URL is required for css_analyzer"})
        );
        let input = from_legacy(&json!({"function": "get_all_css", "url": "http://x/"})).unwrap();
        assert_eq!(
            input,
            json!({"target": "http://x/", "mode": "compact", "output": "result.css"})
        );
    }
}
