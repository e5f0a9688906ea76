//! Reading a range for the first time: its bounds, then its pages upwards.

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use app_core::{ToolError, ToolResult};

use super::write::Draft;
use super::{Job, Range, Tally};
use crate::archive::{Archive, Phase, Progress};
use crate::client::Telegram;
use crate::history::{PAGE, Search};
use crate::model::Message;
use crate::peers::Chat;

/// Pages that may wait for the writer.
const WAITING_PAGES: usize = 4;

/// Pages asked for before the first of them has come.
const PAGES_AHEAD: usize = 5;

impl Telegram {
    /// Finds which ids belong to the range, where the events of the chat stand, and, where the server's own count tells
    /// it, how many messages that will be.
    pub(super) async fn bounds(&self, job: &Job<'_>) -> ToolResult<Option<(Progress, Option<usize>)>> {
        let (chat, range) = (job.chat, &job.range);
        let mark = self.mark(chat).await?;
        let until = range.until.map_or(0, |at| at.as_second() as i32);
        let below = range.max_id.map_or(0, |id| id.saturating_add(1));
        let (newest, total) = self.newest_before(chat, below, until).await?;
        let Some(highest) = newest.map(|message| message.id) else {
            return Ok(None);
        };
        let mut lowest = range.min_id.unwrap_or(1).max(1);
        if let Some(since) = range.since {
            // The newest message before that time is the last one that does not belong.
            let before = self.newest_before(chat, 0, since.as_second() as i32).await?.0;
            if let Some(message) = before {
                lowest = lowest.max(message.id + 1);
            }
        }
        if let Some(limit) = range.limit.filter(|_| range.topic.is_none()) {
            let below = if until > 0 || below > 0 { highest + 1 } else { 0 };
            lowest = lowest.max(self.nth_below(chat, below, limit.max(1)).await?.unwrap_or(1));
        }
        let whole = *range
            == Range {
                limit: range.limit,
                ..Range::default()
            };
        let total = usize::try_from(total).unwrap_or_default();
        let guess = whole.then(|| range.limit.map_or(total, |limit| limit.max(1).min(total)));
        let progress = Progress {
            lowest,
            highest,
            reached: lowest - 1,
            mark: Some(mark),
            began: self.context().now(),
            complete: false,
            phase: Some(Phase::Reading),
        };
        Ok((lowest <= highest).then_some((progress, guess)))
    }

    /// Reads the chat upwards from where the progress stands.
    pub(super) async fn pull(
        &self,
        chat: &Chat,
        keep: impl Fn(&Message) -> bool,
        archive: Archive,
        mut progress: Progress,
        draft: Option<Draft>,
    ) -> ToolResult<(Archive, Tally, Option<Draft>)> {
        let ctx = self.context();
        let bar = ctx.progress("messages", "messages", None);
        let (pages, waiting) = std::sync::mpsc::sync_channel::<(Vec<Message>, Progress)>(WAITING_PAGES);
        let writer = tokio::task::spawn_blocking(move || keep_pages(archive, &waiting, draft));
        let outcome: ToolResult<()> = async {
            let mut ahead = FuturesOrdered::new();
            let (mut asked, mut dense, mut told) = (progress.reached, false, false);
            loop {
                ctx.check_cancelled()?;
                while dense && ahead.len() < PAGES_AHEAD && asked < progress.highest {
                    let from = asked;
                    asked = asked.saturating_add(PAGE as i32).min(progress.highest);
                    let upto = asked;
                    ahead.push_back(async move {
                        self.page_between(chat, from, upto).await.map(|page| (upto, page))
                    });
                }
                let (reached, page) = match ahead.next().await {
                    Some(page) => page?,
                    None => {
                        let page = self.page_after(chat, progress.reached, progress.highest).await?;
                        // Nothing shown after it, although the last one was there a moment ago: it has been deleted.
                        let last = page
                            .messages
                            .first()
                            .map_or(progress.highest, |message| message.id);
                        asked = last.min(progress.highest);
                        (asked, page)
                    }
                };
                if !told && page.total > 0 {
                    let span = u64::from((progress.highest - progress.reached).unsigned_abs());
                    bar.set_total(u64::from(page.total.unsigned_abs()).min(span));
                    told = true;
                }
                // Where almost every number is in use, the next pages can be asked for before this one is read.
                let span = usize::try_from(reached - progress.reached).unwrap_or(usize::MAX);
                dense = page.messages.len() * 10 >= span * 8;
                let mut messages = page.messages;
                messages.retain(|message| message.id <= progress.highest && keep(message));
                messages.reverse();
                progress.reached = reached;
                progress.complete = progress.reached >= progress.highest;
                let done = progress.complete;
                bar.inc(messages.len() as u64);
                ctx.count_items(messages.len() as u64);
                if pages.send((messages, progress.clone())).is_err() || done {
                    return Ok(());
                }
            }
        }
        .await;
        drop(pages);
        let kept = writer
            .await
            .map_err(|e| ToolError::internal(format!("the writer of the archive ended: {e}")))?;
        outcome?;
        bar.finish();
        kept
    }

