//! What `jobs` can be asked for.

use garde::Validate;
use job_manager::{Route, RunMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Show what can be started.
    ListTools(#[garde(skip)] ListTools),
    /// Run a tool here and now, show its progress, and end as it ends.
    Run(#[garde(dive)] Start),
    /// Put a job into the queue of the worker.
    Start(#[garde(dive)] Start),
    /// Show one job in full.
    Get(#[garde(dive)] OneJob),
    /// List jobs, newest first.
    List(#[garde(dive)] List),
    /// Stop a job, wait for its end, and say what is left. A second time ends it by force.
    Cancel(#[garde(dive)] Cancel),
    /// Start a finished job again, as a new job.
    Retry(#[garde(dive)] Retry),
    /// Show what a job wrote.
    Logs(#[garde(dive)] Logs),
    /// Follow a job to its end, and end as it ends.
    Wait(#[garde(dive)] OneJob),
    /// Show the runs of all tools on this host, whoever started them.
    Runs(#[garde(dive)] RunLog),
    /// Forget old jobs.
    Prune(#[garde(skip)] Prune),
    /// Show how often replaced scripts ran instead of tools.
    Fallbacks(#[garde(skip)] Fallbacks),
    /// Switch a tool to the script it replaces, or back, in onejob.toml; without a target, show who answers for it.
    Route(#[garde(dive)] SetRoute),
}

/// Who answers for a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// The script it replaces.
    Legacy,
    /// Its own binary.
    Rust,
}

impl Target {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Rust => "rust",
        }
    }
}

impl From<Route> for Target {
    fn from(route: Route) -> Self {
        match route {
            Route::Legacy => Self::Legacy,
            Route::Rust => Self::Rust,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct SetRoute {
    /// Name of the tool.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub tool: String,
    /// Who answers for it from the next job on.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(skip)]
    pub to: Option<Target>,
    /// Bring the script of a tool back that is cut over; takes `cut_over` back.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    #[garde(skip)]
    pub force: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ListTools {
    /// Only this tool.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub tool: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Start {
    /// Name of the tool.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub tool: String,
    /// Fields of its input as key=value; `a.b=1` sets a field inside a field.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(skip)]
    pub fields: Vec<String>,
    /// Its input as JSON, or @FILE; fields win over it.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    #[garde(skip)]
    pub tool_input: Option<Value>,
    /// Whether a tool that plans first acts (`apply`), or any tool only plans (`plan`).
    #[serde(default)]
    #[garde(skip)]
    pub mode: RunMode,
    /// Higher runs first.
    #[serde(default)]
    #[garde(skip)]
    pub priority: i32,
    /// The same key and input name the same job; nothing is started twice.
    #[serde(default)]
    #[garde(inner(length(min = 1, max = 200)))]
    pub idempotency_key: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct OneJob {
    /// Name of the job, for example j42.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
}

/// A state of a job.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct List {
    /// Only jobs in this state.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "s"}))]
    #[garde(skip)]
    pub state: Option<State>,
    /// Only jobs of this tool.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    #[garde(skip)]
    pub tool: Option<String>,
    /// Only jobs before this one: `next` of the page before.
    #[serde(default)]
    #[garde(skip)]
    pub before: Option<String>,
    /// Jobs at most.
    #[serde(default = "page")]
    #[schemars(extend("x-cli" = {"short": "n"}))]
    #[garde(range(min = 1, max = 1000))]
    pub limit: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Cancel {
    /// Name of the job.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// End it at once.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    #[garde(skip)]
    pub force: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Retry {
    /// Name of the job.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// Another input as JSON, or @FILE.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    #[garde(skip)]
    pub tool_input: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
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
    #[garde(skip)]
    pub after: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct RunLog {
    /// Only this tool.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    #[garde(skip)]
    pub tool: Option<String>,
    /// Only runs that did not end well.
    #[serde(default)]
    #[garde(skip)]
    pub failed: bool,
    /// Only runs before this position.
    #[serde(default)]
    #[garde(skip)]
    pub before: Option<i64>,
    /// Runs at most.
    #[serde(default = "page")]
    #[schemars(extend("x-cli" = {"short": "n"}))]
    #[garde(range(min = 1, max = 1000))]
    pub limit: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Prune {
    /// Days a finished job is kept; 0 keeps all.
    #[serde(default = "month")]
    pub keep_days: u32,
    /// Finished jobs kept at most; 0 keeps all.
    #[serde(default)]
    pub keep_count: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Fallbacks {}

const fn page() -> u32 {
    50
}

const fn month() -> u32 {
    30
}
