//! The index: messages, chats and people in one SQLite file, with their words in a full-text table.
//!
//! A message is known by account, chat and number, so reading it again never makes a second one of it, and a reply
//! finds what it answers whichever was read first. The full-text table holds words only, no second copy of the texts.

use std::path::{Path, PathBuf};

use app_core::state::database;
use app_core::{ToolError, ToolResult};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use telegram::export::names::sender_id;
use telegram::export::reactions;
use telegram::model::{Message, Peer};
use telegram::{Chat, Mark};

use crate::query::normal;

const MIGRATIONS: &[&str] = &["
CREATE TABLE chats (
  account INTEGER NOT NULL, id INTEGER NOT NULL, title TEXT NOT NULL, username TEXT, kind TEXT NOT NULL,
  reached INTEGER NOT NULL, mark TEXT, PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, username TEXT);
CREATE TABLE messages (
  row INTEGER PRIMARY KEY, account INTEGER NOT NULL, chat INTEGER NOT NULL, id INTEGER NOT NULL,
  sender INTEGER, own INTEGER NOT NULL, date INTEGER NOT NULL, text TEXT NOT NULL, reply_to INTEGER,
  reactions INTEGER NOT NULL, UNIQUE (account, chat, id)
);
CREATE INDEX messages_by_sender ON messages (sender);
CREATE INDEX messages_by_answer ON messages (account, chat, reply_to) WHERE reply_to IS NOT NULL;
CREATE VIRTUAL TABLE words USING fts5(
  text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
"];

/// The index, open.
pub struct Store {
    pub(crate) file: Connection,
    path: PathBuf,
    account: i64,
}

/// How a chat stands in the index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Highest number that has been read.
    pub reached: i32,
    /// Where its events stood then.
    pub mark: Option<Mark>,
}

/// What storing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Tally {
    /// Messages that were not there.
    pub new: u64,
    /// Messages whose text or reactions were others.
    pub changed: u64,
    /// Messages that are gone.
    pub removed: u64,
}

impl Store {
    /// Opens the index for an account, making it where there is none. Only its owner may read it.
    pub fn open(path: &Path, account: i64) -> ToolResult<Self> {
        protect(path)?;
        let file = database::open(path, MIGRATIONS)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            account,
        })
    }

    /// The error of a failed statement.
    pub fn failed(&self, error: &rusqlite::Error) -> ToolError {
        database::database_error(&self.path, error)
    }

    /// Lets everything that follows be forgotten when the index is closed.
    pub fn rehearse(&self) -> ToolResult<()> {
        self.file.execute_batch("BEGIN").map_err(|e| self.failed(&e))
    }

    /// Forgets a chat.
    pub fn forget(&mut self, chat: i64) -> ToolResult<()> {
        let account = self.account;
        self.within(|file| {
            file.execute(
                "DELETE FROM words WHERE rowid IN (SELECT row FROM messages WHERE account = ?1 AND chat = ?2)",
                params![account, chat],
            )?;
            file.execute(
                "DELETE FROM messages WHERE account = ?1 AND chat = ?2",
                params![account, chat],
            )?;
            file.execute(
                "DELETE FROM chats WHERE account = ?1 AND id = ?2",
                params![account, chat],
            )?;
            Ok(())
        })
    }

    /// How a chat stands.
    pub fn standing(&self, chat: i64) -> ToolResult<Option<Standing>> {
        self.file
            .query_row(
                "SELECT reached, mark FROM chats WHERE account = ?1 AND id = ?2",
                params![self.account, chat],
                |row| Ok((row.get::<_, i32>(0)?, row.get::<_, Option<String>>(1)?)),
            )
            .optional()
            .map(|found| {
                found.map(|(reached, mark)| Standing {
                    reached,
                    mark: mark.and_then(|mark| serde_json::from_str(&mark).ok()),
                })
            })
            .map_err(|e| self.failed(&e))
    }

    /// The lowest number the index has of a chat.
    pub fn lowest(&self, chat: i64) -> ToolResult<Option<i32>> {
        self.file
            .query_row(
                "SELECT MIN(id) FROM messages WHERE account = ?1 AND chat = ?2",
                params![self.account, chat],
                |row| row.get(0),
            )
            .map_err(|e| self.failed(&e))
    }

    /// Stores messages and how the chat stands after them, all or nothing.
    pub fn store(&mut self, chat: &Chat, messages: &[Message], standing: Standing) -> ToolResult<Tally> {
        let account = self.account;
        let mark = standing.mark.and_then(|mark| serde_json::to_string(&mark).ok());
        self.within(|file| {
            let mut tally = Tally::default();
            file.execute(
                "INSERT INTO chats (account, id, title, username, kind, reached, mark) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET title = ?3, username = ?4, kind = ?5, reached = ?6, mark = ?7",
                params![
                    account,
                    chat.id().0,
                    chat.title(),
                    chat.peer.username,
                    chat.peer.kind.word(),
                    standing.reached,
                    mark
                ],
            )?;
            person(file, &chat.peer)?;
            for message in messages {
                if let Some(sender) = &message.sender {
                    person(file, sender)?;
                }
                keep(file, account, message, &mut tally)?;
            }
            Ok(tally)
        })
    }

    /// Removes messages of a chat; returns how many were there.
    pub fn remove(&mut self, chat: i64, ids: &[i32]) -> ToolResult<u64> {
        let account = self.account;
        self.within(|file| {
            let mut removed = 0;
            for id in ids {
                removed += drop_message(file, account, chat, *id)?;
            }
            Ok(removed)
        })
    }

    /// Runs statements that count together or not at all.
    fn within<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> ToolResult<T> {
        let path = &self.path;
        let failed = |e: &rusqlite::Error| database::database_error(path, e);
        let point = self.file.savepoint().map_err(|e| failed(&e))?;
        let done = work(&point).map_err(|e| failed(&e))?;
        point.commit().map_err(|e| failed(&e))?;
        Ok(done)
    }
}

