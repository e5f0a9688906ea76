//! Reading on from page to page.
//!
//! The service leaves messages out of their pages (by local law, for one), so that a page may hold fewer messages than
//! were asked for, or none, while older ones follow. What ends a chat is its oldest message, never a short page.

use app_core::ToolResult;

use super::{PAGE, Page, Search, Window};
use crate::client::Telegram;
use crate::model::Message;
use crate::peers::Chat;

/// Pages of a chat or of a search in it, newest first.
#[derive(Debug)]
pub struct Pages<'a> {
    telegram: &'a Telegram,
    chat: &'a Chat,
    search: Option<&'a Search<'a>>,
    /// Only messages with lower ids come next; 0 begins at the newest.
    below: i32,
    /// Only messages before this time, until the first page has come.
    before: i32,
    /// Positions below `below` at which nothing was found.
    skip: i32,
    /// Number and time of the oldest message shown.
    oldest: Option<(i32, i64)>,
    /// It has been asked for.
    oldest_known: bool,
    /// Messages so far, where the walk began at the newest.
    seen: Option<usize>,
    /// The last page held nothing.
    empty: bool,
    ended: bool,
}

/// Pages of the messages after one, upwards.
#[derive(Debug)]
pub struct After<'a> {
    telegram: &'a Telegram,
    chat: &'a Chat,
    reached: i32,
    newest: Option<i32>,
}

impl After<'_> {
    /// The next page, newest message first; `None` after the message that was the newest when the first was asked for.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn next(&mut self) -> ToolResult<Option<Page>> {
        let newest = match self.newest {
            Some(newest) => newest,
            None => self.telegram.newest_id(self.chat).await?,
        };
        self.newest = Some(newest);
        if self.reached >= newest {
            return Ok(None);
        }
        let page = self.telegram.page_after(self.chat, self.reached, newest).await?;
        // Where nothing is shown, the newest one was deleted in between.
        self.reached = page.messages.first().map_or(newest, |message| message.id);
        Ok((!page.messages.is_empty()).then_some(page))
    }
}

impl Telegram {
    /// Pages of a chat from the message before `below` on (0: from the newest), newest first.
    pub fn pages<'a>(&'a self, chat: &'a Chat, below: i32) -> Pages<'a> {
        Pages {
            telegram: self,
            chat,
            search: None,
            below,
            before: 0,
            skip: 0,
            oldest: None,
            oldest_known: false,
            seen: (below == 0).then_some(0),
            empty: false,
            ended: false,
        }
    }

    /// Pages of what a search finds, newest first, from the message before `below` on (0: from the newest).
    pub fn found<'a>(&'a self, chat: &'a Chat, search: &'a Search<'a>, below: i32) -> Pages<'a> {
        Pages {
            search: Some(search),
            ..self.pages(chat, below)
        }
    }

    /// The newest message with an id below `below` (0: any) and before a time in seconds since 1970 (0: any); and how
    /// many messages the service counts in the chat.
    pub(crate) async fn newest_before(
        &self,
        chat: &Chat,
        below: i32,
        before: i32,
    ) -> ToolResult<(Option<Message>, i32)> {
        let mut pages = Pages {
            before,
            seen: None,
            ..self.pages(chat, below)
        };
        let page = pages.next(1).await?.unwrap_or_default();
        Ok((page.messages.into_iter().next(), page.total))
    }

