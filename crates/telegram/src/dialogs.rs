//! The dialog list, members and topics.

use std::sync::Arc;

use app_core::{ErrorKind, ToolError, ToolResult};
use grammers_client::tl::{self, enums, types};

use crate::client::{Repeat, Telegram};
use crate::convert;
use crate::model::{MarkedId, Message, Peer};
use crate::pace::Pace;
use crate::peers::Chat;

/// Dialogs asked for at once; the most the service gives.
const PAGE: i32 = 100;

/// More dialogs than any account has; a list that does not end is an error, not a reason to go on.
const MOST: usize = 50_000;

/// A line of the dialog list.
#[derive(Debug, Clone)]
pub struct Dialog {
    /// The chat.
    pub chat: Chat,
    /// Unread messages.
    pub unread: i32,
    /// Pinned on top.
    pub pinned: bool,
    /// The latest message, where there is one.
    pub last: Option<Message>,
    /// State of a channel's events, for asking later what changed.
    pub pts: Option<i32>,
}

impl Telegram {
    /// The dialogs in the server's order (pinned first, then most recent), at most `limit` of those that `keep` passes.
    pub async fn dialogs(
        &self,
        limit: Option<usize>,
        keep: impl Fn(&Dialog) -> bool,
    ) -> ToolResult<Vec<Dialog>> {
        let mut found = Vec::new();
        self.walk_dialogs(|dialog| {
            if keep(&dialog) {
                found.push(dialog);
            }
            limit.is_some_and(|limit| found.len() >= limit)
        })
        .await?;
        Ok(found)
    }

    /// All dialogs, or those up to the last one of `wanted`.
    pub(crate) async fn all_dialogs(&self, wanted: &[MarkedId]) -> ToolResult<Vec<Dialog>> {
        let mut found: Vec<Dialog> = Vec::new();
        let only_one = wanted.len() == 1;
        self.walk_dialogs(|dialog| {
            let last = only_one && dialog.chat.id() == wanted[0];
            found.push(dialog);
            last
        })
        .await?;
        Ok(found)
    }

    /// Walks the list until `done` says so.
    async fn walk_dialogs(&self, mut done: impl FnMut(Dialog) -> bool) -> ToolResult<()> {
        let mut request = tl::functions::messages::GetDialogs {
            exclude_pinned: false,
            folder_id: None,
            offset_date: 0,
            offset_id: 0,
            offset_peer: enums::InputPeer::Empty,
            limit: PAGE,
            hash: 0,
        };
        let mut seen = std::collections::HashSet::new();
        loop {
            let answer = self.call(Pace::Dialogs, Repeat::Safe, &request).await?;
            let (dialogs, messages, users, chats, all) = match answer {
                enums::messages::Dialogs::Dialogs(list) => {
                    (list.dialogs, list.messages, list.users, list.chats, true)
                }
                enums::messages::Dialogs::Slice(list) => {
                    let all = list.dialogs.len() < PAGE as usize;
                    (list.dialogs, list.messages, list.users, list.chats, all)
                }
                enums::messages::Dialogs::NotModified(_) => return Ok(()),
            };
            let people = self.meet(&users, &chats);
            let mut fresh = 0;
            let mut last = None;
            for dialog in dialogs {
                let enums::Dialog::Dialog(dialog) = dialog else {
                    continue;
                };
                let id = convert::marked(&dialog.peer);
                let top = messages
                    .iter()
                    .filter_map(|message| convert::message(message, &people))
                    .find(|message| message.chat == id && message.id == dialog.top_message);
                let Some(chat) = people.get(&id).and_then(|peer| self.addressable(peer)) else {
                    continue;
                };
                last = Some((
                    chat.clone(),
                    dialog.top_message,
                    top.as_ref().map(|top| top.date.as_second()),
                ));
                if !seen.insert(id) {
                    continue;
                }
                fresh += 1;
                let dialog = Dialog {
                    chat,
                    unread: dialog.unread_count,
                    pinned: dialog.pinned,
                    last: top,
                    pts: dialog.pts,
                };
                if done(dialog) {
                    return Ok(());
                }
            }
            if all || fresh == 0 || seen.len() > MOST {
                return Ok(());
            }
            if let Some((chat, top, date)) = last {
                request.offset_peer = chat.input();
                request.offset_id = top;
                request.offset_date = date.map_or(request.offset_date, |date| date as i32);
                request.exclude_pinned = true;
            }
        }
    }

