//! The job manager on the command line: start tools as jobs, follow, cancel and repeat them, look at their history.
//!
//! It replaces nothing; the scripts were run by hand, and forgotten. `jobs run` works without a worker.

mod follow;
mod input;
mod route;
mod tool_input;
mod view;

use std::{fmt, time::Duration};

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View,
    contract::RetryPolicy,
    state::{RunFilter, Runs},
};
use job_manager::{
    JobFilter, JobManager, ListRequest, LogRequest, Options, RetryRequest, Role, RunMode, StartRequest,
};
use serde_json::Value;

use input::{Input, Start};
use view::Output;

fn main() -> std::process::ExitCode {
    app_core::main::<Jobs>()
}

struct Jobs;

impl Tool for Jobs {
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
            .example("Show the tools", &["list_tools"])
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
                &["route", "jobs", "legacy"],
            )
            .example(
                "Show what ran on this host, started by anybody",
                &["runs", "--limit", "5"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let user = ctx.env("USER").or_else(|| ctx.env("LOGNAME"));
        let by = user.map_or_else(|| "cli".to_owned(), |user| format!("cli:{user}"));
        match input {
            Input::ListTools(it) => {
                let jobs = open(ctx, Role::Client)?;
                let tools = match it.tool {
                    Some(name) => vec![jobs.tool(&name).await?],
                    None => jobs.list_tools().await?,
                };
                Ok(Output::Tools { tools })
            }
            Input::Run(it) => {
                let jobs = open(ctx, Role::Foreground)?;
                let request = request(&jobs, it, &by, ctx).await?;
                let started = jobs.start(request).await?;
                follow::to_the_end(&jobs, started.id, ctx, Some(&by)).await
            }
            Input::Start(it) => {
                let jobs = open(ctx, Role::Client)?;
                let request = request(&jobs, it, &by, ctx).await?;
                Ok(Output::Started(told(jobs.start(request).await?, ctx)))
            }
            Input::Get(it) => Ok(Output::Job(Box::new(
                open(ctx, Role::Client)?.get(it.id.parse()?).await?,
            ))),
            Input::List(it) => {
                let before = it.before.map(|id| id.parse()).transpose()?;
                let filter = JobFilter {
                    states: it.state.iter().map(|s| s.name().to_owned()).collect(),
                    tools: it.tool.into_iter().collect(),
                    ..JobFilter::default()
                };
                let request = ListRequest {
                    filter,
                    before,
                    limit: it.limit,
                    ..ListRequest::default()
                };
                Ok(Output::Page(open(ctx, Role::Client)?.list(request).await?))
            }
            Input::Cancel(it) => {
                let id = it.id.parse()?;
                let jobs = open(ctx, Role::Client)?;
                if ctx.dry_run() {
                    return Ok(Output::Job(Box::new(jobs.get(id).await?)));
                }
                tokio::select! {
                    report = jobs.cancel(id, &by, it.force) => Ok(Output::Cancelled(report?)),
                    () = ctx.cancellation().cancelled() => Err(ToolError::cancelled().hint("the request to cancel stands")),
                }
            }
            Input::Retry(it) => {
                let jobs = open(ctx, Role::Client)?;
                let id = it.id.parse()?;
                if ctx.dry_run() {
                    return Ok(Output::Job(Box::new(jobs.get(id).await?)));
                }
                Ok(Output::Started(told(
                    jobs.retry(
                        id,
                        RetryRequest {
                            input: it.tool_input,
                            requested_by: by,
                            ..RetryRequest::default()
                        },
                    )
                    .await?,
                    ctx,
                )))
            }
            Input::Logs(it) => {
                let request = LogRequest {
                    after: it.after,
                    tail: it.tail,
                    ..LogRequest::default()
                };
                Ok(Output::Log(
                    open(ctx, Role::Client)?.logs(it.id.parse()?, request).await?,
                ))
            }
            Input::Wait(it) => {
                let jobs = open(ctx, Role::Client)?;
                follow::to_the_end(&jobs, it.id.parse()?, ctx, None).await
            }
            Input::Runs(it) => {
                let filter = RunFilter {
                    tool: it.tool,
                    failed: it.failed,
                    before: it.before,
                    limit: it.limit,
                };
                Ok(Output::Runs {
                    runs: Runs::open(ctx.state_dir()?)?.list(&filter)?,
                })
            }
            Input::Prune(it) => {
                if ctx.dry_run() {
                    return Err(ToolError::invalid(
                        "dry_run",
                        "what pruning would remove is not known before",
                    ));
                }
                Ok(Output::Pruned(
                    open(ctx, Role::Client)?
                        .prune(it.keep_days, it.keep_count)
                        .await?,
                ))
            }
            Input::Route(it) => Ok(Output::Switched(route::run(&it, ctx)?)),
            Input::Fallbacks(_) => Ok(Output::Fallbacks {
                fallbacks: open(ctx, Role::Client)?.fallbacks().await?,
            }),
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        view::render(output, out)
    }

    fn render_partial(output: &Value, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        view::render_ended(output, out)
    }
}

fn open(ctx: &Context, role: Role) -> ToolResult<JobManager> {
    JobManager::open(Options::from_config(ctx.config(), ctx.state_dir()?, role)?)
}

/// What is asked for, with the input put together from `--tool-input` and `key=value` pairs.
async fn request(jobs: &JobManager, start: Start, by: &str, ctx: &Context) -> ToolResult<StartRequest> {
    let definition = jobs.tool(&start.tool).await?.definition;
    let input = tool_input::build(start.tool_input, &start.fields, &definition)?;
    let mode = if ctx.dry_run() { RunMode::Plan } else { start.mode };
    let working_dir =
        std::env::current_dir().map_err(|e| ToolError::file("find", std::path::Path::new("."), &e))?;
    Ok(StartRequest {
        tool: start.tool,
        input,
        mode,
        priority: start.priority,
        idempotency_key: start.idempotency_key,
        requested_by: by.to_owned(),
        working_dir: Some(working_dir),
        retry_of: None,
        plan_of: None,
    })
}

/// Says so if nobody will run it.
fn told(started: job_manager::Started, ctx: &Context) -> job_manager::Started {
    if !started.attended && !started.existing {
        ctx.warn(format!(
            "no worker runs: {} waits in the queue until one is started with `worker`",
            started.id
        ));
    }
    started
}
