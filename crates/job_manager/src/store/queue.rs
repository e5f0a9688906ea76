//! The queue: putting jobs in, and taking them out under the limits.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::contract::{Effect, ErrorKind, Policy, ToolError, ToolResult};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value};

use super::{Store, failed, rows};
use crate::{
    id::JobId,
    limits::Limits,
    wire::{RunMode, StartRequest},
};

/// Longest time that a job waits for. A time further away than this was set while the clock was wrong: it is due.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

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

/// Who takes jobs, and how many it may.
pub(crate) struct Claim<'a> {
    pub owner: &'a str,
    /// Whether it also takes jobs that nobody keeps for himself.
    pub anybodys: bool,
    pub limits: &'a Limits,
    pub now: Timestamp,
}

/// A job taken from the queue: from now on it runs, and only its owner may change it.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub id: JobId,
    pub tool: String,
    pub input: Value,
    pub mode: RunMode,
    pub working_dir: Option<String>,
    pub policy: Policy,
    pub attempt: u32,
    /// File with the secrets that belong into the input.
    pub secrets: Option<String>,
    /// The job whose plan is carried out.
    pub plan_of: Option<JobId>,
    /// That plan.
    pub plan: Option<Value>,
}

/// The next job that may run. Each of the two forms has its own partial index.
macro_rules! next_job {
    ($slots:literal) => {
        concat!(
            "SELECT id, effects FROM jobs WHERE state = 'queued' ",
            $slots,
            " AND (run_after <= ?1 OR run_after > ?5) AND (placement = ?2 OR (?3 AND placement IS NULL))
              AND family NOT IN (SELECT value FROM json_each(?4))
              AND (concurrency_key IS NULL OR concurrency_key NOT IN
                (SELECT concurrency_key FROM jobs WHERE state = 'running' AND concurrency_key IS NOT NULL))
              ORDER BY priority DESC, id LIMIT 1"
        )
    };
}
const NEXT: &str = next_job!("");
const NEXT_SLOTLESS: &str = next_job!("AND slots = 0");

