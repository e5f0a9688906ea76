//! Starts, repeats and stops jobs.

use app_core::{Context, ErrorKind, ToolError, ToolResult, state::Principal};
use job_manager::{JobManager, RetryRequest, Role, RunMode, StartRequest, Started};

use crate::{
    follow,
    input::{Input, Start},
    open, tool_input, unknown,
    view::Output,
};

/// Starts, repeats and stops jobs.
pub(crate) async fn acting(input: Input, by: &Principal, ctx: &Context) -> ToolResult<Output> {
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
fn told(started: Started, ctx: &Context) -> Started {
    if !started.attended && !started.existing {
        ctx.warn(format!(
            "no worker runs: {} waits in the queue until one is started with `worker`",
            started.id
        ));
    }
    started
}
