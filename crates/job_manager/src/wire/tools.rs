//! Tools, as every face sees them.

use std::{collections::BTreeSet, path::PathBuf};

use app_core::contract::{Definition, Effect, Gate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use app_core::contract::settings::Route;

/// Whether a run acts or only plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// What the tool does by itself.
    #[default]
    Default,
    /// Act, also where the tool plans first (`--apply`).
    Apply,
    /// Only plan (`--dry-run`).
    Plan,
}

/// One tool that can be started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolEntry {
    /// What the tool says of itself.
    pub definition: Definition,
    /// Who answers for it at the moment.
    pub route: Route,
    /// The executable or script that would run.
    pub path: PathBuf,
}

/// One tool in a list that a person scrolls: a tenth of the bytes of [`ToolEntry`], and no path of this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolSummary {
    /// Name.
    pub name: String,
    /// Family.
    pub family: String,
    /// One line.
    pub summary: String,
    /// What a run can do.
    pub effects: BTreeSet<Effect>,
    /// When it only plans.
    pub gate: Gate,
    /// Who answers for it at the moment.
    pub route: Route,
    /// Its actions, when its input is one of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
}

/// Answer to `list_tools` in its short form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolList {
    /// Changes whenever anything about any tool does: an ETag.
    pub revision: String,
    /// By name.
    pub tools: Vec<ToolSummary>,
}
