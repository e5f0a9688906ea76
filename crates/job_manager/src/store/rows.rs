//! Rows of the table `jobs` as the types of the wire.

use std::collections::BTreeSet;

use app_core::contract::{Artifact, Effect, Policy, Progress, ToolError, ToolResult, Usd};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, types::FromSql};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Store, failed};
use crate::{
    id::JobId,
    state::JobState,
    wire::{Job, JobEvent, JobEventBody, JobLine, Route, RunMode},
};

/// A job as its runner and its end need it.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    pub state: String,
    pub owner: Option<String>,
    pub attempt: u32,
    pub interruptions: u32,
    pub cancel: u8,
    pub started: bool,
    pub policy: Policy,
    pub effects: BTreeSet<Effect>,
    pub mode: RunMode,
    /// Whether it told that something is done.
    pub begun: bool,
}

impl RunRow {
    /// Whether running it again cannot do anything twice: a plan does nothing, and files can be written again.
    pub(crate) fn rerun_safe(&self) -> bool {
        self.mode == RunMode::Plan || rerun_safe(&self.effects)
    }
}

/// Reading and writing files can be done again; all else may have happened already.
pub(crate) fn rerun_safe(effects: &BTreeSet<Effect>) -> bool {
    effects
        .iter()
        .all(|e| matches!(e, Effect::Reads | Effect::WritesFiles))
}

impl Store {
    /// One job in full.
    pub(crate) fn get(&self, id: JobId) -> ToolResult<Job> {
        let mut statement = self
            .db
            .prepare_cached("SELECT * FROM jobs WHERE id = ?1")
            .map_err(|e| failed(&e))?;
        let job = statement
            .query_row([id.number()], job)
            .optional()
            .map_err(|e| failed(&e))?;
        let mut job = job.ok_or_else(|| no_job(id))?;
        job.artifacts = self.artifacts(id)?;
        Ok(job)
    }

    /// What its runner and its end need.
    pub(crate) fn run_row(&self, id: JobId) -> ToolResult<RunRow> {
        let mut statement = self
            .db
            .prepare_cached("SELECT * FROM jobs WHERE id = ?1")
            .map_err(|e| failed(&e))?;
        let row = statement
            .query_row([id.number()], run_row)
            .optional()
            .map_err(|e| failed(&e))?;
        row.ok_or_else(|| no_job(id))
    }

    /// Paths of the secrets that were given with its input and are gone from it.
    pub(crate) fn secret_fields(&self, id: JobId) -> ToolResult<Vec<String>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT secret_fields FROM jobs WHERE id = ?1")
            .map_err(|e| failed(&e))?;
        let fields = statement
            .query_row([id.number()], |r| optional_json_at(r, "secret_fields"))
            .optional()
            .map_err(|e| failed(&e))?;
        fields.map(Option::unwrap_or_default).ok_or_else(|| no_job(id))
    }

    /// Files it made.
    pub(crate) fn artifacts(&self, id: JobId) -> ToolResult<Vec<Artifact>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT body FROM artifacts WHERE job = ?1 ORDER BY number")
            .map_err(|e| failed(&e))?;
        let rows = statement
            .query_map([id.number()], |r| json_at(r, "body"))
            .map_err(|e| failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Its stored events after `seq`, oldest first.
    pub(crate) fn events(&self, id: JobId, after: i64) -> ToolResult<Vec<JobEvent>> {
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT seq, ts, attempt, body FROM events WHERE job = ?1 AND seq > ?2 ORDER BY seq",
            )
            .map_err(|e| failed(&e))?;
        let rows = statement
            .query_map((id.number(), after), |r| {
                let body: JobEventBody = json_at(r, "body")?;
                Ok(JobEvent {
                    v: 1,
                    job: id,
                    seq: r.get("seq")?,
                    ts: time_at(r, "ts")?,
                    attempt: r.get("attempt")?,
                    body,
                })
            })
            .map_err(|e| failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }
}

pub(super) fn no_job(id: JobId) -> ToolError {
    ToolError::not_found(format!("no job `{id}`"))
        .from_source("store")
        .hint("`onejob list` shows the jobs; old ones leave the history by the `keep_` settings")
}

pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: JobId::from_number(row.get("id")?),
        tool: row.get("tool")?,
        family: row.get("family")?,
        version: row.get("version")?,
        input: json_at(row, "input")?,
        input_hash: row.get("input_hash")?,
        mode: word_at(row, "mode")?,
        state: state(row)?,
        attempt: row.get("attempt")?,
        attempts: json_at::<Policy>(row, "policy")?.retry.attempts,
        interruptions: row.get("interruptions")?,
        progress: optional_json_at(row, "progress")?,
        artifacts: Vec::new(),
        cost_usd: Usd::from_nanos(row.get("cost_nanos")?),
        effects: json_at(row, "effects")?,
        requested_by: row.get("requested_by")?,
        priority: row.get("priority")?,
        idempotency_key: row.get("idempotency_key")?,
        concurrency_key: row.get("concurrency_key")?,
        route: word_at::<Route>(row, "route")?,
        retry_of: row.get::<_, Option<i64>>("retry_of")?.map(JobId::from_number),
        plan_of: row.get::<_, Option<i64>>("plan_of")?.map(JobId::from_number),
        working_dir: row.get::<_, Option<String>>("working_dir")?.map(Into::into),
        waiting: None,
    })
}

