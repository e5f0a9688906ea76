//! Reading messages: pages of a history, single ones, searches, and what changed since.

use std::sync::atomic::Ordering;

use app_core::{ErrorKind, ToolResult};
use grammers_client::tl::{self, enums, types};

use crate::client::{Repeat, Telegram};
use crate::convert;
use crate::model::Message;
use crate::pace::Pace;
use crate::peers::Chat;

mod changes;
mod walk;

pub use changes::Changes;
pub use walk::{After, Pages};

/// Messages asked for at once; the most the service gives.
pub const PAGE: usize = 100;

/// A page of messages.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The messages, newest first.
    pub messages: Vec<Message>,
    /// Number of the oldest entry, deleted ones included; `None` when the server sent nothing.
    pub lowest: Option<i32>,
    /// The server says that this is everything there is, not a part of it.
    pub whole: bool,
    /// How many messages the chat has in all.
    pub total: i32,
    /// State of a channel's events at that moment.
    pub pts: Option<i32>,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    /// Only messages with lower ids; 0 begins at the newest.
    pub below: i32,
    /// Only messages with higher ids; 0 for all.
    pub above: i32,
    /// Only messages before this time (seconds since 1970); 0 for any.
    pub before: i32,
    /// Messages left out from the beginning; negative reaches back to newer ones.
    pub skip: i32,
    /// How many, at most [`PAGE`].
    pub limit: usize,
}

/// What a search looks for.
#[derive(Debug, Clone, Default)]
pub struct Search<'a> {
    /// Words in the text.
    pub text: &'a str,
    /// Only this sender.
    pub from: Option<&'a Chat>,
    /// Only this topic of a forum.
    pub topic: Option<i32>,
    /// Not before (seconds since 1970).
    pub since: i32,
    /// Not after (seconds since 1970).
    pub until: i32,
}

/// A moment in the events of an account or channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Number of the last event.
    pub pts: i32,
    /// Secondary number.
    pub qts: i32,
    /// Its time.
    pub date: i32,
}