    /// Reads further down until the newest `limit` messages are there: the service counts messages that it does not
    /// show, so that the range found by position may hold fewer.
    pub(super) async fn top_up(&self, job: &Job<'_>, mut archive: Archive) -> ToolResult<(Archive, Tally)> {
        let mut tally = Tally::default();
        let (Some(limit), Some(mut progress)) = (job.range.limit, archive.progress()?) else {
            return Ok((archive, tally));
        };
        let mut left = limit.saturating_sub(archive.count()?);
        if progress.lowest <= job.range.min_id.unwrap_or(1) {
            return Ok((archive, tally));
        }
        let mut pages = self.pages(job.chat, progress.lowest);
        while left > 0
            && let Some(page) = pages.next(PAGE.min(left)).await?
        {
            let mut messages = page.messages;
            messages.retain(|message| message.id >= job.range.min_id.unwrap_or(1));
            if messages.is_empty() {
                break;
            }
            left -= messages.len();
            progress.lowest = messages.last().map_or(progress.lowest, |message| message.id);
            for stored in archive.store(messages, &progress, false)? {
                tally.count(stored);
            }
        }
        Ok((archive, tally))
    }

    /// Reads a topic. It is searched for newest first, so it is kept in one piece at the end.
    pub(super) async fn pull_topic(
        &self,
        chat: &Chat,
        (topic, limit): (i32, Option<usize>),
        mut archive: Archive,
        mut progress: Progress,
    ) -> ToolResult<(Archive, Tally)> {
        let search = Search {
            topic: Some(topic),
            ..Search::default()
        };
        let mut pages = self.found(chat, &search, progress.highest + 1);
        let (mut left, mut tally) = (limit.unwrap_or(usize::MAX), Tally::default());
        while left > 0
            && let Some(page) = pages.next(PAGE.min(left)).await?
        {
            let mut messages = page.messages;
            let past = messages.iter().any(|message| message.id < progress.lowest);
            messages.retain(|message| message.id >= progress.lowest);
            left -= messages.len();
            for stored in archive.store(messages, &progress, true)? {
                tally.count(stored);
            }
            if past {
                break;
            }
        }
        progress.reached = progress.highest;
        progress.complete = true;
        archive.store(Vec::new(), &progress, false)?;
        Ok((archive, tally))
    }
}

/// Keeps pages as they come, and writes them down if there is a draft.
fn keep_pages(
    mut archive: Archive,
    pages: &std::sync::mpsc::Receiver<(Vec<Message>, Progress)>,
    mut draft: Option<Draft>,
) -> ToolResult<(Archive, Tally, Option<Draft>)> {
    let mut tally = Tally::default();
    for (messages, progress) in pages {
        if let Some(draft) = &mut draft {
            draft.page(&messages)?;
        }
        for stored in archive.store(messages, &progress, false)? {
            tally.count(stored);
        }
    }
    Ok((archive, tally, draft))
}
