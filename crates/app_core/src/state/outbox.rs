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

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use rustix::fs::{FlockOperation, flock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    database::{database_error, open},
    principal::Principal,
};
use crate::contract::{ErrorKind, ToolError, ToolResult};

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
"];

/// Longest wait that a far side can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

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
    const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }

    fn of(word: &str) -> Self {
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
    /// held off, locked, over budget, never reached (code `connect`). After any other failure it may have it.
    pub fn of(result: ToolResult<impl Into<String>>) -> Self {
        let error = match result {
            Ok(receipt) => return Self::Sent(receipt.into()),
            Err(error) => Box::new(error),
        };
        match error.kind {
            ErrorKind::RateLimited | ErrorKind::Locked | ErrorKind::BudgetExceeded => Self::NotSent(error),
            ErrorKind::Network if error.code == "connect" => Self::NotSent(error),
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

/// One outbox in `outbox.sqlite3` of the state directory.
#[derive(Debug)]
pub struct Outbox {
    dir: PathBuf,
    path: PathBuf,
    name: String,
    pace: Pace,
    owner: Mutex<Option<Owner>>,
}

/// This process as a sender: the kernel lets go of its lock however it ends.
#[derive(Debug)]
struct Owner {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Drop for Owner {
    fn drop(&mut self) {
        // While the lock is held.
        drop(std::fs::remove_file(&self.path));
    }
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
        };
        outbox.connect()?;
        outbox.recover(crate::clock::Clock::System.now())?;
        Ok(outbox)
    }

    /// Puts a message in. Returns it, and whether its key named one that was there already: then nothing changes, whatever
    /// its state.
    ///
    /// Fails with kind `conflict` when the one that was there says something else.
    pub fn put(&self, new: &NewMessage<'_>, now: Timestamp) -> ToolResult<(Message, bool)> {
        if new.key.is_empty() || new.lane.is_empty() {
            return Err(ToolError::invalid("key", "a message has a key and a lane").from_source("outbox"));
        }
        self.write(|tx| {
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            if let Some(known) = self.one(tx, "key = ?2", new.key)? {
                if known.body == *new.body && known.lane == new.lane {
                    return Ok((known, true));
                }
                return Err(ToolError::new(
                    ErrorKind::Conflict,
                    format!("message `{}` is in the outbox already, and says something else", new.key),
                )
                .field("key")
                .from_source("outbox"));
            }
            let not_before = new.not_before.unwrap_or(Timestamp::UNIX_EPOCH);
            tx.execute(
                "INSERT INTO messages (outbox, key, lane, body, state, put_at, not_before) VALUES (?1, ?2, ?3, ?4, 'ready', ?5, ?6)",
                params![self.name, new.key, new.lane, new.body.to_string(), now.as_millisecond(), not_before.as_millisecond()],
            )
            .map_err(fail)?;
            Ok((self.by_id(tx, tx.last_insert_rowid())?, false))
        })
    }

    /// Takes the next message that may be sent now, oldest first: its time has come, and so has that of its lane. It is noted
    /// as `sending`, on disk, when this returns; whoever gets it must call [`Outbox::finish`].
    pub fn claim(&self, now: Timestamp) -> ToolResult<Option<Message>> {
        let owner = self.owner()?;
        self.write(|tx| {
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let ms = now.as_millisecond();
            // A time further off than any wait was set while the clock was wrong.
            let latest = later(now, LONGEST_WAIT).as_millisecond();
            let next: Option<(i64, String)> = tx
                .query_row(
                    "SELECT m.id, m.lane FROM messages m LEFT JOIN lanes l ON l.outbox = m.outbox AND l.lane = m.lane
                     WHERE m.outbox = ?1 AND m.state = 'ready' AND m.not_before <= ?2
                       AND (l.next_at IS NULL OR l.next_at <= ?2 OR l.next_at > ?3)
                     ORDER BY m.id LIMIT 1",
                    params![self.name, ms, latest],
                    |r| Ok((r.get(0)?, r.get(1)?)),
                )
                .optional()
                .map_err(fail)?;
            let Some((id, lane)) = next else { return Ok(None) };
            tx.execute(
                "UPDATE messages SET state = 'sending', owner = ?2, sending_at = ?3, attempts = attempts + 1 WHERE id = ?1",
                params![id, owner, ms],
            )
            .map_err(fail)?;
            self.hold_lane(tx, &lane, later(now, self.pace.between))?;
            self.by_id(tx, id).map(Some)
        })
    }

    /// Notes how a claimed message fared.
    ///
    /// Fails with kind `conflict` when this process does not have it in hand any more.
    pub fn finish(&self, message: &Message, delivery: Delivery, now: Timestamp) -> ToolResult<Message> {
        let owner = self.owner()?;
        self.write(|tx| {
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let mut not_before = message.not_before;
            let (state, receipt, error) = match &delivery {
                Delivery::Sent(receipt) => (MessageState::Sent, Some(receipt.clone()), None),
                Delivery::Refused(error) => (MessageState::Refused, None, Some(error)),
                Delivery::Undecided(error) => (MessageState::Undecided, None, Some(error)),
                Delivery::NotSent(error) if message.attempts >= self.pace.attempts => {
                    (MessageState::Refused, None, Some(error))
                }
                Delivery::NotSent(error) => {
                    let asked = error.retry_after_ms.map(Duration::from_millis);
                    not_before = later(now, asked.unwrap_or_else(|| self.backoff(message.attempts)).min(LONGEST_WAIT));
                    if asked.is_some() {
                        self.hold_lane(tx, &message.lane, not_before)?;
                    }
                    (MessageState::Ready, None, Some(error))
                }
            };
            let ended = (state != MessageState::Ready).then(|| now.as_millisecond());
            let changed = tx
                .execute(
                    "UPDATE messages SET state = ?3, owner = NULL, ended_at = ?4, receipt = ?5, error = ?6, not_before = ?7
                     WHERE id = ?1 AND owner = ?2 AND state = 'sending'",
                    params![
                        message.id,
                        owner,
                        state.word(),
                        ended,
                        receipt,
                        error.map(|e| e.message.clone()),
                        not_before.as_millisecond()
                    ],
                )
                .map_err(fail)?;
            if changed == 0 {
                let what = format!("message `{}` is not in the hands of this process any more", message.key);
                return Err(ToolError::new(ErrorKind::Conflict, what).from_source("outbox"));
            }
            self.by_id(tx, message.id)
        })
    }

    /// Notes what somebody found out about an undecided message.
    ///
    /// Fails with kind `conflict` unless it is undecided, and `not_found` when there is none of that key.
    pub fn settle(&self, key: &str, settled: Settled, by: &Principal, now: Timestamp) -> ToolResult<Message> {
        self.write(|tx| {
            let known = self.one(tx, "key = ?2", key)?.ok_or_else(|| no_message(key))?;
            if known.state != MessageState::Undecided {
                let what = format!(
                    "message `{key}` is {}, nothing is to be settled",
                    known.state.word()
                );
                return Err(ToolError::new(ErrorKind::Conflict, what).from_source("outbox"));
            }
            let state = match settled {
                Settled::Sent => MessageState::Sent,
                Settled::NotSent => MessageState::Ready,
                Settled::Dropped => MessageState::Refused,
            };
            let ended = (state != MessageState::Ready).then(|| now.as_millisecond());
            tx.execute(
                "UPDATE messages SET state = ?2, ended_at = ?3, settled_by = ?4 WHERE id = ?1",
                params![known.id, state.word(), ended, by.as_str()],
            )
            .map_err(|e| database_error(&self.path, &e))?;
            self.by_id(tx, known.id)
        })
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

    /// Makes `undecided` what dead processes had in hand. Done when an outbox is opened; a long-running sender calls it now
    /// and then. Returns how many.
    pub fn recover(&self, now: Timestamp) -> ToolResult<usize> {
        let owners: Vec<String> = {
            let connection = self.connect()?;
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let mut statement = connection
                .prepare("SELECT DISTINCT owner FROM messages WHERE outbox = ?1 AND state = 'sending'")
                .map_err(fail)?;
            let found = statement.query_map([&self.name], |r| r.get(0)).map_err(fail)?;
            found.collect::<Result<_, _>>().map_err(fail)?
        };
        let mut undecided = 0;
        for owner in owners {
            // Whoever can take the lock of a name knows that its owner is dead; it is held until that is noted.
            let Some(_lock) = self.lock_of_dead(&owner)? else {
                continue;
            };
            undecided += self.write(|tx| {
                tx.execute(
                    "UPDATE messages SET state = 'undecided', owner = NULL, ended_at = ?3,
                       error = 'the process that was sending it ended'
                     WHERE outbox = ?1 AND owner = ?2 AND state = 'sending'",
                    params![self.name, owner, now.as_millisecond()],
                )
                .map_err(|e| database_error(&self.path, &e))
            })?;
            drop(std::fs::remove_file(self.owner_file(&owner)));
        }
        Ok(undecided)
    }

    fn backoff(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(16);
        self.pace
            .backoff
            .saturating_mul(1 << doublings)
            .min(Duration::from_secs(3600))
    }

    fn hold_lane(&self, tx: &Connection, lane: &str, until: Timestamp) -> ToolResult<()> {
        tx.execute(
            "INSERT INTO lanes VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET next_at = max(next_at, ?3)",
            params![self.name, lane, until.as_millisecond()],
        )
        .map(drop)
        .map_err(|e| database_error(&self.path, &e))
    }

    fn owner_file(&self, owner: &str) -> PathBuf {
        self.dir.join("outbox.owners").join(owner)
    }

    /// The name of this process as a sender, made with the first message it takes.
    fn owner(&self) -> ToolResult<String> {
        let mut owner = crate::mutex::lock(&self.owner);
        if let Some(owner) = &*owner {
            return Ok(owner.name.clone());
        }
        let name = crate::ids::random_id("o_");
        let path = self.owner_file(&name);
        crate::files::create_folder("make", path.parent().unwrap_or(&self.dir))?;
        let file = lock_file(&path)?.ok_or_else(|| ToolError::internal("a random name is taken already"))?;
        *owner = Some(Owner {
            name: name.clone(),
            path,
            _lock: file,
        });
        Ok(name)
    }

    fn lock_of_dead(&self, owner: &str) -> ToolResult<Option<File>> {
        let own = crate::mutex::lock(&self.owner);
        if own.as_ref().is_some_and(|own| own.name == owner) {
            return Ok(None);
        }
        let path = self.owner_file(owner);
        crate::files::create_folder("make", path.parent().unwrap_or(&self.dir))?;
        lock_file(&path)
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
        let mut connection = self.connect()?;
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

/// Opens and locks a file; `None` when somebody else holds it.
fn lock_file(path: &Path) -> ToolResult<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| ToolError::file("open", path, &e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(ToolError::file("lock", path, &e.into())),
    }
}

/// A time later; one that no clock can hold is the last one.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
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

fn no_message(key: &str) -> ToolError {
    ToolError::not_found(format!("no message `{key}` in the outbox")).from_source("outbox")
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
