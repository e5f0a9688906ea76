//! User data in SQL: a SQLite file by default, MySQL or MariaDB by address, one schema and the same upserts in both.
//!
//! Rows go in by [`Database::upsert`]: many per statement, one transaction per call, so a page is stored whole or
//! not at all. State of the programs themselves is not kept here; that is `state`.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::sqlite::{SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection};

use app_core::contract::{ErrorKind, ToolError, ToolResult};

mod failure;
mod location;
mod schema;
mod table;
pub mod telegram;
mod upsert;

pub use location::{Location, variables};
pub use table::{Cell, Table};
pub use upsert::{RowFailure, Stored};

use failure::Failure;

/// How long a connection may take, and how long SQLite waits for another writer.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open database.
#[derive(Debug)]
pub struct Database {
    pool: Pool,
    failure: Failure,
}

#[derive(Debug)]
enum Pool {
    Sqlite(SqlitePool),
    MySql(MySqlPool),
}

impl Database {
    /// Connects. A SQLite file and its folder are made when missing; a MySQL database must exist.
    pub async fn open(location: &Location) -> ToolResult<Self> {
        let failure = Failure::new(location);
        let pool = match location {
            Location::Sqlite(path) => {
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    std::fs::create_dir_all(folder).map_err(|e| ToolError::file("create", folder, &e))?;
                }
                private(path)?;
                let options = location
                    .sqlite_options(path)
                    .busy_timeout(PATIENCE)
                    .journal_mode(SqliteJournalMode::Wal);
                // One connection: SQLite has one writer, and a second would only wait for it.
                let pool = SqlitePoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(PATIENCE);
                pool.connect_with(options).await.map(Pool::Sqlite)
            }
            Location::MySql { options, .. } => {
                // The pool tries a refused connection again until its time is over; the first try says why at once.
                let first = tokio::time::timeout(PATIENCE, options.connect()).await;
                let first = first.unwrap_or(Err(sqlx::Error::PoolTimedOut));
                let closed = first.map_err(|error| failure.connecting(&error))?.close().await;
                closed.map_err(|error| failure.connecting(&error))?;
                let pool = MySqlPoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(PATIENCE);
                pool.connect_with((**options).clone()).await.map(Pool::MySql)
            }
        };
        let pool = pool.map_err(|error| failure.connecting(&error))?;
        Ok(Self { pool, failure })
    }

    /// Where the data lie, without a password.
    pub fn label(&self) -> &str {
        self.failure.place()
    }

    /// Lets go of the connection; SQLite folds its log into the file.
    pub async fn close(self) {
        match self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::MySql(pool) => pool.close().await,
        }
    }

    fn failed(&self, doing: &str, error: &sqlx::Error) -> ToolError {
        self.failure.during(doing, error)
    }
}

/// Makes a new file that only its owner may read; one that is there keeps its permissions.
fn private(path: &Path) -> ToolResult<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path);
    made.map(|_| ()).map_err(|e| ToolError::file("open", path, &e))
}

/// A statement of constant text and names, never of user data.
fn statement(sql: String) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(sql)
}

/// Refuses work on nothing: a caller's mistake.
fn nonempty(columns: usize) -> ToolResult<()> {
    if columns == 0 {
        return Err(ToolError::new(ErrorKind::Internal, "a table without columns"));
    }
    Ok(())
}

#[cfg(test)]
mod server_tests;
#[cfg(test)]
mod tests;
