//! `onejob.toml`: every section and key that the shared parts read, as types.
//!
//! From these types alone come the check of a file, the generated reference (`onejob config keys`) and the values
//! that readers get. Settings of a single tool stand under `[tools.NAME.settings]`, those of a provider crate that
//! is not named here under `[providers.NAME]`; each is checked by its own reader, so a new one edits nothing here.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Effect, Policy, Usd,
    schema::{self, Mistake},
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
    /// Telegram.
    pub telegram: TelegramSettings,
    /// One section for each tool: `[tools.site_monitor]`.
    pub tools: BTreeMap<String, ToolSettings>,
    /// Replaced scripts: `[legacy.gif_generator]`.
    pub legacy: BTreeMap<String, ScriptSettings>,
    /// Settings of provider crates: `[providers.mail]`. Checked by the provider itself.
    pub providers: BTreeMap<String, Map<String, Value>>,
}

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

/// How a replaced script is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// `script --field value ...`; its output is the whole of stdout.
    #[default]
    Argv,
    /// `script <call> <json>`; its answer is the last line of stdout.
    Dispatcher,
}

/// How a replaced script gets its secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretsBy {
    /// Each in a variable named like its field, in capitals.
    #[default]
    Environment,
    /// All as one line of JSON on its standard input.
    Stdin,
}

/// `[legacy.NAME]`: a replaced script, and how it is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptSettings {
    /// The script; relative to the folder of `onejob.toml`.
    #[schemars(extend("minLength" = 1))]
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
    /// The tool's names of fields that the script calls otherwise.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Field that makes the script only plan; a script without one is not run when only a plan is wanted.
    #[serde(default)]
    pub dry_run: Option<String>,
    /// How it gets its secrets: the fields named in `secret`, and those named like one.
    #[serde(default)]
    pub secrets: SecretsBy,
    /// Further fields that are secrets, under the script's own names.
    #[serde(default)]
    pub secret: Vec<String>,
    /// Fields that are named like a secret and are none.
    #[serde(default)]
    pub not_secret: Vec<String>,
    /// With `argv`: fields whose values may begin with `-`.
    #[serde(default)]
    pub dash_values: Vec<String>,
    /// Family for the catalogue.
    #[serde(default = "legacy_family")]
    pub family: String,
    /// Migration wave for the report; 0 is none.
    #[serde(default)]
    pub wave: u8,
    /// One line for the catalogue.
    #[serde(default)]
    pub summary: String,
    /// What a run can do; unknown is treated as everything.
    #[serde(default)]
    pub effects: Option<BTreeSet<Effect>>,
    /// Longest run in seconds; 0 means no limit.
    #[serde(default)]
    #[schemars(range(max = 315_576_000_u64))]
    pub timeout_s: Option<u64>,
    /// JSON Schema of the fields under the script's own names. An input that does not fit is refused before it is
    /// queued.
    #[serde(default)]
    pub input: Option<Map<String, Value>>,
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

impl ScriptSettings {
    /// Whether a field, under the script's own name, is a secret.
    pub fn is_secret(&self, field: &str) -> bool {
        let listed = |names: &[String]| names.iter().any(|name| name == field);
        listed(&self.secret) || (!listed(&self.not_secret) && named_like_a_secret(field))
    }
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

/// Whether a name ends in a word that people give to secrets.
pub fn named_like_a_secret(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "key",
        "token",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "apikey",
        "credential",
        "credentials",
    ];
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && before.is_lowercase() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase());
            }
        } else {
            words.push(String::new());
        }
        before = c;
    }
    words
        .iter()
        .rfind(|word| !word.is_empty())
        .is_some_and(|word| WORDS.contains(&word.as_str()))
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
