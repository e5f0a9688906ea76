//! `list_tools`: what can be started.

use app_core::contract::ToolResult;

use crate::{manager::JobManager, wire::ToolEntry};

impl JobManager {
    /// Every tool, by name: the binaries that describe themselves, and the scripts that stand in for missing ones.
    pub async fn list_tools(&self) -> ToolResult<Vec<ToolEntry>> {
        self.registry().list().await
    }

    /// One tool.
    pub async fn tool(&self, name: &str) -> ToolResult<ToolEntry> {
        let resolved = self.registry().resolve(name).await?;
        Ok(ToolEntry {
            definition: resolved.definition,
            route: resolved.route,
            path: resolved.path,
        })
    }
}
