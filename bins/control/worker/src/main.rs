//! The long-running process that runs queued jobs. One per store; `onejob start` and every other face put jobs in.
//!
//! It replaces nothing: the scripts ran in the foreground of whoever called them. Killed in any way it loses no job:
//! the next one ends what was left running and goes on.

use std::time::Duration;

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolResult,
    contract::{ErrorKind, RetryPolicy, ToolError},
};
use garde::Validate;
use job_manager::{Close, JobManager, Options, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> std::process::ExitCode {
    app_core::main::<Worker>()
}

struct Worker;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Jobs at once; the `concurrency` of onejob.toml, or the number of cores, if not given.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "j"}))]
    #[garde(inner(range(min = 1, max = 1024)))]
    concurrency: Option<u32>,
    /// End when no job waits or runs any more.
    #[serde(default)]
    until_empty: bool,
    /// When told to stop, let the running jobs finish instead of putting them back into the queue.
    #[serde(default)]
    drain: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Why it ended: `stopped` or `empty`.
    ended: &'static str,
    /// Jobs still in the queue.
    queued: u64,
}

impl Tool for Worker {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut policy = Policy::with_timeout(Duration::ZERO);
        policy.retry = RetryPolicy::NONE;
        // Running jobs have their own grace, which comes first.
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
                "it works until it is stopped; jobs are tried again by their own policies",
            )
            .long_running()
            .env(
                "ONEJOB_TOOLS_DIR",
                "Folder of the tools; the folder of this program if not set",
            )
            .env("ONEJOB_STATE_DIR", "Folder of the job store")
            .example(
                "Run what is in the queue, two jobs at once, then end",
                &["--until-empty", "--concurrency", "2"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        if ctx.dry_run() {
            return Err(
                ToolError::invalid("dry_run", "a worker that runs nothing is of no use")
                    .hint("`onejob list --state queued` shows what it would run"),
            );
        }
        let mut options = Options::from_config(ctx.config(), ctx.state_dir()?, Role::Worker)?;
        options.settings.jobs.concurrency = input.concurrency.or(options.settings.jobs.concurrency);
        let jobs = JobManager::open(options)?;
        let tools = jobs.list_tools().await?.len();
        ctx.info(format!(
            "serving {tools} tools, store in `{}`",
            jobs.state_dir().display()
        ));
        ctx.notify_ready();
        let ended = serve(&jobs, &input, ctx).await;
        let how = if input.drain || ended.as_ref().is_ok_and(|e| *e == "empty") {
            Close::Drain
        } else {
            Close::Stop
        };
        let queued = jobs.load().await.map_or(0, |load| load.queued);
        jobs.close(how).await;
        Ok(Output {
            ended: ended?,
            queued,
        })
    }
}

/// Watches the queue until told to stop, or until it is empty if that was asked for. A store that cannot be written or
/// read for a while, because the disk is full for example, ends nothing: it is said, and said again when it is over.
async fn serve(jobs: &JobManager, input: &Input, ctx: &Context) -> ToolResult<&'static str> {
    let bar = ctx.progress("running", "jobs", None);
    let mut shown = None;
    let mut trouble: Option<String> = None;
    loop {
        let load = jobs.load().await;
        if let Err(e) = &load
            && e.kind == ErrorKind::Internal
        {
            return Err(e.clone());
        }
        let paused = jobs.paused().await.unwrap_or_else(|e| Some(e.message));
        let now = paused.or_else(|| load.as_ref().err().map(|e| e.message.clone()));
        if now != trouble {
            match &now {
                Some(what) => ctx.warn(format!(
                    "paused: {what} (store in `{}`)",
                    jobs.state_dir().display()
                )),
                None => ctx.warn("going on"),
            }
            trouble = now;
        }
        if let Ok(load) = load {
            if shown != Some(load) {
                shown = Some(load);
                bar.set(load.running);
                bar.message(format!("running, {} queued", load.queued));
            }
            if input.until_empty && load.queued + load.running == 0 {
                return Ok("empty");
            }
        }
        tokio::select! {
            () = ctx.cancellation().cancelled() => return Ok("stopped"),
            () = tokio::time::sleep(Duration::from_millis(if input.until_empty { 100 } else { 1000 })) => {}
        }
    }
}
