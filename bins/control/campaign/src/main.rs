//! Runs campaigns: steps from a YAML file in the order their references demand, each a job of the job manager.
//!
//! A run has a folder with everything in it: `run.json` (the summary with versions, inputs, costs and artifacts), the
//! steps' files, and `report.html`. A run that was cut off goes on where it stopped. Replaces `run_campaign.py` as far
//! as fixed workflows go; the ones written by a language model come with the tools that speak to one.

mod file;
mod plan;
mod reference;
mod run_dir;
mod runner;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{
    Context, Definition, Effect, ErrorKind, Policy, Tool, ToolError, ToolResult, Usd, View,
    contract::RetryPolicy,
};
use garde::Validate;
use jiff::tz::TimeZone;
use job_manager::{JobManager, JobState, Options, Role, RunMode, StartRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    file::Campaign,
    plan::PlannedStep,
    run_dir::{FORMAT, Run, RunDir, RunStatus, StepRun, StepStatus},
};

fn main() -> std::process::ExitCode {
    app_core::main::<CampaignTool>()
}

struct CampaignTool;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Input {
    /// Run a campaign file from the start, in a new folder.
    Run(#[garde(skip)] RunInput),
    /// Go on with a run that was cut off, has failed steps, or waited for approval.
    Resume(#[garde(skip)] Resume),
    /// Approve a waiting step; `resume` then goes on.
    Approve(#[garde(dive)] Approve),
    /// Show where a run stands.
    Show(#[garde(skip)] Show),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct RunInput {
    /// The campaign file.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    file: PathBuf,
    /// Folder in which the run's own folder is made.
    #[serde(default = "campaigns")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "dir"}))]
    output_dir: PathBuf,
    /// Values for the file's `vars`, over those it gives itself.
    #[serde(default)]
    vars: std::collections::BTreeMap<String, String>,
    /// Whether steps whose tools plan first act (`apply`), or every step only plans (`plan`).
    #[serde(default)]
    mode: RunMode,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Resume {
    /// Folder of the run.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir", "exists": true}))]
    run_dir: PathBuf,
    /// Whether steps whose tools plan first act (`apply`), or every step only plans (`plan`).
    #[serde(default)]
    mode: RunMode,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Approve {
    /// Folder of the run.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir", "exists": true}))]
    #[garde(skip)]
    run_dir: PathBuf,
    /// The waiting step.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(length(min = 1))]
    step: String,
    /// Who approves; recorded in the run.
    #[garde(length(min = 1, max = 200))]
    by: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Show {
    /// Folder of the run.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir", "exists": true}))]
    run_dir: PathBuf,
}

fn campaigns() -> PathBuf {
    "CAMPAIGNS".into()
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
enum Output {
    /// A run, finished or not.
    Run {
        /// Its folder.
        run_dir: PathBuf,
        /// The HTML report, once it is written.
        report: Option<PathBuf>,
        /// Everything else.
        summary: Box<Run>,
    },
    /// A dry run.
    Plan {
        /// Steps in the order in which they would run.
        steps: Vec<PlannedStep>,
    },
}

impl Tool for CampaignTool {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("control")
            .known_gap("no recorded case")
            .replaces(3, &["run_campaign", "run_multi_post_campaign"])
            // Its steps can do whatever their tools can; tools that plan first still do, unless --mode apply is given.
            .effects(&[
                Effect::Reads,
                Effect::WritesFiles,
                Effect::Sends,
                Effect::ChangesRemote,
                Effect::Deletes,
                Effect::Spends,
            ])
            .policy(Policy { retry: RetryPolicy::NONE, cancel_grace_s: 15.0, ..Policy::with_timeout(Duration::ZERO) }, "steps have limits of their own, and approvals wait for people; steps are tried again, never the whole")
            .env("ONEJOB_TOOLS_DIR", "where the tools are (default: beside this program)")
            .example("what a campaign would do", &["run", "tea.yml", "--dry-run"])
            .example("run it", &["run", "tea.yml", "-o", "runs"])
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Run(input) => start(&input, ctx).await,
            Input::Resume(input) => {
                let mut dir = RunDir::open(&input.run_dir)?;
                let text =
                    String::from_utf8_lossy(&ctx.read(dir.path.join("campaign.yml"), 8 << 20)?).into_owned();
                let campaign = Campaign::parse(&text)?;
                if ctx.dry_run() {
                    return Ok(Output::Plan {
                        steps: plan::plan(&campaign, ctx).await?,
                    });
                }
                work(&campaign, &mut dir, input.mode, ctx).await
            }
            Input::Approve(approve) => {
                let mut dir = RunDir::open(&approve.run_dir)?;
                let now = ctx.now();
                let step = dir.step(&approve.step)?;
                if step.status != StepStatus::WaitingForApproval {
                    return Err(ToolError::new(
                        ErrorKind::Conflict,
                        format!("step `{}` does not wait for approval", approve.step),
                    ));
                }
                step.status = StepStatus::Succeeded;
                step.approved_by = Some(approve.by.clone());
                step.finished_at = Some(now);
                step.output = json!({"approved_by": approve.by, "approved_at": now});
                if !ctx.dry_run() {
                    dir.save()?;
                }
                Ok(shown(&dir, None))
            }
            Input::Show(show) => {
                let file = show.run_dir.join("run.json");
                let summary: Run = serde_json::from_slice(&ctx.read(&file, 64 << 20)?).map_err(|e| {
                    ToolError::new(
                        ErrorKind::InvalidInput,
                        format!("`{}` is not a run summary: {e}", file.display()),
                    )
                })?;
                let report = Some(show.run_dir.join("report.html")).filter(|path| path.is_file());
                Ok(Output::Run {
                    run_dir: show.run_dir,
                    report,
                    summary: Box::new(summary),
                })
            }
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output {
            Output::Plan { steps } => {
                for (index, step) in steps.iter().enumerate() {
                    let after = if step.needs.is_empty() {
                        String::new()
                    } else {
                        format!("  after {}", step.needs.join(", "))
                    };
                    writeln!(out, "{:>3}. {:<20} {}{after}", index + 1, step.id, step.tool)?;
                }
                Ok(())
            }
            Output::Run {
                run_dir,
                report,
                summary,
            } => render_run(run_dir, report.as_deref(), summary, out),
        }
    }

    fn render_partial(output: &Value, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match serde_json::from_value::<Run>(output["summary"].clone()) {
            Ok(summary) => {
                let path = |name: &str| output[name].as_str().map(PathBuf::from);
                render_run(
                    &path("run_dir").unwrap_or_default(),
                    path("report").as_deref(),
                    &summary,
                    out,
                )
            }
            Err(_) => app_core::render_value(output, out),
        }
    }
}

async fn start(input: &RunInput, ctx: &Context) -> ToolResult<Output> {
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
    let mut steps = Vec::new();
    for step in &campaign.steps {
        steps.push(StepRun {
            id: step.id.clone(),
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
            approved_by: None,
        });
    }
    let run = Run {
        format: FORMAT.to_owned(),
        id: String::new(),
        name: campaign.name.clone(),
        objective: campaign.objective.clone(),
        status: RunStatus::Running,
        started_at: ctx.now(),
        finished_at: None,
        campaign_sha256: hex::encode(Sha256::digest(text.as_bytes())),
        vars: campaign.vars.clone(),
        cost_usd: Usd::ZERO,
        steps,
    };
    let mut dir = RunDir::create(&input.output_dir, (&stamp, &slug), run, &text)?;
    ctx.info(format!("run `{}` in `{}`", dir.run.id, dir.path.display()));
    work(&campaign, &mut dir, input.mode, ctx).await
}

async fn work(campaign: &Campaign, dir: &mut RunDir, mode: RunMode, ctx: &Context) -> ToolResult<Output> {
    runner::carry_on(campaign, dir, mode, ctx).await?;
    ctx.count_items(
        dir.run
            .steps
            .iter()
            .filter(|s| s.status == StepStatus::Succeeded)
            .count() as u64,
    );
    if dir.run.cost_usd > Usd::ZERO {
        ctx.cost(dir.run.cost_usd, &dir.run.name);
    }
    let report = if dir.run.status == RunStatus::Cancelled {
        None
    } else {
        report(dir, ctx).await
    };
    let output = shown(dir, report);
    let failed: Vec<_> = dir
        .run
        .steps
        .iter()
        .filter(|s| s.status == StepStatus::Failed)
        .map(|s| s.id.clone())
        .collect();
    match dir.run.status {
        RunStatus::Succeeded => Ok(output),
        RunStatus::Cancelled => Err(ToolError::cancelled().with_output(&output)),
        RunStatus::WaitingForApproval => {
            let waiting = dir
                .run
                .steps
                .iter()
                .find(|s| s.status == StepStatus::WaitingForApproval)
                .map(|s| s.id.clone());
            let step = waiting.unwrap_or_default();
            Err(
                ToolError::partial(format!("step `{step}` waits for approval"), &output)
                    .code("waiting_for_approval")
                    .hint(format!(
                        "campaign approve {0} {step} --by NAME, then campaign resume {0}",
                        dir.path.display()
                    )),
            )
        }
        _ => Err(
            ToolError::partial(format!("steps failed: {}", failed.join(", ")), &output)
                .code("steps_failed")
                .hint(format!(
                    "mend the cause, then campaign resume {}",
                    dir.path.display()
                )),
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

fn render_run(run_dir: &Path, report: Option<&Path>, run: &Run, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "{}  {}", run.id, text(run.status))?;
    for step in &run.steps {
        let icon = match step.status {
            StepStatus::Succeeded => "✅",
            StepStatus::Failed => "❌",
            StepStatus::Skipped => "⏭️",
            StepStatus::WaitingForApproval => "✋",
            StepStatus::Pending | StepStatus::Running => "⏳",
        };
        let tool = step.tool.as_deref().unwrap_or("approval");
        let time = step
            .duration_ms
            .map(|ms| format!("{:.1} s", ms as f64 / 1000.0))
            .unwrap_or_default();
        writeln!(
            out,
            "{icon} {:<20} {tool:<22} {time:>8}  {}",
            step.id, step.cost_usd
        )?;
        for artifact in step
            .artifacts
            .iter()
            .filter(|a| a.role != "manifest" && a.role != "sidecar")
        {
            writeln!(out, "     {}", run_dir.join(&artifact.path).display())?;
        }
        if let Some(error) = &step.error {
            writeln!(out, "     {}", error.message)?;
        }
    }
    if let Some(report) = report {
        writeln!(out, "report: {}", report.display())?;
    }
    Ok(())
}

fn text(status: RunStatus) -> String {
    serde_json::to_value(status)
        .ok()
        .and_then(|v| v.as_str().map(|s| s.replace('_', " ")))
        .unwrap_or_default()
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
