//! The run log: one row per run of any binary, and the counters behind the metrics.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::database::{database_error, open};
use crate::contract::{ToolResult, Usd};

const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    tool TEXT NOT NULL,
    version TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    pid INTEGER NOT NULL,
    planned INTEGER NOT NULL,           -- 1: dry run or plan
    started_at INTEGER NOT NULL,        -- unix milliseconds
    finished_at INTEGER,
    exit_code INTEGER,
    error_kind TEXT,
    error_code TEXT,
    cost INTEGER NOT NULL DEFAULT 0,    -- nano-dollars
    items INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_tool ON runs (tool, seq);
CREATE INDEX runs_started ON runs (started_at);
",
    // Why the replaced script ran instead of the tool; NULL: the tool itself ran.
    "ALTER TABLE runs ADD COLUMN fallback TEXT;",
];

/// Days for which finished runs are kept.
const KEEP_DAYS: i64 = 90;

/// One run of one binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Position in the log; the key for paging.
    pub seq: i64,
    /// Id of the run.
    pub run_id: String,
    /// Tool name.
    pub tool: String,
    /// Tool version.
    pub version: String,
    /// SHA-256 of the canonical input.
    pub input_hash: String,
    /// Process id.
    pub pid: u32,
    /// Whether it only planned.
    pub planned: bool,
    /// Start.
    pub started_at: Timestamp,
    /// End; absent while it runs, or when it was killed.
    pub finished_at: Option<Timestamp>,
    /// Exit code.
    pub exit_code: Option<u8>,
    /// Kind of the failure.
    pub error_kind: Option<String>,
    /// Code of the failure.
    pub error_code: Option<String>,
    /// Money spent.
    pub cost_usd: Usd,
    /// Why the replaced script ran instead of the tool; absent when the tool itself ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// A run that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    /// Id of the run.
    pub run_id: &'a str,
    /// Tool name.
    pub tool: &'a str,
    /// Tool version.
    pub version: &'a str,
    /// SHA-256 of the canonical input.
    pub input_hash: &'a str,
    /// Its process.
    pub pid: u32,
    /// Whether it only plans.
    pub planned: bool,
    /// Why the replaced script runs instead of the tool.
    pub fallback: Option<&'a str>,
}

/// How often a replaced script stood in for a tool, over the kept run log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FallbackRuns {
    /// Tool name.
    pub tool: String,
    /// Why: `switched` or `binary_missing`.
    pub reason: String,
    /// Runs.
    pub runs: u64,
    /// Start of the newest.
    pub last_at: Timestamp,
}

/// Which runs to list.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only this tool.
    pub tool: Option<String>,
    /// Only runs that did not end with 0.
    pub failed: bool,
    /// Only runs before this `seq` (paging).
    pub before: Option<i64>,
    /// At most so many, newest first.
    pub limit: u32,
}

/// Sums over all kept runs of one tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunTotals {
    /// Runs by result: `ok` or the error kind.
    pub by_result: Vec<(String, u64)>,
    /// Sum of durations in seconds.
    pub seconds: f64,
    /// Items handled.
    pub items: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Money spent.
    pub cost: Usd,
    /// End of the last run that succeeded.
    pub last_success: Option<Timestamp>,
    /// Duration of the newest run in seconds.
    pub last_seconds: f64,
    /// Runs of the replaced script, by reason; part of `by_result` too.
    pub fallbacks: Vec<FallbackRuns>,
}

/// The run log of the host.
#[derive(Debug)]
pub struct Runs {
    connection: Connection,
    path: PathBuf,
}

impl Runs {
    /// Opens `runs.sqlite3` in `dir`.
    pub fn open(dir: &Path) -> ToolResult<Self> {
        let path = dir.join("runs.sqlite3");
        Ok(Self {
            connection: open(&path, MIGRATIONS)?,
            path,
        })
    }

