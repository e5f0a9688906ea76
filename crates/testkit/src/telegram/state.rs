//! Everything the data centre remembers while it runs.

mod begin;
mod peers;
mod refusal;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use serde_json::Value;

use super::fault::Faults;
use super::world::{Dialog, Entity, History, Login, Topic};

pub(super) use refusal::Refusal;

/// A request that a client made.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Method, as the schema names it.
    pub method: String,
    /// What matters of its parameters; ids are marked.
    pub args: Value,
    /// The error it was answered with.
    pub error: Option<String>,
    /// When it came.
    pub at: Instant,
    /// Which connection brought it, counted from 1.
    pub connection: u32,
    /// Within a takeout session.
    pub takeout: bool,
}

/// Something that happened in a chat, for clients that ask what they missed.
#[derive(Debug, Clone)]
pub(super) enum Event {
    New(i32),
    Edit(i32),
    Delete(Vec<i32>),
}

/// A logged event.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub chat: i64,
    pub pts: i32,
    pub count: i32,
    pub event: Event,
}

/// The state behind all data centres of one test.
pub(super) struct State {
    pub account: i64,
    pub authorized: HashSet<i32>,
    pub login: Option<Login>,
    pub entities: BTreeMap<i64, Entity>,
    pub dialogs: Vec<Dialog>,
    pub folders: Vec<super::world::Folder>,
    pub histories: HashMap<i64, History>,
    pub topics: HashMap<i64, Vec<Topic>>,
    pub history_errors: HashMap<i64, String>,
    pub reaction_errors: HashMap<i32, String>,
    pub send_error: Option<String>,
    pub next_message_id: Option<i32>,
    pub send_date: Option<String>,
    pub gzip: bool,
    pub latency: std::time::Duration,
    pub stock_reactions: Vec<String>,
    /// Custom emoji that exist: those that stand on some message when the world begins.
    pub custom_emoji: HashSet<i64>,
    pub faults: Faults,
    pub requests: Vec<Recorded>,
    pub pts: i32,
    pub channel_pts: HashMap<i64, i32>,
    pub log: Vec<Logged>,
    pub uploads: HashMap<i64, BTreeMap<i32, Vec<u8>>>,
    pub uploaded: HashMap<i64, Vec<u8>>,
    pub files: HashMap<i64, (i64, i32)>,
    pub random_ids: HashSet<i64>,
    pub last_sent: HashMap<i64, Instant>,
    pub password_pending: bool,
    pub srp: Option<super::srp::Exchange>,
    pub login_token_accepted: bool,
    pub ports: Vec<(i32, u16)>,
    pub connections: u32,
    pub open_sessions: HashMap<i32, u32>,
    pub most_sessions: u32,
}

impl State {
    /// Counts an event in a chat and keeps it for those who ask later; the new number.
    pub fn log(&mut self, chat: i64, count: i32, event: Event) -> i32 {
        let pts = if chat < -1_000_000_000_000 {
            let pts = self.channel_pts.entry(chat).or_insert(100);
            *pts += count;
            *pts
        } else {
            self.pts += count;
            self.pts
        };
        self.log.push(Logged {
            chat,
            pts,
            count,
            event,
        });
        pts
    }

    /// The number of the latest event in a channel.
    pub fn channel_pts(&self, chat: i64) -> i32 {
        self.channel_pts.get(&chat).copied().unwrap_or(100)
    }

    /// The time that sent messages bear.
    pub fn now(&self) -> i64 {
        self.send_date.as_deref().map_or_else(
            || jiff::Timestamp::now().as_second(),
            |date| super::world::unix(date).into(),
        )
    }

    /// The id of the next message of a chat.
    pub fn take_id(&mut self, chat: i64) -> i32 {
        if let Some(next) = self.next_message_id {
            self.next_message_id = Some(next + 1);
            return next;
        }
        if chat < -1_000_000_000_000 {
            return self
                .histories
                .get(&chat)
                .map_or(1, |history| history.last_id() + 1);
        }
        // Private chats and basic groups share the numbers of the account.
        let others = self
            .histories
            .iter()
            .filter(|(chat, _)| **chat >= -1_000_000_000_000);
        others
            .map(|(_, history)| history.last_id())
            .max()
            .unwrap_or_default()
            + 1
    }
}
