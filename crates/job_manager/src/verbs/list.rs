//! `list`: jobs by page, newest first.

use app_core::contract::ToolResult;

use crate::{
    manager::JobManager,
    wire::{FallbackCount, JobPage, ListRequest, Load},
};

impl JobManager {
    /// One page; `next` of the answer asks for the one after it.
    pub async fn list(&self, request: ListRequest) -> ToolResult<JobPage> {
        self.ask(move |actor| actor.store.list(&request, &actor.surroundings()))
            .await
    }

    /// How many jobs wait and run.
    pub async fn load(&self) -> ToolResult<Load> {
        self.ask(|actor| actor.store.load()).await
    }

    /// How often replaced scripts ran instead of tools.
    pub async fn fallbacks(&self) -> ToolResult<Vec<FallbackCount>> {
        self.ask(|actor| actor.store.fallbacks()).await
    }
}
