//! What a long export or bulk job has done, so that a killed run goes on where it stopped.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};

use super::database::{database_error, open};
use crate::contract::{ToolError, ToolResult};

const MIGRATIONS: &[&str] = &["
CREATE TABLE checkpoints (tool TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tool, key));
CREATE TABLE done_items (tool TEXT NOT NULL, key TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (tool, key, item)) WITHOUT ROWID;
"];

/// The checkpoint of one tool for one job, named by a key the tool chooses (for example the chat id).
#[derive(Debug)]
pub struct Checkpoint {
    connection: Connection,
    path: PathBuf,
    tool: String,
    key: String,
}

impl Checkpoint {
    /// Opens `checkpoints.sqlite3` in `dir`.
    pub fn open(dir: &Path, tool: &str, key: &str) -> ToolResult<Self> {
        let path = dir.join("checkpoints.sqlite3");
        Ok(Self {
            connection: open(&path, MIGRATIONS)?,
            path,
            tool: tool.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The saved value, if there is one.
    pub fn load<T: DeserializeOwned>(&self) -> ToolResult<Option<T>> {
        let text: Option<String> = self
            .connection
            .query_row(
                "SELECT value FROM checkpoints WHERE tool = ? AND key = ?",
                [&self.tool, &self.key],
                |row| row.get(0),
            )
            .optional()
            .map_err(|e| database_error(&self.path, &e))?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|error| {
                ToolError::new(
                    crate::ErrorKind::Conflict,
                    format!(
                        "the checkpoint `{}` was written by another version: {error}",
                        self.key
                    ),
                )
            })
        })
        .transpose()
    }

    /// Saves the value in place of the last one.
    pub fn save(&self, value: &impl Serialize) -> ToolResult<()> {
        let text =
            serde_json::to_string(value).map_err(|e| ToolError::internal(format!("checkpoint: {e}")))?;
        self.connection
            .execute(
                "INSERT INTO checkpoints VALUES (?1, ?2, ?3) ON CONFLICT (tool, key) DO UPDATE SET value = ?3",
                params![self.tool, self.key, text],
            )
            .map(drop)
            .map_err(|e| database_error(&self.path, &e))
    }

    /// Notes that an item is done, so that a later run leaves it alone. Returns whether it was new.
    pub fn mark_done(&self, item: &str) -> ToolResult<bool> {
        self.connection
            .execute(
                "INSERT OR IGNORE INTO done_items VALUES (?, ?, ?)",
                [&self.tool, &self.key, item],
            )
            .map(|rows| rows > 0)
            .map_err(|e| database_error(&self.path, &e))
    }

    /// Whether an item was done by this or an earlier run.
    pub fn is_done(&self, item: &str) -> ToolResult<bool> {
        self.connection
            .query_row(
                "SELECT 1 FROM done_items WHERE tool = ? AND key = ? AND item = ?",
                [self.tool.as_str(), &self.key, item],
                |_| Ok(()),
            )
            .optional()
            .map(|row| row.is_some())
            .map_err(|e| database_error(&self.path, &e))
    }

    /// Forgets everything: the job is complete.
    pub fn clear(&self) -> ToolResult<()> {
        for table in ["checkpoints", "done_items"] {
            self.connection
                .execute(
                    &format!("DELETE FROM {table} WHERE tool = ? AND key = ?"),
                    [&self.tool, &self.key],
                )
                .map_err(|e| database_error(&self.path, &e))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_sees_what_was_done_until_it_is_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let first = Checkpoint::open(dir.path(), "export", "chat 7").unwrap();
        first.save(&42_u32).unwrap();
        assert!(first.mark_done("m1").unwrap());
        drop(first);
        let second = Checkpoint::open(dir.path(), "export", "chat 7").unwrap();
        assert_eq!(second.load::<u32>().unwrap(), Some(42));
        assert!(second.is_done("m1").unwrap() && !second.is_done("m2").unwrap());
        assert!(!second.mark_done("m1").unwrap());
        let other = Checkpoint::open(dir.path(), "export", "chat 8").unwrap();
        assert!(!other.is_done("m1").unwrap());
        second.clear().unwrap();
        assert_eq!(second.load::<u32>().unwrap(), None);
    }
}
