//! The way to a script that stands in for its tool, or has none yet: as a job, so that it has a timeout, a log and a
//! run record like any other, with the answer it gave.

use app_core::{Context, ToolError, ToolResult};
use job_manager::{Close, JobManager, JobState, Options, Route, RunMode, StartRequest};
use serde_json::Value;

/// The name under which a script answers for a call, when one does: it is switched to, or there is no binary.
pub(crate) fn answering(name: &str, tool: Option<&str>, options: &Options) -> ToolResult<Option<String>> {
    let legacy = &options.settings.legacy;
    let known = match tool {
        // One that is not taken from its file is known too: the route says why it does not run.
        Some(tool) => {
            (legacy.contains_key(tool) || options.settings.distrusted.contains(tool)).then_some(tool)
        }
        None => [name, name.trim_end_matches("_tool")]
            .into_iter()
            .find(|name| legacy.contains_key(*name) || options.settings.distrusted.contains(*name))
            .or_else(|| {
                let called = legacy.iter().find(|(_, l)| l.call.as_deref() == Some(name));
                called.map(|(tool, _)| tool.as_str())
            }),
    };
    let Some(known) = known else { return Ok(None) };
    let route = options.settings.route(known, tool.is_some())?;
    Ok((route == Route::Legacy).then(|| known.to_owned()))
}

/// Runs the script here and now and gives its answer: the envelope as it was where it gave one.
pub(crate) async fn call(
    tool: &str,
    parameters: Value,
    options: Options,
    ctx: &Context,
) -> ToolResult<Value> {
    let jobs = JobManager::open(options)?;
    let request = StartRequest {
        tool: tool.to_owned(),
        input: parameters,
        mode: if ctx.dry_run() {
            RunMode::Plan
        } else {
            RunMode::Default
        },
        requested_by: "dispatch".to_owned(),
        working_dir: std::env::current_dir().ok(),
        ..StartRequest::default()
    };
    let id = jobs.start(request).await?.id;
    let job = tokio::select! {
        job = jobs.wait(id) => job?,
        () = ctx.cancellation().cancelled() => {
            jobs.cancel(id, "dispatch", false).await?;
            return Err(ToolError::cancelled());
        }
    };
    jobs.close(Close::Drain).await;
    if let JobState::Succeeded { output, .. } = job.state {
        return Ok(output);
    }
    let error = job.state.failure().unwrap_or_else(ToolError::cancelled);
    // An error inside a success keeps its two levels.
    let line = error
        .context
        .get("answer")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match serde_json::from_str::<Value>(line) {
        Ok(answer) if answer["status"] == "success" => Ok(answer["result"].clone()),
        _ => Err(error),
    }
}
