//! What a runner reports, and what becomes of a job when an attempt is over.

use std::time::Duration;

use app_core::contract::{ErrorKind, ToolError, ToolResult};

use super::Actor;
use crate::{
    executor::{Outcome, Report, Why},
    id::JobId,
    state::timeout_error,
    store::{End, LONGEST_WAIT, RunRow},
    wire::JobEventBody,
};

/// Code of an error that means: waiting for somebody's approval, not failed.
const WAITING: &str = "waiting_for_approval";

/// What becomes of a job.
#[derive(Debug)]
pub(super) enum Next {
    End(End),
    /// Another attempt, because this one failed.
    Retry(Box<ToolError>, Duration),
    /// Back to the queue, because the manager ended under it.
    Requeue(String),
}

impl Actor {
    /// Takes a report in.
    pub(super) fn heed(&mut self, report: &Report) -> ToolResult<()> {
        match report {
            Report::Child {
                id,
                attempt,
                pid,
                start,
                route,
            } => {
                self.store.set_pid(*id, &self.owner.name, *pid, *start, *route)?;
                self.tell(
                    *id,
                    *attempt,
                    JobEventBody::Running {
                        route: *route,
                        pid: *pid,
                    },
                )?;
                // A request to stop may have come between the claim and the process.
                self.look_for_cancels = true;
            }
            Report::Fallback { id, tool, reason } => {
                self.store
                    .add_fallback(*id, tool, reason, app_core::Clock::System.now())?;
            }
            Report::Event { id, attempt, body } => match body {
                JobEventBody::Progress(progress) => self.progressed(*id, *attempt, progress),
                JobEventBody::Artifact(artifact) => {
                    self.store.add_artifact(*id, artifact)?;
                    self.tell(*id, *attempt, body.clone())?;
                }
                JobEventBody::Cost { usd, .. } => {
                    self.store.add_cost(*id, *usd)?;
                    self.tell(*id, *attempt, body.clone())?;
                }
                other => self.tell(*id, *attempt, other.clone())?,
            },
            Report::Ended {
                id,
                attempt,
                outcome,
                progress,
            } => {
                if let Some(progress) = progress {
                    self.store.set_progress(*id, progress)?;
                }
                if let Some(live) = self.live.get_mut(id) {
                    live.progress = None;
                }
                let row = self.store.run_row(*id)?;
                let ours = row.owner.as_ref() == Some(&self.owner.name);
                if row.state != "running" || row.attempt != *attempt || !ours {
                    return Ok(()); // it was told already
                }
                let next = after_attempt(&row, outcome, self.jobs.max_interruptions, jitter());
                self.settle(*id, &row, next)?;
            }
        }
        Ok(())
    }

    /// Writes down what becomes of a job.
    pub(super) fn settle(&mut self, id: JobId, row: &RunRow, next: Next) -> ToolResult<()> {
        let now = app_core::Clock::System.now();
        match next {
            Next::End(end) => {
                self.store.finish(id, &end, now)?;
                let error = match &end {
                    End::Failed(error) | End::Waiting(error) | End::TimedOut(error) => Some(error.clone()),
                    End::Succeeded(_) | End::Cancelled { .. } => None,
                };
                self.tell(
                    id,
                    row.attempt,
                    JobEventBody::Ended {
                        state: end.state().to_owned(),
                        error,
                    },
                )
            }
            Next::Retry(error, wait) => {
                let not_before = now.checked_add(wait).unwrap_or(now);
                self.store.requeue(id, not_before, false)?;
                self.tell(id, row.attempt, JobEventBody::Retrying { error, not_before })
            }
            Next::Requeue(reason) => {
                self.store.requeue(id, now, true)?;
                self.tell(id, row.attempt, JobEventBody::Requeued { reason })
            }
        }
    }
}

/// The end of an attempt. Pure.
pub(super) fn after_attempt(row: &RunRow, outcome: &Outcome, max_interruptions: u32, jitter: f64) -> Next {
    let tried = row.attempt.saturating_sub(row.interruptions);
    let may_retry = tried < row.policy.retry.attempts && row.cancel == 0;
    match outcome {
        Outcome::Succeeded(output) => Next::End(End::Succeeded(output.clone())),
        Outcome::Failed(error) => {
            if error.kind == ErrorKind::Partial && error.code == WAITING {
                return Next::End(End::Waiting(error.clone()));
            }
            if error.retryable && may_retry && (row.rerun_safe() || did_nothing(error, row)) {
                // However long a far side asks for: nobody is served by a job that sleeps for years.
                let asked = Duration::from_millis(error.retry_after_ms.unwrap_or(0)).min(LONGEST_WAIT);
                return Next::Retry(error.clone(), row.policy.retry.wait(tried + 1, jitter).max(asked));
            }
            Next::End(End::Failed(error.clone()))
        }
        Outcome::Stopped {
            why: Why::Cancel,
            forced,
        } => Next::End(End::Cancelled { forced: *forced }),
        Outcome::Stopped {
            why: Why::Timeout, ..
        } => {
            let error = Box::new(timeout_error(row.policy.timeout_s as f64));
            // Cut off in the middle: only what can be repeated is repeated.
            if may_retry && row.rerun_safe() {
                return Next::Retry(error, row.policy.retry.wait(tried + 1, jitter));
            }
            Next::End(End::TimedOut(error))
        }
        Outcome::Stopped {
            why: Why::Shutdown,
            forced,
        } => interrupted(row, *forced, "the job manager was stopped", max_interruptions),
    }
}

/// Whether a run that failed has surely had no effect: it was held off, and told of nothing done.
fn did_nothing(error: &ToolError, row: &RunRow) -> bool {
    matches!(error.kind, ErrorKind::Locked | ErrorKind::RateLimited) && !row.begun
}

