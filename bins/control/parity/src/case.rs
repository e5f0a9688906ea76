//! A recorded case on disk: `case.json`, the files before and after, and what is meant to differ.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use app_core::{ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::far_side::Route;

/// One case: `fixtures/parity/<tool>/<case>/`.
#[derive(Clone, Debug)]
pub struct Case {
    /// Folder name of the tool, which is the new tool's name.
    pub tool: String,
    /// Folder name of the case.
    pub name: String,
    pub folder: PathBuf,
    pub recorded: Recorded,
    pub intended: Intended,
}

/// `case.json`, in the format of the recorder. Keys that do not matter here are left alone.
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    pub summary: String,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub stdin: Option<String>,
    #[serde(default)]
    pub far_side: FarSide,
    #[serde(default)]
    pub call: Option<Call>,
    pub expected: Map<String, Value>,
    pub class: Class,
    pub verdict: Verdict,
    #[serde(default)]
    pub should: Option<String>,
    #[serde(default)]
    pub should_expected: Option<Map<String, Value>>,
}

/// What the other side did.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FarSide {
    #[serde(default)]
    pub clock: Option<String>,
    #[serde(default)]
    pub http: Option<Vec<Route>>,
    /// The mail server: an object with its rules, or `nothing listens`.
    #[serde(default)]
    pub smtp: Option<Value>,
    /// The world file of the Telegram account, below `in/`.
    #[serde(default)]
    pub telegram: Option<String>,
    /// Session files that lie in the working directory.
    #[serde(default)]
    pub session_files: Vec<String>,
    /// The database server; the new tool gets a SQLite file in its place.
    #[serde(default)]
    pub mysql: Option<Value>,
    /// The program `ffmpeg`: `absent`, or what it was.
    #[serde(default)]
    pub ffmpeg: Option<String>,
}

/// A library call of the old script.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    pub function: String,
    /// None: the function took nothing.
    #[serde(default)]
    pub inputs_file: Option<String>,
    #[serde(default)]
    pub results_file: Option<String>,
    #[serde(default)]
    pub result_text_file: Option<String>,
}

/// How closely the result must match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Byte for byte.
    #[default]
    Exact,
    /// After the declared rules.
    Normalised,
    /// In meaning.
    Semantic,
}

/// Whether the recorded result is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Reproduce it.
    Keep,
    /// It is a defect; do what `should` says.
    Fix,
}

/// `intended.json`: every difference that is meant, each with its reason, and what must hold instead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intended {
    /// Path of the difference -> why it is meant. One that no longer occurs is an error.
    #[serde(default)]
    pub differences: BTreeMap<String, String>,
    /// Arguments the new tool needs beside the recorded ones, for example a confirmation.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// What the new tool does instead: every key given must match.
    #[serde(default)]
    pub expect: Map<String, Value>,
}

/// All cases below a folder, sorted; only those of the named tools when any are named.
pub fn load(folder: &Path, only: &[String]) -> ToolResult<Vec<Case>> {
    let mut cases = Vec::new();
    for tool_folder in folders(folder)? {
        let tool = file_name(&tool_folder);
        if !only.is_empty() && !only.contains(&tool) {
            continue;
        }
        for case_folder in folders(&tool_folder)? {
            let intended = case_folder.join("intended.json");
            cases.push(Case {
                tool: tool.clone(),
                name: file_name(&case_folder),
                recorded: read_json(&case_folder.join("case.json"))?,
                intended: if intended.is_file() {
                    read_json(&intended)?
                } else {
                    Intended::default()
                },
                folder: case_folder,
            });
        }
    }
    for name in only {
        if !cases.iter().any(|case| case.tool == *name) {
            return Err(ToolError::not_found(format!(
                "`{}` has no cases of `{name}`",
                folder.display()
            )));
        }
    }
    Ok(cases)
}

/// Reads a JSON file, naming it when it is wrong.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> ToolResult<T> {
    let text = std::fs::read_to_string(path).map_err(|e| ToolError::file("read", path, &e))?;
    serde_json::from_str(&text)
        .map_err(|e| ToolError::new(ErrorKind::InvalidInput, format!("`{}`: {e}", path.display())))
}

fn folders(path: &Path) -> ToolResult<Vec<PathBuf>> {
    let entries = std::fs::read_dir(path).map_err(|e| ToolError::file("list", path, &e))?;
    let mut found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|p| p.is_dir())
        .collect();
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
