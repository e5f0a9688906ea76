//! Peers, the lines of the dialog list, and topics.

use serde::{Deserialize, Serialize};

/// A user, group or channel.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// `user`, `bot`, `group`, `supergroup`, `channel` or `group_forbidden`.
    pub kind: String,
    /// Bare id.
    pub id: i64,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Public name.
    pub username: Option<String>,
    /// Number of members.
    pub participants_count: Option<i32>,
    /// Verified.
    pub verified: bool,
    /// Restricted.
    pub restricted: bool,
    /// Created by the account.
    pub creator: bool,
    /// The account is an administrator.
    pub admin_rights: Option<serde_json::Value>,
    /// Deleted account.
    pub deleted: bool,
    /// In the account's contacts.
    pub contact: bool,
    /// A supergroup with topics.
    pub forum: bool,
    /// Bare ids of the members.
    pub members: Vec<i64>,
    /// The account may not write here.
    pub write_forbidden: bool,
    /// Seconds between two messages of one person.
    pub slow_mode: Option<i32>,
    /// Not in the dialog list and not to be resolved by anybody but its members.
    pub left: bool,
    /// What few scenarios need: `migrated_to` (bare id of the supergroup that a group became), `hidden` (left out of
    /// the pages of members it belongs to).
    pub extra: serde_json::Value,
}

impl Entity {
    /// Marked id.
    pub fn marked(&self) -> i64 {
        match self.kind.as_str() {
            "user" | "bot" => self.id,
            "group" | "group_forbidden" => -self.id,
            _ => -(1_000_000_000_000 + self.id),
        }
    }

    /// Bare id of the supergroup that a group became.
    pub fn migrated_to(&self) -> Option<i64> {
        self.extra.get("migrated_to").and_then(serde_json::Value::as_i64)
    }

    /// Whether it is left out of the pages of members.
    pub fn is_hidden(&self) -> bool {
        self.extra.get("hidden").and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// Whether it is a channel or supergroup.
    pub fn is_channel(&self) -> bool {
        matches!(self.kind.as_str(), "supergroup" | "channel")
    }
}

/// A line of the dialog list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialog {
    /// Marked id.
    pub chat: i64,
    /// Unread messages.
    pub unread: i32,
    /// Pinned on top.
    pub pinned: bool,
    /// Title shown instead of the entity's (the recorded cases use it; the wire has no such thing).
    pub title: Option<String>,
    /// Left out of the page it belongs to.
    pub hidden: bool,
    /// In the archive.
    pub archived: bool,
    /// Notifications are off until then, in seconds since 1970.
    pub muted_until: Option<i32>,
}

/// A folder of the dialog list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the wire")]
pub struct Folder {
    /// Number.
    pub id: i32,
    /// Title.
    pub title: String,
    /// Takes in contacts.
    pub contacts: bool,
    /// Takes in other people.
    pub non_contacts: bool,
    /// Takes in groups.
    pub groups: bool,
    /// Takes in channels.
    pub broadcasts: bool,
    /// Takes in bots.
    pub bots: bool,
    /// Leaves out what is muted.
    pub exclude_muted: bool,
    /// Leaves out what is read.
    pub exclude_read: bool,
    /// Leaves out the archive.
    pub exclude_archived: bool,
    /// Marked ids of chats that are in it.
    pub include: Vec<i64>,
    /// Marked ids of chats that are not.
    pub exclude: Vec<i64>,
}

/// A topic of a forum.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Topic {
    /// Id: that of the message which opened it.
    pub id: i32,
    /// Title.
    pub title: String,
    /// Left out of the page it belongs to.
    pub hidden: bool,
}
