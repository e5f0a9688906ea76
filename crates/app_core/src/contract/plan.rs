//! Planning before acting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether this run may have effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Apply,
    /// Say what would be done; touch nothing.
    Plan,
}

/// What a run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// One entry per target, in the order they would be acted on.
    pub actions: Vec<PlannedAction>,
    /// Targets in all.
    #[serde(default)]
    pub total: u64,
    /// Whether `actions` lists only a part of them.
    #[serde(default)]
    pub truncated: bool,
}

/// One thing a run would do to one exact target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedAction {
    /// The verb, for example `delete_message`.
    pub action: String,
    /// The exact target, for example `chat 1001 message 55`.
    pub target: String,
    /// A short reason or detail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}
