//! What `onejob` can be asked for.

use std::path::PathBuf;

use app_core::Effect;
use garde::Validate;
use jiff::Timestamp;
use job_manager::{Route, RunMode, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Show what can be started.
    ListTools(ListTools),
    /// Run a tool here and now, show its progress, and end as it ends.
    Run(#[garde(dive)] Start),
    /// Put a job into the queue of the worker.
    Start(#[garde(dive)] Start),
    /// Check an input as `start` would, and queue nothing.
    Validate(#[garde(dive)] CheckInput),
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
    Wait(#[garde(dive)] Wait),
    /// Show the changes of all jobs as they come, one line of JSON each.
    Watch(#[garde(dive)] Watch),
    /// Show who works, how much, and why each job waits.
    Status(Nothing),
    /// Check a file of a job and say where it is, or copy it.
    Artifact(#[garde(dive)] Artifact),
    /// Show the runs of all tools on this host, whoever started them.
    Runs(#[garde(dive)] RunLog),
    /// Forget old jobs.
    Prune(Prune),
    /// Show how often replaced scripts ran instead of tools.
    Fallbacks(Nothing),
    /// Switch a tool to the script it replaces, or back, in onejob.toml; without a target, show who answers for it.
    Route(#[garde(dive)] SetRoute),
    /// Show what people are asked to agree to, and what they said.
    Approvals(Approvals),
    /// Agree to a request; as the user who runs this command.
    Approve(#[garde(dive)] Decide),
    /// Refuse a request; as the user who runs this command.
    Reject(#[garde(dive)] Decide),
    /// Check onejob.toml, or list its keys: `config check`, `config keys`.
    Config(Config),
    /// Say what this host lacks, with the line that mends each.
    Doctor(Nothing),
    /// Show the help of a tool, installed or replaced.
    Help(Help),
    /// Print completions for a shell.
    Completions(Completions),
    /// Write manual pages of `onejob` and all tools into a folder.
    Man(Man),
}

/// Nothing to be said.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

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
#[garde(allow_unvalidated)]
pub(crate) struct SetRoute {
    /// Name of the tool.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub tool: String,
    /// Who answers for it from the next job on.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub to: Option<Target>,
    /// Bring the script of a tool back that is cut over; takes `cut_over` back.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    pub force: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ListTools {
    /// Only this tool, in full.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub tool: Option<String>,
    /// Names, summaries, effects and a revision only; no schemas and no paths.
    #[serde(default)]
    pub short: bool,
}

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

/// A state of a job.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Waiting,
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
            Self::Waiting => "waiting",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct List {
    /// Only jobs in these states.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "s"}))]
    pub state: Vec<State>,
    /// Only jobs of these tools.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    pub tool: Vec<String>,
    /// Only jobs of tools of these families.
    #[serde(default)]
    pub family: Vec<String>,
    /// Only jobs that these asked for, or whose name begins so: `campaign:`.
    #[serde(default)]
    pub by: Option<String>,
    /// Only jobs in this mode.
    #[serde(default)]
    pub mode: Option<RunMode>,
    /// Only jobs that can have one of these effects.
    #[serde(default)]
    pub effect: Vec<Effect>,
    /// Only jobs asked for at this time or later.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// Only jobs asked for before this time.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Only repetitions of this job.
    #[serde(default)]
    pub retry_of: Option<String>,
    /// Only jobs that made files (`false`: that made none).
    #[serde(default)]
    pub has_artifacts: Option<bool>,
    /// Only jobs with this text in id, tool, error or input.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    pub text_in: Option<String>,
    /// Only jobs before this one: `next` of the page before.
    #[serde(default)]
    pub before: Option<String>,
    /// Only jobs after this one: `previous` of a page.
    #[serde(default)]
    pub after: Option<String>,
    /// Count the jobs of each state, too.
    #[serde(default)]
    pub counts: bool,
    /// Jobs at most.
    #[serde(default = "page")]
    #[schemars(extend("x-cli" = {"short": "n"}))]
    #[garde(range(min = 1, max = 1000))]
    pub limit: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Watch {
    /// Only jobs in these states.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "s"}))]
    pub state: Vec<State>,
    /// Only jobs of these tools.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    pub tool: Vec<String>,
    /// Only jobs that these asked for, or whose name begins so.
    #[serde(default)]
    pub by: Option<String>,
    /// Go on after this position: of a page, or of the last line; 0 from the beginning. Without it, from now on.
    #[serde(default)]
    pub after: Option<i64>,
    /// End after so many lines.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "n"}))]
    #[garde(inner(range(min = 1)))]
    pub limit: Option<u64>,
    /// End after so many seconds.
    #[serde(default)]
    #[garde(inner(range(min = 0.0, max = 1e9)))]
    pub seconds: Option<f64>,
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

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct RunLog {
    /// Only this tool.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    pub tool: Option<String>,
    /// Only runs that did not end well.
    #[serde(default)]
    pub failed: bool,
    /// Only runs before this position.
    #[serde(default)]
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
pub(crate) struct Approvals {
    /// Only requests about subjects that begin so: `campaign:c7/`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub subject: String,
    /// Only requests that wait.
    #[serde(default)]
    pub waiting: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Decide {
    /// Name of the request, for example a3. It stands for exactly what was shown: anything else has another name.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// Why, in words.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    #[garde(length(max = 2000))]
    pub comment: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// What to do with it.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub what: ConfigAction,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConfigAction {
    /// Name every mistake in it.
    Check,
    /// List every section and key that it may hold.
    Keys,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Help {
    /// Name of the tool; `onejob` itself if not given.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub tool: Option<String>,
}

/// A shell.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Completions {
    /// The shell.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub shell: Shell,
    /// For this tool; for `onejob` and every tool if not given, where the shell takes them in one file.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub tool: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Man {
    /// The folder; made if it is not there.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir"}))]
    pub folder: PathBuf,
}

const fn page() -> u32 {
    50
}

const fn one() -> u32 {
    1
}

const fn month() -> u32 {
    30
}
