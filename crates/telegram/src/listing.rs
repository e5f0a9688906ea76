//! Listings of chats by their latest message, as `list_chats` and `get_active_chats` show them.

use std::fmt;

use app_core::ToolResult;
use app_core::text::visible_line;
use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Telegram;
use crate::dialogs::Dialog;
use crate::model::{ChatKind, MarkedId};

/// The three sorts of chat that the listings tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListedKind {
    /// A private chat.
    User,
    /// A basic group or supergroup.
    Group,
    /// A broadcast channel.
    Channel,
}

impl ListedKind {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Channel => "channel",
        }
    }
}

impl From<ChatKind> for ListedKind {
    fn from(kind: ChatKind) -> Self {
        match kind {
            ChatKind::User | ChatKind::Bot => Self::User,
            ChatKind::Group | ChatKind::Supergroup => Self::Group,
            ChatKind::Channel => Self::Channel,
        }
    }
}

/// A chat of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Title of the chat or name of the person.
    pub title: String,
    /// Marked id.
    pub id: MarkedId,
    /// When its latest message was written.
    pub last_message: Timestamp,
    /// Unread messages.
    pub unread: i32,
    /// What it is.
    pub chat_type: ListedKind,
}

impl Listed {
    /// The id to show.
    pub const fn shown_id(&self, bare: bool) -> i64 {
        if bare { self.id.bare() } else { self.id.0 }
    }
}

impl Telegram {
    /// The chats of these dialogs, that with the newest message first. Where the dialog list names no message, the chat
    /// is asked, `parallel` at a time; one without any message, or that cannot be read, is left out.
    pub async fn listed(&self, dialogs: Vec<Dialog>, parallel: usize) -> ToolResult<Vec<Listed>> {
        let looked = futures_util::stream::iter(dialogs)
            .map(async |dialog| {
                let at = match &dialog.last {
                    Some(last) => Some(last.date),
                    None => match self.newest_list(&dialog.chat, 1).await {
                        Ok(list) => list.first().map(|message| message.date),
                        Err(error) => {
                            self.ctx.check_cancelled()?;
                            self.ctx.warn(format!(
                                "chat {} is left out: {}",
                                dialog.chat.id(),
                                error.message
                            ));
                            None
                        }
                    },
                };
                Ok(at.map(|last_message| Listed {
                    title: dialog.chat.title(),
                    id: dialog.chat.id(),
                    last_message,
                    unread: dialog.unread,
                    chat_type: dialog.chat.peer.kind.into(),
                }))
            })
            .buffered(parallel.max(1));
        let looked: Vec<ToolResult<Option<Listed>>> = looked.collect().await;
        let mut chats = Vec::new();
        for chat in looked {
            chats.extend(chat?);
        }
        chats.sort_by_key(|chat| std::cmp::Reverse(chat.last_message));
        Ok(chats)
    }
}

/// Writes the listing for people.
pub fn render<'a>(
    chats: impl IntoIterator<Item = &'a Listed>,
    bare_ids: bool,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    writeln!(out, "Наиболее активные чаты:\n")?;
    for (n, chat) in chats.into_iter().enumerate() {
        writeln!(
            out,
            "{}. {}\n   ID: {} | Тип: {} | Непрочитано: {}\n   Последнее сообщение: {}\n",
            n + 1,
            visible_line(&chat.title),
            chat.shown_id(bare_ids),
            chat.chat_type.word(),
            chat.unread,
            stamp(chat.last_message, "%d.%m.%Y %H:%M"),
        )?;
    }
    Ok(())
}

/// A time in UTC.
pub fn stamp(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}
