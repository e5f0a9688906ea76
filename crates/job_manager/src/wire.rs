//! What crosses a process boundary: the payloads of the eight verbs, same on every face.
//!
//! Each has a golden file in `tests/golden`, so a change of the wire is seen in review.

use std::{collections::BTreeSet, path::PathBuf};

use app_core::contract::{Artifact, Definition, Effect, LogLevel, Progress, ToolError, Usd};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{id::JobId, state::JobState};

pub use app_core::contract::settings::Route;

/// Whether a run acts or only plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// What the tool does by itself.
    #[default]
    Default,
    /// Act, also where the tool plans first (`--apply`).
    Apply,
    /// Only plan (`--dry-run`).
    Plan,
}

/// One tool that can be started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolEntry {
    /// What the tool says of itself.
    pub definition: Definition,
    /// Who answers for it at the moment.
    pub route: Route,
    /// The executable or script that would run.
    pub path: PathBuf,
}

/// Payload of `start`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// Tool name.
    pub tool: String,
    /// Its input, an object.
    #[serde(default)]
    pub input: Value,
    /// Act or plan.
    #[serde(default)]
    pub mode: RunMode,
    /// Higher runs first.
    #[serde(default)]
    pub priority: i32,
    /// Same key and same input: the same job. Same key and another input: a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Who asks, for example `cli:ana` or `campaign:c7`.
    #[serde(default)]
    pub requested_by: String,
    /// Working directory of the run; the manager's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<PathBuf>,
    /// The job this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
}

/// Answer to `start` and `retry`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// Name of the job.
    pub id: JobId,
    /// Whether the idempotency key named a job that existed already.
    pub existing: bool,
    /// Whether some process will take it at once; if not it waits for `worker`.
    pub attended: bool,
}

/// A job in full: answer to `get`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Name.
    pub id: JobId,
    /// Tool name.
    pub tool: String,
    /// Family of the tool.
    pub family: String,
    /// Version of the tool when the job was started.
    pub version: String,
    /// The input, secrets shown as `***`.
    pub input: Value,
    /// SHA-256 of the input, lower-case hex.
    pub input_hash: String,
    /// Act or plan.
    pub mode: RunMode,
    /// State with its times.
    #[serde(flatten)]
    pub state: JobState,
    /// Number of the present or last attempt; 0 before the first.
    pub attempt: u32,
    /// Attempts the policy allows.
    pub attempts: u32,
    /// How often a run was cut off by the end of its manager.
    pub interruptions: u32,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Files made so far.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// Money spent so far, over all attempts.
    pub cost_usd: Usd,
    /// What a run can do.
    pub effects: BTreeSet<Effect>,
    /// Who asked.
    pub requested_by: String,
    /// Higher runs first.
    pub priority: i32,
    /// Given by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Jobs with the same key never overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
    /// Who answered for the tool in the present or last attempt.
    pub route: Route,
    /// The job this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<PathBuf>,
}

/// Payload of `list`: newest first, by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListRequest {
    /// Only this state: `queued`, `running`, `succeeded`, `failed`, `cancelled` or `timed_out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only this tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Jobs older than this one: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<JobId>,
    /// Jobs on a page, 1 to 1000.
    pub limit: u32,
}

impl Default for ListRequest {
    fn default() -> Self {
        Self {
            state: None,
            tool: None,
            before: None,
            limit: 50,
        }
    }
}

/// Answer to `list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobPage {
    /// Newest first.
    pub jobs: Vec<JobLine>,
    /// Give this as `before` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<JobId>,
}

/// A job in a list: without input, output and files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobLine {
    /// Name.
    pub id: JobId,
    /// Tool name.
    pub tool: String,
    /// Name of the state.
    pub state: String,
    /// Number of the present or last attempt.
    pub attempt: u32,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When the last attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Message of the error it ended with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Who asked.
    pub requested_by: String,
}

/// Answer to `cancel`: given once the job has really ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CancelReport {
    /// Name of the job.
    pub id: JobId,
    /// State it ended in. `succeeded` or `failed` if it was over before the signal reached it.
    pub state: String,
    /// Whether the run had begun.
    pub had_started: bool,
    /// Whether it had to be ended by force.
    pub forced: bool,
    /// The last progress it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Progress>,
    /// Units not done, when the total is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// Finished files it left.
    #[serde(default)]
    pub artifacts: Vec<PathBuf>,
    /// Whether running it again cannot do anything twice.
    pub rerun_safe: bool,
    /// The reason, in a sentence.
    pub rerun: String,
}

/// One event of a job: what `subscribe` yields. `seq` grows; progress, which is not kept, repeats the one before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobEvent {
    /// Version of this shape; 1.
    pub v: u32,
    /// Name of the job.
    pub job: JobId,
    /// Position among the events of the job.
    pub seq: i64,
    /// When.
    pub ts: Timestamp,
    /// During which attempt; 0 before the first.
    pub attempt: u32,
    /// What.
    #[serde(flatten)]
    pub body: JobEventBody,
}

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobEventBody {
    /// It was put into the queue.
    Queued {
        /// Tool name.
        tool: String,
    },
    /// An attempt begins.
    Running {
        /// Who answers.
        route: Route,
        /// Process id, the leader of the job's process group.
        pid: u32,
    },
    /// How far it is.
    Progress(Progress),
    /// A file is finished.
    Artifact(Artifact),
    /// Money was spent.
    Cost {
        /// Amount.
        usd: Usd,
        /// What it was spent on.
        what: String,
    },
    /// A line of the tool for people.
    Log {
        /// Severity.
        level: LogLevel,
        /// The line.
        message: String,
    },
    /// The attempt failed; another follows.
    Retrying {
        /// Why it failed.
        error: Box<ToolError>,
        /// When the next attempt may begin.
        not_before: Timestamp,
    },
    /// The manager ended under it; it is in the queue again.
    Requeued {
        /// Why.
        reason: String,
    },
    /// Somebody asked to stop it.
    Cancelling {
        /// Who.
        by: String,
        /// Whether by force.
        force: bool,
    },
    /// It ended. Always last, exactly once.
    Ended {
        /// Name of the state.
        state: String,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<ToolError>>,
    },
    /// Something a newer version writes.
    #[serde(other)]
    Unknown,
}

/// Payload of `logs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogRequest {
    /// Read on from here: `next` of the page before.
    pub after: u64,
    /// Only the last lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
}

/// Answer to `logs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogPage {
    /// Lines in the order they came.
    pub lines: Vec<LogLine>,
    /// Give this as `after` to read on.
    pub next: u64,
}

/// One line that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// When it was read.
    pub ts: Timestamp,
    /// During which attempt.
    pub attempt: u32,
    /// Where it was written.
    pub stream: Stream,
    /// The line without its end.
    pub text: String,
}

/// Stream of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Stream {
    Stdout,
    Stderr,
    /// A note of the job manager.
    Manager,
}

/// How often a replaced script stood in for a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FallbackCount {
    /// Tool name.
    pub tool: String,
    /// `binary_missing` or `switched`.
    pub reason: String,
    /// Runs.
    pub runs: u64,
    /// The last of them.
    pub last_at: Timestamp,
}

/// How much there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs that run.
    pub running: u64,
}

/// What pruning removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pruned {
    /// Jobs removed from the history.
    pub jobs: u64,
}