impl Telegram {
    /// One page of a chat's history.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn page(&self, chat: &Chat, window: Window) -> ToolResult<Page> {
        self.history_turn(false).await?;
        self.page_now(chat, window).await
    }

    /// As [`Telegram::page`], by who has waited for a turn.
    async fn page_now(&self, chat: &Chat, window: Window) -> ToolResult<Page> {
        let request = tl::functions::messages::GetHistory {
            peer: chat.input(),
            offset_id: window.below,
            offset_date: window.before,
            add_offset: window.skip,
            limit: window.limit.min(PAGE) as i32,
            max_id: 0,
            min_id: window.above,
            hash: 0,
        };
        let answer = self.call(Pace::Reads, Repeat::Safe, &request).await?;
        Ok(self.read(answer))
    }

    /// The messages with ids above `from` and up to `upto`, at most [`PAGE`] numbers apart; newest first.
    ///
    /// A page of the history has them all. Where those are used up for the moment, the messages of a channel or
    /// supergroup can be had by their numbers, which the service counts for itself.
    pub(crate) async fn page_between(&self, chat: &Chat, from: i32, upto: i32) -> ToolResult<Page> {
        if let Some(channel) = chat.input_channel() {
            let by_number = !self.numbers_refused.load(Ordering::Relaxed);
            if self.history_turn(by_number).await? {
                let id = (from + 1..=upto).map(|id| types::InputMessageId { id }.into());
                let request = tl::functions::channels::GetMessages {
                    channel,
                    id: id.collect(),
                };
                match self.call_raw(Pace::Numbers, Repeat::Safe, &request).await {
                    Ok(answer) => {
                        let mut page = self.read(answer);
                        // What it counts are the numbers asked for.
                        page.total = 0;
                        page.messages.sort_by_key(|message| std::cmp::Reverse(message.id));
                        return Ok(page);
                    }
                    Err(failed) => {
                        let error = failed.told();
                        if matches!(error.kind, ErrorKind::Cancelled | ErrorKind::Unauthorised) {
                            return Err(error);
                        }
                        tracing::debug!(%error, "messages are read by pages only");
                        self.numbers_refused.store(true, Ordering::Relaxed);
                        self.history_turn(false).await?;
                    }
                }
            }
        } else {
            self.history_turn(false).await?;
        }
        let window = Window {
            below: upto.saturating_add(1),
            above: from,
            limit: PAGE,
            ..Window::default()
        };
        self.page_now(chat, window).await
    }

    /// One page of what a search finds; of the window, only `below`, `skip` and `limit` count.
    pub(crate) async fn search_page(
        &self,
        chat: &Chat,
        search: &Search<'_>,
        window: Window,
    ) -> ToolResult<Page> {
        let request = tl::functions::messages::Search {
            peer: chat.input(),
            q: search.text.to_owned(),
            from_id: search.from.map(Chat::input),
            saved_peer_id: None,
            saved_reaction: None,
            top_msg_id: search.topic,
            filter: enums::MessagesFilter::InputMessagesFilterEmpty,
            min_date: search.since,
            max_date: search.until,
            offset_id: window.below,
            add_offset: window.skip,
            limit: window.limit.min(PAGE) as i32,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        self.history_turn(false).await?;
        let answer = self.call(Pace::Reads, Repeat::Safe, &request).await?;
        Ok(self.read(answer))
    }

    /// Messages by number, in the order asked for; `None` for each that is not there.
    pub async fn by_ids(&self, chat: &Chat, ids: &[i32]) -> ToolResult<Vec<Option<Message>>> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(PAGE) {
            let id: Vec<enums::InputMessage> = ids
                .iter()
                .map(|id| types::InputMessageId { id: *id }.into())
                .collect();
            let answer = match chat.input_channel() {
                Some(channel) => {
                    let request = tl::functions::channels::GetMessages { channel, id };
                    self.call(Pace::Reads, Repeat::Safe, &request).await?
                }
                None => {
                    let request = tl::functions::messages::GetMessages { id };
                    self.call(Pace::Reads, Repeat::Safe, &request).await?
                }
            };
            let page = self.read(answer);
            for id in ids {
                // Private chats and basic groups share their numbers: one of another chat is not ours.
                found.push(
                    page.messages
                        .iter()
                        .find(|message| message.id == *id && message.chat == chat.id())
                        .cloned(),
                );
            }
        }
        Ok(found)
    }

    pub(crate) fn read(&self, answer: enums::messages::Messages) -> Page {
        let whole = matches!(answer, enums::messages::Messages::Messages(_));
        let (messages, users, chats, total, pts) = match answer {
            enums::messages::Messages::Messages(all) => {
                let total = all.messages.len() as i32;
                (all.messages, all.users, all.chats, total, None)
            }
            enums::messages::Messages::Slice(part) => {
                (part.messages, part.users, part.chats, part.count, None)
            }
            enums::messages::Messages::ChannelMessages(part) => {
                (part.messages, part.users, part.chats, part.count, Some(part.pts))
            }
            enums::messages::Messages::NotModified(none) => {
                (Vec::new(), Vec::new(), Vec::new(), none.count, None)
            }
        };
        let people = self.meet(&users, &chats);
        Page {
            lowest: messages.iter().map(number).min(),
            whole,
            messages: messages
                .iter()
                .filter_map(|message| convert::message(message, &people))
                .collect(),
            total,
            pts,
        }
    }

    /// Where the events of a chat stand now.
    pub async fn mark(&self, chat: &Chat) -> ToolResult<Mark> {
        if chat.input_channel().is_some() {
            let peer = types::InputDialogPeer { peer: chat.input() }.into();
            let request = tl::functions::messages::GetPeerDialogs { peers: vec![peer] };
            let enums::messages::PeerDialogs::Dialogs(answer) =
                self.call(Pace::Reads, Repeat::Safe, &request).await?;
            let pts = answer.dialogs.iter().find_map(|dialog| match dialog {
                enums::Dialog::Dialog(dialog) => dialog.pts,
                _ => None,
            });
            return Ok(Mark {
                pts: pts.unwrap_or(1),
                ..Mark::default()
            });
        }
        let enums::updates::State::State(state) = self
            .call(Pace::Reads, Repeat::Safe, &tl::functions::updates::GetState {})
            .await?;
        Ok(Mark {
            pts: state.pts,
            qts: state.qts,
            date: state.date,
        })
    }
}

/// The number of an entry, whether or not there is still a message.
fn number(message: &enums::Message) -> i32 {
    match message {
        enums::Message::Empty(message) => message.id,
        enums::Message::Message(message) => message.id,
        enums::Message::Service(message) => message.id,
    }
}
