//! The words of a recorded case: what `case.json` says beyond the recording format, and how bytes stand in it.

use std::{collections::BTreeMap, path::Path};

use app_core::{ErrorKind, ToolError, ToolResult};
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    case::{self, Class},
    far_side::Route,
    normalise::Normaliser,
};

/// Value of `format` in cases that `parity record` wrote.
pub const FORMAT: &str = "onejob.parity.v1";

/// The part of `case.json` that only these cases have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Details {
    pub format: String,
    /// Binary that is run: the tool, or `dispatch`.
    pub program: String,
    /// Arguments only the candidate gets, before the others.
    #[serde(default)]
    pub candidate_args: Vec<String>,
    /// What may differ.
    #[serde(default)]
    pub normalisers: Vec<Normaliser>,
    /// Whether requests may come in any order.
    #[serde(default)]
    pub any_order: bool,
    /// Whether only the last line of stdout counts, as an envelope.
    #[serde(default)]
    pub envelope: bool,
    /// Whether the kernel keeps the tool from writing elsewhere and connecting to anything but the far side.
    #[serde(default = "yes")]
    pub confined: bool,
    pub stderr_class: String,
    /// Permission bits of the files in `out/`, octal.
    #[serde(default)]
    pub modes: BTreeMap<String, String>,
    /// Folders it made.
    #[serde(default)]
    pub folders: BTreeMap<String, String>,
    /// Inputs it deleted.
    #[serde(default)]
    pub deleted: Vec<String>,
    /// Requests in order.
    #[serde(default)]
    pub requests: Vec<RequestText>,
    /// Columns and key of every table in `sql_rows`.
    #[serde(default)]
    pub tables: BTreeMap<String, (Vec<String>, Vec<usize>)>,
    /// SQLite files whose rows are compared.
    #[serde(default)]
    pub sqlite: Vec<String>,
    /// Mails in order: sender, recipients, source.
    #[serde(default)]
    pub mails: Vec<(String, Vec<String>, String)>,
}

/// A request in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestText {
    pub method: String,
    #[serde(default)]
    pub base: String,
    pub path: String,
    #[serde(default)]
    pub query: String,
    pub headers: Vec<(String, String)>,
    /// Text, or `base64:` and the bytes.
    #[serde(default)]
    pub body: String,
}

fn yes() -> bool {
    true
}

const BASE64: &str = "base64:";

pub(super) fn to_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| {
            format!(
                "{BASE64}{}",
                base64::engine::general_purpose::STANDARD.encode(bytes)
            )
        },
        str::to_owned,
    )
}

pub(super) fn from_text(text: &str) -> Vec<u8> {
    let encoded = text.strip_prefix(BASE64);
    let decoded = encoded.and_then(|code| base64::engine::general_purpose::STANDARD.decode(code).ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// `case.json` as a value: the recording format first, the details behind it.
#[derive(Debug)]
pub struct CaseText<'a> {
    pub tool: &'a str,
    pub case: &'a str,
    pub script: &'a str,
    pub summary: &'a str,
    pub args: &'a [String],
    pub env: Value,
    pub stdin: Value,
    pub files_in: Vec<String>,
    pub clock: String,
    pub routes: Option<Vec<Route>>,
    pub class: Class,
}

impl CaseText<'_> {
    /// The whole file.
    pub fn value(&self, expected: Value, details: &Details) -> Value {
        let names: Vec<Value> = details.normalisers.iter().map(|n| json!(n)).collect();
        json!({
            "tool": self.tool, "case": self.case, "legacy_script": self.script, "summary": self.summary,
            "args": self.args, "env": self.env, "stdin": self.stdin, "files_in": self.files_in,
            "far_side": {"clock": self.clock, "http": self.routes},
            "call": null, "expected": expected, "class": self.class, "normalise": names,
            "verdict": "keep", "should": null, "recording": details,
        })
    }
}

/// Reads the details of a case that has them.
pub fn details(folder: &Path) -> ToolResult<Option<Details>> {
    let value: Value = case::read_json(&folder.join("case.json"))?;
    let Some(details) = value.get("recording") else {
        return Ok(None);
    };
    let decoded: Details = serde_json::from_value(details.clone()).map_err(|e| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}`: recording: {e}", folder.join("case.json").display()),
        )
    })?;
    if decoded.format == FORMAT {
        Ok(Some(decoded))
    } else {
        Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!(
                "`{}` has format `{}`, which is not known here",
                folder.display(),
                decoded.format
            ),
        ))
    }
}
