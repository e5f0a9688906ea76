//! Carries a run through: every step whose needs are met becomes a job; what is finished is never done again.

use std::{collections::BTreeMap, path::Path};

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use job_manager::{Job, JobManager, JobState, Options, Role, RunMode, StartRequest};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    file::{Campaign, Step},
    reference,
    run_dir::{RunDir, RunStatus, StepRun, StepStatus},
};

/// Works on the run until nothing is left that could be done. The caller looks at `dir.run.status`.
pub(crate) async fn carry_on(
    campaign: &Campaign,
    dir: &mut RunDir,
    mode: RunMode,
    ctx: &Context,
) -> ToolResult<()> {
    let manager = JobManager::open(Options::from_config(
        ctx.config(),
        ctx.state_dir()?,
        Role::Foreground,
    )?)?;
    check_finished_files(dir, ctx);
    let progress = ctx.progress("campaign", "steps", Some(campaign.steps.len() as u64));
    let mut running = FuturesUnordered::new();
    dir.run.status = RunStatus::Running;
    loop {
        skip_dead_ends(campaign, dir)?;
        for step in ready(campaign, dir)? {
            if let Some(question) = &step.approval {
                dir.step(&step.id)?.status = StepStatus::WaitingForApproval;
                ctx.info(format!("step `{}` waits for approval: {question}", step.id));
                continue;
            }
            match begin(step, dir, &manager, mode, ctx).await {
                Ok(id) => {
                    let (manager, step_id) = (manager.clone(), step.id.clone());
                    running.push(async move { (step_id, manager.wait(id).await) });
                }
                Err(error) => fail(dir.step(&step.id)?, error),
            }
            dir.save()?;
        }
        progress.set(dir.run.steps.iter().filter(|s| is_over(s.status)).count() as u64);
        if running.is_empty() {
            // A failed start may have made further steps dead ends.
            if ready(campaign, dir)?.is_empty() {
                break;
            }
            continue;
        }
        let ended = tokio::select! {
            () = ctx.cancellation().cancelled() => None,
            ended = running.next() => ended,
        };
        let Some((id, job)) = ended else {
            dir.run.status = RunStatus::Cancelled;
            stop_all(dir, &manager).await;
            return finish(dir, ctx);
        };
        take(dir, &id, job?)?;
        dir.save()?;
    }
    progress.finish();
    let any = |status| dir.run.steps.iter().any(|s| s.status == status);
    dir.run.status = if any(StepStatus::WaitingForApproval) {
        RunStatus::WaitingForApproval
    } else if campaign
        .steps
        .iter()
        .any(|step| !step.optional && failed(dir, &step.id))
    {
        RunStatus::Failed
    } else {
        RunStatus::Succeeded
    };
    finish(dir, ctx)
}

fn finish(dir: &mut RunDir, ctx: &Context) -> ToolResult<()> {
    skip_nothing_running(dir);
    dir.run.cost_usd = dir.run.steps.iter().map(|s| s.cost_usd).sum();
    dir.run.finished_at = Some(ctx.now());
    dir.save()
}

/// After a cancel no step is left as `running`.
fn skip_nothing_running(dir: &mut RunDir) {
    for step in dir
        .run
        .steps
        .iter_mut()
        .filter(|s| s.status == StepStatus::Running)
    {
        step.status = StepStatus::Pending;
    }
}

fn is_over(status: StepStatus) -> bool {
    matches!(
        status,
        StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped
    )
}

fn failed(dir: &RunDir, id: &str) -> bool {
    dir.run
        .steps
        .iter()
        .any(|s| s.id == id && matches!(s.status, StepStatus::Failed | StepStatus::Skipped))
}

