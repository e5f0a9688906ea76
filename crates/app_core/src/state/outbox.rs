//! Messages on their way out: one durable outbox for alerts, mail, bots and ads.
//!
//! ```text
//! ready -> sending -> sent        the far side has it
//!    ^        |   \-> refused     it will never take it, or was tried often enough
//!    |        |   \-> undecided   nobody knows whether it has it: a person, or a look at the far side, settles it
//!    \--------/                   surely not sent: tried again later
//! ```
//!
//! A message is on disk before it is sent, and noted as `sending` on disk (synced) before the first byte leaves. So a
//! process that is killed at any moment loses nothing, and nothing goes out twice by itself: what it had in hand becomes
//! `undecided`, never `ready`. A key names a message: put twice, it is one. A **lane** is what shares a pace (an account, a
//! mail server); the pace holds over all processes of the host.
//!
//! ```no_run
//! # use app_core::{ToolResult, state::{Delivery, NewMessage, Outbox, Pace}};
//! # use std::time::Duration;
//! # async fn deliver(_: &serde_json::Value) -> ToolResult<String> { Ok(String::new()) }
//! # async fn f(dir: &std::path::Path, now: fn() -> jiff::Timestamp) -> ToolResult<()> {
//! let outbox = Outbox::open(dir, "mail", Pace { between: Duration::from_secs(1), attempts: 5, ..Pace::default() })?;
//! let body = serde_json::json!({"to": "ana@example.org", "text": "hello"});
//! outbox.put(&NewMessage { key: "list7/ana", lane: "smtp.example.org", body: &body, not_before: None }, now())?;
//! while let Some(message) = outbox.claim(now())? {
//!     let delivery = Delivery::of(deliver(&message.body).await);
//!     outbox.finish(&message, delivery, now())?;
//! }
//! # Ok(()) }
//! ```
//! [`Outbox::claim`] answers `None` when nothing is ready now; [`Outbox::next_at`] says when something will be.

mod message;
mod note;
mod owner;
mod sending;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::database::{database_error, open};
use crate::contract::{ErrorKind, ToolError, ToolResult};
use crate::mutex::lock;
use message::message;
use owner::Owner;

pub use message::{Claim, Delivery, Message, MessageState, NewMessage, Pace, Settled};
pub use note::OwnedMessage;

const MIGRATIONS: &[&str] = &["
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  outbox TEXT NOT NULL,
  key TEXT NOT NULL,
  lane TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  put_at INTEGER NOT NULL,        -- milliseconds since 1970, as all times here
  not_before INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  owner TEXT,                     -- the process that sends it
  sending_at INTEGER,
  ended_at INTEGER,
  receipt TEXT,
  error TEXT,
  settled_by TEXT,
  UNIQUE (outbox, key)
);
CREATE INDEX messages_ready ON messages (outbox, state, not_before, id);
CREATE TABLE lanes (outbox TEXT NOT NULL, lane TEXT NOT NULL, next_at INTEGER NOT NULL, PRIMARY KEY (outbox, lane)) WITHOUT ROWID;
", "
CREATE TABLE notes (outbox TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (outbox, name)) WITHOUT ROWID;
"];

/// One outbox in `outbox.sqlite3` of the state directory.
#[derive(Debug)]
pub struct Outbox {
    dir: PathBuf,
    path: PathBuf,
    name: String,
    pace: Pace,
    owner: Mutex<Option<Owner>>,
    /// Kept for writing: opening one costs more than a small transaction.
    writer: Mutex<Option<Connection>>,
}

impl Outbox {
    /// Opens the outbox of this name. Messages that a dead process had in hand become `undecided`.
    ///
    /// Fails on an empty name, and when the file cannot be used.
    pub fn open(dir: &Path, name: &str, pace: Pace) -> ToolResult<Self> {
        if name.is_empty() {
            return Err(ToolError::invalid("name", "an outbox has a name").from_source("outbox"));
        }
        let outbox = Self {
            dir: dir.to_owned(),
            path: dir.join("outbox.sqlite3"),
            name: name.to_owned(),
            pace,
            owner: Mutex::new(None),
            writer: Mutex::new(None),
        };
        *lock(&outbox.writer) = Some(outbox.connect()?);
        outbox.recover(crate::clock::Clock::System.now())?;
        Ok(outbox)
    }

