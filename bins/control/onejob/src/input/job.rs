//! What can be asked for about one job.

use std::path::PathBuf;

use garde::Validate;
use job_manager::{RunMode, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct CheckInput {
    /// Name of the tool.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub tool: String,
    /// Fields of its input as key=value; `a.b=1` sets a field inside a field.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub fields: Vec<String>,
    /// Its input as JSON, or @FILE; fields win over it.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    pub tool_input: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Start {
    /// Name of the tool.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub tool: String,
    /// Fields of its input as key=value. `a.b=1` sets a field inside a field, a list takes a field several times, and a
    /// secret is taken from a file with `token=@FILE`, so that it is not seen on the command line.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub fields: Vec<String>,
    /// Its input as JSON, or @FILE; fields win over it.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    pub tool_input: Option<Value>,
    /// Whether a tool that plans first acts (`apply`), or any tool only plans (`plan`).
    #[serde(default)]
    pub mode: RunMode,
    /// Higher runs first.
    #[serde(default)]
    pub priority: i32,
    /// Given twice with the same tool, input, mode and folder it names the same job; nothing is started twice.
    #[serde(default)]
    #[garde(inner(length(min = 1, max = 200)))]
    pub idempotency_key: Option<String>,
    /// Carry out the plan of this job: only its targets are acted on. Its input is taken when none is given.
    #[serde(default)]
    pub plan_of: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct OneJob {
    /// Name of the job, for example j42.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Wait {
    /// Name of the job, for example j42.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// Seconds to wait at most; then the exit code is 75, and the job goes on.
    #[serde(default)]
    #[garde(inner(range(min = 0.0, max = 1e9)))]
    pub timeout: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Cancel {
    /// Name of the job.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// End it at once.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    pub force: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Retry {
    /// Name of the job.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// Another input as JSON, or @FILE.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    pub tool_input: Option<Value>,
    /// Another mode.
    #[serde(default)]
    pub mode: Option<RunMode>,
    /// Another priority.
    #[serde(default)]
    pub priority: Option<i32>,
    /// Given twice, it starts one job.
    #[serde(default)]
    #[garde(inner(length(min = 1, max = 200)))]
    pub idempotency_key: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Logs {
    /// Name of the job.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// Only the last lines.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "n"}))]
    #[garde(inner(range(min = 1, max = 10_000)))]
    pub tail: Option<u32>,
    /// Read on from here: `next` of the answer before.
    #[serde(default)]
    pub after: u64,
    /// Show further lines as they come, until the job is over.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    pub follow: bool,
    /// Only lines of this stream.
    #[serde(default)]
    pub stream: Option<Stream>,
    /// Only lines of this attempt.
    #[serde(default)]
    pub attempt: Option<u32>,
    /// Lines at most, up to 10,000.
    #[serde(default)]
    #[garde(inner(range(min = 1, max = 10_000)))]
    pub limit: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Artifact {
    /// Name of the job.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// Number of the file among those of the job.
    #[serde(default = "one")]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(range(min = 1))]
    pub number: u32,
    /// Copy it here; only a file that is still the one the job made is copied.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
}

const fn one() -> u32 {
    1
}
