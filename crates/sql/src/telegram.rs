//! The tables of Telegram chats and messages, as the replaced loaders filled them.

use jiff::Timestamp;

use super::schema::Script;
use super::{Cell, Database, Stored, Table};
use app_core::contract::ToolResult;

const SCRIPT: Script = Script {
    sqlite: include_str!("schema/telegram_sqlite.sql"),
    mysql: include_str!("schema/telegram_mysql.sql"),
};

/// Longest `title`, `username` and `sender_name`, in characters.
const NAME: usize = 255;
/// Longest `message_text` and `reactions_json`: a `TEXT` column of MySQL, in bytes.
const TEXT: usize = 65_535;

/// Chats, one row per marked id. A refreshed row takes everything anew.
pub const CHATS: Table = Table {
    name: "telegram_chats",
    columns: &[
        "id",
        "title",
        "username",
        "chat_type",
        "members_count",
        "unread_count",
        "last_message_date",
        "is_verified",
        "is_restricted",
        "is_creator",
        "is_admin",
    ],
    key: &["id"],
    refresh: &[
        "title",
        "username",
        "chat_type",
        "members_count",
        "unread_count",
        "last_message_date",
        "is_verified",
        "is_restricted",
        "is_creator",
        "is_admin",
    ],
    dates: &["last_message_date"],
    touched: Some("updated_at"),
};

/// Messages, one row per chat and message id. A refreshed row keeps sender, date, reply, forward and media.
pub const MESSAGES: Table = Table {
    name: "telegram_messages",
    columns: &[
        "id",
        "chat_id",
        "sender_id",
        "sender_name",
        "message_text",
        "date",
        "reply_to_msg_id",
        "forward_from_id",
        "views",
        "forwards",
        "reactions_count",
        "reactions_json",
        "media_type",
    ],
    key: &["chat_id", "id"],
    refresh: &[
        "message_text",
        "views",
        "forwards",
        "reactions_count",
        "reactions_json",
    ],
    dates: &["date"],
    touched: None,
};

/// A chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatRow {
    /// Marked id.
    pub id: i64,
    /// Title or name.
    pub title: String,
    /// Public name.
    pub username: Option<String>,
    /// `user`, `bot`, `group`, `supergroup` or `channel`.
    pub chat_type: &'static str,
    /// Members, where known.
    pub members: Option<i32>,
    /// Messages not read.
    pub unread: i32,
    /// Date of the newest message.
    pub last_message: Option<Timestamp>,
    /// Verified by Telegram.
    pub verified: bool,
    /// Restricted by Telegram.
    pub restricted: bool,
    /// Made by this account.
    pub creator: bool,
    /// This account may administer it.
    pub admin: bool,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Number within its chat.
    pub id: i32,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// Marked id of the sender.
    pub sender_id: Option<i64>,
    /// Name of the sender.
    pub sender_name: String,
    /// Text with its formatting; nothing when empty.
    pub text: Option<String>,
    /// When it was sent.
    pub date: Timestamp,
    /// The message it answers.
    pub reply_to: Option<i32>,
    /// The person it was forwarded from.
    pub forward_from: Option<i64>,
    /// Views.
    pub views: Option<i32>,
    /// Forwards.
    pub forwards: Option<i32>,
    /// Sum of all reactions.
    pub reactions: i64,
    /// Reactions as JSON, `[{"emoji":"🔥","count":3}]`; nothing when there are none.
    pub reactions_json: Option<String>,
    /// `photo`, `video`, `voice`, `audio`, `sticker` or `document`.
    pub media_type: Option<&'static str>,
}

impl Database {
    /// Makes the tables when they are missing, and checks them when they are not.
    pub async fn prepare_telegram(&self) -> ToolResult<()> {
        self.run(&SCRIPT).await?;
        self.check(&CHATS).await?;
        self.check(&MESSAGES).await
    }

    /// Stores chats.
    pub async fn upsert_chats(&self, rows: &[ChatRow]) -> ToolResult<Stored> {
        let rows: Vec<Vec<Cell>> = rows.iter().map(chat).collect();
        self.upsert(&CHATS, &rows).await
    }

    /// Stores messages.
    pub async fn upsert_messages(&self, rows: &[MessageRow]) -> ToolResult<Stored> {
        let rows: Vec<Vec<Cell>> = rows.iter().map(message).collect();
        self.upsert(&MESSAGES, &rows).await
    }
}

fn chat(row: &ChatRow) -> Vec<Cell> {
    vec![
        row.id.into(),
        Cell::cut(Some(&row.title), NAME),
        Cell::cut(row.username.as_ref(), NAME),
        Cell::cut(Some(row.chat_type), NAME),
        row.members.into(),
        i64::from(row.unread).into(),
        row.last_message.map_or(Cell::Null, Cell::date),
        row.verified.into(),
        row.restricted.into(),
        row.creator.into(),
        row.admin.into(),
    ]
}

fn message(row: &MessageRow) -> Vec<Cell> {
    vec![
        i64::from(row.id).into(),
        row.chat_id.into(),
        row.sender_id.into(),
        Cell::cut(Some(&row.sender_name), NAME),
        Cell::cut_bytes(row.text.as_deref(), TEXT),
        Cell::date(row.date),
        row.reply_to.into(),
        row.forward_from.into(),
        row.views.into(),
        row.forwards.into(),
        Cell::Int(row.reactions.min(i64::from(i32::MAX))),
        Cell::cut_bytes(row.reactions_json.as_deref(), TEXT),
        Cell::cut(row.media_type, NAME),
    ]
}
