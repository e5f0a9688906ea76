//! The trait a tool implements.

use std::{fmt, future::Future};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Definition, ToolError, ToolResult};
use crate::Context;

/// A job that onejob can do. From this alone come its flags, schema, forms, MCP tool, job and manifest.
pub trait Tool: Sized + 'static {
    /// What it needs: the only description of its input.
    type Input: DeserializeOwned + Serialize + JsonSchema + Validate<Context = ()>;
    /// What it returns.
    type Output: Serialize + JsonSchema;

    /// What it says of itself.
    fn definition() -> Definition;

    /// Does the job. Takes clock, files, network and money from `ctx`, never from globals.
    fn run(input: Self::Input, ctx: &Context) -> impl Future<Output = ToolResult<Self::Output>>;

    /// The result for a person at a terminal. Default: the output as indented `key: value` lines.
    fn render(output: &Self::Output, out: &mut dyn fmt::Write) -> fmt::Result {
        let value = serde_json::to_value(output).unwrap_or_default();
        crate::harness::render_value(&value, out)
    }

    /// The result of a run that failed in part, for a person. Default: like any other value.
    fn render_partial(output: &Value, out: &mut dyn fmt::Write) -> fmt::Result {
        crate::harness::render_value(output, out)
    }

    /// With [`Gate::ByInput`](super::Gate::ByInput): whether this input plans unless `--apply` is given.
    fn plan_first(_input: &Self::Input) -> bool {
        true
    }

    /// Recognises a command line of the replaced script that flags cannot express (arguments without the program
    /// name) and gives it as a call for [`Tool::from_legacy`]. The default recognises none.
    fn legacy_args(_args: &[String]) -> Option<Value> {
        None
    }

    /// Turns a call of the replaced script (its parameters as JSON) into this tool's input as JSON.
    /// Reached through `dispatch`; the default passes the parameters on unchanged.
    fn from_legacy(call: Value) -> Result<Value, Value> {
        Ok(call)
    }

    /// The replaced script's answer to such a call, for this outcome.
    fn to_legacy(_call: &Value, outcome: Result<&Self::Output, &ToolError>) -> Value {
        match outcome {
            Ok(output) => serde_json::to_value(output).unwrap_or_default(),
            Err(error) => serde_json::json!({"status": "error", "message": error.message}),
        }
    }
}
