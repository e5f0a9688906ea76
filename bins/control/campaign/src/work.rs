//! A run from its beginning, or from where it stopped, to its end and its report.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult, Usd};
use jiff::tz::TimeZone;
use job_manager::{JobManager, JobState, Options, Role, RunMode, StartRequest};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    Output, approving,
    file::{self, Campaign},
    input::{Resume, RunInput},
    plan,
    run::{FORMAT, Run, RunStatus, StepRun, StepStatus},
    run_dir::RunDir,
    runner,
};

/// Runs a campaign file from the start.
pub(crate) async fn start(input: &RunInput, ctx: &Context) -> ToolResult<Output> {
    let bytes = ctx.read(&input.file, 8 << 20)?;
    let text = String::from_utf8(bytes).map_err(|_| file::wrong("it is not UTF-8".to_owned()))?;
    let mut campaign = Campaign::parse(&text)?;
    // Steps name files relative to the campaign file; its folder is part of what they can refer to.
    let folder = input
        .file
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = std::fs::canonicalize(folder).map_err(|e| ToolError::file("find", folder, &e))?;
    campaign.vars.insert("campaign_dir".to_owned(), json!(folder));
    campaign.settle_vars(&input.vars)?;
    let planned = plan::plan(&campaign, ctx).await?;
    // All of them are asked for, so that a plan is whole; a run that may not do all of them does none.
    let mut allowed = ctx.may("write_folder", &input.output_dir.display().to_string(), "");
    for step in &planned {
        allowed &= ctx.may("run_step", &step.id, &step.tool);
    }
    if !allowed {
        return Ok(Output::Plan { steps: planned });
    }
    let stamp = ctx
        .now()
        .to_zoned(TimeZone::UTC)
        .strftime("%Y%m%d-%H%M%S")
        .to_string();
    let base = if campaign.objective.is_empty() {
        &campaign.name
    } else {
        &campaign.objective
    };
    let slug = slug(base);
    let run = new_run(&campaign, &text, input.mode, ctx)?;
    let mut dir = RunDir::create(&input.output_dir, (&stamp, &slug), run, &text)?;
    ctx.info(format!("run `{}` in `{}`", dir.run.id, dir.path.display()));
    work(&campaign, &mut dir, input.mode, ctx).await
}

/// A run of the campaign of which nothing is done yet.
fn new_run(campaign: &Campaign, text: &str, mode: RunMode, ctx: &Context) -> ToolResult<Run> {
    let mut steps = Vec::new();
    for step in &campaign.steps {
        steps.push(StepRun {
            id: step.id.clone(),
            title: step.title.clone(),
            tool: step.tool.clone(),
            version: None,
            status: StepStatus::Pending,
            needs: step.all_needs()?.into_iter().collect(),
            job_id: None,
            attempt: 0,
            started_at: None,
            finished_at: None,
            duration_ms: None,
            cost_usd: Usd::ZERO,
            input: Value::Null,
            output: Value::Null,
            artifacts: Vec::new(),
            error: None,
            question: step.approval.clone(),
            approval: None,
            approved_by: None,
        });
    }
    Ok(Run {
        format: FORMAT.to_owned(),
        id: String::new(),
        key: ctx.new_id("c"),
        mode,
        name: campaign.name.clone(),
        objective: campaign.objective.clone(),
        status: RunStatus::Running,
        started_at: ctx.now(),
        finished_at: None,
        campaign_sha256: hex::encode(Sha256::digest(text.as_bytes())),
        vars: campaign.vars.clone(),
        cost_usd: Usd::ZERO,
        steps,
    })
}

/// Goes on with a run.
pub(crate) async fn resume(input: &Resume, ctx: &Context) -> ToolResult<Output> {
    let mut dir = RunDir::open(&input.run_dir)?;
    let text = String::from_utf8_lossy(&ctx.read(dir.path.join("campaign.yml"), 8 << 20)?).into_owned();
    let mut campaign = Campaign::parse(&text)?;
    // They were settled when the run began, with what the command line gave.
    campaign.vars.clone_from(&dir.run.vars);
    // A file that was mended may have other references than the one that began.
    for step in &campaign.steps {
        let own = dir.step(&step.id)?;
        own.needs = step.all_needs()?.into_iter().collect();
        own.title.clone_from(&step.title);
    }
    if ctx.dry_run() {
        return Ok(Output::Plan {
            steps: plan::plan(&campaign, ctx).await?,
        });
    }
    work(&campaign, &mut dir, input.mode, ctx).await
}

