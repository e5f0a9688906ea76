//! What the subcommands take; the old program's names and short flags are kept.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Check one address; exit code 3 when it is unhealthy.
    Check(#[garde(dive)] Check),
    /// Check all sites of a file once, with alerts; made for timers. Exit code 3 when a site is unhealthy.
    CheckAll(#[garde(dive)] CheckAll),
    /// Check all sites of a file again and again until stopped.
    Watch(#[garde(dive)] Watch),
    /// Write a sample file to start from.
    InitConfig(#[garde(dive)] InitConfig),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Check {
    /// Address.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) url: String,
    /// Seconds to wait for the whole answer.
    #[serde(default = "thirty")]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    #[garde(range(min = 1, max = 3600))]
    pub(crate) timeout: u64,
    /// Condition such as `[STATUS] == 200`, `[RESPONSE_TIME] < 500`, `[BODY].status == UP`.
    #[serde(default)]
    pub(crate) condition: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct CheckAll {
    /// The YAML file with the sites.
    #[schemars(extend("x-cli" = {"short": "c", "path": "file", "exists": true}))]
    pub(crate) config: PathBuf,
    /// Write the results as a JSON list to this file.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub(crate) output: Option<PathBuf>,
    /// Write `site_monitor_sites.prom` for the node exporter into this folder.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "dir", "env": "ONEJOB_METRICS_DIR"}))]
    pub(crate) metrics_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Watch {
    /// The YAML file with the sites.
    #[schemars(extend("x-cli" = {"short": "c", "path": "file", "exists": true}))]
    pub(crate) config: PathBuf,
    /// Seconds between two rounds; wins over `check_interval_secs` of the file (60 without either).
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    #[garde(inner(range(min = 1, max = 86_400)))]
    pub(crate) interval: Option<u64>,
    /// Append every result as a JSON line to this file.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "out"}))]
    pub(crate) history: Option<PathBuf>,
    /// Stop after so many rounds; without it, only a signal stops it.
    #[serde(default)]
    #[garde(inner(range(min = 1)))]
    pub(crate) rounds: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct InitConfig {
    /// File to write; an existing one is left alone.
    #[serde(default = "monitor_yml")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub(crate) output: PathBuf,
}

const fn thirty() -> u64 {
    30
}

fn monitor_yml() -> PathBuf {
    "monitor.yml".into()
}
