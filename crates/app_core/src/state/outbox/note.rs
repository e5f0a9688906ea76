//! What a sender remembers of what it has put in: written in one transaction with the messages, so that a kill between
//! the two neither loses a message nor says one twice.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{NewMessage, Outbox};
use crate::{
    contract::{ErrorKind, ToolError, ToolResult},
    state::database::database_error,
};

impl Outbox {
    /// The note of this name; `None` when there is none.
    ///
    /// Fails with kind `conflict` when it was written by another version.
    pub fn note<T: DeserializeOwned>(&self, name: &str) -> ToolResult<Option<T>> {
        self.read_note(&self.connect()?, name)
    }

    /// Names of all notes that begin so, in order.
    pub fn notes(&self, prefix: &str) -> ToolResult<Vec<String>> {
        let connection = self.connect()?;
        let fail = |e: rusqlite::Error| database_error(&self.path, &e);
        let mut statement = connection
            .prepare(
                "SELECT name FROM notes WHERE outbox = ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name",
            )
            .map_err(fail)?;
        let found = statement
            .query_map([&self.name, prefix], |r| r.get(0))
            .map_err(fail)?;
        found.collect::<Result<_, _>>().map_err(fail)
    }

    /// Changes a note and puts messages in, both or neither. `decide` sees the note as it is while nobody else can change
    /// it, and returns the new one with the messages. A message whose key is known already stays as it was.
    ///
    /// Returns how many messages were new. Fails as `decide` does; then nothing has changed.
    pub fn decide<T: DeserializeOwned + Serialize>(
        &self,
        name: &str,
        now: Timestamp,
        decide: impl FnOnce(Option<T>) -> ToolResult<(T, Vec<OwnedMessage>)>,
    ) -> ToolResult<usize> {
        self.write(|tx| {
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let (note, messages) = decide(self.read_note(tx, name)?)?;
            let text = serde_json::to_string(&note)
                .map_err(|e| ToolError::internal(format!("note `{name}`: {e}")).from_source("outbox"))?;
            tx.execute(
                "INSERT INTO notes VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3",
                params![self.name, name, text],
            )
            .map_err(fail)?;
            let mut new = 0;
            for message in &messages {
                if self.one(tx, "key = ?2", &message.key)?.is_none() {
                    self.insert(
                        tx,
                        &NewMessage {
                            key: &message.key,
                            lane: &message.lane,
                            body: &message.body,
                            not_before: None,
                        },
                        now,
                    )?;
                    new += 1;
                }
            }
            Ok(new)
        })
    }

    fn read_note<T: DeserializeOwned>(&self, connection: &Connection, name: &str) -> ToolResult<Option<T>> {
        let text: Option<String> = connection
            .query_row(
                "SELECT value FROM notes WHERE outbox = ?1 AND name = ?2",
                [&self.name, name],
                |r| r.get(0),
            )
            .optional()
            .map_err(|e| database_error(&self.path, &e))?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|error| {
                ToolError::new(
                    ErrorKind::Conflict,
                    format!("the note `{name}` was written by another version: {error}"),
                )
                .from_source("outbox")
            })
        })
        .transpose()
    }
}

/// A message to be put in together with a note.
#[derive(Clone, Debug)]
pub struct OwnedMessage {
    /// Names the message within its outbox.
    pub key: String,
    /// What shares a pace with it.
    pub lane: String,
    /// What whoever sends it needs, without secrets.
    pub body: serde_json::Value,
}
