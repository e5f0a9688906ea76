//! `get`: one job in full.

use app_core::contract::ToolResult;

use crate::{
    id::JobId,
    manager::JobManager,
    wire::{Job, JobEvent},
};

impl JobManager {
    /// The job with its state, progress, files and output.
    pub async fn get(&self, id: JobId) -> ToolResult<Job> {
        self.ask(move |actor| actor.store.get_with_reason(id, &actor.surroundings()))
            .await
    }

    /// Its stored events after position `after`.
    pub async fn events(&self, id: JobId, after: i64) -> ToolResult<Vec<JobEvent>> {
        self.ask(move |actor| actor.store.get(id).and_then(|_| actor.store.events(id, after)))
            .await
    }
}
