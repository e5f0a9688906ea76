//! Events: into the store, and to those who follow a job.

use std::time::Instant;

use app_core::contract::{Progress, ToolResult};
use tokio::sync::mpsc::{Sender, error::TrySendError};

use super::{Actor, SAVE_PROGRESS, Subscriber};
use crate::{
    id::JobId,
    wire::{JobEvent, JobEventBody},
};

impl Actor {
    /// Stores an event; its followers get it once it is on disk.
    pub(crate) fn tell(&mut self, id: JobId, attempt: u32, body: JobEventBody) -> ToolResult<()> {
        let event = self
            .store
            .add_event(id, 0, attempt, app_core::Clock::System.now(), body)?;
        self.outbox.push(event);
        self.poke_followers = true;
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
                ts: app_core::Clock::System.now(),
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
                match self.store.set_progress(*id, &progress) {
                    Ok(()) => self.poke_followers = true,
                    Err(e) => tracing::warn!("cannot save progress: {e}"),
                }
            }
        }
    }

    /// Adds a follower: the stored events after `last` first, then what comes.
    pub(crate) fn subscribe(&mut self, id: JobId, last: i64, to: Sender<JobEvent>) -> ToolResult<()> {
        let mut open = matches!(self.store.run_row(id)?.state.as_str(), "queued" | "running");
        let mut subscriber = Subscriber {
            to,
            last,
            progress: None,
            behind: false,
        };
        let events = self.store.events(id, last)?;
        for event in events {
            open &= subscriber.send(event);
        }
        // A job that is over has its end yet to come for a follower whose channel is full.
        if open || subscriber.behind {
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

    /// Reads on for the followers of jobs that other processes run, and for those who fell behind.
    pub(super) fn follow(&mut self) {
        let foreign: Vec<JobId> = self
            .subscribers
            .iter()
            .filter(|(id, followers)| !self.live.contains_key(id) || followers.iter().any(|f| f.behind))
            .map(|(id, _)| *id)
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
        for follower in followers.iter_mut() {
            follower.behind = false;
        }
        let events = self.store.events(id, last)?;
        let progress = job.progress.map(|p| JobEvent {
            v: 1,
            job: id,
            seq: -1,
            ts: app_core::Clock::System.now(),
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
    ///
    /// The channel is bounded. To one that is full nothing is sent, and nothing is lost: its position stays, and
    /// [`Actor::follow`] reads on from there.
    fn send(&mut self, mut event: JobEvent) -> bool {
        if self.behind {
            return !self.to.is_closed();
        }
        if let JobEventBody::Progress(progress) = &event.body {
            if self.progress.as_ref() == Some(progress) {
                return !self.to.is_closed();
            }
            let progress = progress.clone();
            // Progress is not stored; it carries the position of the event before it. A full channel does without.
            event.seq = self.last;
            return match self.to.try_send(event) {
                Ok(()) => {
                    self.progress = Some(progress);
                    true
                }
                Err(TrySendError::Full(_)) => true,
                Err(TrySendError::Closed(_)) => false,
            };
        }
        if event.seq <= self.last {
            return !self.to.is_closed();
        }
        let (seq, end) = (event.seq, matches!(event.body, JobEventBody::Ended { .. }));
        match self.to.try_send(event) {
            Ok(()) => {
                self.last = seq;
                !end
            }
            Err(TrySendError::Full(_)) => {
                self.behind = true;
                true
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }
}
