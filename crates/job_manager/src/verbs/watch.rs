//! `watch`: one stream over all jobs.

use std::time::Duration;

use app_core::contract::ToolResult;
use tokio::{
    sync::mpsc::{Receiver, channel},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::{
    manager::JobManager,
    wire::{WatchBody, WatchEvent, WatchRequest},
};

/// Events that wait for a slow reader.
const ROOM: usize = 256;
/// How often the set of tools is looked at.
const TOOLS: Duration = Duration::from_secs(2);

/// The changes of all jobs, and of the set of tools.
pub struct Watch {
    events: Receiver<WatchEvent>,
    jobs: JobManager,
    position: i64,
    tools: Interval,
    revision: Option<String>,
}

impl Watch {
    /// The next change. `None` when the job manager has ended.
    pub async fn next(&mut self) -> Option<WatchEvent> {
        loop {
            tokio::select! {
                biased;
                event = self.events.recv() => {
                    let event = event?;
                    self.position = event.position;
                    return Some(event);
                }
                _ = self.tools.tick() => {
                    if let Some(revision) = self.new_revision().await {
                        let body = WatchBody::Tools { revision };
                        return Some(WatchEvent { v: 1, position: self.position, body });
                    }
                }
            }
        }
    }

    async fn new_revision(&mut self) -> Option<String> {
        let list = self.jobs.tool_list().await.ok()?;
        let before = self.revision.replace(list.revision.clone());
        before
            .is_some_and(|before| before != list.revision)
            .then_some(list.revision)
    }

    /// Where it is: give this as `after` to go on later.
    pub fn position(&self) -> i64 {
        self.position
    }
}

impl JobManager {
    /// Every change of a job that passes the filter, whichever process makes it, after a position. Each event is a line as
    /// it is now; a reader that is too slow gets `lagged` and reads the page again.
    pub async fn watch(&self, request: WatchRequest) -> ToolResult<Watch> {
        let (to, events) = channel(ROOM);
        let WatchRequest { filter, after } = request;
        let position = self.ask(move |actor| actor.watch(filter, after, to)).await?;
        let mut tools = interval(TOOLS);
        tools.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Watch {
            events,
            jobs: self.clone(),
            position,
            tools,
            revision: None,
        })
    }
}