pub(super) fn line(row: &Row<'_>) -> rusqlite::Result<JobLine> {
    let error: Option<ToolError> = optional_json_at(row, "error")?;
    Ok(JobLine {
        id: JobId::from_number(row.get("id")?),
        tool: row.get("tool")?,
        state: row.get("state")?,
        attempt: row.get("attempt")?,
        queued_at: time_at(row, "queued_at")?,
        started_at: optional_time_at(row, "started_at")?,
        finished_at: optional_time_at(row, "finished_at")?,
        progress: optional_json_at(row, "progress")?,
        error: error.map(|e| e.message),
        requested_by: row.get("requested_by")?,
        family: row.get("family")?,
        mode: word_at(row, "mode")?,
        effects: json_at(row, "effects")?,
        cost_usd: Usd::from_nanos(row.get("cost_nanos")?),
        route: word_at(row, "route")?,
        cancelling: row.get::<_, i64>("cancel")? > 0 && row.get::<_, String>("state")? == "running",
        artifacts: row.get("artifact_count")?,
        retry_of: row.get::<_, Option<i64>>("retry_of")?.map(JobId::from_number),
        waiting: None,
    })
}

/// Columns of [`line`].
pub(super) const LINE: &str = "id, tool, state, attempt, queued_at, started_at, finished_at, progress, error,
  requested_by, family, mode, effects, cost_nanos, route, cancel, artifact_count, retry_of, changed, run_after,
  placement, concurrency_key, slots";

pub(super) fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        state: row.get("state")?,
        owner: row.get("owner")?,
        attempt: row.get("attempt")?,
        interruptions: row.get("interruptions")?,
        cancel: row.get("cancel")?,
        started: row.get::<_, Option<i64>>("started_at")?.is_some(),
        policy: json_at(row, "policy")?,
        effects: json_at(row, "effects")?,
        mode: word_at(row, "mode")?,
        begun: optional_json_at::<Progress>(row, "progress")?.is_some_and(|p| p.done > 0)
            || row.get::<_, i64>("artifact_count")? > 0
            || row.get::<_, i64>("cost_nanos")? > 0,
    })
}

fn state(row: &Row<'_>) -> rusqlite::Result<JobState> {
    let name: String = row.get("state")?;
    let queued_at = time_at(row, "queued_at")?;
    let begun = || optional_time_at(row, "started_at");
    let started = || time_at(row, "started_at");
    let finished = || time_at(row, "finished_at");
    Ok(match name.as_str() {
        "queued" => {
            let not_before = time_at(row, "run_after")?;
            JobState::Queued {
                queued_at,
                not_before: (not_before > queued_at).then_some(not_before),
            }
        }
        "running" => {
            let cancelling = row.get::<_, i64>("cancel")? > 0;
            JobState::Running {
                queued_at,
                started_at: started()?,
                pid: row.get("pid")?,
                cancelling,
            }
        }
        "succeeded" => {
            let output = optional_json_at(row, "output")?.unwrap_or_default();
            JobState::Succeeded {
                queued_at,
                started_at: started()?,
                finished_at: finished()?,
                output,
            }
        }
        "cancelled" => {
            let forced = row.get("forced")?;
            JobState::Cancelled {
                queued_at,
                started_at: begun()?,
                finished_at: finished()?,
                forced,
            }
        }
        "waiting" => {
            let error = json_at(row, "error")?;
            JobState::Waiting {
                queued_at,
                started_at: started()?,
                finished_at: finished()?,
                error,
            }
        }
        "timed_out" => {
            let error = json_at(row, "error")?;
            JobState::TimedOut {
                queued_at,
                started_at: started()?,
                finished_at: finished()?,
                error,
            }
        }
        _ => {
            let error = json_at(row, "error")?;
            JobState::Failed {
                queued_at,
                started_at: begun()?,
                finished_at: finished()?,
                error,
            }
        }
    })
}

fn conversion(column: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        0,
        rusqlite::types::Type::Text,
        format!("column `{column}`: {}", cause.into()).into(),
    )
}

pub(super) fn json_at<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| conversion(column, e))
}

pub(super) fn optional_json_at<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|t| serde_json::from_str(&t))
        .transpose()
        .map_err(|e| conversion(column, e))
}

/// An enum of unit variants, stored by its bare name.
pub(super) fn word_at<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    serde_json::from_value(Value::String(word)).map_err(|e| conversion(column, e))
}

/// The bare name of an enum of unit variants ([`Route`], [`RunMode`]).
pub(super) fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => RunMode::default_word(),
    }
}

impl RunMode {
    fn default_word() -> String {
        "default".to_owned()
    }
}

fn optional_time_at(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let ms: Option<i64> = at(row, column)?;
    ms.map(Timestamp::from_millisecond)
        .transpose()
        .map_err(|e| conversion(column, e))
}

pub(super) fn time_at(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    optional_time_at(row, column)?.ok_or_else(|| conversion(column, "has no time"))
}

fn at<T: FromSql>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    row.get(column)
}
