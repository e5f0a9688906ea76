//! Kinds of failure, and the exit code each has.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What class of failure this is. Decides the exit code and whether a retry makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The caller's input is wrong.
    InvalidInput,
    /// Some items failed; the output says which.
    Partial,
    /// A named file, chat, issue or resource does not exist.
    NotFound,
    /// The far side refused the request (4xx, protocol error).
    ProviderRejected,
    /// A bug in the tool, or a panic.
    Internal,
    /// Stopped by a signal or by the job manager.
    Cancelled,
    /// The local file system failed.
    Io,
    /// The far side asks to come back later.
    RateLimited,
    /// Not finished in the time the policy allows.
    Timeout,
    /// The far side could not be reached.
    Network,
    /// Somebody else holds the session, store or lock.
    Locked,
    /// The far side is broken at the moment (5xx).
    ProviderUnavailable,
    /// The ledger refuses the spending.
    BudgetExceeded,
    /// Credentials are missing or wrong on the far side.
    Unauthorised,
    /// A setting, secret or helper program is missing or wrong.
    Config,
    /// The target exists already or has changed.
    Conflict,
}

impl ErrorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 16] = [
        Self::InvalidInput,
        Self::Partial,
        Self::NotFound,
        Self::ProviderRejected,
        Self::Internal,
        Self::Cancelled,
        Self::Io,
        Self::RateLimited,
        Self::Timeout,
        Self::Network,
        Self::Locked,
        Self::ProviderUnavailable,
        Self::BudgetExceeded,
        Self::Unauthorised,
        Self::Config,
        Self::Conflict,
    ];

    /// Exit code of a process that ends with this kind; sysexits(3) where one fits.
    /// `cancelled` is 143 here; the harness answers 130 for SIGINT.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::InvalidInput => 2,
            Self::Partial => 3,
            Self::NotFound => 66,
            Self::ProviderRejected => 69,
            Self::Internal => 70,
            Self::Conflict => 73,
            Self::Io => 74,
            Self::RateLimited
            | Self::Timeout
            | Self::Network
            | Self::Locked
            | Self::ProviderUnavailable
            | Self::BudgetExceeded => 75,
            Self::Unauthorised => 77,
            Self::Config => 78,
            Self::Cancelled => 143,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Timeout | Self::Network | Self::Locked | Self::ProviderUnavailable
        )
    }

    /// The snake_case name used on the wire, in metrics and as the default `code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Partial => "partial",
            Self::NotFound => "not_found",
            Self::ProviderRejected => "provider_rejected",
            Self::Internal => "internal",
            Self::Cancelled => "cancelled",
            Self::Io => "io",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Locked => "locked",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::BudgetExceeded => "budget_exceeded",
            Self::Unauthorised => "unauthorised",
            Self::Config => "config",
            Self::Conflict => "conflict",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
