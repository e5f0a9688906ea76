//! Taking jobs out of the queue, under the limits.

use std::{collections::BTreeSet, time::Duration};

use app_core::contract::{Effect, Policy, ToolResult};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::{Store, failed, queue::json, rows};
use crate::{id::JobId, limits::Limits, wire::RunMode};

/// Longest time that a job waits for. A time further away than this was set while the clock was wrong: it is due.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

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

impl Store {
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
}

/// The latest time that a job can wait for, in milliseconds.
pub(super) fn latest(now: Timestamp) -> i64 {
    now.as_millisecond()
        .saturating_add(i64::try_from(LONGEST_WAIT.as_millis()).unwrap_or(i64::MAX))
}
