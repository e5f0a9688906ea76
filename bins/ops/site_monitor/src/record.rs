//! What one check of a site brought, in the words of the old script and in its line.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::Severity,
    probe::{Cause, Timings},
};

/// The old script's record of one check, with what was added behind it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Record {
    /// Address.
    pub(crate) url: String,
    /// Status code; absent without an answer.
    pub(crate) status: Option<u16>,
    /// Milliseconds until the headers were there.
    pub(crate) response_time_ms: u64,
    /// SHA-256 of the watched content.
    pub(crate) content_hash: Option<String>,
    /// Why it is unhealthy.
    pub(crate) error: Option<String>,
    /// Time of the check.
    pub(crate) timestamp: Timestamp,
    /// Whether it answered as it should.
    pub(crate) is_healthy: bool,
    /// Name, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Which part of the request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<Cause>,
    /// Where the time went.
    #[serde(default)]
    pub(crate) timings: Timings,
    /// Days until the certificate expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_days: Option<f64>,
    /// Conditions that do not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed_conditions: Vec<FailedCondition>,
    /// Whether it is in a maintenance window, so that the result does not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) maintenance: bool,
}

/// A condition that does not hold.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FailedCondition {
    /// The condition.
    pub(crate) condition: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What was seen instead.
    pub(crate) actual: String,
}

/// ✅ or ❌.
pub(crate) fn icon(record: &Record) -> &'static str {
    if record.is_healthy { "✅" } else { "❌" }
}

/// The old line: `✅ https://one.example.test | HTTP 200 | 143ms`.
pub(crate) fn line(record: &Record) -> String {
    let status = record
        .status
        .map_or_else(|| "N/A".to_owned(), |status| format!("HTTP {status}"));
    format!(
        "{} {} | {status} | {}ms",
        icon(record),
        record.url,
        record.response_time_ms
    )
}
