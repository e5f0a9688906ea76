//! Files that a run made, and the manifest that lies beside them.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Usd;

/// Value of `format` in a manifest this version writes.
pub const MANIFEST_FORMAT: &str = "onejob.manifest.v1";

/// One file that a run made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Where the file is, as the caller would name it.
    pub path: PathBuf,
    /// Media type (RFC 6838), for example `image/png`.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: String,
    /// What it is for: `output`, `report`, `sidecar`, `thumbnail`, ...
    pub role: String,
    /// What it was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_from: Vec<Source>,
}

/// A file or address that an artifact was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Path or URL.
    pub name: String,
    /// SHA-256 of its content when it was read, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Source {
    /// A source by name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sha256: None,
        }
    }
}

/// `manifest.json`: what a run was and what it made. Lineage is readable from these files alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Always [`MANIFEST_FORMAT`].
    pub format: String,
    /// Id of the run.
    pub run_id: String,
    /// Tool name.
    pub tool: String,
    /// Tool version.
    pub version: String,
    /// SHA-256 of the canonical input, lower-case hex.
    pub input_hash: String,
    /// The input with secrets replaced by `***`.
    pub input: Value,
    /// Start of the run.
    pub started_at: Timestamp,
    /// End of the run.
    pub finished_at: Timestamp,
    /// Files made, in the order they were finished.
    pub artifacts: Vec<Artifact>,
    /// Money spent.
    pub cost_usd: Usd,
}
