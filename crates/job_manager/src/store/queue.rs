//! The queue: putting jobs in.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use app_core::contract::{Effect, ErrorKind, Policy, ToolError, ToolResult};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value};

use super::{Store, failed, rows};
use crate::{id::JobId, wire::StartRequest};

/// A job to be queued, with everything about its tool that the queue needs.
pub(crate) struct NewJob {
    pub request: StartRequest,
    pub family: String,
    pub version: String,
    /// Secrets that were given in the input, by their paths; the input itself has `***` in their place.
    pub secrets: Map<String, Value>,
    pub input_hash: String,
    pub effects: BTreeSet<Effect>,
    pub policy: Policy,
    pub concurrency_key: Option<String>,
    pub placement: Option<String>,
}
impl Store {
    /// Adds a job, or finds the one with the same idempotency key. `true`: it existed.
    pub(crate) fn enqueue(&mut self, job: &NewJob, now: Timestamp) -> ToolResult<(JobId, bool)> {
        self.write()?;
        let request = &job.request;
        if let Some(id) = self.known_by_key(job)? {
            return Ok((id, true));
        }
        if let Some(plan) = request.plan_of {
            self.plan_unused(plan)?;
        }
        let secrets = if job.secrets.is_empty() {
            None
        } else {
            Some(self.secrets.keep(&job.secrets)?)
        };
        let fields: Vec<&String> = job.secrets.keys().collect();
        let slots = i64::from(job.policy.timeout_s > 0);
        self.db
            .prepare_cached(
                "INSERT INTO jobs (tool, family, version, input, secrets, input_hash, mode, working_dir, effects,
                   policy, requested_by, priority, idempotency_key, concurrency_key, retry_of, placement, slots,
                   state, queued_at, run_after, route, secret_fields, plan_of)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                   'queued', ?18, 0, 'rust', ?19, ?20)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    request.tool,
                    job.family,
                    job.version,
                    request.input.to_string(),
                    secrets,
                    job.input_hash,
                    rows::word(request.mode),
                    request.working_dir.as_ref().map(|p| p.to_string_lossy()),
                    json(&job.effects),
                    json(&job.policy),
                    request.requested_by,
                    request.priority,
                    request.idempotency_key,
                    job.concurrency_key,
                    request.retry_of.map(JobId::number),
                    job.placement,
                    slots,
                    now.as_millisecond(),
                    (!fields.is_empty()).then(|| json(&fields)),
                    request.plan_of.map(JobId::number),
                ])
            })
            .map_err(|e| failed(&e))?;
        Ok((JobId::from_number(self.db.last_insert_rowid()), false))
    }

    /// The job that the same principal queued under the same key, if it is the same in everything; another one under
    /// that key is a conflict.
    fn known_by_key(&self, job: &NewJob) -> ToolResult<Option<JobId>> {
        let request = &job.request;
        let Some(key) = &request.idempotency_key else {
            return Ok(None);
        };
        let known = self
            .db
            .prepare_cached(
                "SELECT id, tool, input_hash, mode, working_dir, plan_of FROM jobs
                 WHERE requested_by = ?1 AND idempotency_key = ?2",
            )
            .and_then(|mut s| s.query_row([&request.requested_by, key], known_job).optional())
            .map_err(|e| failed(&e))?;
        let Some(known) = known else { return Ok(None) };
        let id = JobId::from_number(known.id);
        let own_folder = own_folder(&self.state_dir, id);
        let dir = request.working_dir.as_deref().unwrap_or(&own_folder);
        let same_dir = known
            .working_dir
            .as_deref()
            .is_none_or(|known| Path::new(known) == dir);
        let other = match () {
            () if known.tool != request.tool => "is of another tool",
            () if known.input_hash != job.input_hash => "has another input",
            () if known.mode != rows::word(request.mode) => "has another mode",
            () if !same_dir => "has another working folder",
            () if known.plan_of != request.plan_of.map(JobId::number) => "carries out another plan",
            () => return Ok(Some(id)),
        };
        Err(ToolError::new(
            ErrorKind::Conflict,
            format!("key `{key}` belongs to job `{id}`, which {other}"),
        )
        .field("idempotency_key")
        .from_source("store")
        .hint("use another key, or ask for the same"))
    }

    /// A plan is carried out once.
    fn plan_unused(&self, plan: JobId) -> ToolResult<()> {
        let used: Option<i64> = self
            .db
            .prepare_cached("SELECT id FROM jobs WHERE plan_of = ?1")
            .and_then(|mut s| s.query_row([plan.number()], |r| r.get(0)).optional())
            .map_err(|e| failed(&e))?;
        match used.map(JobId::from_number) {
            None => Ok(()),
            Some(by) => Err(ToolError::new(
                ErrorKind::Conflict,
                format!("the plan of `{plan}` was used by job `{by}` already"),
            )
            .code("plan_used")
            .field("plan_of")
            .from_source("store")
            .hint("plan again, and carry out the new plan")),
        }
    }

    /// Notes the working folder of a job that was given none.
    pub(crate) fn set_working_dir(&mut self, id: JobId, dir: &Path) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached("UPDATE jobs SET working_dir = ?2 WHERE id = ?1")
            .and_then(|mut s| s.execute(params![id.number(), dir.to_string_lossy()]))
            .map(drop)
            .map_err(|e| failed(&e))
    }
}

/// The working folder of a job that was given none.
pub(crate) fn own_folder(state_dir: &Path, id: JobId) -> PathBuf {
    state_dir.join("work").join(id.to_string())
}

/// What decides whether a request is the same as a known one.
struct KnownJob {
    id: i64,
    tool: String,
    input_hash: String,
    mode: String,
    working_dir: Option<String>,
    plan_of: Option<i64>,
}

fn known_job(row: &rusqlite::Row<'_>) -> rusqlite::Result<KnownJob> {
    Ok(KnownJob {
        id: row.get("id")?,
        tool: row.get("tool")?,
        input_hash: row.get("input_hash")?,
        mode: row.get("mode")?,
        working_dir: row.get("working_dir")?,
        plan_of: row.get("plan_of")?,
    })
}

pub(super) fn json(value: &impl serde::Serialize) -> String {
    // Types of the contract: maps with string keys, which always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
