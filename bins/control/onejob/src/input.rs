//! What `onejob` can be asked for.

mod host;
mod job;
mod list;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use host::{Completions, Config, ConfigAction, Help, ListTools, Man, SetRoute, Shell, Target};
pub(crate) use job::{Artifact, Cancel, CheckInput, Logs, OneJob, Retry, Start, Wait};
pub(crate) use list::{List, Prune, RunLog, Watch};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Show what can be started.
    ListTools(ListTools),
    /// Run a tool here and now, show its progress, and end as it ends.
    Run(#[garde(dive)] Start),
    /// Put a job into the queue of the worker.
    Start(#[garde(dive)] Start),
    /// Check an input as `start` would, and queue nothing.
    Validate(#[garde(dive)] CheckInput),
    /// Show one job in full.
    Get(#[garde(dive)] OneJob),
    /// List jobs, newest first.
    List(#[garde(dive)] List),
    /// Stop a job, wait for its end, and say what is left. A second time ends it by force.
    Cancel(#[garde(dive)] Cancel),
    /// Start a finished job again, as a new job.
    Retry(#[garde(dive)] Retry),
    /// Show what a job wrote.
    Logs(#[garde(dive)] Logs),
    /// Follow a job to its end, and end as it ends.
    Wait(#[garde(dive)] Wait),
    /// Show the changes of all jobs as they come, one line of JSON each.
    Watch(#[garde(dive)] Watch),
    /// Show who works, how much, and why each job waits.
    Status(Nothing),
    /// Check a file of a job and say where it is, or copy it.
    Artifact(#[garde(dive)] Artifact),
    /// Show the runs of all tools on this host, whoever started them.
    Runs(#[garde(dive)] RunLog),
    /// Forget old jobs.
    Prune(Prune),
    /// Show how often replaced scripts ran instead of tools.
    Fallbacks(Nothing),
    /// Switch a tool to the script it replaces, or back, in onejob.toml; without a target, show who answers for it.
    Route(#[garde(dive)] SetRoute),
    /// Show what people are asked to agree to, and what they said.
    Approvals(Approvals),
    /// Agree to a request; as the user who runs this command.
    Approve(#[garde(dive)] Decide),
    /// Refuse a request; as the user who runs this command.
    Reject(#[garde(dive)] Decide),
    /// Check onejob.toml, or list its keys: `config check`, `config keys`.
    Config(Config),
    /// Say what this host lacks, with the line that mends each.
    Doctor(Nothing),
    /// Show the help of a tool, installed or replaced.
    Help(Help),
    /// Print completions for a shell.
    Completions(Completions),
    /// Write manual pages of `onejob` and all tools into a folder.
    Man(Man),
}

/// Nothing to be said.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Approvals {
    /// Only requests about subjects that begin so: `campaign:c7/`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub subject: String,
    /// Only requests that wait.
    #[serde(default)]
    pub waiting: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Decide {
    /// Name of the request, for example a3. It stands for exactly what was shown: anything else has another name.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub id: String,
    /// Why, in words.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    #[garde(length(max = 2000))]
    pub comment: String,
}