    /// The members of a group or supergroup that the account may see.
    ///
    /// # Errors
    /// `provider_rejected` where only administrators may see them (broadcast channels).
    pub async fn members(&self, chat: &Chat, limit: Option<usize>) -> ToolResult<Vec<Arc<Peer>>> {
        let most = limit.unwrap_or(usize::MAX);
        let mut members: Vec<Arc<Peer>> = Vec::new();
        let Some(channel) = chat.input_channel() else {
            if chat.id().is_user() {
                return Err(ToolError::invalid("chat", "a private chat has no members"));
            }
            let request = tl::functions::messages::GetFullChat {
                chat_id: chat.id().bare(),
            };
            let enums::messages::ChatFull::Full(full) =
                self.call(Pace::Reads, Repeat::Safe, &request).await?;
            let people = self.meet(&full.users, &full.chats);
            members.extend(people.into_values().filter(|peer| peer.id.is_user()));
            members.sort_by_key(|peer| peer.id);
            members.truncate(most);
            return Ok(members);
        };
        loop {
            let request = tl::functions::channels::GetParticipants {
                channel: channel.clone(),
                filter: types::ChannelParticipantsSearch { q: String::new() }.into(),
                offset: members.len() as i32,
                limit: 200,
                hash: 0,
            };
            let answer = self.call(Pace::Reads, Repeat::Safe, &request).await?;
            let enums::channels::ChannelParticipants::Participants(page) = answer else {
                break;
            };
            let people = self.meet(&page.users, &page.chats);
            let before = members.len();
            for participant in &page.participants {
                let id = match participant {
                    enums::ChannelParticipant::Participant(p) => p.user_id,
                    enums::ChannelParticipant::ParticipantSelf(p) => p.user_id,
                    enums::ChannelParticipant::Creator(p) => p.user_id,
                    enums::ChannelParticipant::Admin(p) => p.user_id,
                    _ => continue,
                };
                if let Some(peer) = people.get(&MarkedId::user(id))
                    && !members.iter().any(|known| known.id == peer.id)
                {
                    members.push(Arc::clone(peer));
                }
            }
            if members.len() == before || members.len() >= most {
                break;
            }
        }
        members.truncate(most);
        Ok(members)
    }

    /// The topics of a forum: id of the first message, and title.
    pub async fn topics(&self, chat: &Chat) -> ToolResult<Vec<(i32, String)>> {
        if !chat.peer.flags.forum {
            return Err(ToolError::new(
                ErrorKind::InvalidInput,
                format!("`{}` has no topics", chat.title()),
            )
            .field("topic"));
        }
        let mut topics: Vec<(i32, String)> = Vec::new();
        loop {
            let request = tl::functions::messages::GetForumTopics {
                peer: chat.input(),
                q: None,
                offset_date: 0,
                offset_id: 0,
                offset_topic: topics.last().map_or(0, |(id, _)| *id),
                limit: 100,
            };
            let enums::messages::ForumTopics::Topics(page) =
                self.call(Pace::Reads, Repeat::Safe, &request).await?;
            self.meet(&page.users, &page.chats);
            let before = topics.len();
            for topic in page.topics {
                if let enums::ForumTopic::Topic(topic) = topic
                    && !topics.iter().any(|(id, _)| *id == topic.id)
                {
                    topics.push((topic.id, topic.title));
                }
            }
            if topics.len() == before || topics.len() as i32 >= page.count {
                return Ok(topics);
            }
        }
    }
}
