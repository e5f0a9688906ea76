//! What the end of a process means. Pure.

use std::process::ExitStatus;

use app_core::contract::{ErrorKind, ToolError};
use serde_json::Value;

use super::{ended_how, events::Seen};

/// Why a run was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody asked for it.
    Cancel,
    /// It took too long.
    Timeout,
    /// The manager itself ends.
    Shutdown,
}

/// How an attempt went.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Succeeded(Value),
    Failed(Box<ToolError>),
    Stopped { why: Why, forced: bool },
}

/// From what was seen of a run that kept, or broke, the contract.
pub(super) fn of_tool(
    seen: &Seen,
    status: ExitStatus,
    stopped: Option<(Why, bool)>,
    stderr: &str,
) -> Outcome {
    match (&seen.finished, &seen.breach) {
        (Some(Ok(output)), None) if status.success() => Outcome::Succeeded(output.clone()),
        (Some(Err(error)), None) => match (error.kind, stopped) {
            (ErrorKind::Cancelled, Some((why, forced))) => Outcome::Stopped { why, forced },
            // Somebody sent the signal past us.
            (ErrorKind::Cancelled, None) => Outcome::Stopped {
                why: Why::Cancel,
                forced: false,
            },
            _ => Outcome::Failed(error.clone()),
        },
        (finished, breach) => {
            if let Some((why, forced)) = stopped {
                return Outcome::Stopped { why, forced };
            }
            let how = ended_how(status);
            let (code, message) = match (finished, breach) {
                (_, Some(breach)) => ("bad_events", format!("tool broke the contract: {breach} ({how})")),
                (None, None) => (
                    "no_terminal_event",
                    format!("tool ended without a terminal event ({how})"),
                ),
                (Some(_), None) => ("exit_code", format!("tool told success and ended with {how}")),
            };
            Outcome::Failed(Box::new(broken(code, message, stderr)))
        }
    }
}

fn broken(code: &str, message: String, stderr: &str) -> ToolError {
    let mut error = ToolError::internal(message)
        .code(code)
        .from_source("job")
        .hint("`onejob logs ID` shows what it wrote");
    if !stderr.trim().is_empty() {
        error.causes.extend(
            stderr
                .lines()
                .rev()
                .find(|l| !l.trim().is_empty())
                .map(str::to_owned),
        );
        error = error.with("stderr", stderr);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn status(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    fn failure(outcome: Outcome) -> ToolError {
        match outcome {
            Outcome::Failed(error) => *error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_silent_end_is_internal_with_the_last_words() {
        let error = failure(of_tool(
            &Seen::default(),
            ExitStatus::from_raw(11),
            None,
            "a\nboom\n",
        ));
        assert_eq!(
            (error.kind, error.code.as_str()),
            (ErrorKind::Internal, "no_terminal_event")
        );
        assert!(error.message.contains("signal 11"), "{error}");
        assert_eq!(error.causes, ["boom"]);
    }

    #[test]
    fn success_with_a_bad_exit_code_is_not_believed() {
        let seen = Seen {
            finished: Some(Ok(Value::Null)),
            ..Seen::default()
        };
        assert_eq!(failure(of_tool(&seen, status(1), None, "")).code, "exit_code");
        assert!(matches!(
            of_tool(&seen, status(0), None, ""),
            Outcome::Succeeded(_)
        ));
    }

    #[test]
    fn what_was_done_before_the_signal_came_counts() {
        let seen = Seen {
            finished: Some(Ok(Value::from(1))),
            ..Seen::default()
        };
        let stopped = Some((Why::Cancel, false));
        assert!(matches!(
            of_tool(&seen, status(0), stopped, ""),
            Outcome::Succeeded(_)
        ));
        let killed = of_tool(
            &Seen::default(),
            ExitStatus::from_raw(9),
            Some((Why::Timeout, true)),
            "",
        );
        assert!(matches!(
            killed,
            Outcome::Stopped {
                why: Why::Timeout,
                forced: true
            }
        ));
    }
}