    /// Number of the message at the `nth` position from the newest; `None` where there are not so many. Messages that
    /// the service does not show take up positions as well.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn nth_newest(&self, chat: &Chat, nth: usize) -> ToolResult<Option<i32>> {
        self.nth_below(chat, 0, nth).await
    }

    /// As [`Telegram::nth_newest`], counted from the message before `below` (0: from the newest).
    pub(crate) async fn nth_below(&self, chat: &Chat, below: i32, nth: usize) -> ToolResult<Option<i32>> {
        let skip = i32::try_from(nth.saturating_sub(1)).unwrap_or(i32::MAX);
        let page = self.pages(chat, below).skip(skip).next(1).await?;
        Ok(page.and_then(|page| page.messages.first().map(|message| message.id)))
    }

    /// Pages of the messages after `id`, upwards.
    pub fn after<'a>(&'a self, chat: &'a Chat, id: i32) -> After<'a> {
        After {
            telegram: self,
            chat,
            reached: id,
            newest: None,
        }
    }

    /// The messages after `id`, the nearest first in time but delivered newest first; none only where there are none up
    /// to `newest`.
    pub(crate) async fn page_after(&self, chat: &Chat, id: i32, newest: i32) -> ToolResult<Page> {
        let page = self.page_above(chat, id, 0).await?;
        if !page.messages.is_empty() {
            return Ok(page);
        }
        // Nothing shown of what is there. No more positions than there are numbers or messages between the two.
        let numbers = usize::try_from(newest.saturating_sub(id)).unwrap_or_default();
        let most = numbers.min(usize::try_from(page.total).unwrap_or_default());
        let mut passed = PAGE;
        while passed <= most {
            self.ctx.check_cancelled()?;
            let page = self.page_above(chat, id, passed).await?;
            if !page.messages.is_empty() {
                return Ok(page);
            }
            passed += PAGE;
        }
        Ok(page)
    }

    /// The page that begins `passed` positions above `id`.
    async fn page_above(&self, chat: &Chat, id: i32, passed: usize) -> ToolResult<Page> {
        let reach = i32::try_from(passed + PAGE).unwrap_or(i32::MAX);
        let window = Window {
            below: id.saturating_add(1),
            skip: -reach,
            limit: PAGE,
            ..Window::default()
        };
        let mut page = self.page(chat, window).await?;
        // Near the end of a chat the window may slide back over messages that are not wanted.
        page.messages.retain(|message| message.id > id);
        Ok(page)
    }

    /// The newest messages, at most `limit`, newest first; `each` may stop it.
    ///
    /// # Errors
    /// Those of reading, and of `each`.
    pub async fn newest(
        &self,
        chat: &Chat,
        limit: Option<usize>,
        mut each: impl FnMut(Message) -> ToolResult<bool>,
    ) -> ToolResult<usize> {
        let (mut pages, mut seen) = (self.pages(chat, 0), 0);
        loop {
            let left = limit.map_or(PAGE, |limit| limit - seen);
            if left == 0 {
                return Ok(seen);
            }
            let Some(page) = pages.next(left).await? else {
                return Ok(seen);
            };
            for message in page.messages {
                seen += 1;
                if !each(message)? {
                    return Ok(seen);
                }
            }
        }
    }

    /// The newest messages as a list, newest first.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn newest_list(&self, chat: &Chat, limit: usize) -> ToolResult<Vec<Message>> {
        let mut list = Vec::new();
        self.newest(chat, Some(limit), |message| {
            list.push(message);
            Ok(true)
        })
        .await?;
        Ok(list)
    }
}

impl Pages<'_> {
    /// Begins with messages before a time in seconds since 1970 (0: any), where no lower number is given.
    pub(crate) fn before(mut self, time: i32) -> Self {
        if time > 0 && self.below == 0 {
            (self.before, self.seen) = (time, None);
        }
        self
    }

    /// Begins so many positions further down.
    pub(crate) fn skip(mut self, positions: i32) -> Self {
        (self.skip, self.seen) = (positions, None);
        self
    }

    /// The next page with at least one message and at most `limit`; `None` at the end.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn next(&mut self, limit: usize) -> ToolResult<Option<Page>> {
        while !self.ended {
            self.telegram.ctx.check_cancelled()?;
            let limit = limit.clamp(1, PAGE);
            let asked = if self.empty { PAGE } else { limit };
            let window = Window {
                below: self.below,
                before: self.before,
                skip: self.skip,
                limit: asked,
                ..Window::default()
            };
            let mut page = self.fetch(window).await?;
            // A service that repeats what it has sent must not be read for ever.
            page.messages
                .retain(|message| self.below == 0 || message.id < self.below);
            let mut lowest = page
                .lowest
                .filter(|lowest| self.below == 0 || *lowest < self.below);
            if page.messages.len() > limit {
                page.messages.truncate(limit);
                page.whole = false;
                lowest = page.messages.last().map(|message| message.id);
            }
            // A short page ends the chat only where every message that the service counts has been seen.
            let short = page.messages.len() < limit;
            self.seen = self.seen.map(|seen| seen + page.messages.len());
            let counted = |seen: usize| i32::try_from(seen).is_ok_and(|seen| seen >= page.total);
            self.ended = page.whole
                || lowest.is_some_and(|lowest| lowest <= 1)
                || (short && self.seen.is_some_and(counted));
            self.empty = lowest.is_none();
            match lowest {
                Some(lowest) => (self.below, self.before, self.skip) = (lowest, 0, 0),
                None if !self.ended => {
                    self.skip = self.skip.saturating_add(asked as i32);
                    self.ended = !self.more(page.total).await?;
                }
                None => {}
            }
            if !page.messages.is_empty() {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    async fn fetch(&self, window: Window) -> ToolResult<Page> {
        match self.search {
            None => self.telegram.page(self.chat, window).await,
            Some(search) => self.telegram.search_page(self.chat, search, window).await,
        }
    }

    /// After an empty page: whether older messages may follow beyond the positions passed so far.
    async fn more(&mut self, total: i32) -> ToolResult<bool> {
        if self.below == 0 && self.skip >= total {
            return Ok(false);
        }
        if !self.oldest_known {
            let window = Window {
                below: 1,
                skip: -(PAGE as i32),
                limit: PAGE,
                ..Window::default()
            };
            let page = self.fetch(window).await?;
            let oldest = page.messages.last();
            self.oldest = oldest.map(|message| (message.id, message.date.as_second()));
            self.oldest_known = true;
        }
        Ok(match self.oldest {
            Some((_, date)) if self.before > 0 => date < self.before.into(),
            // There are no more positions than numbers between the two.
            Some((id, _)) if self.below > 0 => id < self.below && self.skip <= self.below - id,
            // Nothing to compare with: as many positions as the service counts messages.
            _ => self.skip < total,
        })
    }
}
