//! The dialog list, members and topics.

use std::collections::{HashMap, HashSet};
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

/// Members asked for at once; the most the service gives.
const MEMBERS: i32 = 200;

/// Number of the archive among the lists that the service keeps.
const ARCHIVE: i32 = 1;

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
    /// What folders choose by.
    pub standing: Standing,
}

/// What the account made of a chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The person is a contact.
    pub contact: bool,
    /// It lies in the archive.
    pub archived: bool,
    /// Until when its notifications are off, in seconds since 1970; none where the general settings hold.
    pub muted_until: Option<i32>,
    /// It was marked as unread, or somebody was mentioned.
    pub marked: bool,
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
        let (mut seen, mut most) = (HashSet::new(), None);
        loop {
            let answer = self.call(Pace::Dialogs, Repeat::Safe, &request).await?;
            let (dialogs, messages, users, chats, count) = match answer {
                enums::messages::Dialogs::Dialogs(list) => {
                    (list.dialogs, list.messages, list.users, list.chats, None)
                }
                enums::messages::Dialogs::Slice(list) => {
                    let count = usize::try_from(list.count).unwrap_or_default();
                    (list.dialogs, list.messages, list.users, list.chats, Some(count))
                }
                enums::messages::Dialogs::NotModified(_) => return Ok(()),
            };
            let contacts: HashSet<i64> = users
                .iter()
                .filter_map(|user| match user {
                    enums::User::User(user) if user.contact => Some(user.id),
                    _ => None,
                })
                .collect();
            let people = self.meet(&users, &chats);
            let tops: HashMap<(MarkedId, i32), Message> = messages
                .iter()
                .filter_map(|message| convert::message(message, &people))
                .map(|message| ((message.chat, message.id), message))
                .collect();
            let mut fresh = 0;
            for dialog in dialogs {
                let enums::Dialog::Dialog(dialog) = dialog else {
                    continue;
                };
                let id = convert::marked(&dialog.peer);
                let top = tops.get(&(id, dialog.top_message)).cloned();
                let chat = people.get(&id).and_then(|peer| self.addressable(peer));
                // The next page begins after the last line that has a place in time.
                if let Some(top) = &top {
                    request.offset_date = top.date.as_second() as i32;
                    request.offset_id = top.id;
                    request.offset_peer = chat.as_ref().map_or(enums::InputPeer::Empty, Chat::input);
                } else if let Some(chat) = &chat {
                    request.offset_id = dialog.top_message;
                    request.offset_peer = chat.input();
                }
                if !seen.insert(id) {
                    continue;
                }
                fresh += 1;
                let Some(chat) = chat else { continue };
                let enums::PeerNotifySettings::Settings(notify) = &dialog.notify_settings;
                let standing = Standing {
                    contact: id.is_user() && contacts.contains(&id.bare()),
                    archived: dialog.folder_id == Some(ARCHIVE),
                    muted_until: notify.mute_until,
                    marked: dialog.unread_mark || dialog.unread_mentions_count > 0,
                };
                let dialog = Dialog {
                    standing,
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
            // The first page counts all; later ones leave out what is pinned. A short page is no end: lines may be left
            // out of it.
            let Some(count) = count else { return Ok(()) };
            let most = *most.get_or_insert(count);
            if fresh == 0 || seen.len() >= most || seen.len() > MOST {
                return Ok(());
            }
            request.exclude_pinned = true;
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
        let mut known: HashSet<MarkedId> = HashSet::new();
        let mut offset: i32 = 0;
        loop {
            let request = tl::functions::channels::GetParticipants {
                channel: channel.clone(),
                filter: types::ChannelParticipantsSearch { q: String::new() }.into(),
                offset,
                limit: MEMBERS,
                hash: 0,
            };
            let answer = self.call(Pace::Reads, Repeat::Safe, &request).await?;
            let enums::channels::ChannelParticipants::Participants(page) = answer else {
                break;
            };
            let people = self.meet(&page.users, &page.chats);
            for participant in &page.participants {
                if let Some(id) = member(participant)
                    && let Some(peer) = people.get(&MarkedId::user(id))
                    && known.insert(peer.id)
                {
                    members.push(Arc::clone(peer));
                }
            }
            // Places are counted, not people: some may be left out of their page.
            offset = offset.saturating_add(MEMBERS);
            if offset >= page.count || members.len() >= most {
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
        let mut seen = HashSet::new();
        let mut request = tl::functions::messages::GetForumTopics {
            peer: chat.input(),
            q: None,
            offset_date: 0,
            offset_id: 0,
            offset_topic: 0,
            limit: 100,
        };
        loop {
            let enums::messages::ForumTopics::Topics(page) =
                self.call(Pace::Reads, Repeat::Safe, &request).await?;
            let people = self.meet(&page.users, &page.chats);
            let dates: HashMap<i32, i32> = page
                .messages
                .iter()
                .filter_map(|message| convert::message(message, &people))
                .map(|message| (message.id, message.date.as_second() as i32))
                .collect();
            let mut fresh = false;
            for topic in page.topics {
                let id = match &topic {
                    enums::ForumTopic::Topic(topic) => topic.id,
                    enums::ForumTopic::Deleted(topic) => topic.id,
                };
                request.offset_topic = id;
                fresh |= seen.insert(id);
                if let enums::ForumTopic::Topic(topic) = topic {
                    request.offset_id = topic.top_message;
                    request.offset_date = dates.get(&topic.top_message).copied().unwrap_or(topic.date);
                    if !topics.iter().any(|(known, _)| *known == id) {
                        topics.push((id, topic.title));
                    }
                }
            }
            if !fresh || seen.len() as i32 >= page.count {
                return Ok(topics);
            }
        }
    }

    /// The topic that a user names by its title (in any case) or id.
    ///
    /// # Errors
    /// `invalid_input` when the chat has no topics, and when several bear the title (with their ids); `not_found` when
    /// none does.
    pub async fn topic(&self, chat: &Chat, text: &str) -> ToolResult<(i32, String)> {
        let topics = self.topics(chat).await?;
        let text = text.trim();
        let lower = text.to_lowercase();
        let named: Vec<&(i32, String)> = topics
            .iter()
            .filter(|(_, title)| title.trim().to_lowercase() == lower)
            .collect();
        let exact: Vec<&(i32, String)> = named
            .iter()
            .copied()
            .filter(|(_, title)| title.trim() == text)
            .collect();
        let found = if exact.len() == 1 { exact } else { named };
        let by_id = || topics.iter().find(|(id, _)| id.to_string() == text);
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => by_id().cloned().ok_or_else(|| {
                let titles: Vec<&str> = topics.iter().map(|(_, title)| title.as_str()).collect();
                ToolError::not_found(format!("no topic is called `{text}`"))
                    .field("topic")
                    .hint(format!("there are: {}", titles.join(", ")))
            }),
            several => {
                let list: Vec<String> = several
                    .iter()
                    .map(|(id, title)| format!("{title} ({id})"))
                    .collect();
                Err(ToolError::invalid(
                    "topic",
                    format!(
                        "`{text}` is the title of {} topics: {}",
                        several.len(),
                        list.join("; ")
                    ),
                )
                .code("topic_ambiguous")
                .hint("use the id in brackets"))
            }
        }
    }
}

/// Bare id of a member; `None` for those who left or were removed.
fn member(participant: &enums::ChannelParticipant) -> Option<i64> {
    match participant {
        enums::ChannelParticipant::Participant(p) => Some(p.user_id),
        enums::ChannelParticipant::ParticipantSelf(p) => Some(p.user_id),
        enums::ChannelParticipant::Creator(p) => Some(p.user_id),
        enums::ChannelParticipant::Admin(p) => Some(p.user_id),
        _ => None,
    }
}
