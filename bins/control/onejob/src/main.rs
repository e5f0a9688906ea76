//! The one front door: runs tools as jobs, follows, cancels and repeats them, shows their history, and looks after the
//! host.
//!
//! It replaces nothing; the scripts were run by hand, and forgotten. `onejob run` works without a worker.

mod act;
mod config_check;
mod doctor;
mod follow;
mod input;
mod look;
mod route;
mod shell;
mod tool_input;
mod view;

use std::{fmt, time::Duration};

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View,
    contract::RetryPolicy,
    state::{Approvals, Decision, Principal},
};
use job_manager::{JobManager, Options, Role};
use serde_json::Value;

use act::acting;
use input::{ConfigAction, Input};
use look::looking;
use view::Output;

fn main() -> std::process::ExitCode {
    app_core::main::<OneJob>()
}

pub(crate) struct OneJob;

impl Tool for OneJob {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut policy = Policy::with_timeout(Duration::ZERO);
        policy.retry = RetryPolicy::NONE;
        // The job that is run has its own grace, which comes first.
        policy.cancel_grace_s = 600.0;
        app_core::definition!("control")
            .effects(&[
                Effect::Reads,
                Effect::WritesFiles,
                Effect::Sends,
                Effect::ChangesRemote,
                Effect::Deletes,
                Effect::Spends,
            ])
            .policy(
                policy,
                "it waits for jobs, which have limits of their own; a verb is never repeated by itself",
            )
            .env(
                "ONEJOB_TOOLS_DIR",
                "Folder of the tools; the folder of this program if not set",
            )
            .env("ONEJOB_STATE_DIR", "Folder of the job store")
            .env(
                "ONEJOB_METRICS_DIR",
                "Folder for Prometheus textfiles, also for runs of replaced scripts",
            )
            .example("Show the tools", &["list_tools", "--short"])
            .example("Show who works, how much, and why each job waits", &["status"])
            .example(
                "Show the newest failed jobs",
                &["list", "--state", "failed", "--limit", "20"],
            )
            .example_exit(
                66,
                "Run a tool here and now, and end as it ends",
                &["run", "no_such_tool", "width=640"],
            )
            .example_exit(
                66,
                "Stop a job; a second time ends it by force",
                &["cancel", "j999999"],
            )
            .example_exit(
                78,
                "Switch a tool back to the script it replaces (`rust`: to its binary again)",
                &["route", "onejob", "legacy"],
            )
            .example(
                "Show what ran on this host, started by anybody",
                &["runs", "--limit", "5"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let by = Principal::os_user("cli");
        match input {
            Input::Run(_) | Input::Start(_) | Input::Validate(_) | Input::Retry(_) | Input::Cancel(_) => {
                acting(input, &by, ctx).await
            }
            Input::Approvals(_) | Input::Approve(_) | Input::Reject(_) => approving(input, &by, ctx),
            Input::Config(_)
            | Input::Doctor(_)
            | Input::Help(_)
            | Input::Completions(_)
            | Input::Man(_)
            | Input::Route(_) => looking_after(input, ctx).await,
            _ => looking(input, ctx).await,
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        view::render(output, out)
    }

    fn render_partial(output: &Value, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        view::render_ended(output, out)
    }
}

/// Checks, help and settings.
async fn looking_after(input: Input, ctx: &Context) -> ToolResult<Output> {
    match input {
        Input::Route(it) => Ok(Output::Switched(route::run(&it, ctx)?)),
        Input::Config(it) => {
            if let ConfigAction::Keys = it.what {
                return Ok(Output::Keys(config_check::keys()));
            }
            let checked = config_check::run(ctx).await?;
            if checked.problems.is_empty() {
                return Ok(Output::Config(checked));
            }
            let message = format!("{} mistakes in the configuration", checked.problems.len());
            Err(ToolError::config(message).with_output(&checked))
        }
        Input::Doctor(_) => {
            let findings = doctor::run(ctx).await?;
            let wrong = findings
                .iter()
                .filter(|f| f.level == doctor::Level::Wrong)
                .count();
            let output = Output::Doctor { findings };
            if wrong == 0 {
                return Ok(output);
            }
            Err(ToolError::partial(
                format!("{wrong} things are to be mended"),
                &output,
            ))
        }
        Input::Help(it) => Ok(Output::Text {
            text: shell::help(&it, &open(ctx, Role::Client)?).await?,
        }),
        Input::Completions(it) => Ok(Output::Text {
            text: shell::completions(&it, &open(ctx, Role::Client)?).await?,
        }),
        Input::Man(it) => Ok(Output::Written {
            files: shell::man(&it, &open(ctx, Role::Client)?, ctx).await?,
        }),
        _ => Err(unknown()),
    }
}

/// What people are asked, and what they say.
fn approving(input: Input, by: &Principal, ctx: &Context) -> ToolResult<Output> {
    let store = Approvals::open(ctx.state_dir()?)?;
    let (it, decision) = match input {
        Input::Approvals(it) => {
            return Ok(Output::Approvals {
                requests: store.list(&it.subject, it.waiting)?,
            });
        }
        Input::Approve(it) => (it, Decision::Approve),
        Input::Reject(it) => (it, Decision::Reject),
        _ => return Err(unknown()),
    };
    let request = store.get(&it.id)?;
    if ctx.dry_run() {
        return Ok(Output::Approvals {
            requests: vec![request],
        });
    }
    // The name of a request stands for what was shown: something else would have been asked under another name.
    let decided = store.decide(&it.id, by, decision, &request.shown, &it.comment, ctx.now())?;
    Ok(Output::Approvals {
        requests: vec![decided],
    })
}

/// The dispatch above sends each action to the function that knows it.
fn unknown() -> ToolError {
    ToolError::internal("an action went astray")
}

fn open(ctx: &Context, role: Role) -> ToolResult<JobManager> {
    JobManager::open(Options::from_config(ctx.config(), ctx.state_dir()?, role)?)
}
