//! `retry`: runs a finished job again, as a new job.

use app_core::contract::{ErrorKind, ToolError, ToolResult};

use super::start::not_over;
use crate::{
    id::JobId,
    manager::JobManager,
    wire::{RetryRequest, StartRequest, Started},
};

impl JobManager {
    /// Starts the same tool again; what the request does not name stays as it was. The history of the old job stays as it
    /// is. Fails, naming the fields, where the old input had secrets: they were not kept.
    pub async fn retry(&self, id: JobId, request: RetryRequest) -> ToolResult<Started> {
        let (job, secret) = self
            .ask(move |actor| Ok((actor.store.get(id)?, actor.store.secret_fields(id)?)))
            .await?;
        if !job.state.is_over() {
            return Err(not_over(id, job.state.name()));
        }
        if request.input.is_none() && !secret.is_empty() {
            let names = secret
                .iter()
                .map(|s| format!("`{s}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let needed = "was not kept: enter it again, or name a stored one";
            return Err(ToolError::new(ErrorKind::InvalidInput, format!("the secrets of job `{id}` were not kept: {names}"))
                .code("secret_needed")
                .from_source("input")
                .mistakes(secret.into_iter().map(|path| (path, needed.to_owned())))
                .hint("give the whole input again; {\"$secret\": \"NAME\"} names a secret of the worker's environment"));
        }
        // The folder that a job had for itself is its own.
        let own = crate::store::own_folder(self.state_dir(), id);
        self.start(StartRequest {
            tool: job.tool,
            input: request.input.unwrap_or(job.input),
            mode: request.mode.unwrap_or(job.mode),
            priority: request.priority.unwrap_or(job.priority),
            idempotency_key: request.idempotency_key,
            requested_by: request.requested_by,
            working_dir: job.working_dir.filter(|dir| *dir != own),
            retry_of: Some(id),
            plan_of: None,
        })
        .await
    }
}
