//! What a tool says of itself: `--describe`.

use std::{collections::BTreeSet, time::Duration};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

/// Value of `contract` in the description this version writes.
pub const CONTRACT: &str = "onejob.tool.v1";

/// What a run can do to the world outside its own output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Reads files or far sides.
    Reads,
    /// Writes local files.
    WritesFiles,
    /// A person sees it.
    Sends,
    /// Changes something on a far side.
    ChangesRemote,
    /// Deletes something that it did not make.
    Deletes,
    /// Costs money.
    Spends,
}

/// When a run only plans unless `--apply` is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Acts at once; `--dry-run` plans.
    #[default]
    Direct,
    /// Plans unless `--apply` is given.
    PlanFirst,
    /// Depends on the input: several or computed targets plan first, one explicit target acts at once.
    ByInput,
}

/// Timeouts, retries and limits of a tool. All explicit, all overridable in `onejob.toml` and by flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Longest run in seconds; 0 means no limit (long-running tools).
    pub timeout_s: u64,
    /// How failed runs and requests are retried.
    pub retry: RetryPolicy,
    /// Seconds between asking a run to stop and ending it by force.
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
    pub attempts: u32,
    /// First wait in milliseconds; doubles each time, with jitter of 50 to 100 %.
    pub backoff_ms: u64,
    /// Longest wait in milliseconds.
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
    pub capacity: f64,
    /// Tokens that return each second.
    pub per_second: f64,
}

/// An environment variable a tool reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvVar {
    /// Name.
    pub name: String,
    /// What it is for.
    pub help: String,
    /// Whether it is a secret (also looked for in the systemd credentials directory).
    pub secret: bool,
    /// Whether the tool cannot work without it.
    pub required: bool,
}

/// A command line that works; the tests run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// What it shows.
    pub about: String,
    /// Arguments after the program name. Files lie in the tool's `examples/` folder;
    /// `https://site.example` stands for a web site that serves that folder.
    pub args: Vec<String>,
    /// Exit code it ends with.
    pub exit: u8,
}

/// A tool as every face sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// Always [`CONTRACT`].
    pub contract: String,
    /// Name of package and binary.
    pub name: String,
    /// Folder below `bins/`.
    pub family: String,
    /// One line for the catalogue.
    pub summary: String,
    /// Version of the tool.
    pub version: String,
    /// Names under which the replaced scripts were called (module or file names).
    pub replaces: Vec<String>,
    /// Migration wave; 0 means it replaces nothing.
    pub wave: u8,
    /// What a run can do to the world.
    pub effects: BTreeSet<Effect>,
    /// When it only plans.
    pub gate: Gate,
    /// Whether it runs until stopped in at least one of its modes.
    pub long_running: bool,
    /// Timeouts, retries, limits.
    pub policy: Policy,
    /// Environment variables and secrets it reads.
    pub env: Vec<EnvVar>,
    /// Command lines that work.
    pub examples: Vec<Example>,
    /// JSON Schema of the input; filled by the harness.
    pub input_schema: Schema,
    /// JSON Schema of the output; filled by the harness.
    pub output_schema: Schema,
}

impl Definition {
    /// Use the [`definition!`](crate::definition) macro, which takes name, version and summary from the package.
    pub fn new(name: &str, version: &str, summary: &str, family: &str) -> Self {
        Self {
            contract: CONTRACT.to_owned(),
            name: name.to_owned(),
            family: family.to_owned(),
            summary: summary.to_owned(),
            version: version.to_owned(),
            replaces: Vec::new(),
            wave: 0,
            effects: BTreeSet::from([Effect::Reads]),
            gate: Gate::Direct,
            long_running: false,
            policy: Policy::with_timeout(Duration::from_secs(300)),
            env: Vec::new(),
            examples: Vec::new(),
            input_schema: Schema::default(),
            output_schema: Schema::default(),
        }
    }

    /// Scripts it replaces, and the migration wave.
    pub fn replaces(mut self, wave: u8, scripts: &[&str]) -> Self {
        self.wave = wave;
        self.replaces = scripts.iter().map(|&s| s.to_owned()).collect();
        self
    }

    /// What a run can do.
    pub fn effects(mut self, effects: &[Effect]) -> Self {
        self.effects = effects.iter().copied().collect();
        self
    }

    /// When it only plans.
    pub fn gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// Timeouts, retries, limits.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Marks a tool that runs until stopped.
    pub fn long_running(mut self) -> Self {
        self.long_running = true;
        self
    }

    /// Adds an environment variable.
    pub fn env(mut self, name: &str, help: &str) -> Self {
        self.env.push(EnvVar {
            name: name.to_owned(),
            help: help.to_owned(),
            secret: false,
            required: false,
        });
        self
    }

    /// Adds a secret that some of its functions need.
    pub fn secret(mut self, name: &str, help: &str) -> Self {
        self.env.push(EnvVar {
            name: name.to_owned(),
            help: help.to_owned(),
            secret: true,
            required: false,
        });
        self
    }

    /// Adds an example that ends with exit code 0.
    pub fn example(self, about: &str, args: &[&str]) -> Self {
        self.example_exit(0, about, args)
    }

    /// Adds an example that ends with another exit code.
    pub fn example_exit(mut self, exit: u8, about: &str, args: &[&str]) -> Self {
        let args = args.iter().map(|&a| a.to_owned()).collect();
        self.examples.push(Example {
            about: about.to_owned(),
            args,
            exit,
        });
        self
    }

    /// Whether a run has any effect but reading.
    pub fn has_effects(&self) -> bool {
        self.effects.iter().any(|e| *e != Effect::Reads)
    }
}

/// A [`Definition`] with name, version and summary of the calling package: `definition!("marketing")`.
#[macro_export]
macro_rules! definition {
    ($family:literal) => {
        $crate::contract::Definition::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_DESCRIPTION"),
            $family,
        )
    };
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
}
