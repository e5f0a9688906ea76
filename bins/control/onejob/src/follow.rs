//! Following a job to its end: progress and log lines on stderr, and the end of this process like that of the job.

use std::time::Duration;

use app_core::{Context, ErrorKind, ProgressBar, ToolError, ToolResult, contract::LogLevel};
use job_manager::{
    Close, JobEventBody, JobFilter, JobId, JobManager, JobState, LogPage, LogRequest, WatchRequest,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::view::Output;

/// Follows the job. With `cancel_by` the job is ours: told to stop, we stop it; told again, by force.
pub(crate) async fn to_the_end(
    jobs: &JobManager,
    id: JobId,
    ctx: &Context,
    cancel_by: Option<&str>,
    limit: Option<Duration>,
) -> ToolResult<Output> {
    // A limit that no clock can hold is none.
    let limit = limit.filter(|limit| *limit < Duration::from_secs(10 * 365 * 86400));
    let time_up = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(time_up);
    let mut events = jobs.subscribe(id, 0).await?;
    let mut shown: Option<(String, ProgressBar)> = None;
    // The next signal after the one that asked us to stop; not listened for before that one has come.
    let mut again: Option<Again> = None;
    let mut patience = Box::pin(tokio::time::sleep(Duration::from_secs(1)));
    let mut waits = true;
    loop {
        tokio::select! {
            event = events.next() => match event {
                None => break,
                Some(event) => {
                    waits &= !matches!(event.body, JobEventBody::Running { .. });
                    tell(&event.body, &mut shown, ctx);
                }
            },
            () = ctx.cancellation().cancelled(), if again.is_none() => {
                again = Some(Again::new());
                let Some(by) = cancel_by else {
                    return Err(ToolError::cancelled().hint(format!("job {id} goes on; `onejob cancel {id}` stops it")));
                };
                jobs.request_cancel(id, by, false).await?;
            }
            () = told(&mut again) => {
                jobs.request_cancel(id, cancel_by.unwrap_or_default(), true).await?;
            }
            () = &mut patience, if waits => {
                waits = false;
                if let Some(waiting) = jobs.get(id).await?.waiting {
                    ctx.info(format!("{id} waits in the queue: {}", waiting.detail));
                }
            }
            () = &mut time_up => {
                let state = jobs.get(id).await?.state;
                if !state.is_over() {
                    let seconds = limit.unwrap_or_default().as_secs_f64();
                    let message = format!("job {id} is {} still, after {seconds} s", state.name());
                    return Err(ToolError::new(ErrorKind::Timeout, message)
                        .from_source("job")
                        .hint(format!("it goes on; `onejob wait {id}` waits again, `onejob cancel {id}` stops it")));
                }
            }
        }
    }
    drop(shown);
    let job = jobs.get(id).await?;
    let script_wrote = jobs.script_stdout(id).await?;
    if cancel_by.is_some() {
        jobs.close(Close::Drain).await;
    }
    // In the place of a script on a command line: what it wrote, and its exit code, as they were.
    if !ctx.prints_json()
        && let Some(stdout) = script_wrote
        && let Some(code) = job.state.exit_code()
        && !matches!(job.state, JobState::Cancelled { .. } | JobState::TimedOut { .. })
    {
        app_core::stdout::hand_on(&stdout)?;
        // Standard output is the script's alone, so who answered is said beside it.
        match job.state.failure() {
            Some(error) => ctx.warn(error.message),
            None => ctx.info(format!("{id} {} (replaced script) succeeded", job.tool)),
        }
        ctx.stands_for(code);
        return Ok(Output::Job(Box::new(job)));
    }
    match job.state.failure() {
        None => Ok(Output::Job(Box::new(job))),
        Some(error) => {
            // With `--json` the job is the answer, and the exit code is still the script's.
            let own = job_manager::exit_code(&error);
            if own != error.kind.exit_code() {
                let text = serde_json::to_string(&job).map_err(|e| ToolError::internal(e.to_string()))?;
                app_core::stdout::hand_on(format!("{text}\n").as_bytes())?;
                ctx.stands_for(own);
                return Ok(Output::Job(Box::new(job)));
            }
            Err(error.with("job", id.to_string()).with_output(&job))
        }
    }
}

/// Shows lines of a log as they come, until the job is over. Returns where it stopped.
pub(crate) async fn log(
    jobs: &JobManager,
    id: JobId,
    mut request: LogRequest,
    ctx: &Context,
) -> ToolResult<LogPage> {
    let mut events = jobs.subscribe(id, 0).await?;
    let mut over = false;
    loop {
        let page = jobs.logs(id, request.clone()).await?;
        // Only the first page is the end of what is there; then every further line is wanted.
        request.tail = None;
        request.after = page.next;
        let last = page.lines.is_empty();
        let mut text = String::new();
        for line in &page.lines {
            crate::view::log_line(line, ctx.prints_json(), &mut text);
        }
        app_core::stdout::hand_on(text.as_bytes())?;
        if over && last {
            ctx.stands_for(0);
            return Ok(page);
        }
        if !last {
            continue;
        }
        tokio::select! {
            () = ctx.cancellation().cancelled() => return Err(ToolError::cancelled()),
            event = events.next() => over = event.is_none(),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
}

/// Shows changes as lines of JSON, until somebody or a limit ends it.
pub(crate) async fn watch(jobs: &JobManager, it: &crate::input::Watch, ctx: &Context) -> ToolResult<i64> {
    let filter = JobFilter {
        states: it.state.iter().map(|s| s.name().to_owned()).collect(),
        tools: it.tool.clone(),
        requested_by: it.by.clone(),
        ..JobFilter::default()
    };
    let mut watch = jobs
        .watch(WatchRequest {
            filter,
            after: it.after,
        })
        .await?;
    let limit = it.seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
    let end = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    let mut lines = 0;
    while it.limit.is_none_or(|limit| lines < limit) {
        tokio::select! {
            () = ctx.cancellation().cancelled() => break,
            () = &mut end => break,
            event = watch.next() => {
                let Some(event) = event else { break };
                let text = serde_json::to_string(&event).map_err(|e| ToolError::internal(e.to_string()))?;
                app_core::stdout::hand_on(format!("{text}\n").as_bytes())?;
                lines += 1;
            }
        }
    }
    ctx.stands_for(0);
    Ok(watch.position())
}

/// A second signal.
struct Again(Option<(Signal, Signal)>);

impl Again {
    fn new() -> Self {
        Self(
            signal(SignalKind::interrupt())
                .ok()
                .zip(signal(SignalKind::terminate()).ok()),
        )
    }
}

async fn told(again: &mut Option<Again>) {
    match again {
        Some(Again(Some((interrupt, terminate)))) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

fn tell(event: &JobEventBody, shown: &mut Option<(String, ProgressBar)>, ctx: &Context) {
    match event {
        JobEventBody::Progress(progress) => {
            if shown.as_ref().is_none_or(|(stage, _)| *stage != progress.stage) {
                *shown = Some((
                    progress.stage.clone(),
                    ctx.progress(&progress.stage, &progress.unit, progress.total),
                ));
            }
            if let Some((_, bar)) = shown {
                if let Some(total) = progress.total {
                    bar.set_total(total);
                }
                if !progress.message.is_empty() {
                    bar.message(progress.message.clone());
                }
                bar.set(progress.done);
            }
        }
        JobEventBody::Log {
            level: LogLevel::Warn | LogLevel::Error,
            message,
        } => ctx.warn(message.clone()),
        JobEventBody::Log { message, .. } => ctx.info(message.clone()),
        JobEventBody::Artifact(artifact) => ctx.info(format!("made {}", artifact.path.display())),
        JobEventBody::Cost { usd, what } => ctx.cost(*usd, what),
        JobEventBody::Step(change) => ctx.step(change.clone()),
        JobEventBody::LogCut { .. } => ctx.info("further lines are in its log only"),
        JobEventBody::Retrying { error, not_before } => {
            ctx.warn(format!(
                "attempt failed: {}; the next not before {not_before}",
                error.message
            ));
        }
        JobEventBody::Requeued { reason } => ctx.warn(format!("back in the queue: {reason}")),
        JobEventBody::Cancelling { by, force } => {
            ctx.info(format!("{by} {} it", if *force { "ends" } else { "stops" }));
        }
        JobEventBody::Queued { .. }
        | JobEventBody::Running { .. }
        | JobEventBody::Ended { .. }
        | JobEventBody::Unknown => {}
    }
}
