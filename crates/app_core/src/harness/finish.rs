//! The end of a run: what is told where, the manifest, the run log, the metrics.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use serde_json::Value;

use super::{legacy, metrics};
use crate::{
    config::process_env,
    context::{Context, lock},
    contract::{ErrorKind, MANIFEST_FORMAT, Manifest, Tool, ToolError, ToolResult},
    state::Runs,
};

/// What happened, ready to be told on every face.
pub(super) struct Outcome {
    /// Printed on stdout.
    pub(super) stdout: String,
    pub(super) output: Option<Value>,
    pub(super) error: Option<ToolError>,
    pub(super) exit: u8,
}

impl Outcome {
    /// Notes a failure that came after the run; the run's own failure stays.
    pub(super) fn fail(&mut self, error: ToolError) {
        if self.error.is_none() {
            self.exit = error.kind.exit_code();
            self.error = Some(error);
        }
    }
}

pub(super) fn settle<T: Tool>(
    ctx: &Context,
    result: Result<T::Output, (ToolError, Option<u8>)>,
    call: Option<&Value>,
    json: bool,
) -> Outcome {
    match result {
        Ok(output) => {
            let value = serde_json::to_value(&output).unwrap_or_default();
            if let Some(call) = call {
                let (stdout, success) = legacy::answer::<T>(call, Ok(&output));
                return Outcome {
                    stdout,
                    output: Some(value),
                    error: None,
                    exit: u8::from(!success),
                };
            }
            if let Some(exit) = *lock(&ctx.inner().stands_for) {
                return Outcome {
                    stdout: String::new(),
                    output: Some(value),
                    error: None,
                    exit,
                };
            }
            let mut stdout = String::new();
            if !json {
                // Writing to a String cannot fail.
                let _ = T::render(&output, &mut stdout);
            }
            Outcome {
                stdout: if json { json_text(&value) } else { stdout },
                output: Some(value),
                error: None,
                exit: 0,
            }
        }
        Err((mut error, exit)) => {
            error.trace_id.clone_from(&ctx.inner().trace_id);
            let exit = exit.unwrap_or_else(|| error.kind.exit_code());
            if let Some(call) = call {
                let (stdout, _) = legacy::answer::<T>(call, Err(&error));
                // Old callers know one failure; who stopped the run still learns that it was stopped.
                let exit = if error.kind == ErrorKind::Cancelled {
                    exit
                } else {
                    1
                };
                return Outcome {
                    stdout,
                    output: None,
                    error: Some(error),
                    exit,
                };
            }
            let output = error.output.as_deref().cloned();
            let stdout = match &output {
                None => String::new(),
                Some(value) if json => json_text(value),
                Some(value) => {
                    let mut text = String::new();
                    let _ = T::render_partial(value, &mut text);
                    text
                }
            };
            Outcome {
                stdout,
                output,
                error: Some(error),
                exit,
            }
        }
    }
}

pub(super) fn json_text(value: &Value) -> String {
    let text = if std::io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    format!("{}\n", text.unwrap_or_default())
}

/// `manifest.json` beside the first artifact, unless told otherwise. Its failure fails the run: lineage would be lost.
pub(super) fn write_manifest(
    ctx: &Context,
    wanted: Option<&Path>,
    started_at: jiff::Timestamp,
    input_hash: &str,
    mut input: Value,
    outcome: &mut Outcome,
) {
    let inner = ctx.inner();
    let artifacts = ctx.artifacts();
    let Some(first) = artifacts.first() else { return };
    let path = match wanted {
        Some(path) if path == Path::new("none") => return,
        Some(path) => path.to_owned(),
        None => beside(&first.path),
    };
    // A manifest is often passed on with its file.
    crate::web::hide_secrets(&mut input);
    let manifest = Manifest {
        format: MANIFEST_FORMAT.to_owned(),
        run_id: inner.run_id.clone(),
        tool: inner.definition.name.clone(),
        version: inner.definition.version.clone(),
        input_hash: input_hash.to_owned(),
        input,
        started_at,
        finished_at: ctx.now(),
        artifacts,
        cost_usd: *lock(&inner.cost),
    };
    let written = serde_json::to_vec_pretty(&manifest)
        .map_err(|e| ToolError::internal(format!("manifest: {e}")))
        .and_then(|bytes| ctx.write(&path, "application/json", "manifest", &bytes));
    if let Err(error) = written {
        outcome.fail(error);
    }
}

/// `out/a.gif` -> `out/a.gif.manifest.json`: two tools writing into one folder must not overwrite each other's lineage.
pub(super) fn beside(artifact: &Path) -> PathBuf {
    let mut name = artifact.as_os_str().to_owned();
    name.push(".manifest.json");
    PathBuf::from(name)
}

pub(super) fn open_run_log(ctx: &Context) -> Option<Runs> {
    let opened = ctx.state_dir().and_then(Runs::open);
    match opened {
        Ok(runs) => Some(runs),
        Err(error) => {
            ctx.warn(format!("this run is not in the run log: {}", error.message));
            None
        }
    }
}

pub(super) fn close_run_log(ctx: &Context, runs: Option<&Runs>, outcome: &Outcome) {
    let Some(runs) = runs else { return };
    let inner = ctx.inner();
    let error = outcome.error.as_ref().map(|e| (e.kind.as_str(), e.code.as_str()));
    let bytes = lock(&inner.artifacts).iter().map(|a| a.bytes).sum();
    let counts = (inner.items.load(Ordering::Relaxed), bytes);
    let cost = *lock(&inner.cost);
    warn_failed(
        ctx,
        runs.finish(&inner.run_id, outcome.exit, error, cost, counts, ctx.now()),
    );
    if let Some(dir) = process_env("ONEJOB_METRICS_DIR") {
        warn_failed(ctx, metrics::write(Path::new(&dir), &inner.definition.name, runs));
    }
}

pub(super) fn warn_failed(ctx: &Context, result: ToolResult<()>) {
    if let Err(error) = result {
        ctx.warn(error.message);
    }
}
