//! `logs`: what a job's processes wrote.

use app_core::contract::{ToolError, ToolResult};

use crate::{
    executor::{log_path, read_log, stdout_path},
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

    /// What a replaced script wrote to its stdout, byte by byte; `None` for a job that was no script's.
    pub async fn script_stdout(&self, id: JobId) -> ToolResult<Option<Vec<u8>>> {
        self.ask(move |actor| actor.store.run_row(id)).await?;
        let path = stdout_path(self.state_dir(), id);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(ToolError::file("read", &path, &e)),
        }
    }
}
