//! The one front door: runs tools as jobs, follows, cancels and repeats them, shows their history, and looks after the
//! host.
//!
//! It replaces nothing; the scripts were run by hand, and forgotten. `onejob run` works without a worker.

mod config_check;
mod doctor;
mod follow;
mod input;
mod route;
mod shell;
mod tool_input;
mod view;

use std::{fmt, time::Duration};

use app_core::{
    Context, Definition, Effect, ErrorKind, Policy, Tool, ToolError, ToolResult, View,
    contract::RetryPolicy,
    state::{Approvals, Decision, Principal, RunFilter, Runs},
};
use job_manager::{
    ArtifactState, JobFilter, JobManager, ListRequest, LogRequest, Options, RetryRequest, Role, RunMode,
    StartRequest,
};
use serde_json::Value;

use input::{ConfigAction, Input, Start};
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

/// Starts, repeats and stops jobs.
async fn acting(input: Input, by: &Principal, ctx: &Context) -> ToolResult<Output> {
    match input {
        Input::Run(it) => {
            let jobs = open(ctx, Role::Foreground)?;
            let request = request(&jobs, it, by, ctx).await?;
            let started = jobs.start(request).await?;
            follow::to_the_end(&jobs, started.id, ctx, Some(by.as_str()), None).await
        }
        Input::Start(it) => {
            let jobs = open(ctx, Role::Client)?;
            let request = request(&jobs, it, by, ctx).await?;
            Ok(Output::Started(told(jobs.start(request).await?, ctx)))
        }
        Input::Validate(it) => {
            let jobs = open(ctx, Role::Client)?;
            let definition = jobs.tool(&it.tool).await?.definition;
            let input = tool_input::build(it.tool_input, &it.fields, &definition)?;
            let asked = StartRequest {
                tool: it.tool,
                input,
                ..StartRequest::default()
            };
            let told = jobs.validate(&asked).await?;
            if told.valid {
                return Ok(Output::Validated(told));
            }
            let mistakes = told.fields.iter().map(|f| (f.path.clone(), f.message.clone()));
            let message = format!("{} mistakes in the input of `{}`", told.fields.len(), asked.tool);
            Err(ToolError::new(ErrorKind::InvalidInput, message)
                .from_source("input")
                .mistakes(mistakes)
                .with_output(&told))
        }
        Input::Retry(it) => {
            let jobs = open(ctx, Role::Client)?;
            let id = it.id.parse()?;
            if ctx.dry_run() {
                return Ok(Output::Job(Box::new(jobs.get(id).await?)));
            }
            let asked = RetryRequest {
                input: it.tool_input,
                mode: it.mode,
                priority: it.priority,
                idempotency_key: it.idempotency_key,
                requested_by: by.to_string(),
            };
            Ok(Output::Started(told(jobs.retry(id, asked).await?, ctx)))
        }
        Input::Cancel(it) => {
            let id = it.id.parse()?;
            let jobs = open(ctx, Role::Client)?;
            if ctx.dry_run() {
                return Ok(Output::Job(Box::new(jobs.get(id).await?)));
            }
            tokio::select! {
                report = jobs.cancel(id, by.as_str(), it.force) => Ok(Output::Cancelled(report?)),
                () = ctx.cancellation().cancelled() => Err(ToolError::cancelled().hint("the request to cancel stands")),
            }
        }
        _ => Err(unknown()),
    }
}