    /// Notes the start of a run.
    pub fn start(&self, run: &NewRun<'_>, at: Timestamp) -> ToolResult<()> {
        self.connection
            .execute(
                "INSERT INTO runs (run_id, tool, version, input_hash, pid, planned, fallback, started_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    run.run_id,
                    run.tool,
                    run.version,
                    run.input_hash,
                    run.pid,
                    run.planned,
                    run.fallback,
                    at.as_millisecond()
                ],
            )
            .map(drop)
            .map_err(|e| database_error(&self.path, &e))
    }

    /// Notes the end of a run. `error` is kind and code.
    pub fn finish(
        &self,
        run_id: &str,
        exit_code: u8,
        error: Option<(&str, &str)>,
        cost: Usd,
        counts: (u64, u64),
        at: Timestamp,
    ) -> ToolResult<()> {
        let old = at.as_millisecond() - KEEP_DAYS * 86_400_000;
        let act = || -> rusqlite::Result<()> {
            self.connection.execute(
                "UPDATE runs SET finished_at = ?, exit_code = ?, error_kind = ?, error_code = ?, cost = ?, items = ?, bytes = ?
                 WHERE run_id = ?",
                params![
                    at.as_millisecond(),
                    exit_code,
                    error.map(|e| e.0),
                    error.map(|e| e.1),
                    cost.nanos(),
                    counts.0 as i64,
                    counts.1 as i64,
                    run_id
                ],
            )?;
            self.connection
                .execute("DELETE FROM runs WHERE started_at < ?", [old])?;
            Ok(())
        };
        act().map_err(|e| database_error(&self.path, &e))
    }

    /// Lists runs, newest first.
    pub fn list(&self, filter: &RunFilter) -> ToolResult<Vec<RunRecord>> {
        let act = || -> rusqlite::Result<Vec<RunRecord>> {
            let mut statement = self.connection.prepare(
                "SELECT seq, run_id, tool, version, input_hash, pid, planned, started_at, finished_at, exit_code, error_kind, error_code, cost,
                        fallback
                 FROM runs WHERE (?1 IS NULL OR tool = ?1) AND (NOT ?2 OR exit_code IS NOT 0) AND seq < ?3
                 ORDER BY seq DESC LIMIT ?4",
            )?;
            let before = filter.before.unwrap_or(i64::MAX);
            let rows =
                statement.query_map(params![filter.tool, filter.failed, before, filter.limit], |row| {
                    let time = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or_default();
                    Ok(RunRecord {
                        seq: row.get(0)?,
                        run_id: row.get(1)?,
                        tool: row.get(2)?,
                        version: row.get(3)?,
                        input_hash: row.get(4)?,
                        pid: row.get(5)?,
                        planned: row.get(6)?,
                        started_at: time(row.get(7)?),
                        finished_at: row.get::<_, Option<i64>>(8)?.map(time),
                        exit_code: row.get(9)?,
                        error_kind: row.get(10)?,
                        error_code: row.get(11)?,
                        cost_usd: Usd::from_nanos(row.get(12)?),
                        fallback: row.get(13)?,
                    })
                })?;
            rows.collect()
        };
        act().map_err(|e| database_error(&self.path, &e))
    }

    /// Sums over the kept runs of one tool.
    pub fn totals(&self, tool: &str) -> ToolResult<RunTotals> {
        let act = || -> rusqlite::Result<RunTotals> {
            let mut totals = RunTotals::default();
            let mut statement = self.connection.prepare(
                "SELECT coalesce(error_kind, 'ok'), count(*) FROM runs WHERE tool = ? AND finished_at IS NOT NULL GROUP BY 1 ORDER BY 1",
            )?;
            for row in statement.query_map([tool], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))? {
                totals.by_result.push(row?);
            }
            self.connection.query_row(
                "SELECT coalesce(sum(finished_at - started_at), 0) / 1000.0, coalesce(sum(items), 0), coalesce(sum(bytes), 0),
                        coalesce(sum(cost), 0), max(iif(exit_code = 0, finished_at, NULL))
                 FROM runs WHERE tool = ? AND finished_at IS NOT NULL",
                [tool],
                |row| {
                    totals.seconds = row.get(0)?;
                    totals.items = row.get::<_, i64>(1)? as u64;
                    totals.bytes = row.get::<_, i64>(2)? as u64;
                    totals.cost = Usd::from_nanos(row.get(3)?);
                    totals.last_success = row.get::<_, Option<i64>>(4)?.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                    Ok(())
                },
            )?;
            totals.last_seconds = self
                .connection
                .query_row(
                    "SELECT (finished_at - started_at) / 1000.0 FROM runs WHERE tool = ? AND finished_at IS NOT NULL ORDER BY seq DESC LIMIT 1",
                    [tool],
                    |row| row.get(0),
                )
                .unwrap_or(0.0);
            totals.fallbacks = self.fallback_rows(Some(tool))?;
            Ok(totals)
        };
        act().map_err(|e| database_error(&self.path, &e))
    }

    /// How often replaced scripts ran instead of tools, by tool and reason.
    pub fn fallbacks(&self) -> ToolResult<Vec<FallbackRuns>> {
        self.fallback_rows(None)
            .map_err(|e| database_error(&self.path, &e))
    }

    fn fallback_rows(&self, tool: Option<&str>) -> rusqlite::Result<Vec<FallbackRuns>> {
        let mut statement = self.connection.prepare(
            "SELECT tool, fallback, count(*), max(started_at) FROM runs
             WHERE fallback IS NOT NULL AND (?1 IS NULL OR tool = ?1) GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([tool], |row| {
            Ok(FallbackRuns {
                tool: row.get(0)?,
                reason: row.get(1)?,
                runs: row.get::<_, i64>(2)? as u64,
                last_at: Timestamp::from_millisecond(row.get(3)?).unwrap_or_default(),
            })
        })?;
        rows.collect()
    }
}

#[cfg(test)]
#[path = "runs_tests.rs"]
mod tests;
