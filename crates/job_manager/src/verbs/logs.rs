//! `logs`: what a job's processes wrote.

use app_core::contract::{ToolError, ToolResult};

use crate::{
    executor::{log_path, read_log},
    id::JobId,
    manager::JobManager,
    wire::{LogPage, LogRequest},
};

impl JobManager {
    /// A page of the job's log, also while it runs.
    pub async fn logs(&self, id: JobId, request: LogRequest) -> ToolResult<LogPage> {
        self.ask(move |actor| actor.store.run_row(id)).await?;
        let path = log_path(self.state_dir(), id);
        tokio::task::spawn_blocking(move || read_log(&path, &request))
            .await
            .map_err(|e| ToolError::internal(format!("cannot read the log: {e}")))?
    }
}
