//! Answers a call of the replaced script: what `dispatch` and the parity runner reach.

use serde_json::Value;

use crate::contract::{Tool, ToolError};

/// A call: its JSON parameters, with the dispatcher's `input_data` wrapper removed.
pub(super) fn unwrap_call(call: Value) -> Value {
    match call {
        Value::Object(mut map) if map.len() == 1 && map.get("input_data").is_some_and(Value::is_object) => {
            map.remove("input_data").unwrap_or_default()
        }
        other => other,
    }
}

/// The answer as one JSON line, and whether it stands for success.
pub(super) fn answer<T: Tool>(call: &Value, outcome: Result<&T::Output, &ToolError>) -> (String, bool) {
    let failed = outcome.is_err();
    line(&T::to_legacy(call, outcome), failed)
}

/// An answer given without running the tool.
pub(super) fn line(answer: &Value, failed: bool) -> (String, bool) {
    let says_error =
        |answer: &Value| answer.get("status").is_some_and(|s| s == "error") || answer.get("error").is_some();
    let inner_error = says_error(answer) || answer.get("result").is_some_and(says_error);
    (format!("{answer}\n"), !failed && !inner_error)
}
