//! Carrying a plan out: batch by batch, each read again right before it goes.

use std::collections::HashMap;

use app_core::state::Checkpoint;
use app_core::{Context, ToolResult};

use super::{Sweep, Unfinished};
use crate::acting::DELETED_AT_ONCE;
use crate::bulk::{self, State};
use crate::client::Telegram;
use crate::many::ends;
use crate::model::Message;
use crate::peers::Chat;

/// A plan being carried out.
pub(super) struct Deleting<'a> {
    pub(super) telegram: &'a Telegram,
    pub(super) ctx: &'a Context,
    pub(super) chat: &'a Chat,
    pub(super) checkpoint: &'a Checkpoint,
    pub(super) plan: Unfinished,
}

impl Deleting<'_> {
    /// Deletes what the sweep names, batch by batch.
    pub(super) async fn all(
        mut self,
        sweep: &mut Sweep,
        mut spare: impl AsyncFnMut(&[Message]) -> ToolResult<HashMap<i32, String>>,
    ) -> ToolResult<()> {
        let planned = sweep.items.iter().filter(|item| item.state == State::Planned);
        let ids: Vec<i32> = planned.map(|item| item.id).collect();
        let bar = self.ctx.progress("deletions", "messages", Some(ids.len() as u64));
        for batch in ids.chunks(DELETED_AT_ONCE) {
            if let Err(error) = self.batch(batch, sweep, &mut spare).await {
                if !ends(self.ctx, &error) {
                    return Err(error);
                }
                // What was not reached stays for the next run, and that is told.
                for item in &mut sweep.items {
                    if item.state == State::Planned {
                        item.state = State::Left;
                        item.error = Some(bulk::reason(&error));
                    }
                }
                self.ctx.warn(format!("stopped: {}", error.message));
                break;
            }
            bar.inc(batch.len() as u64);
            self.ctx.count_items(batch.len() as u64);
        }
        bar.finish();
        Ok(())
    }

    /// Reads a batch again, spares what changed, and deletes the rest.
    async fn batch(
        &mut self,
        ids: &[i32],
        sweep: &mut Sweep,
        spare: &mut impl AsyncFnMut(&[Message]) -> ToolResult<HashMap<i32, String>>,
    ) -> ToolResult<()> {
        self.ctx.check_cancelled()?;
        let fresh: Vec<Message> = self
            .telegram
            .by_ids(self.chat, ids)
            .await?
            .into_iter()
            .flatten()
            .collect();
        let spared = spare(&fresh).await?;
        let mut doomed = Vec::new();
        for id in ids {
            if !fresh.iter().any(|message| message.id == *id) {
                sweep.mark(*id, State::Already, None);
            } else if let Some(reason) = spared.get(id) {
                sweep.spared += 1;
                sweep.mark(*id, State::Spared, Some(reason.clone()));
            } else {
                doomed.push(*id);
            }
        }
        // One message that may not be deleted fails the whole request: halves find it without giving the others up.
        let mut parts = vec![doomed];
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            self.plan.under_way.clone_from(&part);
            self.checkpoint.save(&self.plan)?;
            let outcome = self.telegram.delete(self.chat, &part).await;
            let standing = match &outcome {
                Ok(count) if *count as usize == part.len() => Vec::new(),
                Err(error) if ends(self.ctx, error) => return Err(error.clone()),
                _ => self.standing(&part).await?,
            };
            let mut again = Vec::new();
            for id in part.iter().filter(|id| !standing.contains(id)) {
                sweep.deleted += 1;
                sweep.mark(*id, State::Done, None);
            }
            for id in &standing {
                match &outcome {
                    Err(error) if part.len() == 1 => {
                        sweep.errors += 1;
                        sweep.mark(*id, State::Failed, Some(bulk::reason(error)));
                    }
                    Err(_) => again.push(*id),
                    Ok(_) => {
                        sweep.errors += 1;
                        sweep.mark(*id, State::Failed, Some("the server left it".to_owned()));
                    }
                }
            }
            self.plan.deleted = sweep.deleted;
            self.plan.under_way.clear();
            let (one, other) = again.split_at(again.len() / 2);
            parts.extend(
                [other.to_vec(), one.to_vec()]
                    .into_iter()
                    .filter(|part| !part.is_empty()),
            );
        }
        self.plan.ids.retain(|id| !ids.contains(id));
        self.checkpoint.save(&self.plan)
    }

    async fn standing(&self, ids: &[i32]) -> ToolResult<Vec<i32>> {
        let messages = self.telegram.by_ids(self.chat, ids).await?;
        Ok(messages.into_iter().flatten().map(|message| message.id).collect())
    }
}
