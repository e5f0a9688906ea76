//! The runs of a folder, in one line each.

use std::path::{Path, PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult, Usd};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    input::List,
    run::{Run, RunStatus, StepStatus},
    run_dir::{is_at_work, snapshot},
    shown::digest,
};

/// Where a run stands, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    /// A process works on it.
    Running,
    /// The process that worked on it is gone; `resume` goes on.
    Interrupted,
    /// People have been asked, and it goes on when they agree.
    WaitingForApproval,
    /// All that was to be done is done.
    Succeeded,
    /// A step failed.
    Failed,
    /// Somebody said no.
    Rejected,
    /// Somebody stopped it.
    Cancelled,
}

impl RunState {
    /// The word for it for people.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Running => RunStatus::Running.word(),
            Self::Interrupted => "interrupted",
            Self::WaitingForApproval => RunStatus::WaitingForApproval.word(),
            Self::Succeeded => RunStatus::Succeeded.word(),
            Self::Failed => RunStatus::Failed.word(),
            Self::Rejected => RunStatus::Rejected.word(),
            Self::Cancelled => RunStatus::Cancelled.word(),
        }
    }

    fn of(status: RunStatus, at_work: bool) -> Self {
        match status {
            // Whatever an earlier process ended with: this one has not ended.
            _ if at_work => Self::Running,
            RunStatus::Running => Self::Interrupted,
            RunStatus::WaitingForApproval => Self::WaitingForApproval,
            RunStatus::Succeeded => Self::Succeeded,
            RunStatus::Failed => Self::Failed,
            RunStatus::Rejected => Self::Rejected,
            RunStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// One run of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RunLine {
    /// Id of the run.
    pub(crate) id: String,
    /// Name of the campaign.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) objective: String,
    /// Where it stands.
    pub(crate) state: RunState,
    /// Start.
    pub(crate) started_at: Timestamp,
    /// End, unless it is at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Timestamp>,
    /// Steps that succeeded.
    pub(crate) done: usize,
    /// Steps in all.
    pub(crate) steps: usize,
    /// Questions that nobody has settled yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) waiting: Vec<Question>,
    /// Money spent.
    pub(crate) cost_usd: Usd,
    /// Its folder.
    pub(crate) run_dir: PathBuf,
}

/// A question to people, as `show` and `list` tell it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Question {
    /// The step.
    pub(crate) step: String,
    /// What is asked.
    pub(crate) text: String,
    /// The request in the store of approvals.
    pub(crate) request: String,
    /// How many different people must agree.
    pub(crate) needed: u32,
    /// Digest of what is shown, for `--seen`.
    pub(crate) seen: String,
}

/// The questions that a run waits for.
pub(crate) fn questions(run: &Run) -> Vec<Question> {
    let waiting = run
        .steps
        .iter()
        .filter(|step| step.status == StepStatus::WaitingForApproval);
    waiting
        .filter_map(|step| {
            let approval = step.approval.as_ref()?;
            Some(Question {
                step: step.id.clone(),
                text: step.question.clone().unwrap_or_default(),
                request: approval.request.clone(),
                needed: approval.needed,
                seen: digest(&approval.shown),
            })
        })
        .collect()
}

/// What `list` found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Runs that fit, the newest first, at most as many as were wanted.
    pub(crate) runs: Vec<RunLine>,
    /// How many fit.
    pub(crate) total: usize,
    /// Folders of runs that cannot be read, with the reason.
    pub(crate) unreadable: Vec<String>,
}

/// Looks through a folder. A folder in it that holds neither a run nor the beginning of one is passed over.
///
/// Fails when the folder itself cannot be read.
pub(crate) fn list(wanted: &List) -> ToolResult<Found> {
    let folder = &wanted.folder;
    let failed = |e: &std::io::Error| ToolError::file("list", folder, e);
    let mut found = Found::default();
    for entry in std::fs::read_dir(folder).map_err(|e| failed(&e))? {
        let path = entry.map_err(|e| failed(&e))?.path();
        match line(&path) {
            Ok(Some(run)) if wanted.state.is_empty() || wanted.state.contains(&run.state) => {
                found.runs.push(run);
            }
            Ok(_) => {}
            Err(error) => found.unreadable.push(error.message),
        }
    }
    found.unreadable.sort();
    found
        .runs
        .sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    found.total = found.runs.len();
    found.runs.truncate(wanted.limit);
    Ok(found)
}

/// A run in one line; `None` when the folder is not one of a run.
fn line(path: &Path) -> ToolResult<Option<RunLine>> {
    if !path.join("run.json").is_file() {
        // Cut off between the two files that make a run: there is something, and it is no run.
        if path.join("campaign.yml").is_file() && path.join(".lock").is_file() && !is_at_work(path) {
            return Err(ToolError::new(
                ErrorKind::NotFound,
                format!("`{}` was cut off before it began", path.display()),
            ));
        }
        return Ok(None);
    }
    let run = snapshot(path)?;
    let at_work = is_at_work(path);
    let done = run.steps.iter().filter(|s| s.status == StepStatus::Succeeded);
    Ok(Some(RunLine {
        state: RunState::of(run.status, at_work),
        done: done.count(),
        steps: run.steps.len(),
        waiting: questions(&run),
        finished_at: run.finished_at.filter(|_| !at_work),
        started_at: run.started_at,
        cost_usd: run.cost_usd,
        run_dir: path.to_owned(),
        id: run.id,
        name: run.name,
        objective: run.objective,
    }))
}
