//! Opening and migrating a SQLite file of the state directory.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};

use super::private;
use crate::contract::{ErrorKind, ToolError, ToolResult};

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

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
        write_ahead(connection)?;
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

/// Turns write-ahead logging on, and lets the connection wait for other writers, 15 s at most.
///
/// The first change to it needs the file alone, and SQLite does not wait for that by itself: programs that start on a
/// fresh file together would fail at once. Fails as SQLite fails, with a busy file only after the wait.
pub fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    let begun = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())) {
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            ended => return ended,
        }
    }
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
    let kind = if is_busy(error) {
        ErrorKind::Locked
    } else {
        ErrorKind::Io
    };
    ToolError::new(kind, format!("state file `{}`: {error}", path.display())).from_source("state")
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn many_may_start_on_a_fresh_file_together() {
        for _ in 0..40 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x.sqlite3");
            let gate = Barrier::new(16);
            std::thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| {
                        gate.wait();
                        let opened = open(&path, &["CREATE TABLE t (n INTEGER)"]).unwrap();
                        opened.execute("INSERT INTO t VALUES (1)", []).unwrap();
                    });
                }
            });
            let rows: i64 = open(&path, &["CREATE TABLE t (n INTEGER)"])
                .unwrap()
                .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
                .unwrap();
            assert_eq!(rows, 16);
        }
    }
}
