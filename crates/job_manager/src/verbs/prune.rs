//! Cutting the history by hand.

use app_core::contract::ToolResult;

use crate::{manager::JobManager, store::Retention, wire::Pruned};

impl JobManager {
    /// Forgets jobs that finished more than `days` ago, and all but the newest `count` finished ones; 0 keeps all.
    pub async fn prune(&self, days: u32, count: u32) -> ToolResult<Pruned> {
        self.ask(move |actor| actor.prune(Retention { days, count }))
            .await
    }
}
