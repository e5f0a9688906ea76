//! What the job manager takes from `onejob.toml`: limits, history, policies, routes and replaced scripts.
//!
//! ```toml
//! [jobs]
//! concurrency = 4                  # default: number of cores
//! families = { telegram = 1 }
//! python_fallback_enabled = true
//! keep_days = 30
//! keep_count = 100000
//! max_interruptions = 5
//!
//! [tools.gif_generator]
//! route = "legacy"                 # switched back to the script; default "rust"
//! python_fallback_enabled = true
//! policy = { timeout_s = 600, retry = { attempts = 2 } }
//!
//! [legacy.gif_generator]
//! script = "old/src/python_tool_dispatcher.py"
//! interpreter = "python3"
//! envelope = "dispatcher"          # or "argv"
//! call = "gif_generator_tool"      # name for the dispatcher
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use app_core::contract::{Effect, Policy, ToolError, ToolResult};
use serde::Deserialize;
use serde_json::Value;

use crate::{limits::Limits, wire::Route};

/// Sections `jobs`, `tools` and `legacy` of `onejob.toml`; the other sections belong to others.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Settings {
    /// `[jobs]`
    #[serde(default)]
    pub jobs: JobsSection,
    /// `[tools.<name>]`
    #[serde(default)]
    pub tools: BTreeMap<String, ToolSection>,
    /// `[legacy.<name>]`
    #[serde(default)]
    pub legacy: BTreeMap<String, LegacySection>,
}

/// `[jobs]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobsSection {
    /// Jobs at once; the number of cores if not given.
    pub concurrency: Option<u32>,
    /// Jobs at once per family.
    pub families: BTreeMap<String, u32>,
    /// Whether a replaced script may stand in for a missing or switched tool.
    pub python_fallback_enabled: bool,
    /// Days a finished job stays in the history; 0 keeps all.
    pub keep_days: u32,
    /// Finished jobs kept at most; 0 keeps all.
    pub keep_count: u32,
    /// How often a job may be cut off by the end of its manager before it counts as failed.
    pub max_interruptions: u32,
    /// Bytes of a job's log kept on disk.
    pub log_bytes: u64,
}

impl Default for JobsSection {
    fn default() -> Self {
        Self {
            concurrency: None,
            families: BTreeMap::new(),
            python_fallback_enabled: true,
            keep_days: 30,
            keep_count: 100_000,
            max_interruptions: 5,
            log_bytes: 4 << 20,
        }
    }
}

/// `[tools.<name>]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ToolSection {
    /// `legacy` switches the tool back to its script.
    pub route: Route,
    /// Overrides the global switch for this tool.
    pub python_fallback_enabled: Option<bool>,
    /// Overrides parts of the tool's policy.
    pub policy: serde_json::Map<String, Value>,
}

impl ToolSection {
    /// The tool's policy with the parts named here replaced, as the tool itself does it.
    pub(crate) fn apply(&self, policy: Policy) -> ToolResult<Policy> {
        if self.policy.is_empty() {
            return Ok(policy);
        }
        let wrong =
            |e: serde_json::Error| ToolError::config(format!("a `policy` in onejob.toml is wrong: {e}"));
        let mut merged = serde_json::to_value(policy).map_err(wrong)?;
        for (key, value) in &self.policy {
            match (merged.get_mut(key), value) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
                (_, value) => merged[key] = value.clone(),
            }
        }
        serde_json::from_value(merged).map_err(wrong)
    }
}

/// How a replaced script is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// `script --field value ...`; its output is the whole of stdout.
    #[default]
    Argv,
    /// `script <call> <json>`; its answer is the last line of stdout.
    Dispatcher,
}

/// `[legacy.<name>]`: a replaced script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacySection {
    /// The script; relative to the folder of `onejob.toml`.
    pub script: PathBuf,
    /// Program that runs it.
    #[serde(default = "python")]
    pub interpreter: PathBuf,
    /// How it is called.
    #[serde(default)]
    pub envelope: Envelope,
    /// Name the dispatcher knows it by; the tool's name if not given.
    #[serde(default)]
    pub call: Option<String>,
    /// With `dispatcher`: whether the input is wrapped as `{"input_data": ...}`.
    #[serde(default = "yes")]
    pub wrap: bool,
    /// With `argv`: fields of the input given without a flag, in this order.
    #[serde(default)]
    pub positional: Vec<String>,
    /// Family for the catalogue.
    #[serde(default = "legacy_family")]
    pub family: String,
    /// One line for the catalogue.
    #[serde(default)]
    pub summary: String,
    /// What a run can do; unknown is treated as everything.
    #[serde(default)]
    pub effects: Option<BTreeSet<Effect>>,
    /// JSON Schema of the input.
    #[serde(default)]
    pub input: Option<Value>,
}

fn python() -> PathBuf {
    PathBuf::from("python3")
}

fn legacy_family() -> String {
    "legacy".to_owned()
}

const fn yes() -> bool {
    true
}

impl Settings {
    /// Reads `onejob.toml` from a configuration folder; all defaults if there is none.
    pub fn load(config_dir: &Path) -> ToolResult<Self> {
        let path = config_dir.join("onejob.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(ToolError::file("read", &path, &e)),
        };
        let mut settings: Self = toml::from_str(&text).map_err(|e| {
            ToolError::config(format!("cannot read `{}`: {}", path.display(), e.message()))
                .hint("see the sections `jobs`, `tools` and `legacy` in the documentation of `worker`")
        })?;
        for legacy in settings.legacy.values_mut() {
            legacy.script = config_dir.join(&legacy.script);
        }
        Ok(settings)
    }

    /// The limits on running jobs.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits {
            families: self.jobs.families.clone(),
            ..Limits::default()
        };
        if let Some(global) = self.jobs.concurrency {
            limits.global = global.max(1);
        }
        limits
    }

    /// Whether the script of `tool` may stand in for it.
    pub(crate) fn fallback_enabled(&self, tool: &str) -> bool {
        let own = self.tools.get(tool).and_then(|t| t.python_fallback_enabled);
        own.unwrap_or(self.jobs.python_fallback_enabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let text = include_str!("settings.rs")
            .lines()
            .skip_while(|l| !l.contains("```toml"))
            .skip(1)
            .take_while(|l| !l.contains("```"))
            .map(|l| l.trim_start_matches("//!"))
            .collect::<Vec<_>>()
            .join("\n");
        std::fs::write(dir.path().join("onejob.toml"), text).unwrap();
        let settings = Settings::load(dir.path()).unwrap();
        assert_eq!(settings.limits().global, 4);
        assert_eq!(settings.tools["gif_generator"].route, Route::Legacy);
        let policy = settings.tools["gif_generator"]
            .apply(Policy::with_timeout(std::time::Duration::from_secs(5)))
            .unwrap();
        assert_eq!(
            (policy.timeout_s, policy.retry.attempts, policy.retry.backoff_ms),
            (600, 2, 250)
        );
        assert!(settings.legacy["gif_generator"].script.starts_with(dir.path()));
        assert_eq!(settings.legacy["gif_generator"].envelope, Envelope::Dispatcher);
    }

    #[test]
    fn a_wrong_setting_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("onejob.toml"), "[jobs]\nconcurency = 2\n").unwrap();
        let error = Settings::load(dir.path()).unwrap_err();
        assert_eq!(error.kind, app_core::contract::ErrorKind::Config);
        assert!(
            error.message.contains("onejob.toml") && error.message.contains("concurency"),
            "{error}"
        );
    }
}
