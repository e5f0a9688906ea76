//! The one task that owns the state. It runs on a thread of its own, since SQLite blocks.
//!
//! Messages are taken in batches; each batch is one transaction, and nothing is answered, told or started before it
//! is on disk. Then jobs are claimed in a transaction of their own, and started.

mod claim;
mod commit;
mod ended;
mod parts;
mod recover;
mod tell;
mod upkeep;
mod watch;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use app_core::contract::{ErrorKind, Progress};
use jiff::Timestamp;
use tokio::sync::{
    mpsc::{self, UnboundedSender},
    oneshot,
};

use crate::{
    executor::{Place, Stop, Why},
    id::JobId,
    limits::Limits,
    manager::Role,
    message::{AfterCommit, Close, Message},
    owner::{Lock, Owner},
    poke::Pokes,
    registry::Registry,
    settings::JobsSection,
    store::{Store, Surroundings},
    wire::JobEvent,
};
use watch::Watcher;

pub(crate) use claim::{LEAST_DISK, disk_left};
pub(crate) use parts::Parts;

/// Messages in one transaction at most.
const BATCH: usize = 512;
/// How often the progress of a job goes to disk, and so to everybody who follows it from another process.
const SAVE_PROGRESS: Duration = Duration::from_millis(250);
/// A job that runs here.
struct Live {
    orders: UnboundedSender<Stop>,
    attempt: u32,
    /// How far a stop has gone: the level of the request that was passed on.
    cancel: u8,
    progress: Option<Progress>,
    saved: Instant,
}

/// Somebody who follows a job.
struct Subscriber {
    to: mpsc::Sender<JobEvent>,
    /// Position of the last event sent.
    last: i64,
    progress: Option<Progress>,
    /// Its channel was full: what it has missed is read from the store once there is room again.
    behind: bool,
}

pub(crate) struct Actor {
    pub(crate) store: Store,
    pub(crate) role: Role,
    owner: Owner,
    worker: Option<Lock>,
    place: Place,
    owners_dir: PathBuf,
    limits: Limits,
    jobs: JobsSection,
    registry: Registry,
    pokes: Pokes,
    runtime: tokio::runtime::Handle,
    inbox: Receiver<Message>,
    own: Sender<Message>,

    live: HashMap<JobId, Live>,
    subscribers: HashMap<JobId, Vec<Subscriber>>,
    watchers: Vec<Watcher>,
    /// To be done once the batch is on disk.
    answers: Vec<AfterCommit>,
    outbox: Vec<JobEvent>,
    cleaned: Vec<Lock>,
    poke: bool,
    /// Something was told that only those care for who follow jobs.
    poke_followers: bool,
    /// Why no job is taken from the queue.
    paused: Option<String>,
    look_for_jobs: bool,
    look_for_cancels: bool,
    /// Reports whose batch could not be written; tried again.
    again: Vec<Message>,
    cleaning: HashSet<String>,
    closing: Option<Close>,
    closed: Vec<oneshot::Sender<()>>,
    looked_for_dead: Option<Instant>,
    pruned: Option<Instant>,
    polled: Instant,
    due: Option<Timestamp>,
}

impl Actor {
    /// A verb put something into the queue or took something out of it.
    pub(crate) fn queue_changed(&mut self) {
        self.look_for_jobs = true;
        self.poke = true;
    }

    /// A verb asked for the end of a job.
    pub(crate) fn cancel_requested(&mut self) {
        self.look_for_cancels = true;
        self.poke = true;
    }

    /// Takes no jobs for now. Said once, not with every try: a full disk fails in several places, one after the other.
    fn pause(&mut self, why: String) {
        if self.paused.is_none() {
            let store = self.place.state_dir.display();
            tracing::error!("paused, trying again: {why} (store in `{store}`)");
            self.paused = Some(why);
        }
    }

    /// Takes jobs again.
    fn go_on(&mut self) {
        if self.paused.take().is_some() {
            tracing::warn!("the job store can be written again: going on");
        }
    }

    /// Why no job is taken from the queue, if that is so.
    pub(crate) fn paused(&self) -> Option<&str> {
        self.paused.as_deref()
    }

    /// What this process knows that the store does not.
    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            limits: self.limits.clone(),
            attended: self.role == Role::Worker || crate::owner::worker(&self.place.state_dir).is_some(),
            now: app_core::Clock::System.now(),
        }
    }

    /// Runs until closed.
    pub(crate) fn run(mut self) {
        // What the store holds already does not wait for the first message.
        self.turn(Vec::new());
        while !self.over() {
            let first = match self.inbox.recv_timeout(self.patience()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut batch = std::mem::take(&mut self.again);
            batch.extend(first);
            while batch.len() < BATCH
                && let Ok(message) = self.inbox.try_recv()
            {
                batch.push(message);
            }
            self.turn(batch);
        }
        let released = self
            .store
            .release(&self.owner.name)
            .and_then(|_| self.store.commit());
        if let Err(e) = released {
            tracing::warn!("cannot give the queued jobs away: {e}");
        }
        self.pokes.poke_others(true);
        self.owner.leave();
        // Whoever closed it may open it again at once: the store and the lock are let go first.
        drop(self.store);
        drop(self.worker);
        for closed in self.closed {
            // Whoever closed it may not wait for the end.
            let _ = closed.send(());
        }
    }

    fn over(&self) -> bool {
        self.closing.is_some() && self.live.is_empty() && self.again.is_empty()
    }

    fn turn(&mut self, batch: Vec<Message>) {
        let mut kept = Vec::new();
        for message in batch {
            let done = match message {
                Message::Call(call) => {
                    let answer = call(self);
                    self.answers.push(answer);
                    Ok(())
                }
                Message::Report(report) => {
                    let done = self.heed(&report);
                    // Reports are kept until they are on disk: the end of a job must not be lost.
                    let gone = done.as_ref().is_err_and(|e| e.kind == ErrorKind::NotFound);
                    if done.is_ok() || gone {
                        kept.push(Message::Report(report));
                    } else {
                        self.again.push(Message::Report(report));
                    }
                    done
                }
                Message::Cleaned { owner, lock } => {
                    let done = self.recovered(&owner);
                    if done.is_ok() {
                        self.cleaned.push(lock);
                    } else {
                        self.again.push(Message::Cleaned { owner, lock });
                    }
                    done
                }
                Message::NotCleaned { owner } => {
                    self.cleaning.remove(&owner);
                    Ok(())
                }
                Message::Poke { everything } => {
                    if everything {
                        self.look();
                    } else {
                        self.follow();
                    }
                    Ok(())
                }
                Message::Close(how, reply) => {
                    self.close(how);
                    self.closed.extend(reply);
                    Ok(())
                }
            };
            if let Err(e) = done {
                tracing::error!("job store: {e}");
            }
        }
        self.housekeeping();
        self.commit(kept);
        self.tell_watchers();
        if self.look_for_cancels && !self.live.is_empty() {
            self.pass_cancels_on();
        }
        if self.look_for_jobs {
            self.claim();
        }
    }

    fn close(&mut self, how: Close) {
        let again = self.closing.is_some();
        self.closing = Some(how);
        if how == Close::Stop {
            for live in self.live.values() {
                let order = if again {
                    Stop::Kill(Why::Shutdown)
                } else {
                    Stop::Ask(Why::Shutdown)
                };
                // It may be ending by itself.
                let _ = live.orders.send(order);
            }
        }
    }
}
