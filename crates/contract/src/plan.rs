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

/// What a run would do: field `plan` of the output of every tool with an effect, when it only planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// One entry per target, in the order they would be acted on; at most [`Plan::MOST`].
    pub actions: Vec<PlannedAction>,
    /// Actions in all, also those not listed.
    pub total: u64,
    /// Whether `actions` holds fewer than `total`. A plan that was cut cannot be applied as a plan.
    pub truncated: bool,
}

impl Plan {
    /// Actions that a plan lists at most.
    pub const MOST: usize = 100_000;

    /// Adds an action.
    pub fn push(&mut self, action: PlannedAction) {
        self.total += 1;
        if self.actions.len() < Self::MOST {
            self.actions.push(action);
        } else {
            self.truncated = true;
        }
    }

    /// Whether exactly this was planned.
    pub fn holds(&self, action: &str, target: &str) -> bool {
        self.actions
            .iter()
            .any(|planned| planned.action == action && planned.target == target)
    }
}

/// One thing a run would do to one exact target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedAction {
    /// The verb, for example `delete_message`, `write_file`.
    pub action: String,
    /// The exact target, for example `chat 1001 message 55`.
    pub target: String,
    /// A short reason or detail; never a message text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}
