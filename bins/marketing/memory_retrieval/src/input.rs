//! What each action needs.

use std::{collections::BTreeMap, path::PathBuf};

use app_core::{ToolError, ToolResult};
use garde::Validate;
use memory::{Condition, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Store a text, a document, or what files hold. A document that is there already is counted, not stored again.
    Store(#[garde(dive)] Box<Store>),
    /// Find documents by words, best first. Every sign of a question is plain text unless `--syntax` is given.
    Retrieve(#[garde(dive)] Retrieve),
    /// List documents, oldest first.
    List(#[garde(dive)] List),
    /// Forget documents: they leave the index and every byte of the file. With `--where` only planned without `--apply`.
    Forget(#[garde(dive)] Forget),
    /// List the collections and their sizes.
    Collections(Collections),
    /// Write documents as JSON lines, which `store --file` takes back.
    Export(#[garde(dive)] Export),
    /// Build the index anew from the documents.
    Reindex(Reindex),
    /// Check file, index and counts, and look for texts in the bytes of the file.
    Verify(#[garde(dive)] Verify),
    /// Measure how well questions find their known answers: recall and mean reciprocal rank.
    Gold(#[garde(dive)] Gold),
}

/// Collection of whoever names none, as the replaced script called it.
pub(crate) fn default_collection() -> String {
    "default_memory_collection".to_owned()
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Store {
    /// Text to remember
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub(crate) text: Option<String>,
    /// Document to remember, a JSON object
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<Map<String, Value>>,
    /// File or folder to store: JSON lines, JSON, Markdown (one document a section), text
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"short": "f", "path": "any", "exists": true, "many": true}))]
    #[garde(length(max = 1000))]
    pub(crate) file: Vec<PathBuf>,
    /// Collection to store in
    #[serde(default = "default_collection")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    #[garde(length(min = 1, max = 100))]
    pub(crate) collection: String,
    /// What is known about the document, a JSON object
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Map<String, Value>,
    /// One thing that is known about the document, as key=value; numbers, true and false are taken as such
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) set: BTreeMap<String, String>,
    /// When it happened: a date, or a time (UTC without an offset); by default what the document's own fields say
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_at: Option<String>,
    /// Who or what it comes from
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// Id of the message it was
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

/// How documents are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Match {
    /// By words, in any form and script, best first.
    #[default]
    Words,
    /// By the text as it is, upper and lower case being the same; oldest first, as the replaced script did.
    Substring,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Retrieve {
    /// What to look for
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub(crate) query: String,
    /// Most documents to give
    #[serde(default = "ten")]
    #[schemars(extend("x-cli" = {"short": "k", "aliases": ["n-results", "n_results"]}))]
    #[garde(range(max = 1000))]
    pub(crate) limit: u32,
    /// Collection to look in
    #[serde(default = "default_collection")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    #[garde(length(min = 1, max = 100))]
    pub(crate) collection: String,
    /// Condition that must hold: `lang=ru`, `price<10`, `event_at>=2026-01-01`, `tag!=old`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
    /// Only what had been stored by this date or time
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) as_of: Option<String>,
    /// How to look
    #[serde(default, rename = "match")]
    pub(crate) how: Match,
    /// Let `"a phrase"`, `-without` and `field:word` mean something
    #[serde(default)]
    pub(crate) syntax: bool,
    /// Tell how each score came about
    #[serde(default)]
    pub(crate) explain: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct List {
    /// Collection to list
    #[serde(default = "default_collection")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    #[garde(length(min = 1, max = 100))]
    pub(crate) collection: String,
    /// Condition that must hold, as with `retrieve`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
    /// Most documents to list
    #[serde(default = "fifty")]
    #[schemars(extend("x-cli" = {"short": "k"}))]
    #[garde(range(max = 10_000))]
    pub(crate) limit: u32,
    /// Documents to pass over first
    #[serde(default)]
    pub(crate) offset: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Forget {
    /// Ids of the documents
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(max = 10_000))]
    pub(crate) ids: Vec<String>,
    /// Forget all of which this holds, as with `retrieve`; only planned without `--apply`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
    /// Collection they are in
    #[serde(default = "default_collection")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    #[garde(length(min = 1, max = 100))]
    pub(crate) collection: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Collections {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Export {
    /// File to write
    #[schemars(extend("x-cli" = {"positional": 1, "path": "out", "short": "o"}))]
    pub(crate) output: PathBuf,
    /// Collection to write
    #[serde(default = "default_collection")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    #[garde(length(min = 1, max = 100))]
    pub(crate) collection: String,
    /// Condition that must hold, as with `retrieve`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Reindex {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Verify {
    /// Text that must be in no byte of the file
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(max = 100))]
    pub(crate) text: Vec<String>,
    /// First write the file anew, without anything that was deleted
    #[serde(default)]
    pub(crate) clean: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Gold {
    /// Questions, JSON lines: `{"question": "...", "expect": ["id", ...]}`; an id is the document's, or its field `id`
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub(crate) questions: PathBuf,
    /// File or folder to ask instead of a collection; it is stored for this run only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "any", "exists": true}))]
    pub(crate) documents: Option<PathBuf>,
    /// Collection to ask
    #[serde(default = "default_collection")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    #[garde(length(min = 1, max = 100))]
    pub(crate) collection: String,
    /// Hits that count for each question
    #[serde(default = "five")]
    #[schemars(extend("x-cli" = {"short": "k"}))]
    #[garde(range(min = 1, max = 1000))]
    pub(crate) limit: u32,
    /// Least recall, 0 to 1; exit code 3 below it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.0, max = 1.0))]
    pub(crate) min_recall: Option<f64>,
}

const fn five() -> u32 {
    5
}

const fn ten() -> u32 {
    10
}

const fn fifty() -> u32 {
    50
}

/// The conditions of `--where`; all must hold.
pub(crate) fn conditions(texts: &[String]) -> ToolResult<Vec<Condition>> {
    texts.iter().map(|text| Condition::parse(text)).collect()
}

/// A date or time in a field.
pub(crate) fn span(field: &str, text: Option<&str>) -> ToolResult<Option<Span>> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || {
        ToolError::invalid(field, format!("`{text}` is neither a date nor a time"))
            .hint("write 2026-03-01, 2026-03-01T10:00:00Z or 2026-03-01T10:00:00+03:00")
    };
    Span::parse(text).map(Some).ok_or_else(wrong)
}

impl Store {
    /// What is known about every document of this call: `metadata`, then `set`.
    pub(crate) fn known(&self) -> Map<String, Value> {
        let mut known = self.metadata.clone();
        for (key, text) in &self.set {
            let value = match serde_json::from_str(text) {
                Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
                _ => Value::from(text.clone()),
            };
            known.insert(key.clone(), value);
        }
        known
    }
}
