//! What a process has in hand: the jobs that it runs, and those that it keeps for itself.

use std::collections::BTreeSet;

use app_core::contract::{Policy, ToolResult};
use rusqlite::params;

use super::{Store, failed, rows};
use crate::{id::JobId, wire::Route};

/// Process id and its start time, once noted, and the policy of the job.
pub(crate) type RunningProcess = (Option<u32>, Option<u64>, Policy);

impl Store {
    /// Notes the process of a run.
    pub(crate) fn set_pid(
        &mut self,
        id: JobId,
        owner: &str,
        pid: u32,
        start: u64,
        route: Route,
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
