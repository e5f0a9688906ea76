//! The end of a run: what is told where, the manifest, the run log, the metrics.

use std::{
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use serde_json::Value;

use super::{
    dialect::{self, Dialect},
    metrics,
};
use crate::{
    artifact::MANIFEST,
    config::process_env,
    context::Context,
    contract::{ErrorKind, MANIFEST_FORMAT, Manifest, ToolError, ToolResult},
    mutex::lock,
    render::{Style, View},
    state::Runs,
    text,
    tool::Tool,
};

/// What happened, ready for every face.
#[derive(Default)]
pub(super) struct Outcome {
    /// Printed on stdout.
    pub(super) stdout: String,
    pub(super) output: Option<Value>,
    pub(super) error: Option<ToolError>,
    pub(super) exit: u8,
    /// Whether stdout says the failure already, in the words of the dialect.
    pub(super) answered: bool,
    /// The run log that the run stands in.
    pub(super) run_log: Option<Runs>,
}

impl Outcome {
    /// Not run at all.
    pub(super) fn refused(error: ToolError) -> Self {
        Self {
            exit: error.kind.exit_code(),
            error: Some(error),
            ..Self::default()
        }
    }

    /// Answered without a run: this text, exit code 0 or 1.
    pub(super) fn answer(text: String, success: bool) -> Self {
        Self {
            output: serde_json::from_str(&text).ok(),
            stdout: text,
            exit: u8::from(!success),
            ..Self::default()
        }
    }

    /// Refused in the words of the dialect.
    pub(super) fn refused_answer(text: String, error: ToolError) -> Self {
        Self {
            stdout: text,
            error: Some(error),
            exit: 1,
            answered: true,
            ..Self::default()
        }
    }

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
    call: Option<(&Value, &dyn Dialect<T>)>,
    json: bool,
    view: &View<'_, T::Input>,
    style: &Style,
) -> Outcome {
    match result {
        Ok(output) => {
            let value = with_plan(ctx, serde_json::to_value(&output).unwrap_or_default());
            if let Some((call, dialect)) = call {
                let (stdout, success) = dialect::answer(dialect, call, Ok(&output));
                return Outcome {
                    stdout,
                    output: Some(value),
                    exit: u8::from(!success),
                    ..Outcome::default()
                };
            }
            if let Some(exit) = *lock(&ctx.inner().stands_for) {
                return Outcome {
                    output: Some(value),
                    exit,
                    ..Outcome::default()
                };
            }
            let stdout = if json {
                json_text(&value)
            } else {
                let mut written = String::new();
                // Writing to a String cannot fail.
                let _ = T::render(&output, view, &mut written);
                style.finish(&written)
            };
            let mut outcome = Outcome {
                stdout,
                output: Some(value),
                ..Outcome::default()
            };
            if let Some(error) = outside_plan(ctx) {
                outcome.fail(error);
            }
            outcome
        }
        Err((error, exit)) => settle_failure::<T>(ctx, error, exit, call, json, view, style),
    }
}

fn settle_failure<T: Tool>(
    ctx: &Context,
    mut error: ToolError,
    exit: Option<u8>,
    call: Option<(&Value, &dyn Dialect<T>)>,
    json: bool,
    view: &View<'_, T::Input>,
    style: &Style,
) -> Outcome {
    error.trace_id.clone_from(&ctx.inner().trace_id);
    let exit = exit.unwrap_or_else(|| error.kind.exit_code());
    if let Some((call, dialect)) = call {
        let (stdout, _) = dialect::answer(dialect, call, Err(&error));
        // Old callers know one failure; who stopped the run still learns that it was stopped.
        let exit = if error.kind == ErrorKind::Cancelled {
            exit
        } else {
            1
        };
        return Outcome {
            stdout,
            error: Some(error),
            exit,
            answered: true,
            ..Outcome::default()
        };
    }
    let output = error
        .output
        .as_deref()
        .cloned()
        .map(|output| with_plan(ctx, output));
    let stdout = match &output {
        None => String::new(),
        Some(value) if json => json_text(value),
        Some(value) => {
            let mut written = String::new();
            // Writing to a String cannot fail.
            let _ = T::render_partial(value, view, &mut written);
            style.finish(&written)
        }
    };
    Outcome {
        stdout,
        output,
        error: Some(error),
        exit,
        ..Outcome::default()
    }
}

/// The output with what would have been done, when the run only planned, and with what the plan that the run was
/// held to left alone.
fn with_plan(ctx: &Context, mut value: Value) -> Value {
    let Some(fields) = value.as_object_mut() else {
        return value;
    };
    if let Some(plan) = ctx.plan()
        && ctx.definition().has_effects()
    {
        fields.insert("plan".to_owned(), serde_json::to_value(plan).unwrap_or_default());
    }
    if let Some(unplanned) = ctx.unplanned() {
        fields.insert(
            "outside_plan".to_owned(),
            serde_json::json!({"not_planned": unplanned.not_planned, "vanished": unplanned.vanished}),
        );
    }
    value
}

/// A run that met targets beside its plan left them alone; that is a part not done.
fn outside_plan(ctx: &Context) -> Option<ToolError> {
    let left = ctx.unplanned()?.not_planned.total;
    (left > 0).then(|| {
        ToolError::new(
            ErrorKind::Partial,
            format!("{left} targets are not in the plan and were left alone"),
        )
        .code("outside_plan")
        .hint("plan again to include them")
    })
}

pub(super) fn json_text(value: &Value) -> String {
    let text = if crate::stdout::is_terminal() {
        let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
        text::escaped_json(&pretty).into_owned()
    } else {
        serde_json::to_string(value).unwrap_or_default()
    };
    format!("{text}\n")
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
    crate::address::hide_secrets(&mut input);
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
        .and_then(|bytes| ctx.write(&path, "application/json", MANIFEST, &bytes));
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
