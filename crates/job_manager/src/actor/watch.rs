//! The feed over all jobs, to those who watch it.

use app_core::contract::ToolResult;
use tokio::sync::mpsc::{Sender, error::TrySendError};

use super::Actor;
use crate::wire::{JobFilter, WatchBody, WatchEvent};

/// Changes read at once.
const PAGE: u32 = 256;
/// A watcher that is further behind than this when there is room again reads the page instead.
const FAR_BEHIND: usize = 1024;

/// Somebody who watches all jobs.
pub(super) struct Watcher {
    to: Sender<WatchEvent>,
    filter: JobFilter,
    /// Everything up to here was sent, or does not concern it.
    position: i64,
    /// Its channel was full.
    pub(super) lagged: bool,
}

impl Actor {
    /// Adds a watcher, and sends what changed after its position. Returns where it begins.
    pub(crate) fn watch(
        &mut self,
        filter: JobFilter,
        after: Option<i64>,
        to: Sender<WatchEvent>,
    ) -> ToolResult<i64> {
        // A filter that cannot be is refused here, not in silence later.
        crate::store::check_filter(&filter)?;
        let newest = self.store.position()?;
        // A position of another store, or of one that was set back, means nothing here.
        let unknown = after.is_some_and(|at| !(0..=newest).contains(&at));
        let position = after.filter(|_| !unknown).unwrap_or(newest);
        self.watchers.push(Watcher {
            to,
            filter,
            position: if unknown { i64::MAX } else { position },
            lagged: unknown,
        });
        Ok(position)
    }

    /// Sends out what changed. Cheap when nothing did.
    pub(super) fn tell_watchers(&mut self) {
        if self.watchers.is_empty() {
            return;
        }
        let newest = match self.store.position() {
            Ok(newest) => newest,
            Err(e) => {
                tracing::debug!("cannot read the feed: {e}");
                return;
            }
        };
        let around = self.surroundings();
        let mut watchers = std::mem::take(&mut self.watchers);
        watchers.retain_mut(|watcher| {
            if watcher.lagged && !watcher.catch_up(newest) {
                return !watcher.to.is_closed();
            }
            while watcher.position < newest {
                let changes = match self
                    .store
                    .changes(&watcher.filter, watcher.position, PAGE, &around)
                {
                    Ok(changes) => changes,
                    Err(e) => {
                        tracing::debug!("cannot read the feed: {e}");
                        return true;
                    }
                };
                let last = changes.len() < PAGE as usize;
                for (position, job) in changes {
                    let body = WatchBody::Changed { job: Box::new(job) };
                    if !watcher.send(position, body) {
                        return !watcher.to.is_closed();
                    }
                }
                if last {
                    watcher.position = newest;
                }
            }
            !watcher.to.is_closed()
        });
        self.watchers = watchers;
    }
}

impl Watcher {
    fn send(&mut self, position: i64, body: WatchBody) -> bool {
        match self.to.try_send(WatchEvent { v: 1, position, body }) {
            Ok(()) => {
                self.position = position;
                true
            }
            Err(TrySendError::Full(_)) => {
                self.lagged = true;
                false
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }

    /// Once there is room again: goes on where it stopped, or skips ahead and says so. `false`: still no room.
    fn catch_up(&mut self, newest: i64) -> bool {
        if self.to.capacity() < self.to.max_capacity() / 2 {
            return false;
        }
        if usize::try_from(newest - self.position).unwrap_or(usize::MAX) > FAR_BEHIND
            || self.position > newest
        {
            if !self.send(newest, WatchBody::Lagged) {
                return false;
            }
            self.position = newest;
        }
        self.lagged = false;
        true
    }
}
