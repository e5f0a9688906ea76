//! The sections of `onejob.toml` that the shared parts read, one type each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Usd;

/// `[budget]`: spending limits. A line left out means no limit of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BudgetSettings {
    /// US dollars per calendar day (UTC).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub daily_usd: Option<Usd>,
    /// US dollars per calendar month (UTC).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub monthly_usd: Option<Usd>,
    /// US dollars within the last `window_hours`.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub window_usd: Option<Usd>,
    /// Length of the sliding window in hours.
    #[schemars(range(min = 1, max = 8_784))]
    pub window_hours: u32,
}

/// The limits of the replaced budget script.
impl Default for BudgetSettings {
    fn default() -> Self {
        Self {
            daily_usd: Some(Usd::from_cents(200)),
            monthly_usd: Some(Usd::from_cents(10_000)),
            window_usd: Some(Usd::from_cents(2_500)),
            window_hours: 5,
        }
    }
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HttpSettings {
    /// Longest request in seconds, from the first byte sent to the last byte read.
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_s: u64,
    /// Largest body that is read, in bytes.
    #[schemars(range(min = 1, max = 4_294_967_296_u64))]
    pub max_bytes: u64,
    /// Whether loopback, private and link-local addresses may be reached. `ONEJOB_ALLOW_PRIVATE=1` allows them for
    /// one run.
    pub allow_private: Option<bool>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            timeout_s: 30,
            max_bytes: 32 << 20,
            allow_private: None,
        }
    }
}

/// `[jobs]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JobsSettings {
    /// Jobs at once; the number of cores if not given.
    #[schemars(range(min = 1, max = 4_096))]
    pub concurrency: Option<u32>,
    /// Jobs at once per family.
    pub families: BTreeMap<String, PositiveCount>,
    /// Whether a replaced script may stand in for a missing or switched tool.
    pub python_fallback_enabled: bool,
    /// Days a finished job stays in the history; 0 keeps all.
    #[schemars(range(max = 36_525))]
    pub keep_days: u32,
    /// Finished jobs kept at most; 0 keeps all.
    pub keep_count: u32,
    /// How often a job may be cut off by the end of its manager before it counts as failed.
    #[schemars(range(max = 1_000))]
    pub max_interruptions: u32,
    /// Bytes of a job's log kept on disk.
    #[schemars(range(min = 4_096, max = 4_294_967_296_u64))]
    pub log_bytes: u64,
    /// Seconds for which a plan can be carried out.
    #[schemars(range(min = 1, max = 604_800))]
    pub plan_max_age_s: u64,
}

impl Default for JobsSettings {
    fn default() -> Self {
        Self {
            concurrency: None,
            families: BTreeMap::new(),
            python_fallback_enabled: true,
            keep_days: 30,
            keep_count: 100_000,
            max_interruptions: 5,
            log_bytes: 4 << 20,
            plan_max_age_s: 900,
        }
    }
}

/// A count that is at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PositiveCount(#[schemars(range(min = 1, max = 4_096))] pub u32);

/// `[migration]`: one of the two must be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MigrationSettings {
    /// Days on which the script and its tool agreed in every run.
    #[schemars(range(min = 1, max = 3_650))]
    pub clean_days: u32,
    /// Runs in which the script and its tool agreed.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub clean_runs: u32,
}

impl Default for MigrationSettings {
    fn default() -> Self {
        Self {
            clean_days: 7,
            clean_runs: 50,
        }
    }
}

/// `[telegram]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TelegramSettings {
    /// Rates of requests by kind: `[telegram.pace.reactions]`. The kinds are those of the Telegram provider.
    pub pace: BTreeMap<String, PaceSettings>,
}

/// A rate of requests: `burst` at once, and `per_minute` a minute after that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaceSettings {
    /// Requests at once.
    #[schemars(range(min = 1, max = 100_000))]
    pub burst: f64,
    /// Requests a minute after that.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 6_000_000))]
    pub per_minute: f64,
}

/// Who answers for a tool: its own binary or the script it replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The tool's binary.
    #[default]
    Rust,
    /// The replaced Python script.
    Legacy,
}

/// `[tools.NAME]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ToolSettings {
    /// `legacy` switches the tool back to its script.
    pub route: Route,
    /// Overrides `jobs.python_fallback_enabled` for this tool.
    pub python_fallback_enabled: Option<bool>,
    /// Its script has had its day and never stands in again; needs clean shadow runs first.
    pub cut_over: bool,
    /// What the tool does not do yet that its script did, beside what the tool says of itself.
    pub known_gaps: Vec<String>,
    /// Overrides parts of the tool's policy: `{ timeout_s = 600, retry = { attempts = 2 } }`.
    pub policy: Map<String, Value>,
    /// Settings of the tool itself; the tool checks them.
    pub settings: Map<String, Value>,
}
