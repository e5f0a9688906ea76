//! Runs one attempt of one job as a child process, and says how it went. Decides nothing about the queue.

mod capture;
mod events;
mod group;
mod job_log;
mod lines;
mod outcome;
mod pidfd;
mod run;
mod script_run;
mod spawn;
mod stop;
mod whole_input;

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
};

use app_core::contract::Progress;

pub(crate) use job_log::{log_path, read_log};
pub(crate) use outcome::{Outcome, Why};
pub(crate) use run::Runner;
pub(crate) use stop::Stop;

use crate::{id::JobId, wire::JobEventBody, wire::Route};

/// What a runner tells the actor, in the order it happens.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// The process runs.
    Child {
        id: JobId,
        attempt: u32,
        pid: u32,
        start: u64,
        route: Route,
    },
    /// A replaced script stands in.
    Fallback {
        id: JobId,
        tool: String,
        reason: &'static str,
    },
    /// The tool told something.
    Event {
        id: JobId,
        attempt: u32,
        body: JobEventBody,
    },
    /// The attempt is over, and no process of it is left.
    Ended {
        id: JobId,
        attempt: u32,
        outcome: Outcome,
        progress: Option<Progress>,
    },
}

/// Where things are, for every run of a manager.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub state_dir: PathBuf,
    pub owner: String,
    pub log_bytes: u64,
    /// Where metrics of replaced scripts are written; tools write their own.
    pub metrics_dir: Option<PathBuf>,
}

/// How a process ended, for people.
fn ended_how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

/// Where the stdout of a replaced script is kept, byte by byte.
pub(crate) fn stdout_path(state_dir: &Path, id: JobId) -> PathBuf {
    state_dir.join("logs").join(format!("{id}.stdout"))
}

/// Where the plan that a job carries out is, while it runs.
fn plan_path(state_dir: &Path, id: JobId) -> PathBuf {
    state_dir.join("plans").join(format!("{id}.json"))
}

/// Removes what a job has below the state folder, when it leaves the history. Most jobs have little of it.
pub(crate) fn remove_files(state_dir: &Path, id: JobId) {
    for file in [
        log_path(state_dir, id),
        stdout_path(state_dir, id),
        plan_path(state_dir, id),
    ] {
        drop(std::fs::remove_file(file));
    }
    drop(std::fs::remove_dir_all(crate::store::own_folder(state_dir, id)));
}
