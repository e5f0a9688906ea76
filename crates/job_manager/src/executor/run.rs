//! One attempt from the first process to the last.

use std::{
    io::PipeReader, os::unix::fs::OpenOptionsExt as _, process::Child, sync::mpsc::Sender, time::Duration,
};

use app_core::contract::{Progress, ToolError, ToolResult};
use tokio::{io::AsyncWriteExt, net::unix::pipe, sync::mpsc::UnboundedReceiver, time::timeout};

use super::{
    Outcome, Place, Report,
    capture::{self, Captured},
    events::{self, Seen},
    group::{Group, receiver},
    job_log::{JobLog, log_path},
    outcome,
    script_run::ScriptRun,
    spawn, stdout_path,
    stop::{Stop, watch},
    whole_input,
};
use crate::{
    fallback,
    message::Message,
    orphans::{self, JOB_MARK, OWNER_MARK, Wanted},
    registry::{Registry, Resolved},
    store::Claimed,
    wire::{Route, Stream},
};

/// How long pipes may stay open after the process has ended: somebody outside its group may hold them.
const LEAK: Duration = Duration::from_millis(200);
/// Most of a replaced script's stdout that is looked at for its answer.
const SCRIPT_STDOUT: usize = 16 << 20;

/// Runs one claimed job. Always ends with exactly one [`Report::Ended`], also when it is dropped.
pub(crate) struct Runner {
    claimed: Claimed,
    place: Place,
    registry: Registry,
    reports: Sender<Message>,
    progress: Option<Progress>,
    over: bool,
}

impl Runner {
    pub(crate) fn new(claimed: Claimed, place: Place, registry: Registry, reports: Sender<Message>) -> Self {
        Self {
            claimed,
            place,
            registry,
            reports,
            progress: None,
            over: false,
        }
    }