/// Pending steps whose needs have all succeeded (or are optional and over).
fn ready<'a>(campaign: &'a Campaign, dir: &RunDir) -> ToolResult<Vec<&'a Step>> {
    let status: BTreeMap<&str, StepStatus> =
        dir.run.steps.iter().map(|s| (s.id.as_str(), s.status)).collect();
    let mut ready = Vec::new();
    for step in &campaign.steps {
        let needs = step.all_needs()?;
        let met = needs
            .iter()
            .all(|need| status.get(need.as_str()) == Some(&StepStatus::Succeeded));
        if met && status.get(step.id.as_str()) == Some(&StepStatus::Pending) {
            ready.push(step);
        }
    }
    Ok(ready)
}

/// Steps that wait for one that failed will never run.
fn skip_dead_ends(campaign: &Campaign, dir: &mut RunDir) -> ToolResult<()> {
    loop {
        let mut changed = false;
        for step in &campaign.steps {
            let dead = step.all_needs()?.into_iter().find(|need| failed(dir, need));
            let own = dir.step(&step.id)?;
            if let (Some(need), StepStatus::Pending) = (dead, own.status) {
                own.status = StepStatus::Skipped;
                own.error = Some(Box::new(ToolError::new(
                    ErrorKind::Conflict,
                    format!("step `{need}` did not succeed"),
                )));
                changed = true;
            }
        }
        if !changed {
            return Ok(());
        }
    }
}

/// Queues the job of a step, or finds the one an interrupted run queued.
async fn begin(
    step: &Step,
    dir: &mut RunDir,
    manager: &JobManager,
    mode: RunMode,
    ctx: &Context,
) -> ToolResult<job_manager::JobId> {
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
    let run_id = dir.run.id.clone();
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

/// Relative paths of files to be read mean the folder of the campaign file, where they are written; what a step made
/// lies in the folder of the step, and is left as it is.
fn from_folder(mut input: Value, schema: &Value, folder: &Path, step_dir: &Path) -> Value {
    let branches = schema["oneOf"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![schema.clone()]);
    let fits = |branch: &&Value| {
        let properties = branch["properties"].as_object().into_iter().flatten();
        properties
            .filter_map(|(name, property)| Some((name, property.get("const")?)))
            .all(|(name, tag)| input.get(name) == Some(tag))
    };
    let Some(properties) = branches
        .iter()
        .find(fits)
        .and_then(|branch| branch["properties"].as_object())
    else {
        return input;
    };
    let absolute = |value: &mut Value| {
        let Some(text) = value.as_str() else { return };
        let relative = !text.is_empty()
            && !text.contains("://")
            && !text.starts_with('-')
            && Path::new(text).is_relative();
        if relative && !step_dir.join(text).exists() {
            *value = Value::from(folder.join(text).display().to_string());
        }
    };
    for (name, property) in properties {
        let kind = property["x-cli"]["path"]
            .as_str()
            .or(property["anyOf"][0]["x-cli"]["path"].as_str());
        if !matches!(kind, Some("file" | "any" | "dir")) {
            continue;
        }
        match input.get_mut(name) {
            Some(Value::Array(items)) => items.iter_mut().for_each(absolute),
            Some(value) => absolute(value),
            None => {}
        }
    }
    input
}

/// Takes over what a job brought.
fn take(dir: &mut RunDir, id: &str, job: Job) -> ToolResult<()> {
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

fn fail(step: &mut StepRun, error: ToolError) {
    step.status = StepStatus::Failed;
    if let Some(output) = &error.output {
        step.output = (**output).clone();
    }
    step.error = Some(Box::new(error));
}

async fn stop_all(dir: &RunDir, manager: &JobManager) {
    for step in dir.run.steps.iter().filter(|s| s.status == StepStatus::Running) {
        if let Some(id) = step.job_id.as_deref().and_then(|id| id.parse().ok()) {
            // The run is being cancelled as a whole; a job that is over already needs nothing.
            let _ = manager.cancel(id, "campaign", false).await;
        }
    }
}

/// A finished step whose files are gone or changed is done again: its successors would work on other data.
fn check_finished_files(dir: &mut RunDir, ctx: &Context) {
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
