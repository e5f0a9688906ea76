//! The history: pages of jobs, counts, and forgetting.

use app_core::contract::{ToolError, ToolResult};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{params, params_from_iter, types::Value as Sql};

use super::{Store, failed, rows};
use crate::{
    id::JobId,
    state::JobState,
    wire::{FallbackCount, JobPage, ListRequest, Load},
};

/// How long finished jobs stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// Days; 0 keeps all.
    pub days: u32,
    /// Finished jobs at most; 0 keeps all.
    pub count: u32,
}

impl Store {
    /// A page of jobs, newest first, from an index whatever the filter.
    pub(crate) fn list(&self, request: &ListRequest) -> ToolResult<JobPage> {
        if !(1..=1000).contains(&request.limit) {
            return Err(ToolError::invalid("limit", "a page has 1 to 1000 jobs"));
        }
        let mut conditions = Vec::new();
        let mut values: Vec<Sql> = Vec::new();
        if let Some(state) = &request.state {
            if !JobState::NAMES.contains(&state.as_str()) {
                return Err(ToolError::invalid("state", format!("`{state}` is no state"))
                    .hint(format!("states are {}", JobState::NAMES.join(", "))));
            }
            conditions.push("state = ?");
            values.push(state.clone().into());
        }
        if let Some(tool) = &request.tool {
            conditions.push("tool = ?");
            values.push(tool.clone().into());
        }
        if let Some(before) = request.before {
            conditions.push("id < ?");
            values.push(before.number().into());
        }
        let filter = if conditions.is_empty() {
            "1".to_owned()
        } else {
            conditions.join(" AND ")
        };
        values.push(i64::from(request.limit + 1).into());
        let sql = format!(
            "SELECT id, tool, state, attempt, queued_at, started_at, finished_at, progress, error, requested_by
             FROM jobs WHERE {filter} ORDER BY id DESC LIMIT ?"
        );
        let mut statement = self.db.prepare_cached(&sql).map_err(|e| failed(&e))?;
        let found = statement
            .query_map(params_from_iter(values), rows::line)
            .map_err(|e| failed(&e))?;
        let mut jobs = found.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
        let more = jobs.len() > request.limit as usize;
        jobs.truncate(request.limit as usize);
        let next = jobs.last().filter(|_| more).map(|j| j.id);
        Ok(JobPage { jobs, next })
    }

    /// Forgets finished jobs by age and count, at most `at_most` of them. Returns whom.
    pub(crate) fn prune(&mut self, keep: Retention, at_most: u32, now: Timestamp) -> ToolResult<Vec<JobId>> {
        self.write()?;
        let oldest = match keep.days {
            0 => i64::MIN,
            days => (now - SignedDuration::from_hours(i64::from(days) * 24)).as_millisecond(),
        };
        // The finish time below which the jobs beyond the newest `count` lie.
        let surplus: i64 = match keep.count {
            0 => 0,
            count => self
                .db
                .prepare_cached("SELECT max(0, count(*) - ?1) FROM jobs WHERE finished_at IS NOT NULL")
                .and_then(|mut s| s.query_row([count], |r| r.get(0)))
                .map_err(|e| failed(&e))?,
        };
        let mut statement = self
            .db
            .prepare_cached(
                "DELETE FROM jobs WHERE id IN (
                   SELECT id FROM (SELECT id FROM jobs WHERE finished_at < ?1 ORDER BY finished_at LIMIT ?3)
                   UNION
                   SELECT id FROM (SELECT id FROM jobs WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT min(?2, ?3))
                 ) RETURNING id",
            )
            .map_err(|e| failed(&e))?;
        let ids = statement
            .query_map(params![oldest, surplus, at_most], |r| {
                r.get(0).map(JobId::from_number)
            })
            .map_err(|e| failed(&e))?;
        ids.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// How many jobs wait and run.
    pub(crate) fn load(&self) -> ToolResult<Load> {
        let count = |state: &str| -> ToolResult<u64> {
            let count: i64 = self
                .db
                .prepare_cached("SELECT count(*) FROM jobs WHERE state = ?1")
                .and_then(|mut s| s.query_row([state], |r| r.get(0)))
                .map_err(|e| failed(&e))?;
            Ok(count as u64)
        };
        Ok(Load {
            queued: count("queued")?,
            running: count("running")?,
        })
    }

    /// How often replaced scripts ran.
    pub(crate) fn fallbacks(&self) -> ToolResult<Vec<FallbackCount>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT tool, reason, count(*) AS runs, max(at) AS last FROM fallbacks GROUP BY 1, 2 ORDER BY 1, 2")
            .map_err(|e| failed(&e))?;
        let counts = statement
            .query_map([], |r| {
                Ok(FallbackCount {
                    tool: r.get("tool")?,
                    reason: r.get("reason")?,
                    runs: r.get::<_, i64>("runs")? as u64,
                    last_at: rows::time_at(r, "last")?,
                })
            })
            .map_err(|e| failed(&e))?;
        counts.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }
}
