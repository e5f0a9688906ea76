//! Events of jobs.

use app_core::contract::{Artifact, LogLevel, Progress, StepChange, ToolError, Usd};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobFilter, JobLine, Route};
use crate::id::JobId;

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
    /// A step of it, which may be a job of its own, began, waits, or ended.
    Step(StepChange),
    /// A line of the tool for people.
    Log {
        /// Severity.
        level: LogLevel,
        /// The line.
        message: String,
    },
    /// Further lines and steps of this attempt are not passed on: `logs` has the lines.
    LogCut {
        /// Lines and steps that were passed on.
        passed_on: u32,
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

/// Payload of `watch`: one stream over all jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WatchRequest {
    /// Which jobs.
    pub filter: JobFilter,
    /// Go on after this position: of a page, or of the last event. Without one: from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
}

/// One event of `watch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchEvent {
    /// Version of this shape; 1.
    pub v: u32,
    /// Position in the feed of all jobs; give the last one as `after` to go on.
    pub position: i64,
    /// What.
    #[serde(flatten)]
    pub body: WatchBody,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WatchBody {
    /// A job is new, or its line is another one. Changes that follow each other fast are one.
    Changed {
        /// The line as it is now.
        job: Box<JobLine>,
    },
    /// The reader was too slow: changes up to this position were left out. Read the page again.
    Lagged,
    /// The set of tools, or one of them, is another one: read `list_tools` again.
    Tools {
        /// Of the new list.
        revision: String,
    },
}