/// Process id and its start time, once noted, and the policy of the job.
pub(crate) type RunningProcess = (Option<u32>, Option<u64>, Policy);

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

    /// Takes as many jobs as the limits allow. Committed before it returns: only then may a process be started.
    pub(crate) fn claim(&mut self, claim: &Claim<'_>) -> ToolResult<Vec<Claimed>> {
        self.commit()?;
        let mut claimed = Vec::new();
        let Some(first) = self.candidate(claim)? else {
            return Ok(claimed);
        };
        // After a power cut a claim must not be undone if the run may not be repeated.
        let durable = !first.1;
        self.sync_commits(durable)?;
        let result = self.claim_all(claim, durable, &mut claimed);
        if result.is_err() {
            self.rollback();
        }
        self.sync_commits(false)?;
        result.map(|()| claimed)
    }

    fn claim_all(&mut self, claim: &Claim<'_>, durable: bool, claimed: &mut Vec<Claimed>) -> ToolResult<()> {
        self.write()?;
        while let Some((id, safe)) = self.candidate(claim)? {
            if !safe && !durable {
                break; // the next round takes it with a synced commit
            }
            self.db
                .prepare_cached(
                    "UPDATE jobs SET state = 'running', owner = ?2, started_at = ?3, attempt = attempt + 1,
                       pid = NULL, pid_start = NULL, forced = 0 WHERE id = ?1",
                )
                .and_then(|mut s| s.execute(params![id, claim.owner, claim.now.as_millisecond()]))
                .map_err(|e| failed(&e))?;
            let row = self
                .db
                .prepare_cached(
                    "SELECT id, tool, input, mode, working_dir, policy, attempt, secrets, plan_of,
                       (SELECT output -> '$.plan' FROM jobs AS planned WHERE planned.id = jobs.plan_of) AS plan
                     FROM jobs WHERE id = ?1",
                )
                .and_then(|mut s| {
                    s.query_row([id], |r| {
                        Ok(Claimed {
                            id: JobId::from_number(r.get("id")?),
                            tool: r.get("tool")?,
                            input: rows::json_at(r, "input")?,
                            mode: rows::word_at(r, "mode")?,
                            working_dir: r.get("working_dir")?,
                            policy: rows::json_at(r, "policy")?,
                            attempt: r.get("attempt")?,
                            secrets: r.get("secrets")?,
                            plan_of: r.get::<_, Option<i64>>("plan_of")?.map(JobId::from_number),
                            plan: rows::optional_json_at(r, "plan")?,
                        })
                    })
                })
                .map_err(|e| failed(&e))?;
            claimed.push(row);
        }
        self.commit()
    }

    /// The next job that may run, and whether it may be repeated.
    fn candidate(&self, claim: &Claim<'_>) -> ToolResult<Option<(i64, bool)>> {
        let used: i64 = self
            .db
            .prepare_cached("SELECT coalesce(sum(slots), 0) FROM jobs WHERE state = 'running'")
            .and_then(|mut s| s.query_row([], |r| r.get(0)))
            .map_err(|e| failed(&e))?;
        let free = used < i64::from(claim.limits.global);
        let mut full = Vec::new();
        for (family, limit) in &claim.limits.families {
            let used: i64 = self
                .db
                .prepare_cached("SELECT count(*) FROM jobs WHERE state = 'running' AND family = ?1")
                .and_then(|mut s| s.query_row([family], |r| r.get(0)))
                .map_err(|e| failed(&e))?;
            if used >= i64::from(*limit) {
                full.push(family);
            }
        }
        let found: Option<(i64, String)> = self
            .db
            .prepare_cached(if free { NEXT } else { NEXT_SLOTLESS })
            .and_then(|mut s| {
                s.query_row(
                    params![
                        claim.now.as_millisecond(),
                        claim.owner,
                        claim.anybodys,
                        json(&full),
                        latest(claim.now)
                    ],
                    |r| Ok((r.get(0)?, r.get(1)?)),
                )
                .optional()
            })
            .map_err(|e| failed(&e))?;
        Ok(found.map(|(id, effects)| {
            let effects: BTreeSet<Effect> = serde_json::from_str(&effects).unwrap_or_default();
            (id, rows::rerun_safe(&effects))
        }))
    }

    /// When the next job that waits for its time becomes due.
    pub(crate) fn next_due(&self, now: Timestamp) -> ToolResult<Option<Timestamp>> {
        let ms: Option<i64> = self
            .db
            .prepare_cached("SELECT min(run_after) FROM jobs WHERE state = 'queued' AND run_after > ?1 AND run_after <= ?2")
            .and_then(|mut s| s.query_row([now.as_millisecond(), latest(now)], |r| r.get(0)))
            .map_err(|e| failed(&e))?;
        Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    }

    /// Notes the process of a run.
    pub(crate) fn set_pid(
        &mut self,
        id: JobId,
        owner: &str,
        pid: u32,
        start: u64,
        route: crate::wire::Route,
    ) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached("UPDATE jobs SET pid = ?3, pid_start = ?4, route = ?5 WHERE id = ?1 AND owner = ?2 AND state = 'running'")
            .and_then(|mut s| s.execute(params![id.number(), owner, pid, start as i64, rows::word(route)]))
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Running jobs of this owner that somebody asked to stop, with the level asked for.
    pub(crate) fn cancels(&self, owner: &str) -> ToolResult<Vec<(JobId, u8)>> {
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT id, cancel FROM jobs WHERE state = 'running' AND owner = ?1 AND cancel > 0",
            )
            .map_err(|e| failed(&e))?;
        let rows = statement
            .query_map([owner], |r| Ok((JobId::from_number(r.get(0)?), r.get(1)?)))
            .map_err(|e| failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Running jobs of an owner.
    pub(crate) fn running_of(&self, owner: &str) -> ToolResult<Vec<JobId>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT id FROM jobs WHERE state = 'running' AND owner = ?1")
            .map_err(|e| failed(&e))?;
        let rows = statement
            .query_map([owner], |r| r.get(0).map(JobId::from_number))
            .map_err(|e| failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Process, its start time, and policy of each running job of an owner.
    pub(crate) fn running_processes(&self, owner: &str) -> ToolResult<Vec<RunningProcess>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT pid, pid_start, policy FROM jobs WHERE state = 'running' AND owner = ?1")
            .map_err(|e| failed(&e))?;
        let rows = statement
            .query_map([owner], |r| {
                let start: Option<i64> = r.get("pid_start")?;
                Ok((
                    r.get("pid")?,
                    start.map(|s| s as u64),
                    rows::json_at(r, "policy")?,
                ))
            })
            .map_err(|e| failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Owners of running jobs and keepers of queued ones.
    pub(crate) fn owners(&self) -> ToolResult<BTreeSet<String>> {
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT DISTINCT owner FROM jobs WHERE state = 'running' AND owner IS NOT NULL
                 UNION SELECT DISTINCT placement FROM jobs WHERE state = 'queued' AND placement IS NOT NULL",
            )
            .map_err(|e| failed(&e))?;
        let rows = statement.query_map([], |r| r.get(0)).map_err(|e| failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Gives the queued jobs a process kept for itself to any worker.
    pub(crate) fn release(&mut self, owner: &str) -> ToolResult<usize> {
        self.write()?;
        self.db
            .prepare_cached("UPDATE jobs SET placement = NULL WHERE state = 'queued' AND placement = ?1")
            .and_then(|mut s| s.execute([owner]))
            .map_err(|e| failed(&e))
    }
}

/// The latest time that a job can wait for, in milliseconds.
pub(super) fn latest(now: Timestamp) -> i64 {
    now.as_millisecond()
        .saturating_add(i64::try_from(LONGEST_WAIT.as_millis()).unwrap_or(i64::MAX))
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
