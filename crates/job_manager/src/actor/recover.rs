//! Cleaning up after processes that died with jobs in their hands.

use std::time::Duration;

use app_core::contract::ToolResult;

use super::{Actor, ended};
use crate::{
    message::Message,
    orphans::{self, OWNER_MARK, Wanted},
    owner,
};

/// What children of a dead manager get at most to end by themselves.
const GRACE: Duration = Duration::from_secs(2);

impl Actor {
    /// Looks for owners in the store that are dead, and begins to clean up after them.
    pub(super) fn look_for_dead(&mut self) {
        let owners = match self.store.owners() {
            Ok(owners) => owners,
            Err(e) => {
                tracing::error!("cannot read the owners of jobs: {e}");
                return;
            }
        };
        for name in owners {
            if name == self.owner.name || self.cleaning.contains(&name) {
                continue;
            }
            match owner::lock_of_dead(&self.owners_dir, &name) {
                Ok(None) => {}
                Ok(Some(lock)) => self.clean_up_after(name, lock),
                Err(e) => tracing::error!("cannot look after owner {name}: {e}"),
            }
        }
    }

    /// Removes the names of processes that ended without a word and left nothing in the store.
    pub(super) fn forget_names(&self) {
        let (Ok(named), Ok(entries)) = (self.store.owners(), std::fs::read_dir(&self.owners_dir)) else {
            return;
        };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if name == self.owner.name || named.contains(&name) {
                continue;
            }
            if let Ok(Some(lock)) = owner::lock_of_dead(&self.owners_dir, &name) {
                lock.remove();
            }
        }
    }

    /// Ends the processes of a dead owner on a thread of its own, since that takes time.
    fn clean_up_after(&mut self, name: String, lock: owner::Lock) {
        let mut wanted = Wanted {
            marks: vec![format!("{OWNER_MARK}={name}")],
            groups: Vec::new(),
        };
        let mut grace = Duration::ZERO;
        match self.store.running_processes(&name) {
            Ok(processes) => {
                for (pid, start, policy) in processes {
                    grace = grace.max(policy.cancel_grace().min(GRACE));
                    wanted.groups.extend(pid.zip(start));
                }
            }
            Err(e) => {
                tracing::error!("cannot read the jobs of owner {name}: {e}");
                return;
            }
        }
        tracing::info!(owner = name, "cleaning up after a process that died");
        self.cleaning.insert(name.clone());
        let own = self.own.clone();
        let clean = move || {
            let message = match orphans::end(&wanted, grace) {
                Ok(ended) => {
                    tracing::info!(owner = name, ended, "its children are gone");
                    Message::Cleaned { owner: name, lock }
                }
                Err(left) => {
                    tracing::error!(owner = name, left, "some of its children do not end");
                    drop(lock);
                    Message::NotCleaned { owner: name }
                }
            };
            // Without the actor the lock is let go, and somebody else cleans up.
            drop(own.send(message));
        };
        if let Err(e) = std::thread::Builder::new()
            .name("cleaner".to_owned())
            .spawn(clean)
        {
            tracing::error!("cannot start a thread: {e}");
            self.cleaning.clear();
        }
    }

    /// The processes of a dead owner are gone: decides what becomes of its jobs.
    pub(super) fn recovered(&mut self, owner: &str) -> ToolResult<()> {
        for id in self.store.running_of(owner)? {
            let row = self.store.run_row(id)?;
            let next = ended::interrupted(&row, true, "the job manager died", self.jobs.max_interruptions);
            self.settle(id, &row, next)?;
        }
        self.store.release(owner)?;
        self.cleaning.remove(owner);
        self.queue_changed();
        Ok(())
    }
}
