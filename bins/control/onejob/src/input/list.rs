//! What can be asked for about many jobs and runs.

use app_core::Effect;
use garde::Validate;
use jiff::Timestamp;
use job_manager::RunMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

const fn page() -> u32 {
    50
}

const fn month() -> u32 {
    30
}
