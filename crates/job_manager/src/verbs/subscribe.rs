//! `subscribe`: the events of a job as they come.

use app_core::contract::{ToolError, ToolResult};
use tokio::sync::mpsc::{Receiver, channel};

use crate::{
    id::JobId,
    manager::JobManager,
    wire::{Job, JobEvent},
};

/// Events that wait for a slow reader; what is beyond is read from the store when there is room again.
const ROOM: usize = 256;

/// The events of one job, in order, up to its end.
#[derive(Debug)]
pub struct JobEvents {
    events: Receiver<JobEvent>,
}

impl JobEvents {
    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<JobEvent> {
        self.events.recv().await
    }
}

impl JobManager {
    /// Every event after position `after` (0: from the first), whichever process runs the job.
    pub async fn subscribe(&self, id: JobId, after: i64) -> ToolResult<JobEvents> {
        let (to, events) = channel(ROOM);
        self.ask(move |actor| actor.subscribe(id, after, to)).await?;
        Ok(JobEvents { events })
    }

    /// Waits for the end of a job.
    pub async fn wait(&self, id: JobId) -> ToolResult<Job> {
        let mut events = self.subscribe(id, 0).await?;
        while events.next().await.is_some() {}
        let job = self.get(id).await?;
        if job.state.is_over() {
            return Ok(job);
        }
        Err(ToolError::internal("the job manager ended before the job").from_source("job"))
    }
}
