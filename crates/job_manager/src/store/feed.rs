//! The feed of changes over all jobs, and why queued jobs wait.
//!
//! Every change of a job's line gives the job the next position (a trigger of the schema does). The feed after a
//! position is therefore the jobs that changed since, each once, as it is now: it can be read from any position, for as
//! long as the history is kept, and never grows beyond one entry a job.

use std::collections::{BTreeMap, HashMap};

use app_core::contract::ToolResult;
use jiff::Timestamp;
use rusqlite::{Row, params, params_from_iter};

use super::{Store, claim::latest, failed, history, rows};
use crate::{
    id::JobId,
    limits::Limits,
    wire::{FamilySlots, Job, JobFilter, JobLine, KeyInUse, Slots, Waiting, WaitingFor, WaitingJob},
};

/// What a process knows that the store does not.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub limits: Limits,
    /// Whether somebody takes jobs that nobody keeps for himself.
    pub attended: bool,
    pub now: Timestamp,
}

/// What decides whether a queued job may run.
pub(super) struct Queued {
    id: i64,
    family: String,
    key: Option<String>,
    run_after: i64,
    placement: Option<String>,
    slots: i64,
}

/// What runs at the moment.
struct Running {
    slots: u32,
    families: BTreeMap<String, u32>,
    keys: HashMap<String, JobId>,
}

impl Store {
    /// The newest position of the feed.
    pub(crate) fn position(&self) -> ToolResult<i64> {
        self.db
            .prepare_cached("SELECT position FROM feed")
            .and_then(|mut s| s.query_row([], |r| r.get(0)))
            .map_err(|e| failed(&e))
    }

    /// Jobs that changed after a position, in the order of their last change, at most `limit` of them. Each with its
    /// position.
    pub(crate) fn changes(
        &self,
        filter: &JobFilter,
        after: i64,
        limit: u32,
        around: &Surroundings,
    ) -> ToolResult<Vec<(i64, JobLine)>> {
        let (mut conditions, mut values) = history::conditions(filter)?;
        conditions.push("changed > ?".to_owned());
        values.push(after.into());
        values.push(i64::from(limit).into());
        let sql = format!(
            "SELECT {} FROM jobs WHERE {} ORDER BY changed LIMIT ?",
            rows::LINE,
            conditions.join(" AND ")
        );
        let mut statement = self.db.prepare_cached(&sql).map_err(|e| failed(&e))?;
        let found = statement
            .query_map(params_from_iter(values), |row| {
                Ok((row.get("changed")?, rows::line(row)?, queued(row)?))
            })
            .map_err(|e| failed(&e))?;
        let found: Vec<(i64, JobLine, Option<Queued>)> =
            found.collect::<Result<_, _>>().map_err(|e| failed(&e))?;
        let running = self.running()?;
        Ok(found
            .into_iter()
            .map(|(position, mut line, queued)| {
                line.waiting = queued.map(|q| why(&q, &running, around));
                (position, line)
            })
            .collect())
    }

    /// One job in full, with why it waits.
    pub(crate) fn get_with_reason(&self, id: JobId, around: &Surroundings) -> ToolResult<Job> {
        let mut job = self.get(id)?;
        if matches!(job.state, crate::JobState::Queued { .. }) {
            let sql = format!("SELECT {} FROM jobs WHERE id = ?1", rows::LINE);
            let queued = self
                .db
                .prepare_cached(&sql)
                .and_then(|mut s| s.query_row([id.number()], queued))
                .map_err(|e| failed(&e))?;
            let running = self.running()?;
            job.waiting = queued.map(|q| why(&q, &running, around));
        }
        Ok(job)
    }

    /// The lines of a page with why the queued ones wait.
    pub(super) fn with_reasons(
        &self,
        lines: Vec<(JobLine, Option<Queued>)>,
        around: &Surroundings,
    ) -> ToolResult<Vec<JobLine>> {
        let running = if lines.iter().any(|(_, q)| q.is_some()) {
            Some(self.running()?)
        } else {
            None
        };
        Ok(lines
            .into_iter()
            .map(|(mut line, queued)| {
                line.waiting = queued
                    .zip(running.as_ref())
                    .map(|(q, running)| why(&q, running, around));
                line
            })
            .collect())
    }

