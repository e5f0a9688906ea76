//! What can be asked for about the host: its tools, settings and help.

use std::path::PathBuf;

use garde::Validate;
use job_manager::Route;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who answers for a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// The script it replaces.
    Legacy,
    /// Its own binary.
    Rust,
}

impl Target {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Rust => "rust",
        }
    }
}

impl From<Route> for Target {
    fn from(route: Route) -> Self {
        match route {
            Route::Legacy => Self::Legacy,
            Route::Rust => Self::Rust,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct SetRoute {
    /// Name of the tool.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub tool: String,
    /// Who answers for it from the next job on.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub to: Option<Target>,
    /// Bring the script of a tool back that is cut over; takes `cut_over` back.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    pub force: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ListTools {
    /// Only this tool, in full.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub tool: Option<String>,
    /// Names, summaries, effects and a revision only; no schemas and no paths.
    #[serde(default)]
    pub short: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// What to do with it.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub what: ConfigAction,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConfigAction {
    /// Name every mistake in it.
    Check,
    /// List every section and key that it may hold.
    Keys,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Help {
    /// Name of the tool; `onejob` itself if not given.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub tool: Option<String>,
}

/// A shell.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Completions {
    /// The shell.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub shell: Shell,
    /// For this tool; for `onejob` and every tool if not given, where the shell takes them in one file.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub tool: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Man {
    /// The folder; made if it is not there.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir"}))]
    pub folder: PathBuf,
}
