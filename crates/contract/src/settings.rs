//! `onejob.toml`: every section and key that the shared parts read, as types.
//!
//! From these types alone come the check of a file, the generated reference (`onejob config keys`) and the values
//! that readers get. Settings of a single tool stand under `[tools.NAME.settings]`, those of a provider crate that
//! is not named here under `[providers.NAME]`; each is checked by its own reader, so a new one edits nothing here.

mod images;
mod llm;
mod script;
mod section;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Policy,
    schema::{self, Mistake},
};

pub use images::{ImageProviderSettings, ImagesSettings};
pub use llm::{LlmPrivacy, LlmProvider, LlmSettings};
pub use script::{Envelope, ScriptSettings, SecretsBy, named_like_a_secret};
pub use section::{
    BudgetSettings, HttpSettings, JobsSettings, MigrationSettings, PaceSettings, PositiveCount, Route,
    TelegramSettings, ToolSettings,
};

/// The whole of `onejob.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// Limits for paid calls, shared by all tools of the host.
    pub budget: BudgetSettings,
    /// Requests over HTTP.
    pub http: HttpSettings,
    /// The job manager: limits and history.
    pub jobs: JobsSettings,
    /// What must be behind a tool before it may be marked `cut_over`.
    pub migration: MigrationSettings,
    /// Language models: who is asked, within which limits, and what may leave the machine.
    pub llm: LlmSettings,
    /// Providers of pictures.
    pub images: ImagesSettings,
    /// Telegram.
    pub telegram: TelegramSettings,
    /// One section for each tool: `[tools.site_monitor]`.
    pub tools: BTreeMap<String, ToolSettings>,
    /// Replaced scripts: `[legacy.gif_generator]`.
    pub legacy: BTreeMap<String, ScriptSettings>,
    /// Settings of provider crates: `[providers.mail]`. Checked by the provider itself.
    pub providers: BTreeMap<String, Map<String, Value>>,
}

impl Settings {
    /// Checks and decodes the content of a file. `Err` names every mistake by its dotted path.
    pub fn read(mut file: Value) -> Result<Self, Vec<Mistake>> {
        // `path` is what the first version called a script.
        for script in file
            .get_mut("legacy")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(Map::values_mut)
        {
            if let Some(section) = script.as_object_mut()
                && !section.contains_key("script")
                && let Some(path) = section.remove("path")
            {
                section.insert("script".to_owned(), path);
            }
        }
        let mut mistakes = schema::check(schema::of::<Self>().as_value(), &file);
        for (path, problem) in &mut mistakes {
            if path == "python_fallback_enabled" {
                "belongs under `[jobs]`".clone_into(problem);
            } else if !path.contains('.') && problem.starts_with("is not a field; ") {
                *problem = problem.replacen("field", "section", 1);
            } else if !path.contains('.') && problem == "is not a field" {
                "is not a section; settings of a tool stand under `[tools.NAME.settings]`, those of a provider \
                 under `[providers.NAME]`"
                    .clone_into(problem);
            }
        }
        if mistakes.is_empty() {
            let settings: Self =
                serde_json::from_value(file).map_err(|error| vec![(String::new(), error.to_string())])?;
            mistakes.extend(settings.mistakes());
            if mistakes.is_empty() {
                return Ok(settings);
            }
        }
        Err(mistakes)
    }

    /// Names that are none, and policies that no tool can have.
    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (section, names) in [
            ("tools", self.tools.keys().collect::<Vec<_>>()),
            ("legacy", self.legacy.keys().collect()),
        ] {
            for name in names.into_iter().filter(|name| !is_tool_name(name)) {
                mistakes.push((
                    format!("{section}.{name}"),
                    "is not the name of a tool: lower case letters, digits and underscores".to_owned(),
                ));
            }
        }
        let any = Policy::with_timeout(std::time::Duration::from_secs(1));
        for (name, tool) in &self.tools {
            for (path, problem) in any.merged(&tool.policy).err().unwrap_or_default() {
                mistakes.push((format!("tools.{name}.policy.{path}"), problem));
            }
        }
        mistakes
    }

    /// `tool`'s policy with what `[tools.NAME.policy]` changes.
    pub fn policy(&self, tool: &str, policy: &Policy) -> Result<Policy, Vec<Mistake>> {
        match self.tools.get(tool) {
            None => Ok(policy.clone()),
            Some(section) => policy.merged(&section.policy),
        }
    }
}

/// Whether this can be the name of a tool: lower case ASCII letters, digits and underscores, a letter first.
pub fn is_tool_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_file_cannot_say_is_refused_by_name() {
        for (file, path, problem) in [
            (
                json!({"budgets": {"daily_usd": 1}}),
                "budgets",
                "did you mean `budget`?",
            ),
            (
                json!({"budget": {"daily_usd": -1}}),
                "budget.daily_usd",
                "at least 0",
            ),
            (
                json!({"jobs": {"concurrency": 0}}),
                "jobs.concurrency",
                "at least 1",
            ),
            (
                json!({"jobs": {"families": {"telegram": 0}}}),
                "jobs.families.telegram",
                "at least 1",
            ),
            (
                json!({"tools": {"x": {"rout": "legacy"}}}),
                "tools.x.rout",
                "did you mean `route`?",
            ),
            (
                json!({"tools": {"x": {"policy": {"timout_s": 1}}}}),
                "tools.x.policy.timout_s",
                "timeout_s",
            ),
            (
                json!({"tools": {"../x": {}}}),
                "tools.../x",
                "not the name of a tool",
            ),
            (
                json!({"python_fallback_enabled": true}),
                "python_fallback_enabled",
                "under `[jobs]`",
            ),
            (
                json!({"moderate": {"chats": []}}),
                "moderate",
                "[tools.NAME.settings]",
            ),
            (
                json!({"legacy": {"x": {"script": "a.py", "envelope": "soap"}}}),
                "legacy.x.envelope",
                "soap",
            ),
            (
                json!({"legacy": {"x": {"script": ""}}}),
                "legacy.x.script",
                "empty",
            ),
            (
                json!({"telegram": {"pace": {"sends": {"burst": 0, "per_minute": 1}}}}),
                "telegram.pace.sends.burst",
                "at least 1",
            ),
        ] {
            let mistakes = Settings::read(file.clone()).unwrap_err();
            assert!(
                mistakes[0].0 == path && mistakes[0].1.contains(problem),
                "{file}: {mistakes:?}"
            );
        }
        assert_eq!(Settings::read(json!({})).unwrap(), Settings::default());
    }
}
