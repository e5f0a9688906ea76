//! The command line and envelope of the old `python_tool_dispatcher.py` over the new tools, so that old callers
//! need no change: `dispatch <tool> <json>` prints one JSON line.
//!
//! A tool that is switched to its script, or has none but its script, is answered by the script, in the same envelope.
//! Both parameter shapes are taken (`{"input_data": {...}}` and the fields themselves), every tool is callable under
//! its old or new name, and the exit code is honest: 1 whenever the envelope or the answer in it says `error`.

mod find;
mod script;

use std::{path::Path, process::Stdio, time::Duration};

use app_core::{
    Context, Definition, Effect, ErrorKind, Policy, Tool, ToolError, ToolResult, contract::RetryPolicy,
    process::ChildGroup,
};
use garde::Validate;
use job_manager::{Options, Role};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn main() -> std::process::ExitCode {
    migration::main::<Dispatch>()
}

struct Dispatch;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Tool by its new or old name.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 200))]
    tool: String,
    /// Parameters as a JSON object in a text, with or without the `input_data` wrapper.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    parameters: String,
}

/// The old envelope of a call that worked.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// `success`: the tool ran; its answer may still say `error`.
    status: String,
    /// The tool's answer in the old shape.
    result: Value,
}

const USAGE: &str = "Usage: python python_tool_dispatcher.py <tool_name> <json_parameters>";

/// Largest answer taken from a tool, in bytes.
const MAX_ANSWER: u64 = 64 << 20;

impl Tool for Dispatch {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("control")
            .known_gap("most of its recorded cases call tools that are not there yet; what they answer instead is listed with each")
            .replaces(1, &["python_tool_dispatcher"])
            // It can do whatever the tool it calls can do; that tool's own gate still holds.
            .effects(&[
                Effect::Reads,
                Effect::WritesFiles,
                Effect::Sends,
                Effect::ChangesRemote,
                Effect::Deletes,
                Effect::Spends,
            ])
            .policy(Policy { retry: RetryPolicy::NONE, ..Policy::with_timeout(Duration::from_secs(3600)) }, "as long as the longest of the replaced scripts; the called tool retries by its own policy")
            .env("ONEJOB_TOOLS_DIR", "where the tools are (default: beside this program)")
            .example(
                "call a tool as the old dispatcher did",
                &["generation_budget_manager", "{\"fn\": \"get_budget_status\", \"args\": []}"],
            )
            .example_exit(1, "an unknown tool answers in the old envelope", &["no_such_tool", "{}"])
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let options = Options::from_config(ctx.config(), ctx.state_dir()?, Role::Foreground)?;
        let found = find::binary(&input.tool, &options.tools_dir).await?;
        let name = found.as_ref().map(|found| found.name.as_str());
        let script = script::answering(&input.tool, name, &options)?;
        if found.is_none() && script.is_none() {
            return Err(find::missing(&input.tool));
        }
        let parameters = match serde_json::from_str::<Value>(&input.parameters) {
            Ok(object @ Value::Object(_)) => object,
            Ok(_) => {
                return Err(ToolError::invalid(
                    "parameters",
                    "An unexpected error occurred: the parameters must be a JSON object",
                ));
            }
            Err(_) => {
                return Err(ToolError::invalid(
                    "parameters",
                    "Invalid JSON parameters provided.",
                ));
            }
        };
        match (script, found) {
            (Some(script), _) => Ok(Output {
                status: "success".to_owned(),
                result: script::call(&script, parameters, options, ctx).await?,
            }),
            (None, Some(found)) => call(&found.path, &input.tool, &parameters, ctx).await,
            (None, None) => Err(find::missing(&input.tool)),
        }
    }
}

impl OldCalls for Dispatch {
    /// The old line: no flags, whatever the number of arguments.
    fn legacy_args(args: &[String]) -> Option<Value> {
        if args.iter().any(|arg| arg.starts_with("--")) {
            return None;
        }
        Some(match args {
            [tool, parameters] => json!({"tool": tool, "parameters": parameters}),
            _ => json!({"arguments": args.len()}),
        })
    }

    fn from_legacy(call: Value) -> Result<Value, Value> {
        if call.get("tool").is_some() {
            Ok(call)
        } else {
            Err(json!({"status": "error", "message": USAGE}))
        }
    }

    fn to_legacy(_call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        match outcome {
            Ok(output) => serde_json::to_value(output).unwrap_or_default(),
            Err(error) => json!({"status": "error", "message": error.message}),
        }
    }
}

/// Runs the tool as the old dispatcher would have.
async fn call(binary: &Path, tool: &str, parameters: &Value, ctx: &Context) -> ToolResult<Output> {
    let mut command = tokio::process::Command::new(binary);
    command
        .args(["--legacy", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    // The answer is for this process, the events of the inner run for nobody.
    command.env_remove("ONEJOB_EVENTS_FD").env_remove("ONEJOB_RUN_ID");
    if ctx.dry_run() {
        command.arg("--dry-run");
    }
    let mut group = ChildGroup::spawn(command)?;
    let text = talk(&mut group, parameters.to_string().into_bytes()).await?;
    let status = group.wait().await.map_err(|e| broken(tool, &e.to_string()))?;
    let answer = text
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok());
    match answer {
        Some(result) => Ok(Output {
            status: "success".to_owned(),
            result,
        }),
        None => Err(broken(
            tool,
            &format!("it ended with {status} and printed no answer"),
        )),
    }
}

/// Writes the parameters and reads the answer at the same time, so that neither side waits for the other.
async fn talk(group: &mut ChildGroup, parameters: Vec<u8>) -> ToolResult<String> {
    let (stdin, stdout) = (group.child().stdin.take(), group.child().stdout.take());
    let write = async {
        if let Some(mut pipe) = stdin {
            // A tool that answers without reading its parameters is fine.
            let _ = pipe.write_all(&parameters).await;
        }
    };
    let read = async {
        let mut bytes = Vec::new();
        if let Some(pipe) = stdout {
            pipe.take(MAX_ANSWER).read_to_end(&mut bytes).await?;
        }
        Ok::<_, std::io::Error>(bytes)
    };
    let ((), bytes) = tokio::join!(write, read);
    let bytes =
        bytes.map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot read the tool's answer: {e}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn broken(tool: &str, why: &str) -> ToolError {
    ToolError::internal(format!("An unexpected error occurred: `{tool}`: {why}"))
}
