//! What is remembered between runs: answers, what calls took, and what each server does not understand.
//!
//! One file of the state directory, `llm.sqlite3`, readable by its owner alone: answers hold what people wrote.

use std::path::{Path, PathBuf};

use app_core::{ToolResult, state::database::database_error};
use jiff::{Timestamp, ToSpan};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    call::Usage,
    model::Model,
    tokens::{Learnt, Sample},
    wire::Quirks,
};

/// Most bytes of kept answers; the oldest go first.
const MOST_BYTES: i64 = 256 << 20;

/// Calls that are remembered for each model.
const SAMPLES: u32 = 200;

const MIGRATIONS: &[&str] = &["
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    input INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    output INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    at INTEGER NOT NULL                 -- unix milliseconds
);
CREATE INDEX answers_at ON answers (at);
CREATE INDEX answers_subject ON answers (subject);
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,                -- host and name
    purpose TEXT NOT NULL,
    bytes INTEGER NOT NULL,             -- of the prompt
    input INTEGER NOT NULL,             -- tokens
    output INTEGER NOT NULL
);
CREATE INDEX calls_model ON calls (model, id);
CREATE TABLE learnt (
    endpoint TEXT NOT NULL,             -- base address
    model TEXT NOT NULL,
    quirks TEXT NOT NULL,
    PRIMARY KEY (endpoint, model)
);
"];

/// The open file.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the file in `dir`, and drops answers older than `days`.
    pub(crate) fn open(dir: &Path, days: u32, now: Timestamp) -> ToolResult<Self> {
        let path = dir.join("llm.sqlite3");
        let connection = app_core::state::open(&path, MIGRATIONS)?;
        let store = Self { connection, path };
        let hours = i64::from(days) * 24;
        let oldest = now.saturating_sub(hours.hours()).unwrap_or(Timestamp::MIN);
        store.did(
            store
                .connection
                .execute("DELETE FROM answers WHERE at <= ?", [oldest.as_millisecond()]),
        )?;
        Ok(store)
    }

    fn did<T>(&self, result: rusqlite::Result<T>) -> ToolResult<T> {
        result.map_err(|error| database_error(&self.path, &error))
    }

    /// A kept answer.
    pub(crate) fn answer(&self, key: &str) -> ToolResult<Option<(String, Usage)>> {
        let found = self.connection.query_row(
            "SELECT text, input, cached, output FROM answers WHERE key = ?",
            [key],
            |row| {
                let usage = Usage {
                    input: natural(row, 1)?,
                    cached: natural(row, 2)?,
                    output: natural(row, 3)?,
                    estimated: false,
                };
                Ok((row.get(0)?, usage))
            },
        );
        self.did(found.optional())
    }

    /// Keeps an answer, and makes room for it.
    pub(crate) fn keep(
        &mut self,
        key: &str,
        subject: &str,
        text: &str,
        usage: Usage,
        now: Timestamp,
    ) -> ToolResult<()> {
        let run = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute(
                "INSERT OR REPLACE INTO answers (key, subject, text, input, cached, output, bytes, at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    key,
                    subject,
                    text,
                    whole(usage.input),
                    whole(usage.cached),
                    whole(usage.output),
                    text.len() as i64,
                    now.as_millisecond()
                ],
            )?;
            transaction.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM (
                     SELECT key, sum(bytes) OVER (ORDER BY at DESC, key) AS kept FROM answers) WHERE kept > ?)
                 AND (SELECT sum(bytes) FROM answers) > ?",
                [MOST_BYTES, MOST_BYTES],
            )?;
            transaction.commit()
        };
        run(&mut self.connection).map_err(|error| database_error(&self.path, &error))
    }

    /// Forgets the answers about a subject; answers how many there were.
    pub(crate) fn forget(&self, subject: &str) -> ToolResult<usize> {
        self.did(
            self.connection
                .execute("DELETE FROM answers WHERE subject = ?", [subject]),
        )
    }

    /// Notes what a call took.
    pub(crate) fn note(&self, model: &Model, purpose: &str, sample: Sample) -> ToolResult<()> {
        let name = model_key(model);
        self.did(self.connection.execute(
            "INSERT INTO calls (model, purpose, bytes, input, output) VALUES (?, ?, ?, ?, ?)",
            params![
                name,
                purpose,
                whole(sample.bytes),
                whole(sample.input),
                whole(sample.output)
            ],
        ))?;
        self.did(self.connection.execute(
            "DELETE FROM calls WHERE model = ?1 AND id <=
                 (SELECT id FROM calls WHERE model = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            params![name, SAMPLES],
        ))?;
        Ok(())
    }

    /// What was learnt of a model from its last calls.
    pub(crate) fn learnt(&self, model: &Model) -> ToolResult<Learnt> {
        let read = || -> rusqlite::Result<Learnt> {
            let mut statement = self.connection.prepare_cached(
                "SELECT purpose, bytes, input, output FROM calls WHERE model = ? ORDER BY id",
            )?;
            let rows = statement.query_map([model_key(model)], |row| {
                let sample = Sample {
                    bytes: natural(row, 1)?,
                    input: natural(row, 2)?,
                    output: natural(row, 3)?,
                };
                Ok((row.get::<_, String>(0)?, sample))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>().map(Learnt::of)
        };
        self.did(read())
    }

    /// What is known of a model at its server.
    pub(crate) fn quirks(&self, model: &Model) -> ToolResult<Quirks> {
        let found: rusqlite::Result<String> = self.connection.query_row(
            "SELECT quirks FROM learnt WHERE endpoint = ? AND model = ?",
            [model.base.as_str(), &model.name],
            |row| row.get(0),
        );
        let text = self.did(found.optional())?;
        // What an older version wrote and this one cannot read is learnt anew.
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// Remembers what a model at its server does not understand.
    pub(crate) fn learn(&self, model: &Model, quirks: Quirks) -> ToolResult<()> {
        let text = serde_json::to_string(&quirks).unwrap_or_default();
        self.did(self.connection.execute(
            "INSERT OR REPLACE INTO learnt (endpoint, model, quirks) VALUES (?, ?, ?)",
            [model.base.as_str(), &model.name, &text],
        ))?;
        Ok(())
    }
}

/// A count as SQLite holds it.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn natural(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| count.max(0).unsigned_abs())
}

fn model_key(model: &Model) -> String {
    format!("{} {}", model.host(), model.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_for_their_days_and_forgotten_by_subject() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let mut store = Store::open(dir.path(), 30, now).unwrap();
        store.keep("k", "@club", "text", Usage::default(), now).unwrap();
        store.keep("l", "@other", "text", Usage::default(), now).unwrap();
        assert_eq!(store.forget("@club").unwrap(), 1);
        assert!(store.answer("k").unwrap().is_none());
        let later =
            |day: &str| Store::open(dir.path(), 30, format!("{day}T00:00:00Z").parse().unwrap()).unwrap();
        assert!(later("2026-03-30").answer("l").unwrap().is_some());
        assert!(later("2026-03-31").answer("l").unwrap().is_none());
        let mode = std::fs::metadata(dir.path().join("llm.sqlite3"))
            .unwrap()
            .permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    }
}
