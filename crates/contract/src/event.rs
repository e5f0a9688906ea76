//! The NDJSON events a tool writes to `ONEJOB_EVENTS_FD`. Readers ignore what they do not know.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Artifact, ToolError, Usd};

/// One line of the event stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Version of the stream; 1.
    pub v: u32,
    /// Position in the stream, from 0, without gaps.
    pub seq: u64,
    /// Time of the event.
    pub ts: Timestamp,
    /// Milliseconds since `started`.
    pub elapsed_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened; `kind` is the tag on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventBody {
    /// The run began. Always first.
    Started {
        /// Id of the run.
        run_id: String,
        /// Tool name.
        tool: String,
        /// Tool version.
        version: String,
        /// Process id.
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
    /// A part of the run that is a run of its own began, waits, or ended: a step of a campaign.
    Step(StepChange),
    /// A line for the job's log.
    Log {
        /// Severity.
        level: LogLevel,
        /// The line; never holds secrets or message texts.
        message: String,
    },
    /// The run ended. Always last, exactly once.
    Finished {
        /// What the tool returned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Value>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<ToolError>>,
    },
    /// Something a newer tool writes.
    #[serde(other)]
    Unknown,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Name of the present stage, for example `decode`.
    pub stage: String,
    /// Units done.
    pub done: u64,
    /// Units in all, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is counted: `frames`, `messages`, `bytes`, ...
    #[serde(default)]
    pub unit: String,
    /// A short text for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What became of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepChange {
    /// Id of the step in its run.
    pub step: String,
    /// Where it stands now: `running`, `waiting_for_approval`, `succeeded`, `failed`, `skipped`, `pending`.
    pub status: String,
    /// The job that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The request in the store of approvals, while people are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// A short text for people: the question, or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Severity of a log event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}
