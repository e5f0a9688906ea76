//! Pacing: how often an account may do what, shared by all programs of the host through the ledger.

use app_core::contract::RateBucket;
use app_core::{Context, ToolError, ToolResult};

/// A sort of request with a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pace {
    /// Listing dialogs.
    Dialogs,
    /// Resolving names.
    Resolves,
    /// Reading messages.
    Reads,
    /// Sending messages.
    Sends,
    /// Reacting.
    Reactions,
    /// Deleting.
    Deletes,
    /// Downloading and uploading.
    Files,
    /// Signing in.
    Logins,
}

impl Pace {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Dialogs,
        Self::Resolves,
        Self::Reads,
        Self::Sends,
        Self::Reactions,
        Self::Deletes,
        Self::Files,
        Self::Logins,
    ];

    /// Its name in the ledger and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialogs => "dialogs",
            Self::Resolves => "resolves",
            Self::Reads => "reads",
            Self::Sends => "sends",
            Self::Reactions => "reactions",
            Self::Deletes => "deletes",
            Self::Files => "files",
            Self::Logins => "logins",
        }
    }

    /// Requests at once, and requests a minute after that. Below what has got accounts blocked: sweeps of the dialog
    /// list and mass resolving were answered with waits of 14 to 18 hours.
    const fn default_rate(self) -> (f64, f64) {
        match self {
            Self::Dialogs => (20.0, 10.0),
            Self::Resolves => (10.0, 6.0),
            Self::Sends => (20.0, 30.0),
            Self::Reactions => (30.0, 90.0),
            Self::Deletes => (10.0, 60.0),
            Self::Logins => (20.0, 6.0),
            // The service tells when it has had enough of reading; that is remembered.
            Self::Reads | Self::Files => (1e9, 1e9),
        }
    }

    /// Whether requests are counted one by one.
    pub(crate) const fn counted(self) -> bool {
        !matches!(self, Self::Reads | Self::Files)
    }

    /// The bucket of an account.
    pub(crate) fn bucket(self, ctx: &Context, account: &str) -> ToolResult<RateBucket> {
        let paces = &ctx.config().settings()?.telegram.pace;
        // A misspelt kind must not leave the rate where it was.
        if let Some(unknown) = paces
            .keys()
            .find(|name| Self::ALL.iter().all(|pace| pace.name() != *name))
        {
            let names = Self::ALL.map(Self::name).join(", ");
            return Err(ToolError::config(format!(
                "`telegram.pace.{unknown}` in onejob.toml is not one of {names}"
            ))
            .code("invalid_settings"));
        }
        let (burst, per_minute) = match paces.get(self.name()) {
            Some(rate) => (rate.burst, rate.per_minute),
            None => self.default_rate(),
        };
        Ok(RateBucket {
            name: format!("{account}:{}", self.name()),
            capacity: burst,
            per_second: per_minute / 60.0,
        })
    }

    /// How long `count` more requests take at least once the burst is used up.
    pub fn estimate(self, ctx: &Context, count: usize) -> ToolResult<std::time::Duration> {
        let bucket = self.bucket(ctx, "")?;
        let beyond = (count as f64 - bucket.capacity).max(0.0);
        let seconds = beyond / bucket.per_second;
        Ok(std::time::Duration::try_from_secs_f64(seconds).unwrap_or(std::time::Duration::MAX))
    }
}
