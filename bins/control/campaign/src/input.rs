//! What the tool is asked.

use std::{collections::BTreeMap, path::PathBuf};

use garde::Validate;
use job_manager::RunMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runs::RunState;

/// What to do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Run a campaign file from the start, in a new folder.
    Run(RunInput),
    /// Go on with a run that was cut off, has failed steps, or waited for approval.
    Resume(Resume),
    /// Agree to what a waiting step asks; a run that is at work takes it up, else `resume` goes on.
    Approve(#[garde(dive)] Decide),
    /// Say no to what a waiting step asks, which ends the run.
    Reject(#[garde(dive)] Decide),
    /// Show where a run stands.
    Show(Show),
    /// List the runs of a folder.
    List(#[garde(dive)] List),
}

/// A campaign to run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RunInput {
    /// The campaign file.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub(crate) file: PathBuf,
    /// Folder in which the run's own folder is made.
    #[serde(default = "campaigns")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "dir"}))]
    pub(crate) output_dir: PathBuf,
    /// Values for the file's `vars`, over those it gives itself.
    #[serde(default)]
    pub(crate) vars: BTreeMap<String, String>,
    /// Whether steps whose tools plan first act (`apply`), or every step only plans (`plan`).
    #[serde(default)]
    pub(crate) mode: RunMode,
}

/// A run to go on with.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Resume {
    /// Folder of the run.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir", "exists": true}))]
    pub(crate) run_dir: PathBuf,
    /// Whether steps whose tools plan first act (`apply`), or every step only plans (`plan`).
    #[serde(default)]
    pub(crate) mode: RunMode,
}

/// An answer to a question of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Decide {
    /// Folder of the run.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir", "exists": true}))]
    pub(crate) run_dir: PathBuf,
    /// The waiting step.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(length(min = 1))]
    pub(crate) step: String,
    /// A name to write beside the answer. Whose answer it is, is the user of the operating system, whatever stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 200))]
    pub(crate) by: Option<String>,
    /// Why, in words.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    #[garde(length(max = 2000))]
    pub(crate) comment: String,
    /// Digest of what was looked at, as `show` prints it; anything else is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 12, max = 12))]
    pub(crate) seen: Option<String>,
}

/// Where a run stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Show {
    /// Folder of the run.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir", "exists": true}))]
    pub(crate) run_dir: PathBuf,
}

/// Which runs are listed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct List {
    /// Folder that holds the runs' own folders.
    #[serde(default = "campaigns")]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir", "exists": true}))]
    pub(crate) folder: PathBuf,
    /// Only runs that stand so.
    #[serde(default)]
    pub(crate) state: Vec<RunState>,
    /// Most runs that are listed, the newest first.
    #[serde(default = "hundred")]
    #[garde(range(min = 1, max = 10_000))]
    pub(crate) limit: usize,
}

fn campaigns() -> PathBuf {
    "CAMPAIGNS".into()
}

const fn hundred() -> usize {
    100
}
