//! What an export has fetched so far, in a file of its own per chat and range, so that a killed one goes on and a later
//! one fetches only what changed.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app_core::state::database;
use app_core::{ErrorKind, ToolError, ToolResult};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::client::Telegram;
use crate::export::Attachment;
use crate::history::Mark;
use crate::model::{MarkedId, Media, Message, Peer};

const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL);
CREATE TABLE people (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE messages (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE files (message INTEGER PRIMARY KEY, value TEXT NOT NULL);
",
    "
-- Messages are stored by position and have got a new part; the next export reads them again.
DELETE FROM state;
DELETE FROM people;
DELETE FROM messages;
DELETE FROM files;
",
];

/// How far an export is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Lowest id that belongs to it.
    pub lowest: i32,
    /// Highest id that belongs to it: the newest when it began.
    pub highest: i32,
    /// Highest id that has been fetched.
    pub reached: i32,
    /// Where the events of the chat stood when it began; `None` where the service does not say.
    pub mark: Option<Mark>,
    /// When it began; written into the export, so that a resumed one is the same.
    pub began: jiff::Timestamp,
    /// All messages of the chat itself are there.
    pub complete: bool,
    /// What is to be done next; not there in archives of earlier versions, which were kept only once they were done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
}

/// How far an export is beyond reading its chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Messages are still read.
    Reading,
    /// All messages are there; files are fetched and the export is written.
    Writing,
    /// The export was written, with all files that could be had.
    Done,
}

impl Progress {
    /// Whether the export that filled the archive came to its end.
    pub fn done(&self) -> bool {
        self.complete && self.phase.unwrap_or(Phase::Done) == Phase::Done
    }
}

/// What became of a message's file, and which file that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Telegram's number for the file.
    pub file: i64,
    /// What became of it.
    pub attachment: Attachment,
}

/// Where what is kept of an account lies, closed to everybody else.
///
/// # Errors
/// `io` when it cannot be made.
pub fn home(telegram: &Telegram) -> ToolResult<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let me = telegram.me()?.id;
    let home = telegram
        .context()
        .state_dir()?
        .join("telegram")
        .join(me.to_string());
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&home)
        .map_err(|e| ToolError::file("create", &home, &e))?;
    Ok(home)
}

/// A short name for bytes (FNV-1a).
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// An archive that is open.
#[derive(Debug)]
pub struct Archive {
    file: Connection,
    path: PathBuf,
    known: HashSet<MarkedId>,
}

/// What a stored message was like before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is new.
    New,
    /// Its text, media or anything else an export shows was another.
    Changed,
    /// It is as it was.
    Same,
}

