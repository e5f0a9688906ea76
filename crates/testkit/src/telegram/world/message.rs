//! Messages of a scenario, and their times.

use serde::{Deserialize, Serialize};

/// A formatted stretch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stretch {
    /// Kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// First UTF-16 unit.
    pub offset: i32,
    /// Number of UTF-16 units.
    pub length: i32,
    /// Link.
    pub url: Option<String>,
    /// Person.
    pub user_id: Option<i64>,
    /// Language of a code block.
    pub language: Option<String>,
    /// Custom emoji.
    pub document_id: Option<i64>,
}

/// How often a message got one reaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Plain emoji.
    pub emoji: Option<String>,
    /// Custom emoji.
    pub custom_emoji_id: Option<i64>,
    /// Paid.
    pub paid: bool,
    /// How many.
    pub count: i32,
    /// Given by the account.
    pub chosen: bool,
}

/// A message of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Id.
    pub id: i32,
    /// When, UTC, ISO 8601 without offset.
    pub date: String,
    /// The same in seconds since 1970, where it is known without reading it.
    #[serde(skip)]
    pub at: Option<i32>,
    /// When edited.
    pub edited: Option<String>,
    /// Raw text.
    pub text: String,
    /// Formatting.
    pub entities: Vec<Stretch>,
    /// Marked id of the sender.
    pub from: Option<i64>,
    /// Sent by the account.
    pub out: bool,
    /// A channel post.
    pub post: bool,
    /// A service entry: `true` is a pin; a word names the action.
    pub service: serde_json::Value,
    /// What is attached.
    pub media: Option<String>,
    /// Details of what is attached.
    pub attached: serde_json::Value,
    /// Reactions.
    pub reactions: Vec<Tally>,
    /// Views.
    pub views: Option<i32>,
    /// Forwards.
    pub forwards: Option<i32>,
    /// Message answered.
    pub reply_to: Option<i32>,
    /// Topic it stands in.
    pub topic: Option<i32>,
    /// Marked id of the original author.
    pub forward_from: Option<i64>,
    /// Name of an original author who hides.
    pub forward_from_name: Option<String>,
    /// Signature of a post, or title of an anonymous administrator.
    pub author: Option<String>,
    /// Album.
    pub grouped_id: Option<i64>,
    /// Whether the sender is delivered with the message.
    #[serde(default = "super::yes")]
    pub sender_known: bool,
    /// `error`: looking the sender up fails.
    pub sender_lookup: Option<String>,
    /// What deleting it answers.
    pub delete_error: Option<String>,
    /// Pinned.
    pub pinned: bool,
    /// What few scenarios need: `hidden` (left out of the pages it belongs to, as the service does by local law).
    pub extra: serde_json::Value,
}

impl Message {
    /// Whether the service leaves it out of its pages.
    pub fn is_hidden(&self) -> bool {
        self.extra.get("hidden").and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// Seconds since 1970.
    pub fn unix(&self) -> i32 {
        self.at.unwrap_or_else(|| unix(&self.date))
    }

    /// Whether it is a service entry.
    pub fn is_service(&self) -> bool {
        !matches!(
            self.service,
            serde_json::Value::Null | serde_json::Value::Bool(false)
        )
    }
}

/// Seconds since 1970 of an ISO 8601 time without offset (UTC), 0 if it is none.
pub fn unix(iso: &str) -> i32 {
    iso.parse::<jiff::civil::DateTime>()
        .ok()
        .and_then(|when| when.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map_or(0, |when| when.timestamp().as_second() as i32)
}

/// ISO 8601 without offset of seconds since 1970.
pub fn iso(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .map(|when| when.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string())
        .unwrap_or_default()
}
