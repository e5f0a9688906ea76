//! A store, a folder of tools, and ways to look at processes.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use job_manager::{JobId, JobManager, Options, Role, Settings, StartRequest};
use serde_json::Value;

/// Names under which the tool of the tests is installed.
const NAMES: [&str; 7] = [
    "quick",
    "once",
    "sender",
    "keyed",
    "short",
    "short_sender",
    "quick_b",
];

pub struct Place {
    pub dir: tempfile::TempDir,
    pub settings: Settings,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tools = dir.path().join("tools");
        std::fs::create_dir(&tools).unwrap();
        std::fs::create_dir(dir.path().join("metrics")).unwrap();
        let source = contract_tool();
        for name in NAMES {
            std::fs::hard_link(&source, tools.join(name))
                .or_else(|_| std::fs::copy(&source, tools.join(name)).map(drop))
                .unwrap();
        }
        let mut settings = Settings::default();
        settings.jobs.concurrency = Some(4);
        Self { dir, settings }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Living processes of a job of this store.
    pub fn processes(&self, id: JobId) -> Vec<u32> {
        let state = format!("ONEJOB_STATE_DIR={}\0", self.state().display());
        processes_with(&[&format!("ONEJOB_JOB_ID={id}\0"), &state])
    }

    pub fn open(&self, role: Role) -> JobManager {
        self.try_open(role).unwrap()
    }

    pub fn try_open(&self, role: Role) -> app_core::contract::ToolResult<JobManager> {
        JobManager::open(Options {
            state_dir: self.state(),
            tools_dir: self.path("tools"),
            settings: self.settings.clone(),
            role,
            metrics_dir: Some(self.path("metrics")),
        })
    }
}

pub fn request(tool: &str, input: Value) -> StartRequest {
    StartRequest {
        tool: tool.to_owned(),
        input,
        requested_by: "test".to_owned(),
        ..StartRequest::default()
    }
}

/// The tool of these tests.
pub fn contract_tool() -> PathBuf {
    example("contract_tool")
}

/// An example of this crate, which cargo builds beside the tests.
pub fn example(name: &str) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let path = exe
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples")
        .join(name);
    assert!(
        path.exists(),
        "`{}` is missing: build it with `cargo build -p job_manager --examples`",
        path.display()
    );
    path
}

/// Living processes whose environment holds all of these texts.
pub fn processes_with(texts: &[&str]) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        if texts.iter().all(|text| environment.contains(text)) && !is_dead(pid) && pid != std::process::id() {
            found.push(pid);
        }
    }
    found
}

pub fn is_dead(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_none_or(|(_, rest)| matches!(rest.trim_start().chars().next(), None | Some('Z' | 'X')))
}

/// Waits until something holds; fails after ten seconds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(10), "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
