//! Calls of a replaced script, answered in its words.

use std::process::ExitCode;

use app_core::{Tool, ToolError, harness::Dialect};
use serde_json::Value;

/// A tool that can be called as the script it replaces: with `--legacy`, through `dispatch`, or by a command line
/// that flags cannot express.
pub trait OldCalls: Tool {
    /// Recognises a command line of the replaced script that flags cannot express (arguments without the program
    /// name) and gives it as a call for [`from_legacy`](Self::from_legacy). The default recognises none.
    fn legacy_args(_args: &[String]) -> Option<Value> {
        None
    }

    /// Turns a call of the replaced script (its parameters as JSON) into this tool's input as JSON. `Err` is the
    /// script's answer where it is clear without running anything. The default passes the parameters on unchanged.
    fn from_legacy(call: Value) -> Result<Value, Value> {
        Ok(call)
    }

    /// The replaced script's answer to such a call, for this outcome. The default is the output, or the message.
    fn to_legacy(_call: &Value, outcome: Result<&Self::Output, &ToolError>) -> Value {
        match outcome {
            Ok(output) => serde_json::to_value(output).unwrap_or_default(),
            Err(error) => serde_json::json!({"status": "error", "message": error.message}),
        }
    }
}

/// What the harness asks of a dialect, answered by [`OldCalls`].
struct Script;

impl<T: OldCalls> Dialect<T> for Script {
    fn recognise(&self, args: &[String]) -> Option<Value> {
        T::legacy_args(args)
    }

    fn input(&self, call: Value) -> Result<Value, Value> {
        T::from_legacy(call)
    }

    fn answer(&self, call: &Value, outcome: Result<&T::Output, &ToolError>) -> Value {
        T::to_legacy(call, outcome)
    }
}

/// Runs a tool as this process, like [`app_core::main`], and answers calls of the replaced script too.
pub fn main<T: OldCalls>() -> ExitCode {
    app_core::harness::main_with::<T>(&Script)
}

/// Whether Python takes a value for true, as the replaced scripts asked of their parameters.
pub fn python_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
