//! Timeouts, retries and limits of a tool, and the one merge with an operator's settings.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::schema::{self, Mistake};

/// Timeouts, retries and limits of a tool. All explicit, all overridable in `onejob.toml` and by flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Longest run in seconds; 0 means no limit (long-running tools).
    #[schemars(range(max = 315_576_000_u64))]
    pub timeout_s: u64,
    /// How failed runs and requests are retried.
    pub retry: RetryPolicy,
    /// Seconds between asking a run to stop and ending it by force.
    #[schemars(range(min = 0, max = 86_400))]
    pub cancel_grace_s: f64,
    /// Runs with the same key never overlap, for example `telegram:{session}`. `{field}` is taken from the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
    /// Rate buckets a run draws on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_buckets: Vec<RateBucket>,
}

impl Policy {
    /// A run of at most `timeout`, three attempts, 5 s of grace.
    pub fn with_timeout(timeout: Duration) -> Self {
        Self {
            timeout_s: timeout.as_secs(),
            retry: RetryPolicy::default(),
            cancel_grace_s: 5.0,
            concurrency_key: None,
            rate_buckets: Vec::new(),
        }
    }

    /// This policy with the parts that an operator's settings name replaced: `{"timeout_s": 600, "retry":
    /// {"attempts": 2}}`. The one merge, used by the tool itself and by whoever runs it.
    ///
    /// Fails with every key that a policy does not have and every value that it cannot have: a misspelt limit must
    /// not pass for the limit it was to set.
    pub fn merged(&self, changes: &Map<String, Value>) -> Result<Self, Vec<Mistake>> {
        if changes.is_empty() {
            return Ok(self.clone());
        }
        let mut merged = serde_json::to_value(self).unwrap_or_default();
        for (key, value) in changes {
            match (merged.get_mut(key), value) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
                (_, value) => merged[key] = value.clone(),
            }
        }
        let mistakes = schema::check(schema::of::<Self>().as_value(), &merged);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        serde_json::from_value(merged).map_err(|error| vec![(String::new(), error.to_string())])
    }

    /// The longest run, or `None` without a limit.
    pub fn timeout(&self) -> Option<Duration> {
        (self.timeout_s > 0).then(|| Duration::from_secs(self.timeout_s))
    }

    /// Time between the request to stop and the end by force.
    pub fn cancel_grace(&self) -> Duration {
        Duration::try_from_secs_f64(self.cancel_grace_s).unwrap_or(Duration::from_secs(5))
    }
}

/// Attempts and waits. Only retryable kinds are retried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetryPolicy {
    /// Attempts in all; 1 means no retry.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// First wait in milliseconds; doubles each time, with jitter of 50 to 100 %.
    #[schemars(range(max = 86_400_000))]
    pub backoff_ms: u64,
    /// Longest wait in milliseconds.
    #[schemars(range(max = 86_400_000))]
    pub max_backoff_ms: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff_ms: 250,
            max_backoff_ms: 10_000,
        }
    }
}

impl RetryPolicy {
    /// No retry.
    pub const NONE: Self = Self {
        attempts: 1,
        backoff_ms: 0,
        max_backoff_ms: 0,
    };

    /// Wait before attempt `attempt` (2 is the first retry), for a `jitter` between 0 and 1.
    pub fn wait(&self, attempt: u32, jitter: f64) -> Duration {
        let doublings = attempt.saturating_sub(2).min(20);
        let full = self
            .backoff_ms
            .saturating_mul(1 << doublings)
            .min(self.max_backoff_ms);
        Duration::from_millis((full as f64 * (0.5 + jitter.clamp(0.0, 1.0) / 2.0)) as u64)
    }
}

/// A rate limit shared by all binaries of the host through the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateBucket {
    /// Name, for example `telegram:{session}:sends`.
    pub name: String,
    /// Tokens the bucket holds when full.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub capacity: f64,
    /// Tokens that return each second.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1_000_000))]
    pub per_second: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_the_limit_with_jitter() {
        let retry = RetryPolicy {
            attempts: 9,
            backoff_ms: 100,
            max_backoff_ms: 350,
        };
        assert_eq!(retry.wait(2, 1.0).as_millis(), 100);
        assert_eq!(retry.wait(3, 1.0).as_millis(), 200);
        assert_eq!(retry.wait(4, 0.0).as_millis(), 175);
    }

    #[test]
    fn a_merge_changes_what_is_named_and_refuses_what_a_policy_cannot_have() {
        let policy = Policy::with_timeout(Duration::from_secs(300));
        let changes = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let merged = policy
            .merged(&changes(r#"{"timeout_s": 600, "retry": {"attempts": 2}}"#))
            .unwrap();
        assert_eq!((merged.timeout_s, merged.retry.attempts), (600, 2));
        assert_eq!(merged.retry.backoff_ms, policy.retry.backoff_ms, "the rest stays");
        for (text, path) in [
            (r#"{"timout_s": 1}"#, "timout_s"),
            (r#"{"timeout_s": 9223372036854775807}"#, "timeout_s"),
            (r#"{"retry": {"attempts": 0}}"#, "retry.attempts"),
            (r#"{"cancel_grace_s": -1}"#, "cancel_grace_s"),
            (r#"{"concurrency": 3}"#, "concurrency"),
        ] {
            let mistakes = policy.merged(&changes(text)).unwrap_err();
            assert_eq!(mistakes[0].0, path, "{text}");
        }
    }
}
