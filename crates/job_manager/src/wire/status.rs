//! Who works, how much, and why not.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Waiting;
use crate::id::JobId;

/// Answer to `status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The worker of the store, if one lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerStatus>,
    /// Jobs at once over all processes that share the store.
    pub slots: Slots,
    /// Families with a limit of their own, or with running jobs.
    pub families: Vec<FamilySlots>,
    /// Concurrency keys in use.
    pub keys: Vec<KeyInUse>,
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs that run.
    pub running: u64,
    /// The next of the queue, in its order, with why they wait; at most 100.
    pub waiting: Vec<WaitingJob>,
    /// Version of the store.
    pub store_version: u32,
    /// Bytes left on the disk of the store.
    pub disk_left: u64,
    /// Why no job is taken from the queue, if that is so: the disk is full, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
}

/// A living worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerStatus {
    /// Its process id.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

/// Jobs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slots {
    /// At most.
    pub limit: u32,
    /// Taken.
    pub used: u32,
    /// Free.
    pub free: u32,
}

/// Jobs at once of a family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FamilySlots {
    /// Family.
    pub family: String,
    /// Running.
    pub used: u32,
    /// At most, when it has a limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A concurrency key and the job that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyInUse {
    /// Key.
    pub key: String,
    /// Job.
    pub job: JobId,
}

/// A job of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingJob {
    /// Job.
    pub id: JobId,
    /// Tool.
    pub tool: String,
    /// Why.
    pub waiting: Waiting,
}
