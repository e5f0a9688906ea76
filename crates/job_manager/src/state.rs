//! The state of a job, with its times inside the state that has them.

use app_core::contract::{ErrorKind, ToolError};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `queued -> running -> succeeded | failed | waiting | cancelled | timed_out`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a slot, a key, its time, or a worker.
    Queued {
        /// When it was asked for.
        queued_at: Timestamp,
        /// Not before this time: the wait before a retry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
    },
    /// A process works on it.
    Running {
        /// When it was asked for.
        queued_at: Timestamp,
        /// When this attempt began.
        started_at: Timestamp,
        /// Leader of its process group, once it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
        /// Whether somebody asked to stop it.
        cancelling: bool,
    },
    /// It did what it was asked to.
    Succeeded {
        /// When it was asked for.
        queued_at: Timestamp,
        /// When the last attempt began.
        started_at: Timestamp,
        /// When it ended.
        finished_at: Timestamp,
        /// What the tool returned.
        output: Value,
    },
    /// It did not.
    Failed {
        /// When it was asked for.
        queued_at: Timestamp,
        /// When the last attempt began, if any did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
        /// When it ended.
        finished_at: Timestamp,
        /// Why; with kind `partial` it carries the output.
        error: Box<ToolError>,
    },
    /// It stopped and waits for somebody's approval. This run is over; started again it goes on from there.
    Waiting {
        /// When it was asked for.
        queued_at: Timestamp,
        /// When the last attempt began.
        started_at: Timestamp,
        /// When it stopped.
        finished_at: Timestamp,
        /// What it waits for; it carries the output.
        error: Box<ToolError>,
    },
    /// Somebody stopped it.
    Cancelled {
        /// When it was asked for.
        queued_at: Timestamp,
        /// When the last attempt began, if any did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
        /// When it ended.
        finished_at: Timestamp,
        /// Whether it had to be ended by force.
        forced: bool,
    },
    /// It took longer than its policy allows.
    TimedOut {
        /// When it was asked for.
        queued_at: Timestamp,
        /// When the last attempt began.
        started_at: Timestamp,
        /// When it ended.
        finished_at: Timestamp,
        /// What it was doing.
        error: Box<ToolError>,
    },
}

impl JobState {
    /// Names of the states as they stand on the wire and in the store.
    pub const NAMES: [&'static str; 7] = [
        "queued",
        "running",
        "succeeded",
        "failed",
        "waiting",
        "cancelled",
        "timed_out",
    ];

    /// Name of the state.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Running { .. } => "running",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Waiting { .. } => "waiting",
            Self::Cancelled { .. } => "cancelled",
            Self::TimedOut { .. } => "timed_out",
        }
    }

    /// Whether it is over.
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Queued { .. } | Self::Running { .. })
    }

    /// The failure, for a process that ends like the job: `None` while it runs and when it succeeded.
    pub fn failure(&self) -> Option<ToolError> {
        match self {
            Self::Queued { .. } | Self::Running { .. } | Self::Succeeded { .. } => None,
            Self::Failed { error, .. } | Self::Waiting { error, .. } | Self::TimedOut { error, .. } => {
                Some((**error).clone())
            }
            Self::Cancelled { .. } => Some(ToolError::cancelled().from_source("job")),
        }
    }

    /// Exit code of a process that ends like the job; `None` while it is not over.
    pub fn exit_code(&self) -> Option<u8> {
        self.is_over()
            .then(|| self.failure().map_or(0, |e| exit_code(&e)))
    }
}

/// Exit code of a process that ends with this error: a replaced script keeps its own.
pub fn exit_code(error: &ToolError) -> u8 {
    let own = error
        .context
        .get(crate::fallback::EXIT_CODE)
        .and_then(serde_json::Value::as_u64);
    own.filter(|_| error.source == "legacy")
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(error.kind.exit_code())
}

/// The error of a run that took too long.
pub(crate) fn timeout_error(seconds: f64) -> ToolError {
    ToolError::new(ErrorKind::Timeout, format!("not finished within {seconds} s"))
        .hint("give it more time with `timeout_s` in its policy")
        .from_source("job")
}
