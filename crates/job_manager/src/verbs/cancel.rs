//! `cancel`: ends a job, and says what it leaves behind.

use app_core::contract::{Effect, ToolResult};

use crate::{
    id::JobId,
    manager::JobManager,
    state::JobState,
    store::End,
    wire::{CancelReport, Job, JobEventBody},
};

impl JobManager {
    /// Asks the job to stop, and returns when it has ended. A second request, or `force`, ends it at once.
    pub async fn cancel(&self, id: JobId, by: &str, force: bool) -> ToolResult<CancelReport> {
        let had_started = self.request_cancel(id, by, force).await?;
        let job = self.wait(id).await?;
        Ok(report(&job, had_started))
    }

    /// Asks the job to stop and does not wait. Returns whether it had begun.
    pub async fn request_cancel(&self, id: JobId, by: &str, force: bool) -> ToolResult<bool> {
        let by = by.to_owned();
        self.ask(move |actor| {
            actor.store.write()?;
            let row = actor.store.run_row(id)?;
            match row.state.as_str() {
                "queued" => {
                    actor.store.request_cancel(id, 1, &by)?;
                    actor.tell(id, row.attempt, JobEventBody::Cancelling { by, force })?;
                    actor.store.finish(
                        id,
                        &End::Cancelled { forced: false },
                        app_core::Clock::System.now(),
                    )?;
                    actor.tell(
                        id,
                        row.attempt,
                        JobEventBody::Ended {
                            state: "cancelled".to_owned(),
                            error: None,
                        },
                    )?;
                    actor.queue_changed();
                }
                "running" => {
                    let force = force || row.cancel > 0;
                    let level = if force { 2 } else { 1 };
                    actor.store.request_cancel(id, level, &by)?;
                    if level > row.cancel {
                        actor.tell(id, row.attempt, JobEventBody::Cancelling { by, force })?;
                    }
                    actor.cancel_requested();
                }
                _ => {}
            }
            Ok(row.started)
        })
        .await
    }
}

fn report(job: &Job, had_started: bool) -> CancelReport {
    let total = job.progress.as_ref().and_then(|p| p.total);
    let left = total.map(|total| total.saturating_sub(job.progress.as_ref().map_or(0, |p| p.done)));
    let acting: Vec<&str> = job
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Reads | Effect::WritesFiles => None,
            Effect::Sends => Some("sent something"),
            Effect::ChangesRemote => Some("changed something on a far side"),
            Effect::Deletes => Some("deleted something"),
            Effect::Spends => Some("spent money"),
        })
        .collect();
    let rerun_safe = !had_started || acting.is_empty();
    let rerun = match (had_started, acting.is_empty()) {
        (false, _) => "it had not begun".to_owned(),
        (true, true) => "it reads and writes files only; running it again does nothing twice".to_owned(),
        (true, false) => format!(
            "it may have {} already; look before it is run again",
            acting.join(" or ")
        ),
    };
    CancelReport {
        id: job.id,
        state: job.state.name().to_owned(),
        had_started,
        forced: matches!(job.state, JobState::Cancelled { forced: true, .. }),
        done: job.progress.clone(),
        left,
        artifacts: job.artifacts.iter().map(|a| a.path.clone()).collect(),
        rerun_safe,
        rerun,
    }
}
