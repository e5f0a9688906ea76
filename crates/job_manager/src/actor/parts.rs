//! What an actor is made of.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::mpsc::{Receiver, Sender},
    time::Instant,
};

use super::Actor;
use crate::{
    executor::Place,
    limits::Limits,
    manager::Role,
    message::Message,
    owner::{Lock, Owner},
    poke::Pokes,
    registry::Registry,
    settings::JobsSection,
    store::Store,
};

/// What an actor is made of.
pub(crate) struct Parts {
    pub store: Store,
    pub role: Role,
    pub owner: Owner,
    pub worker: Option<Lock>,
    pub place: Place,
    pub owners_dir: PathBuf,
    pub limits: Limits,
    pub jobs: JobsSection,
    pub registry: Registry,
    pub pokes: Pokes,
    pub runtime: tokio::runtime::Handle,
    pub inbox: Receiver<Message>,
    pub own: Sender<Message>,
}

impl Actor {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            store,
            role,
            owner,
            worker,
            place,
            owners_dir,
            limits,
            jobs,
            registry,
            pokes,
            runtime,
            inbox,
            own,
        } = parts;
        Self {
            store,
            role,
            owner,
            worker,
            place,
            owners_dir,
            limits,
            jobs,
            registry,
            pokes,
            runtime,
            inbox,
            own,
            live: HashMap::new(),
            subscribers: HashMap::new(),
            watchers: Vec::new(),
            answers: Vec::new(),
            outbox: Vec::new(),
            cleaned: Vec::new(),
            poke: false,
            poke_followers: false,
            paused: None,
            look_for_jobs: true,
            look_for_cancels: false,
            again: Vec::new(),
            cleaning: HashSet::new(),
            closing: None,
            closed: Vec::new(),
            looked_for_dead: None,
            pruned: None,
            polled: Instant::now(),
            due: None,
        }
    }
}
