//! The file: `memory.db` in the state directory, one for all programs of the host.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{
    ErrorKind, ToolError, ToolResult,
    state::{database::database_error, open},
};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use crate::analysis;

pub(crate) const SCHEMA: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE collections (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  documents INTEGER NOT NULL DEFAULT 0,
  terms INTEGER NOT NULL DEFAULT 0      -- in all its documents
);
CREATE TABLE documents (
  number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, and so always rising in the lists of postings
  collection INTEGER NOT NULL,
  id BLOB NOT NULL,
  document TEXT NOT NULL,
  metadata TEXT NOT NULL,
  event_at INTEGER,                     -- milliseconds since 1970, as all times here
  ingested_at INTEGER NOT NULL,
  source TEXT,
  path TEXT,
  message_id TEXT,
  sha256 TEXT,
  seen INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX documents_by_id ON documents (collection, id);
CREATE TABLE postings (
  collection INTEGER NOT NULL,
  term TEXT NOT NULL,
  first INTEGER NOT NULL,               -- number of the first document of the block
  count INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (collection, term, first)
) WITHOUT ROWID;
";

const MIGRATIONS: &[&str] = &[SCHEMA];

/// The store.
#[derive(Debug)]
pub struct Memory {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

impl Memory {
    /// Opens the store of this state directory, and makes it when it is missing. One that was filled under older rules
    /// of analysis is indexed anew first.
    ///
    /// Fails when the file cannot be used, or was written under newer rules.
    pub fn open(dir: &Path) -> ToolResult<Self> {
        let path = dir.join("memory.db");
        let connection = open(&path, MIGRATIONS)?;
        let mut memory = Self { connection, path };
        memory.sql(|c| {
            // What is deleted is overwritten. The setting is the connection's, so each one makes it.
            c.pragma_update_and_check(None, "secure_delete", "on", |_| Ok(()))?;
            c.pragma_update(None, "cache_size", -32_000)
        })?;
        memory.check_analysis()?;
        Ok(memory)
    }

    /// How long other programs are waited for, 15 s without this.
    pub fn wait_for_others(&self, patience: Duration) -> ToolResult<()> {
        self.sql(|c| c.busy_timeout(patience))
    }

    /// A file without a version is new; an older one is indexed anew; a newer one is left alone.
    fn check_analysis(&mut self) -> ToolResult<()> {
        match self.sql(|c| meta(c, "analysis"))?.map(|text| text.parse::<u32>()) {
            Some(Ok(analysis::VERSION)) => Ok(()),
            None => self.sql(|c| set_meta(c, "analysis", &analysis::VERSION.to_string())),
            Some(Ok(version)) if version > analysis::VERSION => Err(ToolError::new(
                ErrorKind::Conflict,
                format!(
                    "`{}` was filled by a newer version of onejob",
                    self.path.display()
                ),
            )
            .hint("update this binary")),
            Some(_) => self.reindex(|_| Ok(())).map(drop),
        }
    }

    /// A transaction that holds the write lock from the beginning.
    pub(crate) fn write(&mut self) -> ToolResult<Transaction<'_>> {
        let begun = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate);
        begun.map_err(|e| database_error(&self.path, &e))
    }

    pub(crate) fn sql<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> ToolResult<T> {
        act(&self.connection).map_err(|e| database_error(&self.path, &e))
    }
}

pub(crate) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
}

pub(crate) fn set_meta(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [key, value])
        .map(drop)
}
