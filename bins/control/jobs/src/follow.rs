//! Following a job to its end: progress and log lines on stderr, and the end of this process like that of the job.

use std::time::Duration;

use app_core::{Context, ProgressBar, ToolError, ToolResult, contract::LogLevel};
use job_manager::{Close, JobEventBody, JobId, JobManager};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::view::Output;

/// Follows the job. With `cancel_by` the job is ours: told to stop, we stop it; told again, by force.
pub(crate) async fn to_the_end(
    jobs: &JobManager,
    id: JobId,
    ctx: &Context,
    cancel_by: Option<&str>,
) -> ToolResult<Output> {
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
                    return Err(ToolError::cancelled().hint(format!("job {id} goes on; `jobs cancel {id}` stops it")));
                };
                jobs.request_cancel(id, by, false).await?;
            }
            () = told(&mut again) => {
                jobs.request_cancel(id, cancel_by.unwrap_or_default(), true).await?;
            }
            () = &mut patience, if waits => {
                waits = false;
                ctx.info(format!("{id} waits in the queue: for a slot, its key, or a worker"));
            }
        }
    }
    drop(shown);
    let job = jobs.get(id).await?;
    if cancel_by.is_some() {
        jobs.close(Close::Drain).await;
    }
    match job.state.failure() {
        None => Ok(Output::Job(Box::new(job))),
        Some(error) => Err(error.with("job", id.to_string()).with_output(&job)),
    }
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
