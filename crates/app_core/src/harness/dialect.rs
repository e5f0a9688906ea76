//! Another way to call a tool and to be answered, beside flags and JSON. The harness itself knows none.

use serde_json::Value;

use crate::{contract::ToolError, tool::Tool};

/// A way to call a tool that is not its own: the words of a script that it replaces.
pub trait Dialect<T: Tool> {
    /// The call that this command line stands for, if it is one (arguments without the program name).
    fn recognise(&self, args: &[String]) -> Option<Value>;

    /// The call as the tool's input; `Err` is the answer where it is clear without running anything.
    fn input(&self, call: Value) -> Result<Value, Value>;

    /// The answer to the call, for this outcome.
    fn answer(&self, call: &Value, outcome: Result<&T::Output, &ToolError>) -> Value;
}

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
pub(super) fn answer<T: Tool>(
    dialect: &dyn Dialect<T>,
    call: &Value,
    outcome: Result<&T::Output, &ToolError>,
) -> (String, bool) {
    let failed = outcome.is_err();
    line(&dialect.answer(call, outcome), failed)
}

/// An answer given without running the tool.
pub(super) fn line(answer: &Value, failed: bool) -> (String, bool) {
    let says_error =
        |answer: &Value| answer.get("status").is_some_and(|s| s == "error") || answer.get("error").is_some();
    let inner_error = says_error(answer) || answer.get("result").is_some_and(says_error);
    (format!("{answer}\n"), !failed && !inner_error)
}
