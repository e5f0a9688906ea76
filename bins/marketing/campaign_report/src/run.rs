//! `run.json` of a campaign run, read leniently: an older or newer runner may leave fields out or add some.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Id.
    #[serde(alias = "run_id")]
    pub id: String,
    /// Name of the campaign.
    #[serde(alias = "campaign")]
    pub name: String,
    /// What it was to achieve.
    pub objective: Option<String>,
    /// `succeeded`, `failed`, ...
    pub status: String,
    /// Start (RFC 3339).
    #[serde(alias = "started")]
    pub started_at: Option<String>,
    /// End (RFC 3339).
    #[serde(alias = "finished")]
    pub finished_at: Option<String>,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// Variables of the campaign.
    pub vars: Map<String, Value>,
}

/// A step of a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Id.
    pub id: String,
    /// Tool; empty for a step without one, such as an approval.
    #[serde(deserialize_with = "text_or_nothing")]
    pub tool: String,
    /// Version of the tool; empty for a step that never ran.
    #[serde(deserialize_with = "text_or_nothing")]
    pub version: String,
    /// `succeeded`, `failed`, `skipped`, ...
    pub status: String,
    /// Milliseconds.
    pub duration_ms: Option<u64>,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// What the tool returned.
    pub output: Option<Value>,
    /// Files it made.
    pub artifacts: Vec<File>,
    /// What the tool was given.
    pub input: Option<Value>,
    /// What a person was asked, for an approval.
    pub question: Option<String>,
    /// What people call it.
    pub title: Option<String>,
    /// What was shown to people, and what they said.
    pub approval: Option<Approval>,
    /// Who answered, as earlier versions wrote it.
    pub approved_by: Option<String>,
    /// End (RFC 3339).
    pub finished_at: Option<String>,
    /// Why it failed: a text, or an error object with a `message`.
    pub error: Option<Value>,
}

/// What was shown to people, and what they said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Approval {
    /// How many different people must agree.
    pub needed: u32,
    /// What they were shown.
    pub shown: Vec<Shown>,
    /// Answers, in order.
    pub said: Vec<Said>,
}

/// One thing that was shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shown {
    /// A file of the run, or a word for something else.
    pub what: String,
}

/// One answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Said {
    /// Face and name of whoever answered.
    pub by: String,
    /// When (RFC 3339).
    pub at: String,
    /// `approve` or `reject`.
    pub decision: String,
    /// Why, in words.
    pub comment: String,
}

fn text_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Step {
    /// The error as a text.
    pub fn error_text(&self) -> Option<String> {
        match self.error.as_ref()? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            Value::Object(map) => Some(message(map)),
            other => Some(other.to_string()),
        }
    }
}

fn message(error: &Map<String, Value>) -> String {
    let text = error
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or("failed")
        .to_owned();
    match error.get("hint").and_then(Value::as_str) {
        Some(hint) => format!("{text} (hint: {hint})"),
        None => text,
    }
}

/// A file that a step made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct File {
    /// Path, absolute or relative to the run directory.
    pub path: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
    /// What it is for.
    pub role: String,
    /// What it was made from: names, or objects with a `name`.
    pub made_from: Vec<Value>,
}

impl File {
    /// Names of what it was made from.
    pub fn sources(&self) -> Vec<String> {
        let name = |source: &Value| source.get("name").unwrap_or(source).as_str().map(str::to_owned);
        self.made_from.iter().filter_map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparse_run_is_read() {
        let text = r#"{"name":"Spring","started":"2026-03-01T10:00:00Z","later":1,"steps":[{"id":"a",
            "error":{"message":"no key","hint":"set it"},"artifacts":[{"path":"x.png","made_from":[{"name":"y"},"z"]}]}]}"#;
        let run: Run = serde_json::from_str(text).unwrap();
        assert_eq!(run.started_at.as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!(
            run.steps[0].error_text().as_deref(),
            Some("no key (hint: set it)")
        );
        assert_eq!(run.steps[0].artifacts[0].sources(), ["y", "z"]);
    }
}