impl Archive {
    /// Opens or makes one.
    pub fn open(path: &Path) -> ToolResult<Self> {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| ToolError::file("create", parent, &e))?;
            // Messages are private.
            std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o700))
                .map_err(|e| ToolError::file("protect", parent, &e))?;
        }
        // SQLite gives its journals the mode of the file.
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|e| ToolError::file("create", path, &e))?;
        let file = database::open(path, MIGRATIONS)?;
        let mut archive = Self {
            file,
            path: path.to_owned(),
            known: HashSet::new(),
        };
        archive.known = archive
            .collect("SELECT id FROM people", |row| row.get(0).map(MarkedId))?
            .into_iter()
            .collect();
        Ok(archive)
    }

    fn failed(&self, cause: &rusqlite::Error) -> ToolError {
        database::database_error(&self.path, cause)
    }

    fn collect<T>(
        &self,
        query: &str,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> ToolResult<Vec<T>> {
        let mut statement = self.file.prepare(query).map_err(|e| self.failed(&e))?;
        let rows = statement
            .query_map([], |row| read(row))
            .map_err(|e| self.failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.failed(&e))
    }

    /// How far it is; `None` for a new one.
    pub fn progress(&self) -> ToolResult<Option<Progress>> {
        let text: Option<String> = self
            .file
            .query_row("SELECT value FROM state", [], |row| row.get(0))
            .optional()
            .map_err(|e| self.failed(&e))?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| self.unread(&e)))
            .transpose()
    }

    fn unread(&self, cause: &(dyn std::error::Error + 'static)) -> ToolError {
        ToolError::new(
            ErrorKind::Conflict,
            format!("`{}` was written by another version", self.path.display()),
        )
        .hint("delete it and export again")
        .caused_by(cause)
    }

    /// Keeps a page and how far the export is, both or neither. Says what the messages were before, if asked to
    /// `compare`; else each counts as new.
    pub fn store(
        &mut self,
        messages: Vec<Message>,
        progress: &Progress,
        compare: bool,
    ) -> ToolResult<Vec<Stored>> {
        let path = self.path.clone();
        let failed = |e: &rusqlite::Error| database::database_error(&path, e);
        let transaction = self.file.transaction().map_err(|e| failed(&e))?;
        let mut outcome = Vec::with_capacity(messages.len());
        {
            let mut person = transaction
                .prepare_cached("INSERT OR REPLACE INTO people VALUES (?, ?)")
                .map_err(|e| failed(&e))?;
            let mut before = transaction
                .prepare_cached("SELECT value FROM messages WHERE id = ?")
                .map_err(|e| failed(&e))?;
            let mut insert = transaction
                .prepare_cached("INSERT OR REPLACE INTO messages VALUES (?, ?)")
                .map_err(|e| failed(&e))?;
            for message in messages {
                for peer in people_of(&message) {
                    if self.known.insert(peer.id) {
                        let value =
                            serde_json::to_string(&**peer).map_err(|e| ToolError::internal(e.to_string()))?;
                        person
                            .execute(params![peer.id.0, value])
                            .map_err(|e| failed(&e))?;
                    }
                }
                let value = postcard::to_stdvec(&message).map_err(|e| ToolError::internal(e.to_string()))?;
                let old: Option<Vec<u8>> = if compare {
                    before
                        .query_row([message.id], |row| row.get(0))
                        .optional()
                        .map_err(|e| failed(&e))?
                } else {
                    None
                };
                outcome.push(match &old {
                    None => Stored::New,
                    Some(old) if shown(old) == shown(&value) => Stored::Same,
                    Some(_) => Stored::Changed,
                });
                if old.as_ref() != Some(&value) {
                    insert
                        .execute(params![message.id, value])
                        .map_err(|e| failed(&e))?;
                }
            }
            let state = serde_json::to_string(progress).map_err(|e| ToolError::internal(e.to_string()))?;
            transaction
                .execute("INSERT OR REPLACE INTO state VALUES (1, ?)", [state])
                .map_err(|e| failed(&e))?;
        }
        transaction.commit().map_err(|e| failed(&e))?;
        Ok(outcome)
    }

    /// Takes messages away; those that were there.
    pub fn remove(&mut self, ids: &[i32]) -> ToolResult<Vec<i32>> {
        let mut gone = Vec::new();
        for id in ids {
            let rows = self
                .file
                .execute("DELETE FROM messages WHERE id = ?", [id])
                .map_err(|e| self.failed(&e))?;
            if rows > 0 {
                gone.push(*id);
            }
        }
        Ok(gone)
    }

    /// The ids it holds.
    pub fn ids(&self) -> ToolResult<Vec<i32>> {
        self.collect("SELECT id FROM messages ORDER BY id", |row| row.get(0))
    }

    /// How many messages it holds.
    pub fn count(&self) -> ToolResult<usize> {
        self.file
            .query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))
            .map(|count| usize::try_from(count).unwrap_or_default())
            .map_err(|e| self.failed(&e))
    }

    /// Walks the messages, oldest first, one at a time.
    pub fn walk(&self, mut each: impl FnMut(Message) -> ToolResult<()>) -> ToolResult<()> {
        let people = self.people()?;
        let mut statement = self
            .file
            .prepare("SELECT value FROM messages ORDER BY id")
            .map_err(|e| self.failed(&e))?;
        let mut rows = statement.query([]).map_err(|e| self.failed(&e))?;
        while let Some(row) = rows.next().map_err(|e| self.failed(&e))? {
            let bytes = row
                .get_ref(0)
                .and_then(|value| Ok(value.as_blob()?))
                .map_err(|e| self.failed(&e))?;
            let mut message: Message = postcard::from_bytes(bytes).map_err(|e| self.unread(&e))?;
            dress(&mut message, &people);
            each(message)?;
        }
        Ok(())
    }

    fn people(&self) -> ToolResult<HashMap<MarkedId, Arc<Peer>>> {
        let texts = self.collect("SELECT value FROM people", |row| row.get::<_, String>(0))?;
        let people = texts.iter().map(|text| {
            let peer: Peer = serde_json::from_str(text).map_err(|e| self.unread(&e))?;
            Ok((peer.id, Arc::new(peer)))
        });
        people.collect()
    }

    /// Notes what became of a message's file.
    pub fn note_file(&self, message: i32, note: &FileNote) -> ToolResult<()> {
        let value = serde_json::to_string(note).map_err(|e| ToolError::internal(e.to_string()))?;
        self.file
            .execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?)",
                params![message, value],
            )
            .map(drop)
            .map_err(|e| self.failed(&e))
    }

    /// What became of a message's file, if it has been asked for by this version.
    pub fn file(&self, message: i32) -> ToolResult<Option<FileNote>> {
        let text: Option<String> = self
            .file
            .query_row("SELECT value FROM files WHERE message = ?", [message], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|e| self.failed(&e))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// A message, without the people in it.
    pub fn message(&self, id: i32) -> ToolResult<Option<Message>> {
        let value: Option<Vec<u8>> = self
            .file
            .query_row("SELECT value FROM messages WHERE id = ?", [id], |row| row.get(0))
            .optional()
            .map_err(|e| self.failed(&e))?;
        value
            .map(|bytes| postcard::from_bytes(&bytes).map_err(|e| self.unread(&e)))
            .transpose()
    }

    /// The lowest id it holds.
    pub fn lowest(&self) -> ToolResult<Option<i32>> {
        self.file
            .query_row("SELECT min(id) FROM messages", [], |row| row.get(0))
            .map_err(|e| self.failed(&e))
    }

    /// Notes how far the export is.
    pub fn enter(&mut self, phase: Phase) -> ToolResult<()> {
        if let Some(progress) = self.progress()? {
            let phase = Some(phase);
            self.store(Vec::new(), &Progress { phase, ..progress }, false)?;
        }
        Ok(())
    }

    /// Deletes it.
    pub fn forget(self) -> ToolResult<()> {
        let path = self.path.clone();
        drop(self.file);
        for suffix in ["", "-wal", "-shm"] {
            let file = PathBuf::from(format!("{}{suffix}", path.display()));
            match std::fs::remove_file(&file) {
                Ok(()) => {}
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(ToolError::file("delete", &file, &e)),
            }
        }
        Ok(())
    }
}

