//! The folder of a run: `run.json` says all there is to know, and is rewritten whole after every change.

use std::{
    fs::TryLockError,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::{Map, Value, json};

use crate::run::{FORMAT, Run, StepRun, StepStatus};

/// Largest `run.json` that is read.
const MAX_SUMMARY: u64 = 64 << 20;

/// How often, and after what pause, a lock is tried.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Runs that may begin in one second in one folder.
const MOST_A_SECOND: usize = 1000;

/// A run's folder, held by one process at a time.
#[derive(Debug)]
pub(crate) struct RunDir {
    pub(crate) path: PathBuf,
    pub(crate) run: Run,
    _lock: std::fs::File,
}

impl RunDir {
    /// Makes the folder of a new run, and gives the run its id: the time, a counter where another run began in the same
    /// second, and a few words. Making the folder is what decides between two.
    pub(crate) fn create(
        parent: &Path,
        (stamp, slug): (&str, &str),
        mut run: Run,
        campaign: &str,
    ) -> ToolResult<Self> {
        app_core::files::create_folder("make the run folder", parent)?;
        let mut made = None;
        for n in 1..=MOST_A_SECOND {
            let id = match n {
                1 => format!("{stamp}-{slug}"),
                n => format!("{stamp}-{n}-{slug}"),
            };
            let path = parent.join(&id);
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    run.id = id;
                    made = Some(path);
                    break;
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(ToolError::file("make the run folder", &path, &e)),
            }
        }
        let path = made.ok_or_else(|| {
            ToolError::new(
                ErrorKind::Conflict,
                format!(
                    "{MOST_A_SECOND} runs began in this second in `{}`",
                    parent.display()
                ),
            )
        })?;
        app_core::files::create_folder("make the run folder", &path.join("steps"))?;
        let path = std::fs::canonicalize(&path).map_err(|e| ToolError::file("find", &path, &e))?;
        let dir = Self {
            _lock: lock(&path)?,
            run,
            path,
        };
        dir.put("campaign.yml", campaign.as_bytes())?;
        dir.save()?;
        Ok(dir)
    }

    /// Opens the folder of an earlier run to work on it. What is there is read once nobody else can write it.
    ///
    /// Fails with `not_found` when it is no folder of a run, and with `locked` while another process works on it.
    pub(crate) fn open(path: &Path) -> ToolResult<Self> {
        if !path.join("run.json").is_file() {
            return Err(no_run(path));
        }
        let path = std::fs::canonicalize(path).map_err(|e| ToolError::file("find", path, &e))?;
        let held = lock(&path)?;
        let run = snapshot(&path)?;
        Ok(Self {
            _lock: held,
            run,
            path,
        })
    }

    /// Writes `run.json` anew.
    pub(crate) fn save(&self) -> ToolResult<()> {
        let text = serde_json::to_vec_pretty(&self.run)
            .map_err(|e| ToolError::internal(format!("run.json: {e}")))?;
        self.put("run.json", &text)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> ToolResult<()> {
        let target = self.path.join(name);
        let failed = |e: &std::io::Error| ToolError::file("write", &target, e);
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .tempfile_in(&self.path)
            .map_err(|e| failed(&e))?;
        file.write_all(bytes).map_err(|e| failed(&e))?;
        file.persist(&target).map(drop).map_err(|e| failed(&e.error))
    }

    /// What references see: every finished step, the variables, the run itself. Artifact paths are absolute here, and
    /// manifests are left out.
    pub(crate) fn scope(&self) -> Value {
        let mut scope = Map::new();
        for step in self
            .run
            .steps
            .iter()
            .filter(|s| s.status == StepStatus::Succeeded)
        {
            let artifacts: Vec<Value> = step
                .artifacts
                .iter()
                .filter(|artifact| artifact.role != "manifest")
                .map(|artifact| {
                    let mut value = serde_json::to_value(artifact).unwrap_or_default();
                    value["path"] = json!(self.path.join(&artifact.path));
                    value
                })
                .collect();
            scope.insert(
                step.id.clone(),
                json!({"output": step.output, "artifacts": artifacts, "dir": self.step_dir(&step.id)}),
            );
        }
        scope.insert("vars".to_owned(), Value::Object(self.run.vars.clone()));
        scope.insert("run".to_owned(), json!({"dir": self.path, "id": self.run.id, "name": self.run.name, "objective": self.run.objective}));
        Value::Object(scope)
    }

    /// The working directory of a step.
    pub(crate) fn step_dir(&self, id: &str) -> PathBuf {
        self.path.join("steps").join(id)
    }

    /// The step with this id.
    pub(crate) fn step(&mut self, id: &str) -> ToolResult<&mut StepRun> {
        let steps = &mut self.run.steps;
        steps
            .iter_mut()
            .find(|step| step.id == id)
            .ok_or_else(|| ToolError::not_found(format!("the run has no step `{id}`")))
    }
}

/// The summary of a run as it is now, for looking at it: another process may be changing it.
///
/// Fails with `not_found` when there is none, and with `invalid_input` when it is not one.
pub(crate) fn snapshot(path: &Path) -> ToolResult<Run> {
    let file = path.join("run.json");
    if !file.is_file() {
        return Err(no_run(path));
    }
    let bytes = app_core::files::read_limited(&file, MAX_SUMMARY)?;
    let run: Run = serde_json::from_slice(&bytes).map_err(|e| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}` is not a run summary: {e}", file.display()),
        )
    })?;
    if run.format == FORMAT {
        return Ok(run);
    }
    Err(ToolError::new(
        ErrorKind::InvalidInput,
        format!(
            "`{}` is of format `{}`, not `{FORMAT}`",
            file.display(),
            run.format
        ),
    ))
}

fn no_run(path: &Path) -> ToolError {
    ToolError::not_found(format!("`{}` is no folder of a run", path.display()))
        .hint("`campaign list` shows the runs that there are")
}

/// Whether a process works on the run.
pub(crate) fn is_at_work(path: &Path) -> bool {
    std::fs::File::open(path.join(".lock"))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// One process at a time works on a run.
fn lock(path: &Path) -> ToolResult<std::fs::File> {
    let name = path.join(".lock");
    let failed = |e: &std::io::Error| ToolError::file("lock", &name, e);
    // Not emptied: the name may be a link to something else.
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|e| failed(&e))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(e)) => return Err(failed(&e)),
            // Whoever only looks whether somebody is at work holds it for a moment.
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
        }
    }
    Err(ToolError::new(
        ErrorKind::Locked,
        format!("another process works on the run `{}`", path.display()),
    )
    .hint("wait for it, or stop it"))
}
