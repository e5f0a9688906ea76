//! `[legacy.<name>]`: a replaced script, and how it is called.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use app_core::contract::Effect;
use serde::Deserialize;
use serde_json::Value;

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

/// How a replaced script gets its secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretsBy {
    /// Each in a variable named like its field, in capitals.
    #[default]
    Environment,
    /// All as one line of JSON on its standard input.
    Stdin,
}

/// `[legacy.<name>]`: a replaced script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacySection {
    /// The script; relative to the folder of `onejob.toml`.
    #[serde(alias = "path")]
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
    pub timeout_s: Option<u64>,
    /// JSON Schema of the fields under the script's own names. An input that does not fit is refused before it is queued.
    #[serde(default)]
    pub input: Option<Value>,
}

impl LegacySection {
    /// Whether a field, under the script's own name, is a secret.
    pub fn is_secret(&self, field: &str) -> bool {
        let listed = |names: &[String]| names.iter().any(|name| name == field);
        listed(&self.secret) || (!listed(&self.not_secret) && crate::redact::named_like_a_secret(field))
    }

    /// What is wrong with it, in words for the reader of the file.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(fits) {
            return Err("the name of a tool is lower case with underscores".to_owned());
        }
        if self.script.as_os_str().is_empty() {
            return Err("`script` is empty".to_owned());
        }
        match &self.input {
            Some(schema) if !schema.is_object() => Err("`input` is no JSON Schema".to_owned()),
            _ => Ok(()),
        }
    }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::settings::Settings;

    #[test]
    fn a_section_that_cannot_work_is_refused_by_name() {
        for (toml, why) in [
            ("[legacy.\"../x\"]\nscript='a.py'", "lower case"),
            ("[legacy.x]\nscript=''", "`script` is empty"),
            ("[legacy.x]\nscript='a.py'\ninput=7", "no JSON Schema"),
            ("[legacy.x]\nscript='a.py'\neffects=['explodes']", "explodes"),
            ("[legacy.x]\nscript='a.py'\nenvelope='soap'", "soap"),
            ("[legacy.x]\nscritp='a.py'", "scritp"),
        ] {
            let error = Settings::parse(toml, Path::new("/c/onejob.toml")).unwrap_err();
            assert!(
                error.message.contains("/c/onejob.toml") && error.message.contains(why),
                "{error}"
            );
        }
        let settings = Settings::parse("[legacy.x]\npath='old/a.py'", Path::new("/c/onejob.toml")).unwrap();
        assert_eq!(settings.legacy["x"].script, Path::new("/c/old/a.py"));
    }
}
