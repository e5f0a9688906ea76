//! Reading messages: pages of a history, single ones, searches, and what changed since.

use app_core::ToolResult;
use grammers_client::tl::{self, enums, types};

use crate::client::{Repeat, Telegram};
use crate::convert;
use crate::model::Message;
use crate::pace::Pace;
use crate::peers::Chat;

/// Messages asked for at once; the most the service gives.
pub const PAGE: usize = 100;

/// A page of messages.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The messages, newest first.
    pub messages: Vec<Message>,
    /// How many entries the server sent, deleted ones included.
    pub entries: usize,
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

/// What happened in a chat since some moment.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// New messages.
    pub new: Vec<Message>,
    /// Messages in their new form.
    pub edited: Vec<Message>,
    /// Ids of messages that are gone.
    pub deleted: Vec<i32>,
    /// Where to go on next time.
    pub mark: Mark,
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
    pub async fn page(&self, chat: &Chat, window: Window) -> ToolResult<Page> {
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
    pub(crate) async fn page_between(&self, chat: &Chat, from: i32, upto: i32) -> ToolResult<Page> {
        let window = Window {
            below: upto.saturating_add(1),
            above: from,
            limit: PAGE,
            ..Window::default()
        };
        self.page(chat, window).await
    }

    /// The messages after `id`, the nearest first in time but delivered newest first.
    pub async fn page_after(&self, chat: &Chat, id: i32, limit: usize) -> ToolResult<Page> {
        let limit = limit.min(PAGE);
        let window = Window {
            below: id.saturating_add(1),
            skip: -(limit as i32),
            limit,
            ..Window::default()
        };
        let mut page = self.page(chat, window).await?;
        // Near the end of a chat the window slides back over messages that are not wanted.
        page.messages.retain(|message| message.id > id);
        Ok(page)
    }

    /// One page of what a search finds.
    pub async fn search_page(
        &self,
        chat: &Chat,
        search: &Search<'_>,
        below: i32,
        limit: usize,
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
            offset_id: below,
            add_offset: 0,
            limit: limit.min(PAGE) as i32,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
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

    /// The newest messages, at most `limit`, newest first; `each` may stop it.
    pub async fn newest(
        &self,
        chat: &Chat,
        limit: Option<usize>,
        mut each: impl FnMut(Message) -> ToolResult<bool>,
    ) -> ToolResult<usize> {
        let (mut below, mut seen) = (0, 0);
        loop {
            let left = limit.map_or(PAGE, |limit| limit - seen);
            if left == 0 {
                return Ok(seen);
            }
            let page = self
                .page(
                    chat,
                    Window {
                        below,
                        limit: left,
                        ..Window::default()
                    },
                )
                .await?;
            if page.entries == 0 {
                return Ok(seen);
            }
            let lowest = page.messages.last().map_or(0, |message| message.id);
            for message in page.messages {
                seen += 1;
                if !each(message)? {
                    return Ok(seen);
                }
            }
            if lowest <= 1 || page.entries < left.min(PAGE) {
                return Ok(seen);
            }
            below = lowest;
        }
    }

    /// The newest messages as a list, newest first.
    pub async fn newest_list(&self, chat: &Chat, limit: usize) -> ToolResult<Vec<Message>> {
        let mut list = Vec::new();
        self.newest(chat, Some(limit), |message| {
            list.push(message);
            Ok(true)
        })
        .await?;
        Ok(list)
    }

    pub(crate) fn read(&self, answer: enums::messages::Messages) -> Page {
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
            entries: messages.len(),
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

    /// What happened in a chat since a moment; `None` when that was too long ago for the service to tell.
    pub async fn changes(&self, chat: &Chat, since: Mark) -> ToolResult<Option<Changes>> {
        match chat.input_channel() {
            Some(channel) => self.channel_changes(channel, since).await,
            None => self.account_changes(chat, since).await,
        }
    }

    async fn channel_changes(
        &self,
        channel: enums::InputChannel,
        since: Mark,
    ) -> ToolResult<Option<Changes>> {
        let mut changes = Changes {
            mark: since,
            ..Changes::default()
        };
        loop {
            let request = tl::functions::updates::GetChannelDifference {
                force: true,
                channel: channel.clone(),
                filter: enums::ChannelMessagesFilter::Empty,
                pts: changes.mark.pts,
                limit: PAGE as i32,
            };
            let answer = match self.call_raw(Pace::Reads, Repeat::Safe, &request).await {
                Err(failed) if failed.is("PERSISTENT_TIMESTAMP_*") => return Ok(None),
                other => other.map_err(crate::client::Failed::told)?,
            };
            match answer {
                enums::updates::ChannelDifference::Empty(empty) => {
                    changes.mark.pts = empty.pts;
                    return Ok(Some(changes));
                }
                enums::updates::ChannelDifference::TooLong(_) => return Ok(None),
                enums::updates::ChannelDifference::Difference(part) => {
                    let people = self.meet(&part.users, &part.chats);
                    changes.new.extend(
                        part.new_messages
                            .iter()
                            .filter_map(|m| convert::message(m, &people)),
                    );
                    apply(&mut changes, &part.other_updates, &people);
                    changes.mark.pts = part.pts;
                    if part.r#final {
                        return Ok(Some(changes));
                    }
                }
            }
        }
    }

    async fn account_changes(&self, chat: &Chat, since: Mark) -> ToolResult<Option<Changes>> {
        let mut changes = Changes {
            mark: since,
            ..Changes::default()
        };
        loop {
            let request = tl::functions::updates::GetDifference {
                pts: changes.mark.pts,
                pts_limit: None,
                pts_total_limit: None,
                date: changes.mark.date,
                qts: changes.mark.qts,
                qts_limit: None,
            };
            let (new, other, users, chats, state, last) =
                match self.call(Pace::Reads, Repeat::Safe, &request).await? {
                    enums::updates::Difference::Empty(empty) => {
                        changes.mark.date = empty.date;
                        break;
                    }
                    enums::updates::Difference::TooLong(_) => return Ok(None),
                    enums::updates::Difference::Difference(d) => {
                        (d.new_messages, d.other_updates, d.users, d.chats, d.state, true)
                    }
                    enums::updates::Difference::Slice(d) => (
                        d.new_messages,
                        d.other_updates,
                        d.users,
                        d.chats,
                        d.intermediate_state,
                        false,
                    ),
                };
            let people = self.meet(&users, &chats);
            changes.new.extend(
                new.iter()
                    .filter_map(|message| convert::message(message, &people)),
            );
            apply(&mut changes, &other, &people);
            let enums::updates::State::State(state) = state;
            changes.mark = Mark {
                pts: state.pts,
                qts: state.qts,
                date: state.date,
            };
            if last {
                break;
            }
        }
        // The account's events are those of all its private chats and basic groups. Deletions name no chat.
        changes.new.retain(|message| message.chat == chat.id());
        changes.edited.retain(|message| message.chat == chat.id());
        Ok(Some(changes))
    }
}

/// Sorts updates into what they change.
fn apply(changes: &mut Changes, updates: &[enums::Update], people: &convert::People) {
    for update in updates {
        match update {
            enums::Update::NewMessage(u) => changes.new.extend(convert::message(&u.message, people)),
            enums::Update::NewChannelMessage(u) => changes.new.extend(convert::message(&u.message, people)),
            enums::Update::EditMessage(u) => changes.edited.extend(convert::message(&u.message, people)),
            enums::Update::EditChannelMessage(u) => {
                changes.edited.extend(convert::message(&u.message, people));
            }
            enums::Update::DeleteMessages(u) => changes.deleted.extend(&u.messages),
            enums::Update::DeleteChannelMessages(u) => changes.deleted.extend(&u.messages),
            _ => {}
        }
    }
}