async fn work(campaign: &Campaign, dir: &mut RunDir, mode: RunMode, ctx: &Context) -> ToolResult<Output> {
    runner::carry_on(campaign, dir, mode, ctx).await?;
    let done = dir.run.steps.iter().filter(|s| s.status == StepStatus::Succeeded);
    ctx.count_items(done.count() as u64);
    if dir.run.cost_usd > Usd::ZERO {
        ctx.cost(dir.run.cost_usd, &dir.run.name);
    }
    let report = if dir.run.status == RunStatus::Cancelled {
        None
    } else {
        report(dir, ctx).await
    };
    end(dir, report)
}

/// How a process that carried a run ends.
fn end(dir: &RunDir, report: Option<PathBuf>) -> ToolResult<Output> {
    let output = shown(dir, report);
    let place = dir.path.display();
    let steps = |status| {
        let steps = dir.run.steps.iter().filter(move |s| s.status == status);
        steps.map(|s| s.id.as_str()).collect::<Vec<_>>()
    };
    let failed = steps(StepStatus::Failed);
    let failures = if failed.is_empty() {
        String::new()
    } else {
        format!("; steps failed: {}", failed.join(", "))
    };
    match dir.run.status {
        RunStatus::Succeeded => Ok(output),
        RunStatus::Cancelled => Err(ToolError::cancelled().with_output(&output)),
        RunStatus::WaitingForApproval => {
            let waiting = steps(StepStatus::WaitingForApproval);
            let first = waiting.first().copied().unwrap_or_default();
            let what = match waiting.as_slice() {
                [one] => format!("step `{one}` waits for approval"),
                many => format!("steps {} wait for approval", many.join(", ")),
            };
            // An answer counts for this mode only: it is part of what was shown.
            let mode = match dir.run.mode {
                RunMode::Default => "",
                RunMode::Apply => " --mode apply",
                RunMode::Plan => " --mode plan",
            };
            Err(ToolError::partial(format!("{what}{failures}"), &output)
                .code("waiting_for_approval")
                .hint(format!(
                    "campaign approve {place} {first} (or reject), then campaign resume {place}{mode}"
                )))
        }
        RunStatus::Rejected => {
            let errors = dir.run.steps.iter().filter_map(|s| s.error.as_ref());
            let no = errors.into_iter().find(|e| e.code == approving::REJECTED);
            let what = no.map_or_else(|| "a step was rejected".to_owned(), |e| e.message.clone());
            Err(ToolError::partial(format!("{what}; the run is over"), &output)
                .code(approving::REJECTED)
                .hint("mend what was rejected and run the campaign again"))
        }
        _ => Err(
            ToolError::partial(format!("steps failed: {}", failed.join(", ")), &output)
                .code("steps_failed")
                .hint(format!("mend the cause, then campaign resume {place}")),
        ),
    }
}

/// The report is a job too; a run without the report tool is still a run.
async fn report(dir: &RunDir, ctx: &Context) -> Option<PathBuf> {
    let write = async {
        let options = Options::from_config(ctx.config(), ctx.state_dir()?, Role::Foreground)?;
        let manager = JobManager::open(options)?;
        let request = StartRequest {
            tool: "campaign_report".to_owned(),
            input: Value::Object(Map::from_iter([
                ("action".to_owned(), json!("run")),
                ("run_dir".to_owned(), json!(dir.path)),
            ])),
            requested_by: format!("campaign:{}", dir.run.id),
            working_dir: Some(dir.path.clone()),
            ..StartRequest::default()
        };
        let job = manager.wait(manager.start(request).await?.id).await?;
        match job.state {
            JobState::Succeeded { .. } => Ok(job.artifacts.first().map(|a| dir.path.join(&a.path))),
            JobState::Failed { error, .. } => Err(*error),
            _ => Err(ToolError::cancelled()),
        }
    };
    match write.await {
        Ok(path) => path,
        Err(error) => {
            let error: ToolError = error;
            ctx.warn(format!("the report was not written: {}", error.message));
            None
        }
    }
}

fn shown(dir: &RunDir, report: Option<PathBuf>) -> Output {
    Output::Run {
        run_dir: dir.path.clone(),
        report,
        summary: Box::new(dir.run.clone()),
    }
}

/// The replaced crawler's rule for folder names: word characters, spaces as dashes, lower case; at most 50 characters.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.trim().chars().take(50) {
        if c.is_alphanumeric() || c == '_' {
            slug.extend(c.to_lowercase());
        } else if (c.is_whitespace() || c == '-') && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() {
        "run".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_follow_the_old_rule() {
        assert_eq!(slug("Ready Mix® Beef (For Dogs)"), "ready-mix-beef-for-dogs");
        assert_eq!(slug("../../etc/passwd"), "etcpasswd");
        assert_eq!(slug("Цена 10%"), "цена-10");
        assert_eq!(slug("***"), "run");
    }
}
