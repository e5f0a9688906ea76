//! Pages of jobs.

use std::collections::{BTreeMap, BTreeSet};

use app_core::contract::{Effect, Progress, Usd};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Route, RunMode, Waiting};
use crate::id::JobId;

/// Which jobs: a filter of `list` and `watch`. Everything given must hold; of a list, any entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JobFilter {
    /// States: `queued`, `running`, `succeeded`, `failed`, `waiting`, `cancelled`, `timed_out`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// Tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Families.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<String>,
    /// Who asked, or the beginning of it: `campaign:` finds the jobs of all campaigns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// Act or plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Jobs that can have any of these effects.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub effects: BTreeSet<Effect>,
    /// Asked for at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Asked for before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Repetitions of this job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    /// Whether it made files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_artifacts: Option<bool>,
    /// A text in the id, tool, error or shown input, whatever its case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Payload of `list`: newest first, by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListRequest {
    /// Which jobs.
    pub filter: JobFilter,
    /// Jobs older than this one: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<JobId>,
    /// Jobs newer than this one: `previous` of a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<JobId>,
    /// Whether to count the jobs of each state under the same filter, states left aside.
    pub counts: bool,
    /// Jobs on a page, 1 to 1000.
    pub limit: u32,
}

impl Default for ListRequest {
    fn default() -> Self {
        Self {
            filter: JobFilter::default(),
            before: None,
            after: None,
            counts: false,
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
    /// Give this as `after` for the page before; absent on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<JobId>,
    /// Jobs by state, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<BTreeMap<String, u64>>,
    /// Position of the change feed when the page was read: give it to `watch` to miss nothing.
    #[serde(default)]
    pub position: i64,
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
    /// Family of the tool.
    pub family: String,
    /// Act or plan.
    pub mode: RunMode,
    /// What a run can do.
    pub effects: BTreeSet<Effect>,
    /// Money spent so far.
    pub cost_usd: Usd,
    /// Who answered for the tool in the present or last attempt.
    pub route: Route,
    /// Whether somebody asked to stop it.
    #[serde(default)]
    pub cancelling: bool,
    /// Files made so far.
    #[serde(default)]
    pub artifacts: u32,
    /// The job this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    /// Why it is not running, while it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
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