/// The people in a message; they are kept once, beside the messages.
fn people_of(message: &Message) -> impl Iterator<Item = &Arc<Peer>> {
    let recent = message
        .recent_reactions
        .iter()
        .filter_map(|recent| recent.from.as_ref());
    let forwarded = message
        .forwarded
        .as_ref()
        .and_then(|forward| forward.from.as_ref());
    message
        .sender
        .iter()
        .chain(forwarded)
        .chain(message.via_bot.as_ref())
        .chain(recent)
}

/// Puts the people back.
fn dress(message: &mut Message, people: &HashMap<MarkedId, Arc<Peer>>) {
    message.sender = message.sender_id.and_then(|id| people.get(&id).cloned());
    message.via_bot = message.via_bot_id.and_then(|id| people.get(&id).cloned());
    if let Some(forward) = &mut message.forwarded {
        forward.from = forward.from_id.and_then(|id| people.get(&id).cloned());
    }
    for recent in &mut message.recent_reactions {
        recent.from = people.get(&recent.from_id).cloned();
    }
}

/// What of a stored message makes it another one: everything but counters, and the download references, which change
/// by themselves.
fn shown(value: &[u8]) -> Option<Message> {
    let mut message: Message = postcard::from_bytes(value).ok()?;
    (message.views, message.forwards, message.replies) = (None, None, None);
    message.reactions.clear();
    message.recent_reactions.clear();
    if let Some(Media::Photo { file: Some(file), .. } | Media::Document { file: Some(file), .. }) =
        &mut message.media
    {
        file.reference.clear();
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: i32, text: &str) -> Message {
        Message {
            id,
            text: text.into(),
            chat: MarkedId(-5),
            ..Message::default()
        }
    }

    fn progress(reached: i32) -> Progress {
        Progress {
            lowest: 1,
            highest: 9,
            reached,
            mark: None,
            began: jiff::Timestamp::UNIX_EPOCH,
            complete: false,
            phase: None,
        }
    }

    #[test]
    fn what_is_stored_comes_back_in_order_and_edits_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archives/a.sqlite3");
        let mut archive = Archive::open(&path).unwrap();
        assert_eq!(archive.progress().unwrap(), None);
        archive
            .store(vec![message(2, "two"), message(1, "one")], &progress(2), false)
            .unwrap();
        drop(archive);
        let mut archive = Archive::open(&path).unwrap();
        assert_eq!(archive.progress().unwrap().unwrap().reached, 2);
        let mut seen = message(2, "two");
        seen.views = Some(7);
        let outcome = archive
            .store(
                vec![seen, message(1, "uno"), message(3, "three")],
                &progress(3),
                true,
            )
            .unwrap();
        assert_eq!(
            outcome,
            [Stored::Same, Stored::Changed, Stored::New],
            "a view is no edit"
        );
        assert_eq!(archive.remove(&[2, 44]).unwrap(), [2]);
        let mut texts = Vec::new();
        archive
            .walk(|message| {
                texts.push(message.text);
                Ok(())
            })
            .unwrap();
        assert_eq!(texts, ["uno", "three"]);
        archive.forget().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn people_are_kept_once_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(&dir.path().join("a.sqlite3")).unwrap();
        let peer = Arc::new(Peer {
            id: MarkedId(111),
            kind: crate::model::ChatKind::User,
            first_name: Some("Alice".into()),
            last_name: None,
            title: None,
            username: None,
            members: None,
            flags: crate::model::PeerFlags::default(),
        });
        let from = |id| Message {
            sender: Some(Arc::clone(&peer)),
            sender_id: Some(peer.id),
            ..message(id, "hi")
        };
        archive.store(vec![from(1), from(2)], &progress(2), true).unwrap();
        let mut names = Vec::new();
        archive
            .walk(|message| {
                names.push(message.sender.and_then(|peer| peer.name()));
                Ok(())
            })
            .unwrap();
        assert_eq!(names, [Some("Alice".to_owned()), Some("Alice".to_owned())]);
    }
}