    /// The next jobs of the queue, in its order, with why they wait.
    pub(crate) fn waiting(&self, limit: u32, around: &Surroundings) -> ToolResult<Vec<WaitingJob>> {
        let sql = format!(
            "SELECT {} FROM jobs WHERE state = 'queued' ORDER BY priority DESC, id LIMIT ?1",
            rows::LINE
        );
        let mut statement = self.db.prepare_cached(&sql).map_err(|e| failed(&e))?;
        let found = statement
            .query_map([limit], |row| Ok((row.get::<_, String>("tool")?, queued(row)?)))
            .map_err(|e| failed(&e))?;
        let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|e| failed(&e))?;
        let running = self.running()?;
        Ok(found
            .into_iter()
            .filter_map(|(tool, queued)| {
                let queued = queued?;
                Some(WaitingJob {
                    id: JobId::from_number(queued.id),
                    tool,
                    waiting: why(&queued, &running, around),
                })
            })
            .collect())
    }

    /// Slots, families and keys in use.
    pub(crate) fn usage(&self, limits: &Limits) -> ToolResult<(Slots, Vec<FamilySlots>, Vec<KeyInUse>)> {
        let running = self.running()?;
        let slots = Slots {
            limit: limits.global,
            used: running.slots,
            free: limits.global.saturating_sub(running.slots),
        };
        let mut families: BTreeMap<&String, FamilySlots> = BTreeMap::new();
        for family in limits.families.keys().chain(running.families.keys()) {
            families.insert(
                family,
                FamilySlots {
                    family: family.clone(),
                    used: running.families.get(family).copied().unwrap_or(0),
                    limit: limits.families.get(family).copied(),
                },
            );
        }
        let mut keys: Vec<KeyInUse> = running
            .keys
            .into_iter()
            .map(|(key, job)| KeyInUse { key, job })
            .collect();
        keys.sort_by(|a, b| a.key.cmp(&b.key));
        Ok((slots, families.into_values().collect(), keys))
    }

    fn running(&self) -> ToolResult<Running> {
        let mut running = Running {
            slots: 0,
            families: BTreeMap::new(),
            keys: HashMap::new(),
        };
        let mut statement = self
            .db
            .prepare_cached("SELECT id, family, concurrency_key, slots FROM jobs WHERE state = 'running'")
            .map_err(|e| failed(&e))?;
        let found = statement
            .query_map(params![], |row| {
                Ok((
                    JobId::from_number(row.get("id")?),
                    row.get::<_, String>("family")?,
                    row.get::<_, Option<String>>("concurrency_key")?,
                    row.get::<_, u32>("slots")?,
                ))
            })
            .map_err(|e| failed(&e))?;
        for entry in found {
            let (id, family, key, slots) = entry.map_err(|e| failed(&e))?;
            running.slots += slots;
            *running.families.entry(family).or_default() += 1;
            running.keys.extend(key.map(|key| (key, id)));
        }
        Ok(running)
    }
}

/// What decides about a row; `None` unless the job is queued.
pub(super) fn queued(row: &Row<'_>) -> rusqlite::Result<Option<Queued>> {
    if row.get::<_, String>("state")? != "queued" {
        return Ok(None);
    }
    Ok(Some(Queued {
        id: row.get("id")?,
        family: row.get("family")?,
        key: row.get("concurrency_key")?,
        run_after: row.get("run_after")?,
        placement: row.get("placement")?,
        slots: row.get("slots")?,
    }))
}

/// Why it waits. Pure; in the order in which a person would ask.
fn why(job: &Queued, running: &Running, around: &Surroundings) -> Waiting {
    let waiting = |reason, detail: String| Waiting { reason, detail };
    let now = around.now.as_millisecond();
    if job.run_after > now && job.run_after <= latest(around.now) {
        let at =
            Timestamp::from_millisecond(job.run_after).map_or_else(|_| String::new(), |at| at.to_string());
        return waiting(WaitingFor::Time, format!("it is tried again at {at}"));
    }
    if job.placement.is_some() {
        return waiting(
            WaitingFor::Owner,
            "the process that queued it keeps it for itself".to_owned(),
        );
    }
    if !around.attended {
        return waiting(WaitingFor::Worker, "no worker runs: start `worker`".to_owned());
    }
    if let Some((key, other)) = job.key.as_ref().and_then(|key| running.keys.get_key_value(key)) {
        return waiting(WaitingFor::Key, format!("job {other} has the key `{key}`"));
    }
    if let Some(limit) = around.limits.families.get(&job.family) {
        let used = running.families.get(&job.family).copied().unwrap_or(0);
        if used >= *limit {
            return waiting(
                WaitingFor::Family,
                format!("{used} of {limit} jobs of family `{}` run", job.family),
            );
        }
    }
    if job.slots > 0 && running.slots >= around.limits.global {
        let (used, limit) = (running.slots, around.limits.global);
        return waiting(WaitingFor::Slot, format!("{used} of {limit} slots are taken"));
    }
    waiting(WaitingFor::Turn, "it is about to begin".to_owned())
}
