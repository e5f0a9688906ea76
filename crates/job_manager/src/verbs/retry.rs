//! `retry`: runs a finished job again, as a new job.

use app_core::contract::ToolResult;
use serde_json::Value;

use super::start::not_over;
use crate::{
    id::JobId,
    manager::JobManager,
    wire::{StartRequest, Started},
};

impl JobManager {
    /// Starts the same tool with the same input, or with another one. The history of the old job stays as it is.
    pub async fn retry(&self, id: JobId, input: Option<Value>, by: &str) -> ToolResult<Started> {
        let (job, old_input) = self
            .ask(move |actor| Ok((actor.store.get(id)?, actor.store.input(id)?)))
            .await?;
        if !job.state.is_over() {
            return Err(not_over(id, job.state.name()));
        }
        self.start(StartRequest {
            tool: job.tool,
            input: input.unwrap_or(old_input),
            mode: job.mode,
            priority: job.priority,
            idempotency_key: None,
            requested_by: by.to_owned(),
            working_dir: job.working_dir,
            retry_of: Some(id),
        })
        .await
    }
}
