//! The messages of a supergroup from before it became one: they stand in the group it was, under numbers of their own.
//!
//! In an export they come first, numbered as Telegram Desktop numbers them: less by a thousand million.

use app_core::{ErrorKind, ToolResult};

use super::{Job, Tally};
use crate::archive::Archive;
use crate::client::Telegram;
use crate::history::PAGE;
use crate::model::{MarkedId, Message};
use crate::peers::Chat;

/// What is taken from the number of a message of the group before its upgrade.
const SHIFT: i32 = 1_000_000_000;

/// The number that a message of an archive has in its own chat.
pub(super) const fn own_number(id: i32) -> i32 {
    if id < 0 { id + SHIFT } else { id }
}

/// Gives a message of the group before its upgrade its number in the export.
fn shifted(mut message: Message) -> Message {
    message.id -= SHIFT;
    if let Some(reply) = &mut message.reply_to
        && reply.chat.is_none()
    {
        reply.message_id = reply.message_id.map(|id| id - SHIFT);
    }
    message
}

impl Telegram {
    /// Reads what belongs to the export from the group that the chat was, if it was one.
    pub(super) async fn pull_earlier(
        &self,
        job: &Job<'_>,
        mut archive: Archive,
    ) -> ToolResult<(Archive, Tally)> {
        let mut tally = Tally::default();
        let Some(group) = origin(job, &archive)? else {
            return Ok((archive, tally));
        };
        let Some(progress) = archive.progress()? else {
            return Ok((archive, tally));
        };
        let chat = match self.group(group).await {
            Ok(chat) => chat,
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::ProviderRejected) => {
                self.context().warn(format!(
                    "the group that this was before its upgrade (`{group}`) cannot be read: {}",
                    error.message
                ));
                return Ok((archive, tally));
            }
            Err(error) => return Err(error),
        };
        // Cut off, it is gone on with below the oldest message that is there.
        let below = archive.lowest()?.filter(|id| *id < 0).map_or(0, own_number);
        let until = job.range.until.map_or(0, |at| at.as_second() as i32);
        let mut pages = self.pages(&chat, below).before(until);
        let mut left = match job.range.limit {
            Some(limit) => limit.saturating_sub(archive.count()?),
            None => usize::MAX,
        };
        while left > 0
            && let Some(page) = pages.next(PAGE.min(left)).await?
        {
            let read = page.messages.len();
            let mut messages = page.messages;
            messages.retain(|message| job.range.since.is_none_or(|since| message.date >= since));
            let past = messages.len() < read;
            left -= messages.len();
            let messages: Vec<Message> = messages.into_iter().map(shifted).collect();
            self.context().count_items(messages.len() as u64);
            for stored in archive.store(messages, &progress, false)? {
                tally.count(stored);
            }
            if past {
                break;
            }
        }
        Ok((archive, tally))
    }
}

/// The group whose messages an archive holds beside those of its chat.
pub(super) async fn group_of(telegram: &Telegram, archive: &Archive) -> ToolResult<Option<Chat>> {
    let Some(first) = archive.lowest()?.filter(|id| *id < 0) else {
        return Ok(None);
    };
    match archive.message(first)? {
        Some(message) => telegram.group(message.chat).await.map(Some),
        None => Ok(None),
    }
}

/// The group that the chat was, where the export reaches back to its upgrade.
fn origin(job: &Job<'_>, archive: &Archive) -> ToolResult<Option<MarkedId>> {
    let range = &job.range;
    let full = range
        .limit
        .is_some_and(|limit| archive.count().is_ok_and(|count| count >= limit));
    if !job.chat.id().is_channel() || range.min_id.is_some() || full {
        return Ok(None);
    }
    // It is told by the first entry of the supergroup.
    for id in archive.ids()?.into_iter().filter(|id| *id > 0).take(3) {
        let message = archive.message(id)?;
        if let Some(group) = message.and_then(|message| message.service?.from_group) {
            return Ok(Some(MarkedId::group(group)));
        }
    }
    Ok(None)
}
