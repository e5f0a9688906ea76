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
//! cut_over = true                  # the script has had its day: it never stands in again
//! known_gaps = ["no WebP frames"]  # shown by migration_report
//!
//! [legacy.gif_generator]
//! script = "old/src/python_tool_dispatcher.py"
//! interpreter = "python3"
//! envelope = "dispatcher"          # or "argv"
//! call = "gif_generator_tool"      # name for the dispatcher
//! wrap = true                      # {"input_data": {...}}; false: the fields themselves
//! fields = { images = "input_images", output = "output_path" } # the tool's names = the script's
//! effects = ["reads", "writes_files"]
//! timeout_s = 600
//! summary = "Makes a GIF"
//! input = { type = "object", required = ["input_images"] }     # JSON Schema of the script's own fields
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use app_core::{
    config::{Config, onejob_toml},
    contract::{Policy, ToolError, ToolResult, settings},
};

pub use app_core::contract::settings::{
    Envelope, JobsSettings as JobsSection, ScriptSettings as LegacySection, SecretsBy,
    ToolSettings as ToolSection,
};

use crate::{fallback, limits::Limits, wire::Route};

/// Sections `jobs`, `tools` and `legacy` of `onejob.toml`; the other sections belong to others.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `[jobs]`
    pub jobs: JobsSection,
    /// `[tools.<name>]`
    pub tools: BTreeMap<String, ToolSection>,
    /// `[legacy.<name>]`
    pub legacy: BTreeMap<String, LegacySection>,
    /// The file they were read from, to see when it changes.
    pub(crate) source: Option<PathBuf>,
    /// Scripts that the file names and that are not taken from it, because it was merely found in the working directory.
    pub distrusted: BTreeSet<String>,
    distrust: bool,
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
        Self::parse(&text, &path)
    }

    /// Reads the `onejob.toml` that this configuration finds. A file that merely lies in the working directory names no
    /// programs: its `[legacy]` sections are left out, and a tool that would need one says so.
    pub fn from_config(config: &Config) -> ToolResult<Self> {
        let Some(file) = config.find_file("onejob.toml") else {
            return Ok(Self::default());
        };
        let mut settings = Self::load(file.parent().unwrap_or(Path::new(".")))?;
        settings.distrust = !config.is_operators(&file);
        settings.drop_distrusted();
        Ok(settings)
    }

    /// The same with everything that the file says, wherever it lies: for looking at it, never for running anything.
    pub fn for_reading(config: &Config) -> ToolResult<Self> {
        match config.find_file("onejob.toml") {
            Some(file) => Self::load(file.parent().unwrap_or(Path::new("."))),
            None => Ok(Self::default()),
        }
    }

    /// The same file read again, trusted as far as before.
    pub(crate) fn reread(&self, text: &str, path: &Path) -> ToolResult<Self> {
        let mut settings = Self::parse(text, path)?;
        settings.distrust = self.distrust;
        settings.drop_distrusted();
        Ok(settings)
    }

    fn drop_distrusted(&mut self) {
        if self.distrust {
            self.distrusted = std::mem::take(&mut self.legacy).into_keys().collect();
        }
    }

    /// The error for a tool whose script is not taken from a file of the working directory.
    pub fn distrusted_error(&self, tool: &str) -> Option<ToolError> {
        if !self.distrusted.contains(tool) {
            return None;
        }
        let file = self.source.as_deref().unwrap_or(Path::new("onejob.toml"));
        let folder = std::fs::canonicalize(file.parent().unwrap_or(Path::new("."))).unwrap_or_default();
        Some(
            ToolError::config(format!(
                "`[legacy.{tool}]` of `{}` names a program, and that file was only found in the working directory",
                file.display()
            ))
            .code("distrusted_config")
            .hint(format!("if it is yours: `export ONEJOB_CONFIG_DIR={}`", folder.display())),
        )
    }

    /// The settings in the text of a file at `path`; its scripts are relative to the folder of the file.
    pub fn parse(text: &str, path: &Path) -> ToolResult<Self> {
        let settings::Settings {
            jobs, tools, legacy, ..
        } = onejob_toml::parse(text, path)?;
        Ok(Self {
            jobs,
            tools,
            legacy,
            source: Some(path.to_owned()),
            distrusted: BTreeSet::new(),
            distrust: false,
        })
    }

    /// Who answers for `tool` at the moment, given whether its binary is there.
    pub fn route(&self, tool: &str, binary: bool) -> ToolResult<Route> {
        fallback::decide(tool, binary, self).map(|(route, _)| route)
    }

    /// The policy of `tool` with what `[tools.<name>.policy]` changes, as the tool itself merges it.
    pub(crate) fn policy(&self, tool: &str, policy: Policy) -> ToolResult<Policy> {
        match self.tools.get(tool) {
            None => Ok(policy),
            Some(section) => policy.merged(&section.policy).map_err(|mistakes| {
                let (field, problem) = mistakes.into_iter().next().unwrap_or_default();
                ToolError::config(format!("`tools.{tool}.policy.{field}` in onejob.toml {problem}"))
                    .code("invalid_settings")
            }),
        }
    }

    /// The limits on running jobs.
    pub(crate) fn limits(&self) -> Limits {
        let families = self.jobs.families.iter();
        let mut limits = Limits {
            families: families
                .map(|(family, count)| (family.clone(), count.0))
                .collect(),
            ..Limits::default()
        };
        if let Some(global) = self.jobs.concurrency {
            limits.global = global;
        }
        limits
    }

    /// Whether the script of `tool` may stand in for it.
    pub fn fallback_enabled(&self, tool: &str) -> bool {
        let own = self.tools.get(tool);
        let allowed = own.and_then(|t| t.python_fallback_enabled);
        !own.is_some_and(|t| t.cut_over) && allowed.unwrap_or(self.jobs.python_fallback_enabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_in_the_wrong_place_is_told() {
        let read = |toml: &str| Settings::parse(toml, Path::new("/c/onejob.toml"));
        let wrong = read("python_fallback_enabled = false\n[jobs]\n").unwrap_err();
        assert!(
            wrong.message.contains("belongs under `[jobs]`"),
            "{}",
            wrong.message
        );
        let right = read("[jobs]\npython_fallback_enabled = false\n").unwrap();
        assert!(!right.fallback_enabled("a"));
    }

    #[test]
    fn the_documented_example_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let text = include_str!("mod.rs")
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
        let policy = settings
            .policy(
                "gif_generator",
                Policy::with_timeout(std::time::Duration::from_secs(5)),
            )
            .unwrap();
        assert_eq!(
            (policy.timeout_s, policy.retry.attempts, policy.retry.backoff_ms),
            (600, 2, 250)
        );
        assert!(settings.legacy["gif_generator"].script.starts_with(dir.path()));
        assert_eq!(settings.legacy["gif_generator"].envelope, Envelope::Dispatcher);
        assert_eq!(settings.tools["gif_generator"].known_gaps, ["no WebP frames"]);
        assert!(!settings.fallback_enabled("gif_generator"), "it is cut over");
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
