//! Runs campaigns: steps from a YAML file in the order their references demand, each a job of the job manager.
//!
//! A run has a folder with everything in it: `run.json` (the summary with versions, inputs, costs and artifacts), the
//! steps' files, and `report.html`. A run that was cut off goes on where it stopped. Replaces `run_campaign.py` as far
//! as fixed workflows go; the ones written by a language model come with the tools that speak to one.

mod approving;
mod file;
mod input;
mod paths;
mod plan;
mod reference;
mod run;
mod run_dir;
mod runner;
mod runs;
mod shown;
mod step_job;
mod vars;
mod view;
mod work;

use std::{fmt, path::PathBuf, time::Duration};

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View,
    contract::{Gate, RetryPolicy},
    state::{Decision, Request, RequestState},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    approving::Word,
    input::{Decide, Input, List},
    plan::PlannedStep,
    run::{Run, Shown},
    run_dir::{is_at_work, snapshot},
    runs::RunLine,
};

fn main() -> std::process::ExitCode {
    app_core::main::<CampaignTool>()
}

struct CampaignTool;

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
    /// An answer to a question of a run.
    Decision {
        /// Folder of the run.
        run_dir: PathBuf,
        /// The step that asks.
        step: String,
        /// The question with all answers.
        request: Box<Request>,
        /// What was shown.
        shown: Vec<Shown>,
        /// What happens now, in a sentence.
        next: String,
    },
    /// Runs of a folder.
    Runs {
        /// The newest first.
        runs: Vec<RunLine>,
        /// How many there are of the states asked for.
        total: usize,
        /// Folders of runs that could not be read, with the reason.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unreadable: Vec<String>,
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
            .action("show", &[Effect::Reads], Gate::Direct)
            .action("list", &[Effect::Reads], Gate::Direct)
            // Their answers lie in the state directory.
            .action("approve", &[Effect::Reads, Effect::WritesFiles], Gate::Direct)
            .action("reject", &[Effect::Reads, Effect::WritesFiles], Gate::Direct)
            .policy(Policy { retry: RetryPolicy::NONE, cancel_grace_s: 15.0, ..Policy::with_timeout(Duration::ZERO) }, "steps have limits of their own, and approvals wait for people; steps are tried again, never the whole")
            .env("ONEJOB_TOOLS_DIR", "where the tools are (default: beside this program)")
            .example("what a campaign would do", &["run", "tea.yml", "--dry-run"])
            .example("run it", &["run", "tea.yml", "-o", "runs"])
            .example("the runs of a folder", &["list", "."])
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Run(input) => work::start(&input, ctx).await,
            Input::Resume(input) => work::resume(&input, ctx).await,
            Input::Approve(it) => decide(&it, Decision::Approve, ctx),
            Input::Reject(it) => decide(&it, Decision::Reject, ctx),
            Input::Show(show) => {
                let summary = Box::new(snapshot(&show.run_dir)?);
                let report = Some(show.run_dir.join("report.html")).filter(|path| path.is_file());
                Ok(Output::Run {
                    run_dir: show.run_dir,
                    report,
                    summary,
                })
            }
            Input::List(it) => list(&it),
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output {
            Output::Plan { steps } => view::plan(steps, out),
            Output::Run {
                run_dir,
                report,
                summary,
            } => view::run(run_dir, report.as_deref(), summary, out),
            Output::Decision { request, next, .. } => view::decision(request, next, out),
            Output::Runs { runs, total, .. } => view::list(runs, total.saturating_sub(runs.len()), out),
        }
    }

    fn render_partial(output: &Value, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match serde_json::from_value::<Run>(output["summary"].clone()) {
            Ok(summary) => {
                let path = |name: &str| output[name].as_str().map(PathBuf::from);
                view::run(
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

/// Notes an answer. It needs no lock: the run may be at work, and takes it up from the store.
fn decide(it: &Decide, decision: Decision, ctx: &Context) -> ToolResult<Output> {
    let run = snapshot(&it.run_dir)?;
    let word = Word {
        step: &it.step,
        decision,
        name: it.by.as_deref(),
        comment: &it.comment,
        seen: it.seen.as_deref(),
    };
    let request = approving::decide(&run, &it.run_dir, word, ctx)?;
    let next = match request.state {
        RequestState::Waiting => format!("{} of {} have agreed", request.decisions.len(), request.needed),
        _ if is_at_work(&it.run_dir) => "the run is at work and takes it up".to_owned(),
        _ => format!("`campaign resume {}` takes it up", it.run_dir.display()),
    };
    Ok(Output::Decision {
        shown: shown::shown(&run, &it.run_dir, &it.step)?,
        run_dir: it.run_dir.clone(),
        step: it.step.clone(),
        request: Box::new(request),
        next,
    })
}

/// Lists runs. Fails with kind `partial` when a run could not be read: the list is not all there is.
fn list(it: &List) -> ToolResult<Output> {
    let found = runs::list(it)?;
    let unreadable = found.unreadable.len();
    let first = found.unreadable.first().cloned().unwrap_or_default();
    let output = Output::Runs {
        runs: found.runs,
        total: found.total,
        unreadable: found.unreadable,
    };
    if unreadable == 0 {
        return Ok(output);
    }
    Err(ToolError::partial(
        format!("{unreadable} runs could not be read; the first: {first}"),
        &output,
    )
    .code("runs_unreadable"))
}
