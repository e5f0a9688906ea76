//! Opening and migrating a SQLite file of the state directory.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode};

use super::private;
use crate::contract::{ErrorKind, ToolError, ToolResult};

/// Opens (and creates) the file with write-ahead logging and brings it to the newest version.
///
/// `migrations` are SQL scripts in order; the file's `user_version` counts those applied. A file of a newer
/// version is refused, never touched.
pub fn open(path: &Path, migrations: &[&str]) -> ToolResult<Connection> {
    if let Some(dir) = path.parent() {
        private::folder(dir)?;
    }
    // SQLite gives its journal the rights of the file itself.
    private::file(path).map_err(|error| ToolError::file("open", path, &error))?;
    let mut connection = Connection::open(path).map_err(|e| database_error(path, &e))?;
    let setup = |connection: &Connection| -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_secs(15))?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        // In WAL mode NORMAL loses nothing when a process dies; only a power cut may lose the newest commits.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", "on")
    };
    setup(&connection).map_err(|e| database_error(path, &e))?;
    migrate(&mut connection, migrations).map_err(|e| database_error(path, &e))?;
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|e| database_error(path, &e))?;
    if version > migrations.len() as i64 {
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!("`{}` was written by a newer version of onejob", path.display()),
        )
        .hint("update this binary"));
    }
    Ok(connection)
}

/// Applies the scripts that the file has not seen yet, each in a transaction of its own.
pub fn migrate(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let current: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if current >= migrations.len() as i64 {
        return Ok(());
    }
    // Take the write lock first: two binaries may start on a fresh directory together.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let current: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for script in migrations.iter().skip(current as usize) {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", migrations.len() as i64)?;
    transaction.commit()
}

/// From a SQLite failure to a kind of the contract.
pub fn database_error(path: &Path, error: &rusqlite::Error) -> ToolError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Locked,
        _ => ErrorKind::Io,
    };
    ToolError::new(kind, format!("state file `{}`: {error}", path.display())).from_source("state")
}
