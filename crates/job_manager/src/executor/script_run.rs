//! A replaced script in the run log and the metrics: it does not write there itself as a tool does.

use std::path::{Path, PathBuf};

use app_core::{
    Usd,
    contract::{ErrorKind, ToolResult},
    harness,
    state::{NewRun, Runs},
};
use serde_json::Value;

use super::{Outcome, Place, Why, spawn};
use crate::{registry::Resolved, store::Claimed, wire::RunMode};

/// A run that has begun and is in the run log.
pub(super) struct ScriptRun {
    runs: Runs,
    tool: String,
    run_id: String,
    metrics_dir: Option<PathBuf>,
}

impl ScriptRun {
    /// Notes the start. Without a run log the script still runs: that is said in the log of this program.
    pub(super) async fn begin(claimed: &Claimed, tool: &Resolved, place: &Place, pid: u32) -> Option<Self> {
        let (script, reason) = tool.legacy.as_ref()?;
        let (tool, run_id) = (claimed.tool.clone(), spawn::run_id(claimed, place));
        let (state_dir, metrics_dir) = (place.state_dir.clone(), place.metrics_dir.clone());
        let (script, reason) = (script.script.clone(), reason.as_str());
        let (input, planned) = (claimed.input.clone(), claimed.mode == RunMode::Plan);
        told(
            tokio::task::spawn_blocking(move || {
                let runs = Runs::open(&state_dir)?;
                let run = NewRun {
                    run_id: &run_id,
                    tool: &tool,
                    version: &version(&script)?,
                    input_hash: &input_hash(&input),
                    pid,
                    planned,
                    fallback: Some(reason),
                };
                runs.start(&run, app_core::Clock::System.now())?;
                Ok(Self {
                    runs,
                    tool,
                    run_id,
                    metrics_dir,
                })
            })
            .await,
        )
    }

    /// Notes the end, and brings the metrics up to date.
    pub(super) async fn end(self, outcome: &Outcome) {
        let (exit, error) = match outcome {
            Outcome::Succeeded(_) => (0, None),
            Outcome::Failed(error) => (
                error.kind.exit_code(),
                Some((error.kind.as_str(), error.code.clone())),
            ),
            Outcome::Stopped { why, .. } => {
                let kind = match why {
                    Why::Timeout => ErrorKind::Timeout,
                    Why::Cancel | Why::Shutdown => ErrorKind::Cancelled,
                };
                (kind.exit_code(), Some((kind.as_str(), kind.as_str().to_owned())))
            }
        };
        told(
            tokio::task::spawn_blocking(move || {
                let error = error.as_ref().map(|(kind, code)| (*kind, code.as_str()));
                self.runs.finish(
                    &self.run_id,
                    exit,
                    error,
                    Usd::ZERO,
                    (0, 0),
                    app_core::Clock::System.now(),
                )?;
                match &self.metrics_dir {
                    Some(dir) => harness::write_metrics(dir, &self.tool, &self.runs),
                    None => Ok(()),
                }
            })
            .await,
        );
    }
}

fn told<T>(result: Result<ToolResult<T>, tokio::task::JoinError>) -> Option<T> {
    match result {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::warn!("a run of a replaced script is not fully in the run log: {error}");
            None
        }
        Err(error) => {
            tracing::warn!("a run of a replaced script is not fully in the run log: {error}");
            None
        }
    }
}

/// A script has no version of its own; its bytes are one.
fn version(script: &Path) -> ToolResult<String> {
    let sha256 = app_core::files::sha256_of(script)?;
    Ok(format!("script-{}", &sha256[..12]))
}

fn input_hash(input: &Value) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(input.to_string()))
}
