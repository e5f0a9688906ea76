//! Starting jobs.

use std::path::PathBuf;

use app_core::contract::FieldMistake;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RunMode;
use crate::id::JobId;

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
    /// Given twice by the same principal with the same tool, input, mode and working folder: the same job. With
    /// anything else: a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Who asks, for example `cli:ana` or `campaign:c7`. Set by the face from whoever it authenticated; never read from
    /// a payload.
    #[serde(skip)]
    pub requested_by: String,
    /// Working folder of the run; one of its own below the state folder if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<PathBuf>,
    /// The job this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    /// The job whose plan is carried out: only its targets are acted on. Needs mode `apply`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_of: Option<JobId>,
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

/// Payload of `retry`. What is not given stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryRequest {
    /// Another input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Another mode: a plan can be repeated as the real thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Another priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// So that a second click starts no second job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Who asks; set by the face.
    #[serde(skip)]
    pub requested_by: String,
}

/// Answer to `validate`: what `start` would say, with nothing queued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// Whether `start` would take it.
    pub valid: bool,
    /// Every mistake at its field.
    pub fields: Vec<FieldMistake>,
    /// The input as it would be shown, secrets as `***`.
    pub input: Value,
}
