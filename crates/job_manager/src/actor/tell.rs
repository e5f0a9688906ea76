//! Events: into the store, and to those who follow a job.

use std::time::Instant;

use app_core::contract::{Progress, ToolResult};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::{Actor, SAVE_PROGRESS, Subscriber};
use crate::{
    id::JobId,
    wire::{JobEvent, JobEventBody},
};

impl Actor {
    /// Stores an event; its followers get it once it is on disk.
    pub(crate) fn tell(&mut self, id: JobId, attempt: u32, body: JobEventBody) -> ToolResult<()> {
        let event = self.store.add_event(id, 0, attempt, Timestamp::now(), body)?;
        self.outbox.push(event);
        Ok(())
    }

    /// Progress goes to followers at once and to disk now and then.
    pub(super) fn progressed(&mut self, id: JobId, attempt: u32, progress: &Progress) {
        if let Some(live) = self.live.get_mut(&id).filter(|l| l.attempt == attempt) {
            live.progress = Some(progress.clone());
        }
        if self.subscribers.contains_key(&id) {
            let body = JobEventBody::Progress(progress.clone());
            self.outbox.push(JobEvent {
                v: 1,
                job: id,
                seq: -1,
                ts: Timestamp::now(),
                attempt,
                body,
            });
        }
    }

    pub(super) fn save_progress(&mut self) {
        for (id, live) in &mut self.live {
            if live.saved.elapsed() < SAVE_PROGRESS {
                continue;
            }
            if let Some(progress) = live.progress.take() {
                live.saved = Instant::now();
                if let Err(e) = self.store.set_progress(*id, &progress) {
                    tracing::warn!("cannot save progress: {e}");
                }
            }
        }
    }

    /// Adds a follower: the stored events after `last` first, then what comes.
    pub(crate) fn subscribe(
        &mut self,
        id: JobId,
        last: i64,
        to: UnboundedSender<JobEvent>,
    ) -> ToolResult<()> {
        let mut open = !self.store.get(id)?.state.is_over();
        let mut subscriber = Subscriber {
            to,
            last,
            progress: None,
        };
        for event in self.store.events(id, last)? {
            open &= subscriber.send(event);
        }
        if open {
            // What the batch is about to tell has been sent already; `last` keeps it from being sent twice.
            self.subscribers.entry(id).or_default().push(subscriber);
        }
        Ok(())
    }

    /// Sends out what the batch told.
    pub(super) fn send_out(&mut self) {
        for event in std::mem::take(&mut self.outbox) {
            let Some(followers) = self.subscribers.get_mut(&event.job) else {
                continue;
            };
            followers.retain_mut(|f| f.send(event.clone()));
            if followers.is_empty() {
                self.subscribers.remove(&event.job);
            }
        }
    }

    /// Reads on for the followers of jobs that other processes run.
    pub(super) fn follow(&mut self) {
        let foreign: Vec<JobId> = self
            .subscribers
            .keys()
            .filter(|id| !self.live.contains_key(id))
            .copied()
            .collect();
        for id in foreign {
            if let Err(e) = self.follow_one(id) {
                tracing::debug!(job = %id, "cannot follow: {e}");
                // It left the history: its followers see the end of the stream.
                self.subscribers.remove(&id);
            }
        }
    }

    fn follow_one(&mut self, id: JobId) -> ToolResult<()> {
        let job = self.store.get(id)?;
        let Some(followers) = self.subscribers.get_mut(&id) else {
            return Ok(());
        };
        let last = followers.iter().map(|f| f.last).min().unwrap_or_default();
        let events = self.store.events(id, last)?;
        let progress = job.progress.map(|p| JobEvent {
            v: 1,
            job: id,
            seq: -1,
            ts: Timestamp::now(),
            attempt: job.attempt,
            body: JobEventBody::Progress(p),
        });
        followers.retain_mut(|f| {
            // Progress comes before the end, which closes the stream.
            let told = progress.clone().is_none_or(|p| f.send(p));
            told && events.iter().all(|e| f.send(e.clone()))
        });
        if followers.is_empty() {
            self.subscribers.remove(&id);
        }
        Ok(())
    }
}

impl Subscriber {
    /// Sends what is new to this follower. `false` when nothing more will come or nobody listens.
    fn send(&mut self, mut event: JobEvent) -> bool {
        if let JobEventBody::Progress(progress) = &event.body {
            if self.progress.as_ref() == Some(progress) {
                return !self.to.is_closed();
            }
            self.progress = Some(progress.clone());
            // Progress is not stored; it carries the position of the event before it.
            event.seq = self.last;
            return self.to.send(event).is_ok();
        }
        if event.seq <= self.last {
            return !self.to.is_closed();
        }
        self.last = event.seq;
        let end = matches!(event.body, JobEventBody::Ended { .. });
        self.to.send(event).is_ok() && !end
    }
}