/// Makes the file readable for its owner alone before anything is in it; what SQLite puts beside it is as it is.
fn protect(path: &Path) -> ToolResult<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| ToolError::file("create", folder, &e))?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600)))
        .map_err(|e| ToolError::file("protect", path, &e))
}

fn person(file: &Connection, peer: &Peer) -> rusqlite::Result<()> {
    file.prepare_cached(
        "INSERT INTO people (id, name, username) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET name = ?2, username = ?3 WHERE name <> ?2 OR username IS NOT ?3",
    )?
    .execute(params![
        peer.id.0,
        peer.name().unwrap_or_else(|| "Unknown".to_owned()),
        peer.username
    ])
    .map(drop)
}

/// Stores a message that has words; one that lost them is removed.
fn keep(file: &Connection, account: i64, message: &Message, tally: &mut Tally) -> rusqlite::Result<()> {
    let (chat, id) = (message.chat.0, message.id);
    if message.service.is_some() || message.text.trim().is_empty() {
        tally.removed += drop_message(file, account, chat, id)?;
        return Ok(());
    }
    let given = reactions::total(&message.reactions);
    let before: Option<(i64, String, i64)> = file
        .prepare_cached(
            "SELECT row, text, reactions FROM messages WHERE account = ?1 AND chat = ?2 AND id = ?3",
        )?
        .query_row(params![account, chat, id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    if let Some((row, text, count)) = before {
        if text == message.text && count == given {
            return Ok(());
        }
        file.prepare_cached("UPDATE messages SET text = ?2, reactions = ?3 WHERE row = ?1")?
            .execute(params![row, message.text, given])?;
        file.prepare_cached("DELETE FROM words WHERE rowid = ?1")?
            .execute([row])?;
        words(file, row, &message.text)?;
        tally.changed += 1;
        return Ok(());
    }
    // An answer to a message of another chat is no link within this one.
    let answered = message
        .reply_to
        .as_ref()
        .filter(|reply| reply.chat.is_none_or(|other| other == message.chat))
        .and_then(|reply| reply.message_id);
    file.prepare_cached(
        "INSERT INTO messages (account, chat, id, sender, own, date, text, reply_to, reactions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        account,
        chat,
        id,
        sender_id(message).map(|id| id.0),
        message.out,
        message.date.as_second(),
        message.text,
        answered,
        given
    ])?;
    words(file, file.last_insert_rowid(), &message.text)?;
    tally.new += 1;
    Ok(())
}

fn words(file: &Connection, row: i64, text: &str) -> rusqlite::Result<()> {
    file.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
        .execute(params![row, normal(text)])
        .map(drop)
}

fn drop_message(file: &Connection, account: i64, chat: i64, id: i32) -> rusqlite::Result<u64> {
    file.prepare_cached(
        "DELETE FROM words WHERE rowid = (SELECT row FROM messages WHERE account = ?1 AND chat = ?2 AND id = ?3)",
    )?
    .execute(params![account, chat, id])?;
    file.prepare_cached("DELETE FROM messages WHERE account = ?1 AND chat = ?2 AND id = ?3")?
        .execute(params![account, chat, id])
        .map(|count| count as u64)
}
