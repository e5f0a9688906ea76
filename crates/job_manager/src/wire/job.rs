//! One job.

use std::{collections::BTreeSet, path::PathBuf};

use app_core::contract::{Artifact, Effect, Progress, Usd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Route, RunMode};
use crate::{id::JobId, state::JobState};

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
    /// SHA-256 of the input as it is shown, lower-case hex: a secret never enters it.
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
    /// The job whose plan it carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_of: Option<JobId>,
    /// Where it runs, absolute: relative paths of its files start here. Only jobs of old stores have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<PathBuf>,
    /// Why it is not running, while it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// Why a queued job is not running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// What it waits for.
    pub reason: WaitingFor,
    /// The same in words, with names and numbers.
    pub detail: String,
}

/// What a queued job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// Nobody runs jobs of this store: `worker` is to be started.
    Worker,
    /// A free slot: as many jobs run as may at once.
    Slot,
    /// A free slot of its family.
    Family,
    /// The end of a job with the same concurrency key.
    Key,
    /// Its time: the wait before a retry.
    Time,
    /// The process that keeps it for itself.
    Owner,
    /// Nothing: it is about to begin.
    Turn,
}

/// One file of a job: answer to `artifact`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactInfo {
    /// Name of the job.
    pub job: JobId,
    /// Its number among the files of the job, from 1.
    pub number: u32,
    /// What the job said of it.
    pub artifact: Artifact,
    /// Whether it is still that file.
    pub state: ArtifactState,
    /// Where it is, absolute.
    pub path: PathBuf,
}

/// Whether a file is still the one that the job made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactState {
    /// Same size and SHA-256.
    Intact,
    /// Another content, or no regular file any more.
    Changed,
    /// There is none at its place.
    Gone,
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
