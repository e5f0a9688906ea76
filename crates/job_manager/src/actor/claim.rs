//! Taking jobs from the queue and starting them; passing on requests to stop.

use std::{path::Path, time::Instant};

use tokio::sync::mpsc::unbounded_channel;

use super::{Actor, Live};
use crate::{
    executor::{Runner, Stop, Why},
    manager::Role,
    store::Claim,
};

/// Bytes that must be left on the disk of the store for a job to be begun.
pub(crate) const LEAST_DISK: u64 = 256 << 10;

/// Bytes left on the disk of a folder for this user.
pub(crate) fn disk_left(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

impl Actor {
    /// Starts as many jobs as the limits allow.
    pub(super) fn claim(&mut self) {
        self.look_for_jobs = false;
        if self.role == Role::Client || self.closing.is_some() {
            return;
        }
        // On a full disk every tool would fail: its run log, its output. The jobs are better off in the queue.
        if let Some(left) = disk_left(&self.place.state_dir).filter(|left| *left < LEAST_DISK) {
            self.pause(format!("the disk is full: {left} bytes left"));
            self.look_for_jobs = false;
            return;
        }
        let now = app_core::Clock::System.now();
        let claim = Claim {
            owner: &self.owner.name,
            anybodys: self.role == Role::Worker,
            limits: &self.limits,
            now,
        };
        let claimed = match self.store.claim(&claim) {
            Ok(claimed) => claimed,
            Err(e) => {
                self.pause(format!("cannot take jobs from the queue: {e}"));
                return;
            }
        };
        self.go_on();
        for job in claimed {
            let (orders, received) = unbounded_channel();
            let live = Live {
                orders,
                attempt: job.attempt,
                cancel: 0,
                progress: None,
                saved: Instant::now(),
            };
            self.live.insert(job.id, live);
            let runner = Runner::new(job, self.place.clone(), self.registry.clone(), self.own.clone());
            self.runtime.spawn(runner.run(received));
        }
        match self.store.next_due(now) {
            Ok(due) => self.due = due,
            Err(e) => tracing::error!("cannot read the queue: {e}"),
        }
    }

    /// Tells running jobs that somebody asked them to stop.
    pub(super) fn pass_cancels_on(&mut self) {
        self.look_for_cancels = false;
        let cancels = match self.store.cancels(&self.owner.name) {
            Ok(cancels) => cancels,
            Err(e) => {
                tracing::error!("cannot read requests to cancel: {e}");
                return;
            }
        };
        for (id, level) in cancels {
            let Some(live) = self.live.get_mut(&id).filter(|l| l.cancel < level) else {
                continue;
            };
            live.cancel = level;
            let order = if level > 1 {
                Stop::Kill(Why::Cancel)
            } else {
                Stop::Ask(Why::Cancel)
            };
            // It may be ending by itself.
            let _ = live.orders.send(order);
        }
    }
}
