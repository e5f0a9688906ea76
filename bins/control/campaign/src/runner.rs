//! Carries a run through: every step whose needs are met becomes a job or a question; what is finished is never done
//! again.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use job_manager::{Job, JobManager, Options, Role, RunMode};
use serde_json::Value;

use crate::{
    approving,
    file::{Campaign, Step},
    reference,
    run::{RunStatus, StepStatus},
    run_dir::RunDir,
    step_job::{begin, check_finished_files, fail, stop_all, take},
};

/// How often the store of approvals is looked at while other steps run.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A job of a step, on its way to its end.
type Ending = Pin<Box<dyn Future<Output = (String, ToolResult<Job>)> + Send>>;

/// Works on the run until nothing is left that could be done. The caller looks at `dir.run.status`.
///
/// Fails when the job manager, the store of approvals or the run's folder cannot be used; a step that fails is no failure
/// of this function.
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
    dir.run.mode = mode;
    dir.run.status = RunStatus::Running;
    dir.run.finished_at = None;
    check_finished_files(dir, ctx);
    approving::recheck(&mut dir.run, &dir.path);
    let progress = ctx.progress("campaign", "steps", Some(campaign.steps.len() as u64));
    let mut running: FuturesUnordered<Ending> = FuturesUnordered::new();
    loop {
        skip_dead_ends(campaign, dir, ctx)?;
        let begun = begin_ready(campaign, dir, &manager, &mut running, ctx).await?;
        progress.set(dir.run.steps.iter().filter(|s| is_over(s.status)).count() as u64);
        if running.is_empty() {
            // A failed start may have made further steps dead ends, and an answer may have been there already.
            if begun == 0 {
                break;
            }
            continue;
        }
        let asked = dir
            .run
            .steps
            .iter()
            .any(|s| s.status == StepStatus::WaitingForApproval);
        let moved = tokio::select! {
            () = ctx.cancellation().cancelled() => {
                dir.run.status = RunStatus::Cancelled;
                stop_all(dir, &manager).await;
                return finish(dir, ctx);
            }
            Some((id, job)) = running.next() => {
                take(dir, &id, job?)?;
                vec![id]
            }
            () = tokio::time::sleep(LOOK_EVERY), if asked => {
                approving::take_up(&mut dir.run, &dir.path, ctx)?
            }
        };
        if !moved.is_empty() {
            dir.save()?;
        }
        for id in moved {
            approving::tell(dir.step(&id)?, ctx);
        }
    }
    progress.finish();
    dir.run.status = outcome(campaign, dir);
    finish(dir, ctx)
}

/// Begins all steps that can begin: starts jobs, asks people. Returns how many were begun.
async fn begin_ready(
    campaign: &Campaign,
    dir: &mut RunDir,
    manager: &JobManager,
    running: &mut FuturesUnordered<Ending>,
    ctx: &Context,
) -> ToolResult<usize> {
    let steps = ready(campaign, dir)?;
    for step in &steps {
        if step.approval.is_some() {
            if let Err(error) = put(step, dir, ctx) {
                fail(dir.step(&step.id)?, error);
            }
        } else {
            match begin(step, dir, manager, ctx).await {
                Ok(id) => {
                    let (manager, step_id) = (manager.clone(), step.id.clone());
                    running.push(Box::pin(async move { (step_id, manager.wait(id).await) }));
                }
                Err(error) => fail(dir.step(&step.id)?, error),
            }
        }
        // Whoever hears of it finds it in the file.
        dir.save()?;
        approving::tell(dir.step(&step.id)?, ctx);
    }
    Ok(steps.len())
}

/// Puts the question of a step to people.
fn put(step: &Step, dir: &mut RunDir, ctx: &Context) -> ToolResult<()> {
    let question = Value::from(step.approval.clone().unwrap_or_default());
    let question = reference::resolve(&question, &dir.scope()).map_err(|problem| {
        ToolError::new(ErrorKind::InvalidInput, format!("step `{}`: {problem}", step.id)).from_source("input")
    })?;
    let question = question
        .as_str()
        .map_or_else(|| question.to_string(), str::to_owned);
    dir.step(&step.id)?.question = Some(question.clone());
    approving::ask(
        &mut dir.run,
        &dir.path,
        &step.id,
        step.approvers.unwrap_or(1),
        ctx,
    )?;
    if dir.step(&step.id)?.status == StepStatus::WaitingForApproval {
        ctx.info(format!("step `{}` waits for approval: {question}", step.id));
    }
    Ok(())
}

/// What became of the run when nothing is left to do.
fn outcome(campaign: &Campaign, dir: &RunDir) -> RunStatus {
    if rejected(campaign, dir).is_some() {
        return RunStatus::Rejected;
    }
    let mut steps = dir.run.steps.iter();
    if steps.any(|s| s.status == StepStatus::WaitingForApproval) {
        return RunStatus::WaitingForApproval;
    }
    let mut needed = campaign.steps.iter().filter(|step| !step.optional);
    if needed.any(|step| failed(dir, &step.id)) {
        RunStatus::Failed
    } else {
        RunStatus::Succeeded
    }
}

/// The step that somebody said no to, which ends the run; an optional one ends only what follows it.
fn rejected(campaign: &Campaign, dir: &RunDir) -> Option<String> {
    let said_no = |id: &str| {
        let step = dir.run.steps.iter().find(|s| s.id == id);
        let error = step
            .filter(|s| s.status == StepStatus::Failed)
            .and_then(|s| s.error.as_ref());
        error.is_some_and(|e| e.code == approving::REJECTED)
    };
    let mut needed = campaign.steps.iter().filter(|step| !step.optional);
    needed.find(|step| said_no(&step.id)).map(|step| step.id.clone())
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

/// Steps that wait for one that failed will never run, and after a rejection none is begun.
fn skip_dead_ends(campaign: &Campaign, dir: &mut RunDir, ctx: &Context) -> ToolResult<()> {
    let no = rejected(campaign, dir);
    loop {
        let mut changed = false;
        for step in &campaign.steps {
            let dead = step.all_needs()?.into_iter().find(|need| failed(dir, need));
            let why = match (&dead, &no) {
                (_, Some(no)) => format!("the run ended with the rejection of step `{no}`"),
                (Some(need), None) => format!("step `{need}` did not succeed"),
                (None, None) => continue,
            };
            let own = dir.step(&step.id)?;
            if matches!(own.status, StepStatus::Pending | StepStatus::WaitingForApproval) {
                approving::withdraw(own, &why, ctx);
                own.status = StepStatus::Skipped;
                own.error = Some(Box::new(ToolError::new(ErrorKind::Conflict, why)));
                approving::tell(own, ctx);
                changed = true;
            }
        }
        if !changed {
            return Ok(());
        }
    }
}
