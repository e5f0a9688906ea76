//! What happens to a job while and after it runs.

use app_core::contract::{Artifact, Progress, ToolError, ToolResult, Usd};
use jiff::Timestamp;
use rusqlite::params;
use serde_json::Value;

use super::{Store, failed, queue::json};
use crate::{
    id::JobId,
    wire::{JobEvent, JobEventBody},
};

/// How a job ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Succeeded(Value),
    Failed(Box<ToolError>),
    /// It stopped to wait for an approval; running it again goes on after that.
    Waiting(Box<ToolError>),
    Cancelled {
        forced: bool,
    },
    TimedOut(Box<ToolError>),
}

impl End {
    pub(crate) const fn state(&self) -> &'static str {
        match self {
            Self::Succeeded(_) => "succeeded",
            Self::Failed(_) => "failed",
            Self::Waiting(_) => "waiting",
            Self::Cancelled { .. } => "cancelled",
            Self::TimedOut(_) => "timed_out",
        }
    }
}

impl Store {
    /// Ends a job that is not over, for ever. Its secrets are forgotten as soon as that is on disk.
    pub(crate) fn finish(&mut self, id: JobId, end: &End, now: Timestamp) -> ToolResult<()> {
        self.write()?;
        let secrets: Option<String> = self
            .db
            .prepare_cached("SELECT secrets FROM jobs WHERE id = ?1")
            .and_then(|mut s| s.query_row([id.number()], |r| r.get(0)))
            .map_err(|e| failed(&e))?;
        self.forget.extend(secrets);
        let (output, error, forced) = match end {
            End::Succeeded(output) => (Some(output.to_string()), None, false),
            End::Failed(error) | End::Waiting(error) | End::TimedOut(error) => {
                (None, Some(json(error)), false)
            }
            End::Cancelled { forced } => (None, None, *forced),
        };
        self.db
            .prepare_cached(
                "UPDATE jobs SET state = ?2, finished_at = ?3, output = ?4, error = ?5, forced = ?6, secrets = NULL
                 WHERE id = ?1 AND state IN ('queued', 'running')",
            )
            .and_then(|mut s| {
                s.execute(params![
                    id.number(),
                    end.state(),
                    now.as_millisecond(),
                    output,
                    error,
                    forced
                ])
            })
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Puts a running job into the queue again, not before a time.
    pub(crate) fn requeue(&mut self, id: JobId, not_before: Timestamp, interrupted: bool) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached(
                "UPDATE jobs SET state = 'queued', run_after = ?2, owner = NULL, pid = NULL, pid_start = NULL,
                   interruptions = interruptions + ?3, placement = CASE WHEN ?3 THEN NULL ELSE placement END
                 WHERE id = ?1 AND state = 'running'",
            )
            .and_then(|mut s| s.execute(params![id.number(), not_before.as_millisecond(), interrupted]))
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Asks for the end of a job that is not over: 1 asks, 2 forces. Never lowers an earlier request.
    pub(crate) fn request_cancel(&mut self, id: JobId, level: u8, by: &str) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached(
                "UPDATE jobs SET cancel = max(cancel, ?2), cancel_by = coalesce(cancel_by, ?3) WHERE id = ?1",
            )
            .and_then(|mut s| s.execute(params![id.number(), level, by]))
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Notes how far it is.
    pub(crate) fn set_progress(&mut self, id: JobId, progress: &Progress) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached("UPDATE jobs SET progress = ?2 WHERE id = ?1")
            .and_then(|mut s| s.execute(params![id.number(), json(progress)]))
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Notes money spent.
    pub(crate) fn add_cost(&mut self, id: JobId, usd: Usd) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached("UPDATE jobs SET cost_nanos = cost_nanos + ?2 WHERE id = ?1")
            .and_then(|mut s| s.execute(params![id.number(), usd.nanos()]))
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Notes a finished file.
    pub(crate) fn add_artifact(&mut self, id: JobId, artifact: &Artifact) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached(
                "INSERT INTO artifacts (job, number, body)
                 VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM artifacts WHERE job = ?1), ?2)",
            )
            .and_then(|mut s| s.execute(params![id.number(), json(artifact)]))
            .map_err(|e| failed(&e))?;
        self.db
            .prepare_cached("UPDATE jobs SET artifact_count = artifact_count + 1 WHERE id = ?1")
            .and_then(|mut s| s.execute([id.number()]))
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Adds an event; its position is above every earlier one and at least `seq`.
    pub(crate) fn add_event(
        &mut self,
        id: JobId,
        seq: i64,
        attempt: u32,
        now: Timestamp,
        body: JobEventBody,
    ) -> ToolResult<JobEvent> {
        self.write()?;
        let text = json(&body);
        let seq: i64 = self
            .db
            .prepare_cached(
                "INSERT INTO events (job, seq, ts, attempt, body)
                 VALUES (?1, max(?2, (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE job = ?1)), ?3, ?4, ?5)
                 RETURNING seq",
            )
            .and_then(|mut s| {
                s.query_row(params![id.number(), seq, now.as_millisecond(), attempt, text], |r| r.get(0))
            })
            .map_err(|e| failed(&e))?;
        Ok(JobEvent {
            v: 1,
            job: id,
            seq,
            ts: now,
            attempt,
            body,
        })
    }

    /// Counts a run of a replaced script.
    pub(crate) fn add_fallback(
        &mut self,
        id: JobId,
        tool: &str,
        reason: &str,
        now: Timestamp,
    ) -> ToolResult<()> {
        self.write()?;
        self.db
            .prepare_cached("INSERT INTO fallbacks (tool, reason, job, at) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut s| s.execute(params![tool, reason, id.number(), now.as_millisecond()]))
            .map(drop)
            .map_err(|e| failed(&e))
    }
}