    /// Puts a message in. Returns it, and whether its key named one that was there already: then nothing changes, whatever
    /// its state.
    ///
    /// Fails with kind `conflict` when the one that was there says something else.
    pub fn put(&self, new: &NewMessage<'_>, now: Timestamp) -> ToolResult<(Message, bool)> {
        self.write(|tx| self.put_in(tx, new, now))
    }

    /// Puts many messages in, all or none, as [`put`](Self::put) does with one. Returns how many were there already.
    pub fn put_all<'a>(
        &self,
        messages: impl IntoIterator<Item = NewMessage<'a>>,
        now: Timestamp,
    ) -> ToolResult<usize> {
        self.write(|tx| {
            let mut known = 0;
            for new in messages {
                known += usize::from(self.put_in(tx, &new, now)?.1);
            }
            Ok(known)
        })
    }

    fn put_in(&self, tx: &Connection, new: &NewMessage<'_>, now: Timestamp) -> ToolResult<(Message, bool)> {
        if new.key.is_empty() || new.lane.is_empty() {
            return Err(ToolError::invalid("key", "a message has a key and a lane").from_source("outbox"));
        }
        if let Some(known) = self.one(tx, "key = ?2", new.key)? {
            if known.body == *new.body && known.lane == new.lane {
                return Ok((known, true));
            }
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!(
                    "message `{}` is in the outbox already, and says something else",
                    new.key
                ),
            )
            .code("says_something_else")
            .field("key")
            .from_source("outbox"));
        }
        self.insert(tx, new, now)?;
        Ok((self.by_id(tx, tx.last_insert_rowid())?, false))
    }

    fn insert(&self, tx: &Connection, new: &NewMessage<'_>, now: Timestamp) -> ToolResult<()> {
        let not_before = new.not_before.unwrap_or(Timestamp::UNIX_EPOCH);
        tx.execute(
            "INSERT INTO messages (outbox, key, lane, body, state, put_at, not_before) VALUES (?1, ?2, ?3, ?4, 'ready', ?5, ?6)",
            params![
                self.name,
                new.key,
                new.lane,
                new.body.to_string(),
                now.as_millisecond(),
                not_before.as_millisecond()
            ],
        )
        .map(drop)
        .map_err(|e| database_error(&self.path, &e))
    }

    /// The message of a key.
    pub fn get(&self, key: &str) -> ToolResult<Message> {
        self.one(&self.connect()?, "key = ?2", key)?
            .ok_or_else(|| no_message(key))
    }

    /// Messages in a state, oldest first, at most `limit`.
    pub fn list(&self, state: MessageState, limit: u32) -> ToolResult<Vec<Message>> {
        let connection = self.connect()?;
        let fail = |e: rusqlite::Error| database_error(&self.path, &e);
        let mut statement = connection
            .prepare("SELECT * FROM messages WHERE outbox = ?1 AND state = ?2 ORDER BY id LIMIT ?3")
            .map_err(fail)?;
        let found = statement
            .query_map(params![self.name, state.word(), limit], message)
            .map_err(fail)?;
        found.collect::<Result<_, _>>().map_err(fail)
    }

    /// All messages whose key begins with a text, in the order they were put in, given to `act` one by one.
    pub fn each_under(&self, prefix: &str, mut act: impl FnMut(Message) -> ToolResult<()>) -> ToolResult<()> {
        let connection = self.connect()?;
        let fail = |e: rusqlite::Error| database_error(&self.path, &e);
        let mut statement = connection
            .prepare("SELECT * FROM messages WHERE outbox = ?1 AND substr(key, 1, ?3) = ?2 ORDER BY id")
            .map_err(fail)?;
        let found = statement
            .query_map(params![self.name, prefix, prefix.chars().count() as i64], message)
            .map_err(fail)?;
        for one in found {
            act(one.map_err(fail)?)?;
        }
        Ok(())
    }

    /// How many messages are in each state; states without any are left out.
    pub fn counts(&self) -> ToolResult<std::collections::BTreeMap<MessageState, u64>> {
        let connection = self.connect()?;
        let fail = |e: rusqlite::Error| database_error(&self.path, &e);
        let mut statement = connection
            .prepare("SELECT state, count(*) FROM messages WHERE outbox = ?1 GROUP BY state")
            .map_err(fail)?;
        let counts = statement
            .query_map([&self.name], |r| {
                Ok((
                    MessageState::of(&r.get::<_, String>(0)?),
                    r.get::<_, i64>(1)? as u64,
                ))
            })
            .map_err(fail)?;
        counts.collect::<Result<_, _>>().map_err(fail)
    }

    /// When the next ready message may be sent; `None` when none is ready. In the past: now.
    pub fn next_at(&self) -> ToolResult<Option<Timestamp>> {
        let ms: Option<i64> = self
            .connect()?
            .query_row(
                "SELECT min(max(m.not_before, coalesce(l.next_at, 0))) FROM messages m
                 LEFT JOIN lanes l ON l.outbox = m.outbox AND l.lane = m.lane WHERE m.outbox = ?1 AND m.state = 'ready'",
                [&self.name],
                |r| r.get(0),
            )
            .map_err(|e| database_error(&self.path, &e))?;
        Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    }

    /// Forgets messages that were sent or refused before a time. Undecided ones stay until they are settled.
    pub fn forget(&self, before: Timestamp) -> ToolResult<usize> {
        self.write(|tx| {
            tx.execute(
                "DELETE FROM messages WHERE outbox = ?1 AND state IN ('sent', 'refused') AND ended_at < ?2",
                params![self.name, before.as_millisecond()],
            )
            .map_err(|e| database_error(&self.path, &e))
        })
    }

    fn connect(&self) -> ToolResult<Connection> {
        let connection = open(&self.path, MIGRATIONS)?;
        // What is noted as `sending` must be so after a power cut too.
        connection
            .pragma_update(None, "synchronous", "full")
            .map_err(|e| database_error(&self.path, &e))?;
        Ok(connection)
    }

    fn write<T>(&self, act: impl FnOnce(&Connection) -> ToolResult<T>) -> ToolResult<T> {
        self.write_synced(true, act)
    }

    /// A change; `now`: on disk when this returns, also after a power cut. Otherwise only after one that is.
    fn write_synced<T>(&self, now: bool, act: impl FnOnce(&Connection) -> ToolResult<T>) -> ToolResult<T> {
        let mut kept = lock(&self.writer);
        let connection = match &mut *kept {
            Some(connection) => connection,
            none => none.insert(self.connect()?),
        };
        connection
            .pragma_update(None, "synchronous", if now { "full" } else { "normal" })
            .map_err(|e| database_error(&self.path, &e))?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| database_error(&self.path, &e))?;
        let result = act(&transaction)?;
        transaction.commit().map_err(|e| database_error(&self.path, &e))?;
        Ok(result)
    }

    fn one(&self, connection: &Connection, condition: &str, value: &str) -> ToolResult<Option<Message>> {
        connection
            .query_row(
                &format!("SELECT * FROM messages WHERE outbox = ?1 AND {condition}"),
                [&self.name, value],
                message,
            )
            .optional()
            .map_err(|e| database_error(&self.path, &e))
    }

    fn by_id(&self, connection: &Connection, id: i64) -> ToolResult<Message> {
        connection
            .query_row("SELECT * FROM messages WHERE id = ?1", [id], message)
            .map_err(|e| database_error(&self.path, &e))
    }
}

fn no_message(key: &str) -> ToolError {
    ToolError::not_found(format!("no message `{key}` in the outbox")).from_source("outbox")
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "outbox_order_tests.rs"]
mod order_tests;
