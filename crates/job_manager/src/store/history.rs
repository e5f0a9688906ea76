//! The history: pages of jobs, counts, and forgetting.

use std::collections::BTreeMap;

use app_core::contract::{ToolError, ToolResult};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{params, params_from_iter, types::Value as Sql};

use super::{Store, failed, feed, feed::Surroundings, rows};
use crate::{
    id::JobId,
    state::JobState,
    wire::{FallbackCount, JobFilter, JobPage, ListRequest, Load},
};

/// How long finished jobs stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// Days; 0 keeps all.
    pub days: u32,
    /// Finished jobs at most; 0 keeps all.
    pub count: u32,
}

/// Conditions and their values for a filter.
pub(super) fn conditions(filter: &JobFilter) -> ToolResult<(Vec<String>, Vec<Sql>)> {
    let mut conditions = Vec::new();
    let mut values: Vec<Sql> = Vec::new();
    for state in &filter.states {
        if !JobState::NAMES.contains(&state.as_str()) {
            return Err(ToolError::invalid("states", format!("`{state}` is no state"))
                .hint(format!("states are {}", JobState::NAMES.join(", "))));
        }
    }
    for (column, wanted) in [
        ("state", &filter.states),
        ("tool", &filter.tools),
        ("family", &filter.families),
    ] {
        if !wanted.is_empty() {
            let places = vec!["?"; wanted.len()].join(", ");
            conditions.push(format!("{column} IN ({places})"));
            values.extend(wanted.iter().map(|w| Sql::from(w.clone())));
        }
    }
    if let Some(by) = filter.requested_by.as_ref().filter(|by| !by.is_empty()) {
        // A range, so that the index is used; the last character of Unicode ends it.
        conditions.push("requested_by >= ? AND requested_by < ?".to_owned());
        values.extend([Sql::from(by.clone()), format!("{by}\u{10ffff}").into()]);
    }
    if let Some(mode) = filter.mode {
        conditions.push("mode = ?".to_owned());
        values.push(rows::word(mode).into());
    }
    if !filter.effects.is_empty() {
        let places = vec!["?"; filter.effects.len()].join(", ");
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM json_each(jobs.effects) WHERE value IN ({places}))"
        ));
        values.extend(filter.effects.iter().map(|e| Sql::from(rows::word(e))));
    }
    for (condition, at) in [("queued_at >= ?", filter.since), ("queued_at < ?", filter.until)] {
        if let Some(at) = at {
            conditions.push(condition.to_owned());
            values.push(at.as_millisecond().into());
        }
    }
    if let Some(id) = filter.retry_of {
        conditions.push("retry_of = ?".to_owned());
        values.push(id.number().into());
    }
    if let Some(has) = filter.has_artifacts {
        conditions.push(
            if has {
                "artifact_count > 0"
            } else {
                "artifact_count = 0"
            }
            .to_owned(),
        );
    }
    if let Some(text) = filter.text.as_ref().filter(|t| !t.is_empty()) {
        conditions.push(
            "('j' || id = ? OR instr(lower(tool), ?) OR instr(lower(coalesce(error, '')), ?) OR instr(lower(input), ?))"
                .to_owned(),
        );
        let text = text.to_lowercase();
        values.extend([text.clone(), text.clone(), text.clone(), text].map(Sql::from));
    }
    Ok((conditions, values))
}

/// Refuses a filter that cannot be.
pub(crate) fn check_filter(filter: &JobFilter) -> ToolResult<()> {
    conditions(filter).map(drop)
}

fn all_of(conditions: &[String]) -> String {
    if conditions.is_empty() {
        "1".to_owned()
    } else {
        conditions.join(" AND ")
    }
}

impl Store {
    /// A page of jobs, newest first.
    pub(crate) fn list(&self, request: &ListRequest, around: &Surroundings) -> ToolResult<JobPage> {
        if !(1..=1000).contains(&request.limit) {
            return Err(ToolError::invalid("limit", "a page has 1 to 1000 jobs"));
        }
        let (mut conditions, mut values) = conditions(&request.filter)?;
        if let Some(before) = request.before {
            conditions.push("id < ?".to_owned());
            values.push(before.number().into());
        }
        if let Some(after) = request.after {
            conditions.push("id > ?".to_owned());
            values.push(after.number().into());
        }
        // A page of newer jobs is the one just above `after`, so it is read upwards.
        let upwards = request.after.is_some() && request.before.is_none();
        values.push(i64::from(request.limit + 1).into());
        let sql = format!(
            "SELECT {} FROM jobs WHERE {} ORDER BY id {} LIMIT ?",
            rows::LINE,
            all_of(&conditions),
            if upwards { "ASC" } else { "DESC" }
        );
        let mut statement = self.db.prepare_cached(&sql).map_err(|e| failed(&e))?;
        let found = statement
            .query_map(params_from_iter(values), |row| {
                Ok((rows::line(row)?, feed::queued(row)?))
            })
            .map_err(|e| failed(&e))?;
        let mut lines = found.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
        let more = lines.len() > request.limit as usize;
        lines.truncate(request.limit as usize);
        if upwards {
            lines.reverse();
        }
        let jobs = self.with_reasons(lines, around)?;
        // Read upwards, the page came from an older one; read downwards, from a newer one if `before` was given.
        let (older, newer) = if upwards {
            (true, more)
        } else {
            (more, request.before.is_some())
        };
        Ok(JobPage {
            next: jobs.last().filter(|_| older).map(|j| j.id),
            previous: jobs.first().filter(|_| newer).map(|j| j.id),
            counts: if request.counts {
                Some(self.counts(&request.filter)?)
            } else {
                None
            },
            position: self.position()?,
            jobs,
        })
    }

    /// Jobs of each state under a filter, its states left aside.
    fn counts(&self, filter: &JobFilter) -> ToolResult<BTreeMap<String, u64>> {
        let filter = JobFilter {
            states: Vec::new(),
            ..filter.clone()
        };
        let (conditions, values) = conditions(&filter)?;
        let sql = format!(
            "SELECT state, count(*) FROM jobs WHERE {} GROUP BY state",
            all_of(&conditions)
        );
        let mut statement = self.db.prepare_cached(&sql).map_err(|e| failed(&e))?;
        let counts = statement
            .query_map(params_from_iter(values), |r| {
                Ok((r.get(0)?, r.get::<_, i64>(1)? as u64))
            })
            .map_err(|e| failed(&e))?;
        counts.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Forgets finished jobs by age and count, at most `at_most` of them. Returns whom.
    pub(crate) fn prune(&mut self, keep: Retention, at_most: u32, now: Timestamp) -> ToolResult<Vec<JobId>> {
        self.write()?;
        let oldest = match keep.days {
            0 => i64::MIN,
            days => {
                let kept = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
                // Longer ago than time itself: nothing is that old.
                now.checked_sub(kept).map_or(i64::MIN, Timestamp::as_millisecond)
            }
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