/// A run that was cut off because its manager ended. Pure.
pub(super) fn interrupted(row: &RunRow, forced: bool, reason: &str, max_interruptions: u32) -> Next {
    if row.cancel > 0 {
        return Next::End(End::Cancelled { forced });
    }
    if row.rerun_safe() && row.interruptions < max_interruptions {
        return Next::Requeue(reason.to_owned());
    }
    let error = ToolError::cancelled().code("interrupted").from_source("job");
    let error = if row.rerun_safe() {
        let mut error = error.hint("see what ends the job manager, then start it again with `onejob retry`");
        error.message = format!("cut off {} times: {reason}", row.interruptions + 1);
        error
    } else {
        let mut error = error.hint("see what it did, then start it again with `onejob retry`");
        error.message = format!("cut off: {reason}; not repeated by itself, since it may have acted already");
        error
    };
    Next::End(End::Failed(Box::new(error)))
}

/// A number between 0 and 1 that differs between processes.
fn jitter() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use app_core::contract::{Effect, Policy};

    use super::*;

    fn row(effects: &[Effect], attempt: u32, interruptions: u32) -> RunRow {
        RunRow {
            state: "running".to_owned(),
            owner: None,
            attempt,
            interruptions,
            cancel: 0,
            started: true,
            policy: Policy::with_timeout(Duration::from_secs(9)),
            effects: effects.iter().copied().collect::<BTreeSet<_>>(),
            mode: crate::wire::RunMode::Default,
            begun: false,
        }
    }

    #[test]
    fn only_retryable_failures_are_tried_again_and_not_for_ever() {
        let busy = Outcome::Failed(Box::new(ToolError::new(ErrorKind::Network, "x")));
        let bug = Outcome::Failed(Box::new(ToolError::internal("x")));
        let reads = [Effect::Reads];
        assert!(matches!(
            after_attempt(&row(&reads, 2, 0), &busy, 5, 0.0),
            Next::Retry(..)
        ));
        assert!(matches!(
            after_attempt(&row(&reads, 3, 0), &busy, 5, 0.0),
            Next::End(End::Failed(_))
        ));
        // An attempt that was cut off does not count against the tool.
        assert!(matches!(
            after_attempt(&row(&reads, 3, 1), &busy, 5, 0.0),
            Next::Retry(..)
        ));
        assert!(matches!(
            after_attempt(&row(&reads, 1, 0), &bug, 5, 0.0),
            Next::End(End::Failed(_))
        ));
    }

    #[test]
    fn the_far_side_may_ask_for_more_time() {
        let error = ToolError::new(ErrorKind::RateLimited, "x").retry_after(Duration::from_secs(77));
        let Next::Retry(_, wait) = after_attempt(&row(&[], 1, 0), &Outcome::Failed(Box::new(error)), 5, 1.0)
        else {
            panic!("no retry")
        };
        assert_eq!(wait, Duration::from_secs(77));
        let error =
            ToolError::new(ErrorKind::RateLimited, "x").retry_after(Duration::from_secs(99_999_999_999));
        let Next::Retry(_, wait) = after_attempt(&row(&[], 1, 0), &Outcome::Failed(Box::new(error)), 5, 1.0)
        else {
            panic!("no retry")
        };
        assert_eq!(wait, LONGEST_WAIT);
    }

    #[test]
    fn a_sender_that_failed_is_repeated_only_where_it_did_nothing() {
        let failed = |kind| Outcome::Failed(Box::new(ToolError::new(kind, "x")));
        let sender = row(&[Effect::Sends], 1, 0);
        let again = |row: &RunRow, kind| matches!(after_attempt(row, &failed(kind), 5, 0.0), Next::Retry(..));
        assert!(!again(&sender, ErrorKind::Network) && !again(&sender, ErrorKind::Timeout));
        assert!(again(&sender, ErrorKind::Locked) && again(&sender, ErrorKind::RateLimited));
        let begun = RunRow {
            begun: true,
            ..sender.clone()
        };
        assert!(!again(&begun, ErrorKind::RateLimited));
        let plan = RunRow {
            mode: crate::wire::RunMode::Plan,
            ..sender
        };
        assert!(again(&plan, ErrorKind::Network));
    }

    #[test]
    fn waiting_for_an_approval_is_no_failure() {
        let error = ToolError::new(ErrorKind::Partial, "x").code("waiting_for_approval");
        let outcome = Outcome::Failed(Box::new(error));
        assert!(matches!(
            after_attempt(&row(&[Effect::Sends], 1, 0), &outcome, 5, 0.0),
            Next::End(End::Waiting(_))
        ));
    }

    #[test]
    fn what_may_have_acted_is_not_repeated() {
        let timeout = Outcome::Stopped {
            why: Why::Timeout,
            forced: true,
        };
        assert!(matches!(
            after_attempt(&row(&[Effect::Reads], 1, 0), &timeout, 5, 0.0),
            Next::Retry(..)
        ));
        assert!(matches!(
            after_attempt(&row(&[Effect::Sends], 1, 0), &timeout, 5, 0.0),
            Next::End(End::TimedOut(_))
        ));
        assert!(matches!(
            interrupted(&row(&[Effect::WritesFiles], 1, 4), true, "x", 5),
            Next::Requeue(_)
        ));
        assert!(matches!(
            interrupted(&row(&[Effect::WritesFiles], 1, 5), true, "x", 5),
            Next::End(_)
        ));
        let Next::End(End::Failed(error)) = interrupted(&row(&[Effect::Spends], 1, 0), true, "x", 5) else {
            panic!("repeated")
        };
        assert_eq!(error.code, "interrupted");
        assert!(error.hint.is_some());
    }
}
