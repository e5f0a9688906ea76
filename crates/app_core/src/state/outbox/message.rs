//! A message: what is put in, where it is, and how a try to send it ended.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Row;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::{ErrorKind, ToolError, ToolResult};

/// A message to be put in.
#[derive(Clone, Copy, Debug)]
pub struct NewMessage<'a> {
    /// Names the message within its outbox: put twice under one key, it is one message.
    pub key: &'a str,
    /// What shares a pace with it: an account, a server.
    pub lane: &'a str,
    /// What whoever sends it needs. Secrets do not belong here: name them.
    pub body: &'a Value,
    /// Not to be sent before.
    pub not_before: Option<Timestamp>,
}

/// How fast, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Shortest time between the beginnings of two sendings of one lane.
    pub between: Duration,
    /// Tries in all before a message counts as refused.
    pub attempts: u32,
    /// First wait before the next try; doubles each time, up to an hour.
    pub backoff: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            between: Duration::ZERO,
            attempts: 5,
            backoff: Duration::from_secs(2),
        }
    }
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// To be sent.
    Ready,
    /// Somebody is sending it.
    Sending,
    /// The far side has it.
    Sent,
    /// The far side will not take it, or it was tried often enough.
    Refused,
    /// Nobody knows whether the far side has it.
    Undecided,
}

impl MessageState {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }

    pub(super) fn of(word: &str) -> Self {
        match word {
            "ready" => Self::Ready,
            "sending" => Self::Sending,
            "sent" => Self::Sent,
            "refused" => Self::Refused,
            _ => Self::Undecided,
        }
    }
}

/// A message with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Number within the store.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// Its lane.
    pub lane: String,
    /// What it says.
    pub body: Value,
    /// Where it is.
    pub state: MessageState,
    /// When it was put in.
    pub put_at: Timestamp,
    /// Not to be sent before.
    pub not_before: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was sent, refused, or left undecided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What the far side calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Who settled it, when somebody had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<String>,
}

/// What became of asking for one message.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// It is in this process's hands.
    Taken(Box<Message>),
    /// It, or its lane, is to wait until then.
    Held(Timestamp),
    /// It is not there to be sent: it was, or somebody else has it.
    Not(Box<Message>),
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// The far side has it, and calls it this.
    Sent(String),
    /// The far side surely has it not. It is tried again, not before the wait it asked for; that holds for its whole lane.
    NotSent(Box<ToolError>),
    /// The far side will never take it.
    Refused(Box<ToolError>),
    /// Nobody knows.
    Undecided(Box<ToolError>),
}

impl Delivery {
    /// The careful reading of a result. Only errors that a far side gives *instead* of taking a message count as not sent:
    /// held off, locked, over budget, never reached. After any other failure it may have it.
    pub fn of(result: ToolResult<impl Into<String>>) -> Self {
        let error = match result {
            Ok(receipt) => return Self::Sent(receipt.into()),
            Err(error) => Box::new(error),
        };
        match error.kind {
            ErrorKind::RateLimited | ErrorKind::Locked | ErrorKind::BudgetExceeded => Self::NotSent(error),
            _ if error.never_reached() => Self::NotSent(error),
            ErrorKind::InvalidInput
            | ErrorKind::NotFound
            | ErrorKind::ProviderRejected
            | ErrorKind::Unauthorised
            | ErrorKind::Config
            | ErrorKind::Conflict => Self::Refused(error),
            _ => Self::Undecided(error),
        }
    }
}

/// What somebody found out about an undecided message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// The far side has it.
    Sent,
    /// It has it not: send it again.
    NotSent,
    /// It is not to be sent any more.
    Dropped,
}

pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let time = |name: &str| -> rusqlite::Result<Option<Timestamp>> {
        let ms: Option<i64> = row.get(name)?;
        Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    };
    let body: String = row.get("body")?;
    Ok(Message {
        id: row.get("id")?,
        key: row.get("key")?,
        lane: row.get("lane")?,
        body: serde_json::from_str(&body).unwrap_or_default(),
        state: MessageState::of(&row.get::<_, String>("state")?),
        put_at: time("put_at")?.unwrap_or_default(),
        not_before: time("not_before")?.unwrap_or_default(),
        attempts: row.get("attempts")?,
        ended_at: time("ended_at")?,
        receipt: row.get("receipt")?,
        error: row.get("error")?,
        settled_by: row.get("settled_by")?,
    })
}
