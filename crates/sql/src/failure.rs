//! From the client's failures to the kinds of the contract; the password never comes along.

use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

use super::Location;
use app_core::contract::{ErrorKind, Secret, ToolError};

/// Knows which database failed, and what must not be said about it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    place: String,
    password: Option<Secret>,
    server: bool,
}

impl Failure {
    pub(super) fn new(location: &Location) -> Self {
        Self {
            place: location.label(),
            password: location.password().cloned(),
            server: location.is_server(),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A failure to open it.
    pub(super) fn connecting(&self, error: &Error) -> ToolError {
        let product = if self.server { "MySQL" } else { "the database" };
        let told = self.told(&format!("cannot connect to {product} `{}`", self.place), error);
        match told.kind {
            ErrorKind::Unauthorised => {
                told.hint("check `MYSQL_USER` and `MYSQL_PASSWORD`, or the address in `DATABASE_URL`")
            }
            ErrorKind::Network => {
                told.hint("check that the server runs and that `MYSQL_HOST` and `MYSQL_PORT` are right")
            }
            _ => told,
        }
    }

    /// A failure of a statement.
    pub(super) fn during(&self, doing: &str, error: &Error) -> ToolError {
        self.told(&format!("cannot {doing} in `{}`", self.place), error)
    }

    fn told(&self, what: &str, error: &Error) -> ToolError {
        let kind = kind(error);
        let cause = self.without_password(&cause(error));
        let mut told = ToolError::new(kind, format!("{what}: {cause}"))
            .code(format!("database_{kind}"))
            .from_source("database");
        if kind == ErrorKind::Locked {
            told = told.hint("another program is writing; try again");
        }
        told
    }

    pub(super) fn without_password(&self, text: &str) -> String {
        match self.password.as_ref().map(Secret::reveal) {
            // A very short password would blot out ordinary letters.
            Some(password) if password.len() >= 3 => text.replace(password, "***"),
            _ => text.to_owned(),
        }
    }
}

fn cause(error: &Error) -> String {
    match error {
        Error::Database(error) => error.message().to_owned(),
        Error::PoolTimedOut => "no connection in time".to_owned(),
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::WorkerCrashed | Error::PoolClosed => ErrorKind::Network,
        Error::PoolTimedOut => ErrorKind::Timeout,
        Error::Configuration(_) => ErrorKind::Config,
        Error::Protocol(_) => ErrorKind::ProviderRejected,
        Error::Database(inner) => match inner.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => mysql(error.number()),
            None => sqlite(
                inner
                    .code()
                    .and_then(|code| code.parse::<u32>().ok())
                    .unwrap_or(0),
            ),
        },
        _ => ErrorKind::Internal,
    }
}

/// Server error numbers: <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>.
const fn mysql(number: u16) -> ErrorKind {
    match number {
        // Access denied: to the server, a database, a table, a column, by plugin.
        1044 | 1045 | 1142 | 1143 | 1227 | 1251 | 1698 | 3118 => ErrorKind::Unauthorised,
        // No such database or table; no database chosen.
        1046 | 1049 | 1146 => ErrorKind::Config,
        1205 | 1213 => ErrorKind::Locked,
        1040 | 1053 | 1203 | 1226 => ErrorKind::ProviderUnavailable,
        // Disk or table full.
        1021 | 1114 => ErrorKind::Io,
        _ => ErrorKind::ProviderRejected,
    }
}

/// Primary result codes: <https://www.sqlite.org/rescode.html>.
const fn sqlite(code: u32) -> ErrorKind {
    match code & 0xff {
        5 | 6 => ErrorKind::Locked,
        // Read-only, input/output, corrupt, full, cannot open, not permitted.
        3 | 8 | 10 | 11 | 13 | 14 | 23 => ErrorKind::Io,
        26 => ErrorKind::InvalidInput,
        _ => ErrorKind::ProviderRejected,
    }
}

/// Whether the row itself is to blame, so that its neighbours may still be stored.
pub(super) fn of_the_row(error: &Error) -> bool {
    let Error::Database(inner) = error else {
        return false;
    };
    match inner.try_downcast_ref::<MySqlDatabaseError>() {
        // Too long, out of range, wrong value, duplicate, NULL where none may be, constraint.
        Some(error) => matches!(
            error.number(),
            1048 | 1062 | 1264 | 1292 | 1366 | 1406 | 1451 | 1452 | 3140 | 3819 | 4025
        ),
        None => matches!(
            inner
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .map(|code| code & 0xff),
            Some(18..=20)
        ),
    }
}
