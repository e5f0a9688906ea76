//! `[legacy.NAME]`: a replaced script, how it is called, and which of its fields are secrets.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Effect;

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
