//! The job of a step: how it is begun, and what it brought.

use std::path::Path;

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd};
use job_manager::{Job, JobId, JobManager, JobState, StartRequest};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    file::Step,
    paths::from_folder,
    reference,
    run::{StepRun, StepStatus},
    run_dir::RunDir,
};

/// Queues the job of a step, or finds the one an interrupted run queued.
pub(crate) async fn begin(
    step: &Step,
    dir: &mut RunDir,
    manager: &JobManager,
    ctx: &Context,
) -> ToolResult<JobId> {
    let tool = step.tool.clone().unwrap_or_default();
    let input = reference::resolve(&Value::Object(step.input.clone()), &dir.scope()).map_err(|problem| {
        ToolError::new(ErrorKind::InvalidInput, format!("step `{}`: {problem}", step.id)).from_source("input")
    })?;
    let working_dir = dir.step_dir(&step.id);
    let tools = manager.list_tools().await?;
    let definition = tools.iter().find(|entry| entry.definition.name == tool);
    let campaign_dir = dir
        .run
        .vars
        .get("campaign_dir")
        .and_then(Value::as_str)
        .map(Path::new);
    let input = match (definition, campaign_dir) {
        (Some(entry), Some(folder)) => from_folder(
            input,
            entry.definition.input_schema.as_value(),
            folder,
            &working_dir,
        ),
        _ => input,
    };
    std::fs::create_dir_all(&working_dir).map_err(|e| ToolError::file("make", &working_dir, &e))?;
    let (run_id, mode) = (dir.run.id.clone(), dir.run.mode);
    let own = dir.step(&step.id)?;
    own.attempt += 1;
    own.started_at = Some(ctx.now());
    own.status = StepStatus::Running;
    own.error = None;
    let mut request = StartRequest {
        tool,
        input,
        mode,
        requested_by: format!("campaign:{run_id}"),
        working_dir: Some(working_dir),
        ..StartRequest::default()
    };
    loop {
        let attempt = dir.step(&step.id)?.attempt;
        // The folder, not the id: two runs begun in one second may share the id.
        request.idempotency_key = Some(format!("{}/{}/{attempt}", dir.path.display(), step.id));
        let started = manager.start(request.clone()).await?;
        // A run that was cut off may have queued this attempt without noting it. One that succeeded is taken over;
        // one that was stopped or failed counts as an attempt of its own.
        if started.existing {
            let state = manager.get(started.id).await?.state;
            if !matches!(state, JobState::Succeeded { .. }) {
                if !state.is_over() {
                    // It waits for a process that is gone, or for a worker that may never come.
                    manager.cancel(started.id, "campaign", false).await?;
                }
                dir.step(&step.id)?.attempt += 1;
                continue;
            }
        }
        dir.step(&step.id)?.job_id = Some(started.id.to_string());
        return Ok(started.id);
    }
}

/// Takes over what a job brought.
pub(crate) fn take(dir: &mut RunDir, id: &str, job: Job) -> ToolResult<()> {
    let root = dir.path.clone();
    let step_dir = dir.step_dir(id);
    let step = dir.step(id)?;
    step.version = Some(job.version);
    step.input = job.input;
    step.cost_usd = job.cost_usd;
    step.artifacts = job.artifacts;
    for artifact in &mut step.artifacts {
        let full = step_dir.join(&artifact.path);
        artifact.path = full.strip_prefix(&root).map_or(full.clone(), Path::to_owned);
    }
    match job.state {
        JobState::Succeeded {
            started_at,
            finished_at,
            output,
            ..
        } => {
            step.status = StepStatus::Succeeded;
            step.output = output;
            span(step, Some(started_at), finished_at);
        }
        JobState::Failed {
            started_at,
            finished_at,
            error,
            ..
        } => {
            span(step, started_at, finished_at);
            fail(step, *error);
        }
        other => {
            let name = serde_json::to_value(&other)
                .ok()
                .and_then(|v| v["state"].as_str().map(str::to_owned));
            fail(
                step,
                ToolError::cancelled().code(name.unwrap_or_else(|| "ended".to_owned())),
            );
        }
    }
    Ok(())
}

fn span(step: &mut StepRun, started: Option<jiff::Timestamp>, finished: jiff::Timestamp) {
    step.started_at = started.or(step.started_at);
    step.finished_at = Some(finished);
    step.duration_ms = started.map(|at| finished.duration_since(at).as_millis().max(0) as u64);
}

pub(crate) fn fail(step: &mut StepRun, error: ToolError) {
    step.status = StepStatus::Failed;
    if let Some(output) = &error.output {
        step.output = (**output).clone();
    }
    step.error = Some(Box::new(error));
}

pub(crate) async fn stop_all(dir: &RunDir, manager: &JobManager) {
    for step in dir.run.steps.iter().filter(|s| s.status == StepStatus::Running) {
        if let Some(id) = step.job_id.as_deref().and_then(|id| id.parse().ok()) {
            // The run is being cancelled as a whole; a job that is over already needs nothing.
            let _ = manager.cancel(id, "campaign", false).await;
        }
    }
}

/// A finished step whose files are gone or changed is done again: its successors would work on other data.
pub(crate) fn check_finished_files(dir: &mut RunDir, ctx: &Context) {
    let root = dir.path.clone();
    for step in dir
        .run
        .steps
        .iter_mut()
        .filter(|s| s.status == StepStatus::Succeeded)
    {
        let intact = step.artifacts.iter().all(|artifact| {
            std::fs::read(root.join(&artifact.path))
                .is_ok_and(|bytes| hex::encode(Sha256::digest(&bytes)) == artifact.sha256)
        });
        if !intact {
            ctx.warn(format!(
                "files of step `{}` are gone or changed; it is done again",
                step.id
            ));
            step.status = StepStatus::Pending;
        }
    }
    for step in &mut dir.run.steps {
        if matches!(
            step.status,
            StepStatus::Running | StepStatus::Failed | StepStatus::Skipped
        ) {
            step.status = StepStatus::Pending;
            step.cost_usd = Usd::ZERO;
        }
    }
}