    /// Runs to the end; `orders` may stop it.
    pub(crate) async fn run(mut self, mut orders: UnboundedReceiver<Stop>) {
        let outcome = match self.attempt(&mut orders).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(Box::new(error)),
        };
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        self.over = true;
        let (id, attempt) = (self.claimed.id, self.claimed.attempt);
        let progress = self.progress.take();
        self.report(Report::Ended {
            id,
            attempt,
            outcome,
            progress,
        });
    }

    fn report(&self, report: Report) {
        // Without the actor there is nobody to tell; whoever opens the store next cleans up.
        drop(self.reports.send(Message::Report(report)));
    }

    async fn attempt(&mut self, orders: &mut UnboundedReceiver<Stop>) -> ToolResult<Outcome> {
        let tool = self.registry.resolve(&self.claimed.tool).await?;
        let (id, attempt) = (self.claimed.id, self.claimed.attempt);
        let path = log_path(&self.place.state_dir, id);
        let mut log = JobLog::new(path, attempt, self.place.log_bytes);
        if let Some((script, reason)) = &tool.legacy {
            let reason = reason.as_str();
            // A script that never had a tool is the tool; one that stands in for a tool is worth a word.
            if tool.stands_in {
                tracing::warn!(tool = self.claimed.tool, reason, script = %script.script.display(), "the replaced script runs");
            }
            log.line(
                Stream::Manager,
                format!("the replaced script runs: {reason}").as_bytes(),
            );
        }
        // A stop that came before the process: there is nothing to end.
        if let Ok(Stop::Ask(why) | Stop::Kill(why)) = orders.try_recv() {
            return Ok(Outcome::Stopped { why, forced: false });
        }
        let input = whole_input::of(&self.claimed, &self.place)?;
        let call = match &tool.legacy {
            Some((script, _)) => Some(fallback::call(
                &tool.definition,
                script,
                &input,
                self.claimed.mode,
            )?),
            None => None,
        };
        let (child, events) = spawn::spawn(&self.claimed, &tool, call.as_ref(), &self.place)?;
        let stdin = call.map_or_else(|| input.to_string().into_bytes(), |call| call.stdin);
        let pid = child.id();
        let start = orphans::start_time(pid).unwrap_or_default();
        self.report(Report::Child {
            id,
            attempt,
            pid,
            start,
            route: tool.route,
        });
        let Some((_, reason)) = &tool.legacy else {
            let result = self
                .supervise(child, events, &tool, (stdin, &mut log), orders)
                .await;
            log.end();
            return result;
        };
        self.report(Report::Fallback {
            id,
            tool: self.claimed.tool.clone(),
            reason: reason.as_str(),
        });
        let (claimed, place) = (self.claimed.clone(), self.place.clone());
        let (recorded, result) = tokio::join!(
            ScriptRun::begin(&claimed, &tool, &place, pid),
            self.supervise(child, events, &tool, (stdin, &mut log), orders)
        );
        log.end();
        let outcome = result.unwrap_or_else(|error| Outcome::Failed(Box::new(error)));
        if let Some(recorded) = recorded {
            recorded.end(&outcome).await;
        }
        Ok(outcome)
    }

    async fn supervise(
        &mut self,
        child: Child,
        events: Option<PipeReader>,
        tool: &Resolved,
        (input, log): (Vec<u8>, &mut JobLog),
        orders: &mut UnboundedReceiver<Stop>,
    ) -> ToolResult<Outcome> {
        let mut group = Group::new(child)?;
        let (stdin, stdout, stderr) = group.pipes()?;
        let events = events.map(|reader| receiver(reader.into())).transpose()?;
        let script = tool.route == Route::Legacy;
        let stdout_limit = if script { SCRIPT_STDOUT } else { 0 };
        let mut captured = Captured {
            stdout_limit,
            ..Captured::default()
        };
        let mut seen = Seen::default();
        let (id, attempt) = (self.claimed.id, self.claimed.attempt);
        let reports = self.reports.clone();
        let pass_on = move |body| {
            drop(reports.send(Message::Report(Report::Event { id, attempt, body })));
        };

        let exit = {
            let streams = async {
                let read_events = async {
                    if let Some(pipe) = events {
                        events::read(pipe, &mut seen, pass_on).await;
                    }
                };
                tokio::join!(
                    feed(stdin, &input),
                    read_events,
                    capture::drain(stdout, stderr, &mut captured, log)
                );
            };
            let watch = watch(&mut group, &self.claimed, orders);
            tokio::pin!(streams, watch);
            let mut drained = false;
            let exit = loop {
                tokio::select! {
                    exit = &mut watch => break exit?,
                    () = &mut streams, if !drained => drained = true,
                }
            };
            if !drained && timeout(LEAK, &mut streams).await.is_err() {
                tracing::warn!(job = %id, "a process outside the job's group still holds its output");
            }
            exit
        };
        self.sweep(exit.stopped.is_some()).await;
        self.progress.clone_from(&seen.progress);
        let stderr = captured.stderr_text();
        let outcome = match (&tool.legacy, exit.stopped) {
            (None, _) => outcome::of_tool(&seen, exit.status, exit.stopped, &stderr),
            (Some(_), Some((why, forced))) if !exit.status.success() => Outcome::Stopped { why, forced },
            (Some((script, _)), _) => {
                let text = String::from_utf8_lossy(&captured.stdout);
                let whole = captured.stdout.len() < SCRIPT_STDOUT;
                self.keep_stdout(&captured.stdout);
                match fallback::outcome(script, exit.status.code(), &text, whole, &stderr) {
                    Ok(output) => Outcome::Succeeded(output),
                    Err(error) => Outcome::Failed(Box::new(error)),
                }
            }
        };
        Ok(outcome)
    }

    /// Keeps what a script wrote as it was, for whoever takes its place on a command line.
    fn keep_stdout(&self, bytes: &[u8]) {
        let path = stdout_path(&self.place.state_dir, self.claimed.id);
        let written = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, bytes));
        if let Err(e) = written {
            tracing::warn!(path = %path.display(), "cannot keep what a script wrote: {e}");
        }
    }

    /// Ends processes of this job that left its group, however it ended: one that goes on unseen would act under a job
    /// that is over. They are known by the marks in their environment.
    async fn sweep(&self, stopped: bool) {
        let marks = vec![
            format!("{JOB_MARK}={}", self.claimed.id),
            format!("{OWNER_MARK}={}", self.place.owner),
        ];
        let wanted = Wanted {
            marks,
            groups: Vec::new(),
        };
        let ended = tokio::task::spawn_blocking(move || {
            // A run that ended by itself has rarely left anything, and one look shows it.
            if stopped || orphans::any(&wanted) {
                orphans::end(&wanted, Duration::from_millis(100))
            } else {
                Ok(0)
            }
        })
        .await;
        match ended {
            Ok(Ok(0)) => {}
            Ok(Ok(ended)) => {
                tracing::warn!(job = %self.claimed.id, ended, "it left processes behind, which were ended");
            }
            _ => tracing::warn!(job = %self.claimed.id, "a process that it left behind does not end"),
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if !self.over {
            let error = ToolError::internal("the run was given up by its runner").from_source("job");
            self.end(Outcome::Failed(Box::new(error)));
        }
    }
}

/// Writes the input. A tool that does not read it has its reasons.
async fn feed(pipe: pipe::Sender, input: &[u8]) {
    let mut pipe = pipe;
    if let Err(e) = pipe.write_all(input).await {
        tracing::debug!("the input was not read: {e}");
    }
}