/// Shows jobs and runs.
async fn looking(input: Input, ctx: &Context) -> ToolResult<Output> {
    match input {
        Input::ListTools(it) => {
            let jobs = open(ctx, Role::Client)?;
            Ok(match it.tool {
                Some(name) => Output::Tools {
                    tools: vec![jobs.tool(&name).await?],
                },
                None if it.short => Output::ToolList(jobs.tool_list().await?),
                None => Output::Tools {
                    tools: jobs.list_tools().await?,
                },
            })
        }
        Input::Get(it) => Ok(Output::Job(Box::new(
            open(ctx, Role::Client)?.get(it.id.parse()?).await?,
        ))),
        Input::List(it) => Ok(Output::Page(
            open(ctx, Role::Client)?.list(list_request(it)?).await?,
        )),
        Input::Logs(it) => {
            let jobs = open(ctx, Role::Client)?;
            let request = LogRequest {
                after: it.after,
                tail: it.tail,
                stream: it.stream,
                attempt: it.attempt,
                limit: it.limit,
            };
            let id = it.id.parse()?;
            Ok(Output::Log(if it.follow {
                follow::log(&jobs, id, request, ctx).await?
            } else {
                jobs.logs(id, request).await?
            }))
        }
        Input::Wait(it) => {
            let jobs = open(ctx, Role::Client)?;
            let limit = it
                .timeout
                .map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
            follow::to_the_end(&jobs, it.id.parse()?, ctx, None, limit).await
        }
        Input::Watch(it) => {
            let jobs = open(ctx, Role::Client)?;
            Ok(Output::Watched {
                position: follow::watch(&jobs, &it, ctx).await?,
            })
        }
        Input::Status(_) => Ok(Output::Status(open(ctx, Role::Client)?.status().await?)),
        Input::Artifact(it) => artifact(it, ctx).await,
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
            let jobs = open(ctx, Role::Client)?;
            Ok(Output::Pruned(jobs.prune(it.keep_days, it.keep_count).await?))
        }
        Input::Fallbacks(_) => Ok(Output::Fallbacks {
            fallbacks: open(ctx, Role::Client)?.fallbacks().await?,
        }),
        _ => Err(unknown()),
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

fn list_request(it: input::List) -> ToolResult<ListRequest> {
    Ok(ListRequest {
        filter: JobFilter {
            states: it.state.iter().map(|s| s.name().to_owned()).collect(),
            tools: it.tool,
            families: it.family,
            requested_by: it.by,
            mode: it.mode,
            effects: it.effect.into_iter().collect(),
            since: it.since,
            until: it.until,
            retry_of: it.retry_of.map(|id| id.parse()).transpose()?,
            has_artifacts: it.has_artifacts,
            text: it.text_in,
        },
        before: it.before.map(|id| id.parse()).transpose()?,
        after: it.after.map(|id| id.parse()).transpose()?,
        counts: it.counts,
        limit: it.limit,
    })
}

/// Says how a file is, and copies it where that is asked for.
async fn artifact(it: input::Artifact, ctx: &Context) -> ToolResult<Output> {
    let opened = open(ctx, Role::Client)?
        .artifact(it.id.parse()?, it.number)
        .await?;
    let info = opened.info;
    let path = info.path.display().to_string();
    match (opened.file, it.output) {
        (None, _) => {
            let (kind, what) = match info.state {
                ArtifactState::Gone => (ErrorKind::NotFound, "is gone"),
                _ => (ErrorKind::Conflict, "is not the file any more that the job made"),
            };
            Err(ToolError::new(kind, format!("`{path}` {what}"))
                .from_source("file")
                .with_output(&info))
        }
        (Some(mut file), Some(to)) if !ctx.dry_run() => {
            let mut copy = ctx.create(&to, &info.artifact.media_type, &info.artifact.role)?;
            std::io::copy(&mut file, &mut copy).map_err(|e| ToolError::file("copy", &to, &e))?;
            copy.commit()?;
            Ok(Output::Artifact(info))
        }
        (Some(_), _) => Ok(Output::Artifact(info)),
    }
}

fn open(ctx: &Context, role: Role) -> ToolResult<JobManager> {
    JobManager::open(Options::from_config(ctx.config(), ctx.state_dir()?, role)?)
}

/// What is asked for, with the input put together from `--tool-input` and `key=value` pairs.
async fn request(jobs: &JobManager, start: Start, by: &Principal, ctx: &Context) -> ToolResult<StartRequest> {
    let definition = jobs.tool(&start.tool).await?.definition;
    let input = tool_input::build(start.tool_input, &start.fields, &definition)?;
    let mode = match (ctx.dry_run(), &start.plan_of) {
        (true, _) => RunMode::Plan,
        // Whoever names a plan wants it carried out.
        (false, Some(_)) if start.mode == RunMode::Default => RunMode::Apply,
        (false, _) => start.mode,
    };
    let working_dir =
        std::env::current_dir().map_err(|e| ToolError::file("find", std::path::Path::new("."), &e))?;
    Ok(StartRequest {
        tool: start.tool,
        input,
        mode,
        priority: start.priority,
        idempotency_key: start.idempotency_key,
        requested_by: by.to_string(),
        working_dir: Some(working_dir),
        retry_of: None,
        plan_of: start.plan_of.map(|id| id.parse()).transpose()?,
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
