//! What the processes of jobs wrote.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Payload of `logs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogRequest {
    /// Read on from here: `next` of the page before.
    pub after: u64,
    /// Only the last lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
    /// Only this stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// Only this attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Lines on a page, at most 10,000; 1,000 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
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
pub enum Stream {
    /// The results.
    Stdout,
    /// The remarks.
    Stderr,
    /// A note of the job manager.
    Manager,
}
