//! What is done without being asked for: looking at the store, for dead owners, and cutting the history.

use std::time::{Duration, Instant};

use app_core::contract::ToolResult;

use super::{Actor, SAVE_PROGRESS};
use crate::{executor, manager::Role, store::Retention, wire::Pruned};

/// How often the store is looked at without a poke.
const POLL: Duration = Duration::from_millis(500);

/// The same while somebody follows a job that another process runs.
const FOLLOW: Duration = Duration::from_millis(100);

/// How often dead owners are looked for.
const LOOK_FOR_DEAD: Duration = Duration::from_secs(2);

/// How often the history is cut.
const PRUNE: Duration = Duration::from_secs(600);

impl Actor {
    /// How long the next message may be waited for.
    pub(super) fn patience(&self) -> Duration {
        let mut patience = POLL;
        let foreign = self.subscribers.keys().any(|id| !self.live.contains_key(id));
        let behind = self.subscribers.values().flatten().any(|s| s.behind);
        if foreign || behind || self.watchers.iter().any(|w| w.lagged) {
            patience = FOLLOW;
        }
        if !self.again.is_empty() {
            return FOLLOW;
        }
        if let Some(due) = self.due {
            let wait =
                Duration::try_from(due.duration_since(app_core::Clock::System.now())).unwrap_or_default();
            patience = patience.min(wait + Duration::from_millis(1));
        }
        let unsaved = self.live.values().filter(|l| l.progress.is_some());
        let save = unsaved
            .map(|l| SAVE_PROGRESS.saturating_sub(l.saved.elapsed()))
            .min();
        patience.min(save.unwrap_or(patience))
    }

    /// Looks into the store for what other processes did.
    pub(super) fn look(&mut self) {
        self.polled = Instant::now();
        self.look_for_jobs = true;
        self.look_for_cancels = true;
        self.follow();
    }

    pub(super) fn housekeeping(&mut self) {
        if self.polled.elapsed() >= self.patience().min(POLL) {
            self.look();
        }
        if self.due.is_some_and(|due| due <= app_core::Clock::System.now()) {
            self.look_for_jobs = true;
        }
        self.save_progress();
        // A client that waits for a job must not wait for a dead process.
        let waits = self.role != Role::Client || !self.subscribers.is_empty() || !self.watchers.is_empty();
        if !waits || self.closing.is_some() {
            return;
        }
        if self
            .looked_for_dead
            .is_none_or(|at| at.elapsed() >= LOOK_FOR_DEAD)
        {
            self.looked_for_dead = Some(Instant::now());
            self.look_for_dead();
        }
        if self.role == Role::Client {
            return;
        }
        if self.pruned.is_none_or(|at| at.elapsed() >= PRUNE) {
            self.pruned = Some(Instant::now());
            self.forget_names();
            let keep = Retention {
                days: self.jobs.keep_days,
                count: self.jobs.keep_count,
            };
            if let Err(e) = self.prune(keep) {
                tracing::warn!("cannot cut the history: {e}");
            }
        }
    }

    /// Cuts the history, a few hundred jobs at a time.
    pub(crate) fn prune(&mut self, keep: Retention) -> ToolResult<Pruned> {
        let mut pruned = Pruned::default();
        loop {
            let gone = self.store.prune(keep, 500, app_core::Clock::System.now())?;
            self.store.commit()?;
            for id in &gone {
                executor::remove_files(&self.place.state_dir, *id);
            }
            pruned.jobs += gone.len() as u64;
            if gone.is_empty() {
                return Ok(pruned);
            }
        }
    }
}
