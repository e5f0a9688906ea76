//! Driving a run to its end: signals, timeout, grace, and the end by force.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Instrument as _;

use super::{
    finish::{Outcome, close_run_log, open_run_log},
    panics::{LastWords, panicked},
    report,
    run::Face,
};
use crate::{
    context::Context,
    contract::{ErrorKind, EventBody, ToolError, ToolResult},
    mutex::lock,
    tool::Tool,
};

/// Why a run was told to stop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    Interrupt,
    Terminate,
    Timeout(Duration),
}

impl Stop {
    pub(super) fn error(self) -> ToolError {
        match self {
            Self::Interrupt => ToolError::new(ErrorKind::Cancelled, "stopped by SIGINT").code("interrupted"),
            Self::Terminate => ToolError::cancelled(),
            Self::Timeout(limit) => ToolError::new(
                ErrorKind::Timeout,
                format!("not finished within {} s", limit.as_secs_f64()),
            )
            .hint("raise it with `--run-timeout` or in onejob.toml"),
        }
    }

    pub(super) fn exit(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Timeout(_) => ErrorKind::Timeout.exit_code(),
        }
    }
}

pub(super) type StopCell = Arc<Mutex<Option<Stop>>>;

/// The runtime of a run and the signals that stop it.
pub(super) struct Machine {
    runtime: tokio::runtime::Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Machine {
    pub(super) fn start() -> ToolResult<Self> {
        let failed =
            |e: std::io::Error| ToolError::new(ErrorKind::Io, format!("cannot start the runtime: {e}"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(failed)?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        drop(entered);
        Ok(Self {
            runtime,
            interrupt,
            terminate,
        })
    }
}

pub(super) fn drive<T: Tool>(
    machine: Machine,
    input: T::Input,
    ctx: &Context,
    face: Face,
    last_words: &LastWords,
) -> Result<T::Output, (ToolError, Option<u8>)> {
    let Machine {
        runtime,
        interrupt,
        terminate,
    } = machine;
    let stop = StopCell::default();
    let span =
        tracing::info_span!("run", tool = %ctx.inner().definition.name, trace_id = %ctx.inner().trace_id);
    let result = runtime.block_on(async {
        let watcher = tokio::spawn(watch(ctx.clone(), face, stop.clone(), interrupt, terminate));
        let run = AssertUnwindSafe(T::run(input, ctx).instrument(span)).catch_unwind();
        let ended = tokio::select! {
            biased;
            result = run => Some(result),
            () = told_to_stop(ctx) => None,
        };
        watcher.abort();
        ended
    });
    // Blocking work that ignores the request to stop must not hold the process.
    runtime.shutdown_background();
    let why = *lock(&stop);
    match (result, why) {
        (Some(Ok(Ok(output))), _) => Ok(output),
        (Some(Ok(Err(error))), Some(stop)) if error.kind == ErrorKind::Cancelled => {
            let mut told = stop.error();
            told.output = error.output;
            Err((told, Some(stop.exit())))
        }
        (Some(Ok(Err(error))), _) => Err((error, None)),
        (Some(Err(_)), _) => Err((panicked(last_words), None)),
        (None, why) => {
            let stop = why.unwrap_or(Stop::Terminate);
            Err((stop.error(), Some(stop.exit())))
        }
    }
}

/// Resolves when the run must be dropped: at once for a run that never looks, after the grace for one that does.
pub(super) async fn told_to_stop(ctx: &Context) {
    let inner = ctx.inner();
    inner.cancel.cancelled().await;
    if inner.cooperative.load(Ordering::Relaxed) {
        tokio::time::sleep(ctx.policy().cancel_grace()).await;
    }
}

/// Waits for signals and the timeout; ends the process when the run does not stop within the grace.
pub(super) async fn watch(
    ctx: Context,
    face: Face,
    cell: StopCell,
    mut interrupt: Signal,
    mut terminate: Signal,
) {
    let _pings = tokio::spawn(ping_watchdog());
    let why = tokio::select! {
        () = arrives(&mut interrupt) => Stop::Interrupt,
        () = arrives(&mut terminate) => Stop::Terminate,
        limit = time_is_up(ctx.policy().timeout()) => Stop::Timeout(limit),
    };
    *lock(&cell) = Some(why);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    ctx.inner().cancel.cancel();
    // Slightly longer than the run's own grace, so that an orderly end wins.
    let grace = ctx.policy().cancel_grace() + Duration::from_millis(200);
    let hint = tokio::select! {
        () = arrives(&mut interrupt) => "ended at once by the second signal",
        () = arrives(&mut terminate) => "ended at once by the second signal",
        () = tokio::time::sleep(grace) => "it did not stop by itself within the grace period",
    };
    end_by_force(&ctx, why, hint, face);
}

pub(super) async fn arrives(signal: &mut Signal) {
    if signal.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

pub(super) async fn time_is_up(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

pub(super) async fn ping_watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval(limit / 2);
    loop {
        ticks.tick().await;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
    }
}

#[expect(
    clippy::exit,
    reason = "the run ignores the request to stop; this is the end by force"
)]
pub(super) fn end_by_force(ctx: &Context, why: Stop, hint: &str, face: Face) {
    let exit = break_off(ctx, why.exit(), why.error().hint(hint), face);
    std::process::exit(i32::from(exit));
}

/// Ends a run that did not come to its end: no half file, a row in the run log, the error, the terminal event.
pub(super) fn break_off(ctx: &Context, exit: u8, mut error: ToolError, face: Face) -> u8 {
    let inner = ctx.inner();
    remove_half_files(ctx);
    error.trace_id.clone_from(&inner.trace_id);
    let outcome = Outcome {
        exit,
        error: Some(error.clone()),
        ..Outcome::default()
    };
    close_run_log(ctx, open_run_log(ctx).as_ref(), &outcome);
    report::report(&error, face.json, face.colours);
    inner.emitter.emit(EventBody::Finished {
        output: None,
        error: Some(Box::new(error)),
    });
    exit
}

/// Removes files that nobody will finish: those of a stubborn run, and of threads that are still busy.
pub(super) fn remove_half_files(ctx: &Context) {
    for path in lock(&ctx.inner().pending).drain(..) {
        // Those of a run that ended in order are gone already.
        let _ = std::fs::remove_file(path);
    }
}
