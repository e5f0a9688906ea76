//! Pacing: how often an account may do what, shared by all programs of the host through the ledger.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

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
    /// Reading messages by their numbers, where many of them follow each other.
    Numbers,
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
    pub const ALL: [Self; 9] = [
        Self::Dialogs,
        Self::Resolves,
        Self::Reads,
        Self::Numbers,
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
            Self::Numbers => "numbers",
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
            // Counted within the program, which has the session for itself; see `Steps`.
            Self::Reads => (10.0, 600.0),
            Self::Numbers => (26.0, 1560.0),
            // The service tells when it has had enough; that is remembered.
            Self::Files => (1e9, 1e9),
        }
    }

    /// Whether requests are counted one by one.
    pub(crate) const fn counted(self) -> bool {
        !matches!(self, Self::Reads | Self::Numbers | Self::Files)
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

    /// How many requests of this sort may be made within how long.
    pub(crate) fn steps(self, ctx: &Context) -> ToolResult<Steps> {
        let bucket = self.bucket(ctx, "")?;
        let steps = Steps::new(bucket.per_second);
        // So near to what the service takes, requests that bunch up on their way would be too many.
        Ok(if self == Self::Numbers {
            steps.even()
        } else {
            steps
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

/// Requests of one program, of which only so many may be made within any stretch of time.
#[derive(Debug)]
pub(crate) struct Steps {
    most: usize,
    within: Duration,
    /// Least time between two.
    gap: Duration,
    made: VecDeque<Instant>,
}

impl Steps {
    fn new(per_second: f64) -> Self {
        // Rates under one a second are counted by the minute.
        let (most, within) = if per_second >= 1.0 {
            (per_second, Duration::from_secs(1))
        } else {
            ((per_second * 60.0).max(1.0), Duration::from_secs(60))
        };
        Self {
            most: most as usize,
            within,
            gap: Duration::ZERO,
            made: VecDeque::new(),
        }
    }

    /// With the same time between all of them.
    fn even(mut self) -> Self {
        self.gap = self.within.div_f64(self.most as f64);
        self
    }

    /// Takes a turn if there is one; else how long until there may be.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Duration> {
        while self
            .made
            .front()
            .is_some_and(|at| now.saturating_duration_since(*at) >= self.within)
        {
            self.made.pop_front();
        }
        let since = self.made.back().map(|last| now.saturating_duration_since(*last));
        if let Some(since) = since.filter(|since| *since < self.gap) {
            return Some((self.gap - since).max(Duration::from_millis(1)));
        }
        if self.made.len() < self.most {
            self.made.push_back(now);
            return None;
        }
        let first = self.made.front().copied().unwrap_or(now);
        Some(
            (self.within)
                .saturating_sub(now.saturating_duration_since(first))
                .max(Duration::from_millis(1)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stretch_of_time_sees_more_requests_than_are_allowed() {
        let begin = Instant::now();
        let mut steps = Steps::new(10.0);
        let (mut now, mut made) = (begin, Vec::new());
        while made.len() < 35 {
            match steps.take(now) {
                None => made.push(now),
                Some(wait) => now += wait,
            }
        }
        for (n, at) in made.iter().enumerate() {
            let within = made[n..]
                .iter()
                .filter(|other| **other - *at < Duration::from_secs(1))
                .count();
            assert!(within <= 10, "{within}");
        }
        assert_eq!((now - begin).as_secs(), 3);
        let mut slow = Steps::new(0.5);
        assert_eq!((0..40).filter(|_| slow.take(begin).is_none()).count(), 30);
    }
}
