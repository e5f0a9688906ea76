//! `status`: who works, how much, and why not.

use app_core::contract::ToolResult;

use crate::{actor, manager::JobManager, owner, store::Store, wire::Status};

/// Jobs of the queue that are shown with their reason.
const SHOWN: u32 = 100;

impl JobManager {
    /// The worker, slots, keys, the disk, and why each of the next jobs waits.
    pub async fn status(&self) -> ToolResult<Status> {
        let state_dir = self.state_dir().to_owned();
        self.ask(move |actor| {
            let around = actor.surroundings();
            let (slots, families, keys) = actor.store.usage(&around.limits)?;
            let load = actor.store.load()?;
            let disk_left = actor::disk_left(&state_dir).unwrap_or_default();
            let full =
                (disk_left < actor::LEAST_DISK).then(|| format!("the disk is full: {disk_left} bytes left"));
            Ok(Status {
                worker: owner::worker(&state_dir),
                slots,
                families,
                keys,
                queued: load.queued,
                running: load.running,
                waiting: actor.store.waiting(SHOWN, &around)?,
                store_version: Store::schema_version(),
                disk_left,
                paused: actor.paused().map(str::to_owned).or(full),
            })
        })
        .await
    }

    /// Why this process takes no job from the queue, if that is so.
    pub async fn paused(&self) -> ToolResult<Option<String>> {
        self.ask(|actor| Ok(actor.paused().map(str::to_owned))).await
    }
}
