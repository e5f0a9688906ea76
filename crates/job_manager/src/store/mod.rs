//! The queue and the history in one SQLite file.
//!
//! Several processes share it: every change happens in an immediate transaction, and a change of a running job
//! names the process that runs it. Nothing here starts a process or knows the time.

mod claim;
mod clean;
mod feed;
mod finish;
mod history;
mod owned;
mod queue;
mod rows;

use std::{
    collections::HashSet,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use rusqlite::{Connection, OptionalExtension};

use crate::secrets::Secrets;

pub(crate) use claim::{Claim, Claimed, LONGEST_WAIT};
pub(crate) use feed::Surroundings;
pub(crate) use finish::End;
pub(crate) use history::{Retention, check_filter};
pub(crate) use queue::{NewJob, own_folder};
pub(crate) use rows::RunRow;

/// Migrations in order; the position is the version they lead to.
const MIGRATIONS: [&str; 3] = [
    include_str!("v1.sql"),
    include_str!("v2.sql"),
    include_str!("v3.sql"),
];
/// Up to this version inputs were kept with their secrets.
const WITH_SECRETS: usize = 2;

/// An open store.
pub(crate) struct Store {
    db: Connection,
    in_transaction: bool,
    /// Folder of the store.
    state_dir: PathBuf,
    /// Where secrets are, of jobs that are not over.
    secrets: Secrets,
    /// Files of secrets to be forgotten once the transaction is on disk.
    forget: Vec<String>,
}

impl Store {
    /// Opens or creates the file, and brings an older one forward.
    pub(crate) fn open(path: &Path) -> ToolResult<Self> {
        // Inputs and outputs are private.
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|e| ToolError::file("open", path, &e))?;
        let fail = |e: rusqlite::Error| {
            let mut error = failed(&e);
            error.message = format!(
                "cannot open the job store `{}`: {}",
                path.display(),
                error.message
            );
            error
        };
        let db = Connection::open(path).map_err(fail)?;
        app_core::state::database::write_ahead(&db).map_err(fail)?;
        db.busy_timeout(Duration::from_secs(10)).map_err(fail)?;
        // Enough against the death of the process. Claims of jobs with effects are synced, see `claim`.
        db.pragma_update(None, "synchronous", "normal").map_err(fail)?;
        db.pragma_update(None, "foreign_keys", true).map_err(fail)?;
        db.pragma_update(None, "cache_size", -8000).map_err(fail)?;
        db.set_prepared_statement_cache_capacity(64);
        let mut store = Self {
            db,
            in_transaction: false,
            state_dir: path.parent().unwrap_or(Path::new(".")).to_owned(),
            secrets: Secrets::below(path.parent().unwrap_or(Path::new("."))),
            forget: Vec::new(),
        };
        store.migrate().and_then(|()| store.tidy()).map_err(|mut e| {
            e.message = format!("cannot open the job store `{}`: {}", path.display(), e.message);
            e
        })?;
        Ok(store)
    }

    fn migrate(&mut self) -> ToolResult<()> {
        if self.version()? == MIGRATIONS.len() {
            return Ok(());
        }
        self.write()?;
        // Another process may have done it while this one waited for the lock.
        let version = self.version()?;
        if version > MIGRATIONS.len() {
            self.rollback();
            return Err(ToolError::config(format!(
                "it has version {version}, this program knows {}",
                MIGRATIONS.len()
            ))
            .hint("use the newer release that wrote it"));
        }
        for sql in &MIGRATIONS[version..] {
            self.db.execute_batch(sql).map_err(|e| failed(&e))?;
        }
        let secrets = self.secrets.clone();
        let cleaned = (1..=WITH_SECRETS).contains(&version) && self.clean_old_inputs(&secrets)?;
        self.db
            .execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('schema_version', ?1)",
                [MIGRATIONS.len().to_string()],
            )
            .map_err(|e| failed(&e))?;
        if cleaned {
            // Noted in the same transaction: a crash before the file is written anew must not be forgotten.
            self.db
                .execute(
                    "INSERT OR REPLACE INTO meta (key, value) VALUES ('rewrite', '1')",
                    [],
                )
                .map_err(|e| failed(&e))?;
        }
        self.commit()
    }

    /// Finishes what a migration or a crash left over: a file to be written anew, secrets without a job.
    fn tidy(&mut self) -> ToolResult<()> {
        let wanted: bool = self
            .db
            .query_row("SELECT count(*) > 0 FROM meta WHERE key = 'rewrite'", [], |r| {
                r.get(0)
            })
            .map_err(|e| failed(&e))?;
        if wanted {
            match self.rewrite() {
                Ok(()) => {
                    self.db
                        .execute("DELETE FROM meta WHERE key = 'rewrite'", [])
                        .map_err(|e| failed(&e))?;
                }
                // Another process reads: the next opening does it.
                Err(e) => tracing::warn!("old secrets are not yet overwritten in the job store: {e}"),
            }
        }
        if self.secrets.is_empty() {
            return Ok(());
        }
        self.write()?;
        let needed = self.secret_files()?;
        self.secrets.keep_only(&needed);
        self.commit()
    }

    fn secret_files(&self) -> ToolResult<HashSet<String>> {
        let mut statement = self
            .db
            .prepare("SELECT secrets FROM jobs WHERE secrets IS NOT NULL AND state IN ('queued', 'running')")
            .map_err(|e| failed(&e))?;
        let names = statement.query_map([], |r| r.get(0)).map_err(|e| failed(&e))?;
        names.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Version of the schema.
    pub(crate) const fn schema_version() -> u32 {
        MIGRATIONS.len() as u32
    }

    fn version(&self) -> ToolResult<usize> {
        let fresh: bool = self
            .db
            .query_row(
                "SELECT count(*) = 0 FROM sqlite_master WHERE name = 'meta'",
                [],
                |r| r.get(0),
            )
            .map_err(|e| failed(&e))?;
        if fresh {
            return Ok(0);
        }
        let text: Option<String> = self
            .db
            .query_row("SELECT value FROM meta WHERE key = 'schema_version'", [], |r| {
                r.get(0)
            })
            .optional()
            .map_err(|e| failed(&e))?;
        text.and_then(|t| t.parse().ok())
            .ok_or_else(|| ToolError::new(ErrorKind::Io, "it is no job store").from_source("store"))
    }

    /// Begins the transaction of this batch unless it has begun.
    pub(crate) fn write(&mut self) -> ToolResult<()> {
        if !self.in_transaction {
            self.db.execute_batch("BEGIN IMMEDIATE").map_err(|e| failed(&e))?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Ends the transaction, if there is one.
    pub(crate) fn commit(&mut self) -> ToolResult<()> {
        if self.in_transaction {
            if let Err(e) = self.db.execute_batch("COMMIT") {
                self.rollback();
                return Err(failed(&e));
            }
            self.in_transaction = false;
            for file in std::mem::take(&mut self.forget) {
                self.secrets.forget(&file);
            }
        }
        Ok(())
    }

    /// Takes back everything since the last commit.
    pub(crate) fn rollback(&mut self) {
        self.forget.clear();
        if self.in_transaction {
            self.in_transaction = false;
            // SQLite may have rolled back by itself, for example when the disk is full.
            if let Err(e) = self.db.execute_batch("ROLLBACK") {
                tracing::debug!("rollback: {e}");
            }
        }
    }

    /// Waits for the disk at each commit from now on, or no longer. Not inside a transaction.
    fn sync_commits(&self, full: bool) -> ToolResult<()> {
        let level = if full { "full" } else { "normal" };
        self.db
            .pragma_update(None, "synchronous", level)
            .map_err(|e| failed(&e))
    }
}

/// A failure of SQLite in the contract's words.
pub(crate) fn failed(error: &rusqlite::Error) -> ToolError {
    use rusqlite::ErrorCode;
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Locked,
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::PermissionDenied,
        ) => ErrorKind::Io,
        _ => ErrorKind::Internal,
    };
    ToolError::new(kind, error.to_string().to_lowercase()).from_source("store")
}
