//! The folder of a run: `run.json` says all there is to know, and is rewritten whole after every change.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use app_core::{Artifact, ErrorKind, ToolError, ToolResult, Usd};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Value of `format` in a `run.json` this version writes.
pub(crate) const FORMAT: &str = "onejob.campaign_run.v1";

/// `run.json`: the run summary.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Run {
    /// Always `onejob.campaign_run.v1`.
    pub(crate) format: String,
    /// Id of the run; also the name of its folder. Never changes.
    pub(crate) id: String,
    /// Name of the campaign.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) objective: String,
    /// Where it stands.
    pub(crate) status: RunStatus,
    /// Start.
    pub(crate) started_at: Timestamp,
    /// End of the last attempt.
    pub(crate) finished_at: Option<Timestamp>,
    /// SHA-256 of the campaign file.
    pub(crate) campaign_sha256: String,
    /// Values the steps refer to.
    #[serde(default)]
    pub(crate) vars: Map<String, Value>,
    /// Money spent.
    pub(crate) cost_usd: Usd,
    /// The steps, in the order of the file.
    pub(crate) steps: Vec<StepRun>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    Running,
    WaitingForApproval,
    Succeeded,
    Failed,
    Cancelled,
}

/// One step of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct StepRun {
    /// Id in the campaign file.
    pub(crate) id: String,
    /// Tool; absent for an approval.
    pub(crate) tool: Option<String>,
    /// Version of the tool.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// Where it stands.
    pub(crate) status: StepStatus,
    /// Steps that had to come before.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// The job that ran it.
    #[serde(default)]
    pub(crate) job_id: Option<String>,
    /// How often it was started.
    #[serde(default)]
    pub(crate) attempt: u32,
    /// Start.
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    /// End.
    #[serde(default)]
    pub(crate) finished_at: Option<Timestamp>,
    /// Milliseconds it took.
    #[serde(default)]
    pub(crate) duration_ms: Option<u64>,
    /// Money spent.
    #[serde(default)]
    pub(crate) cost_usd: Usd,
    /// The input as the tool got it; secrets are `***`.
    #[serde(default)]
    pub(crate) input: Value,
    /// What the tool returned.
    #[serde(default)]
    pub(crate) output: Value,
    /// Files it made; paths are relative to the run's folder.
    #[serde(default)]
    pub(crate) artifacts: Vec<Artifact>,
    /// Why it failed.
    #[serde(default)]
    pub(crate) error: Option<Box<ToolError>>,
    /// What a person is asked, for an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<String>,
    /// Who approved it, for an approval.
    #[serde(default)]
    pub(crate) approved_by: Option<String>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepStatus {
    Pending,
    Running,
    WaitingForApproval,
    Succeeded,
    Failed,
    /// A step it needs failed.
    Skipped,
}

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

    /// Opens the folder of an earlier run.
    pub(crate) fn open(path: &Path) -> ToolResult<Self> {
        let file = path.join("run.json");
        let text = std::fs::read_to_string(&file).map_err(|e| ToolError::file("read", &file, &e))?;
        let run: Run = serde_json::from_str(&text).map_err(|e| {
            ToolError::new(
                ErrorKind::InvalidInput,
                format!("`{}` is not a run summary: {e}", file.display()),
            )
        })?;
        let path = std::fs::canonicalize(path).map_err(|e| ToolError::file("find", path, &e))?;
        Ok(Self {
            _lock: lock(&path)?,
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

/// One process at a time works on a run.
fn lock(path: &Path) -> ToolResult<std::fs::File> {
    let name = path.join(".lock");
    let file = std::fs::File::create(&name).map_err(|e| ToolError::file("lock", &name, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(ToolError::new(
            ErrorKind::Locked,
            format!("another process works on the run `{}`", path.display()),
        )
        .hint("wait for it, or stop it")),
    }
}
