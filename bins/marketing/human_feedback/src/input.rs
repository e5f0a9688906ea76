//! What each action needs.

use std::{collections::BTreeSet, path::PathBuf};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Keep what somebody says: a text, a rating, tags, and the artifact it is about.
    Collect(#[garde(dive)] Box<Collect>),
    /// Find feedback by words, best first.
    Retrieve(#[garde(dive)] Retrieve),
    /// List feedback, oldest first.
    List(#[garde(dive)] Chosen),
    /// Count feedback: ratings with their mean, tags, authors.
    Summary(#[garde(dive)] Filtered),
    /// Write feedback as CSV or JSON lines.
    Export(#[garde(dive)] Export),
    /// Take back feedback that was collected.
    Undo(#[garde(dive)] Undo),
    /// Ask people to approve artifacts as they are now.
    Request(#[garde(dive)] Ask),
    /// Approve what a request shows, as this user of the system.
    Approve(#[garde(dive)] Decide),
    /// Reject what a request shows, as this user of the system.
    Reject(#[garde(dive)] Reject),
    /// Tell where a request stands; exit code 3 unless it is approved and the artifacts are still the same.
    Check(#[garde(dive)] Named),
    /// Check that the log of approvals was only added to.
    Verify(Verify),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Collect {
    /// What is said
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub(crate) text: Option<String>,
    /// Feedback as a JSON object, instead of a text
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feedback: Option<Map<String, Value>>,
    /// Rating, 1 to 5
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "r"}))]
    #[garde(range(min = 1, max = 5))]
    pub(crate) rating: Option<i64>,
    /// Tag
    #[serde(default, rename = "tag", skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    #[garde(length(max = 50))]
    pub(crate) tags: BTreeSet<String>,
    /// File it is about; its SHA-256 is kept with the feedback
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "a", "path": "file", "exists": true}))]
    pub(crate) artifact: Option<PathBuf>,
    /// SHA-256 that the artifact must have, as it was seen
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// Who says it; the user of the system by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 200))]
    pub(crate) by: Option<String>,
    /// What is known about it, a JSON object
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Retrieve {
    /// What to look for
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub(crate) query: String,
    /// Most feedback to give
    #[serde(default = "ten")]
    #[schemars(extend("x-cli" = {"short": "k", "aliases": ["top-k", "top_k"]}))]
    #[garde(range(max = 1000))]
    pub(crate) limit: u32,
    /// Condition that must hold: `rating>=4`, `tags=tone`, `author=max`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Chosen {
    /// Condition that must hold, as with `retrieve`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
    /// Most feedback to list
    #[serde(default = "fifty")]
    #[schemars(extend("x-cli" = {"short": "k"}))]
    #[garde(range(max = 10_000))]
    pub(crate) limit: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Filtered {
    /// Condition that must hold, as with `retrieve`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
}

/// How feedback is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A table for spreadsheets: RFC 4180, UTF-8 with a byte order mark.
    #[default]
    Csv,
    /// One JSON object a line, as it is stored.
    Jsonl,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Export {
    /// File to write
    #[schemars(extend("x-cli" = {"positional": 1, "path": "out"}))]
    pub(crate) output: PathBuf,
    /// How to write it
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    pub(crate) format: Format,
    /// Condition that must hold, as with `retrieve`
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 50))]
    pub(crate) conditions: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Undo {
    /// Id of the feedback, as `collect` gave it
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 64))]
    pub(crate) id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Ask {
    /// Files that are to be approved, all of them together
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    #[garde(length(min = 1, max = 200))]
    pub(crate) artifacts: Vec<PathBuf>,
    /// How many different people must agree
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 9))]
    pub(crate) needs: u32,
    /// The question; by default whether the files may be used
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 2000))]
    pub(crate) question: Option<String>,
    /// Name shown for whoever asks; who it is, the system says
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 200))]
    pub(crate) by: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Decide {
    /// Id of the request
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 64))]
    pub(crate) id: String,
    /// What there is to say about it
    #[serde(default)]
    #[garde(length(max = 2000))]
    pub(crate) comment: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Reject {
    /// Id of the request
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 64))]
    pub(crate) id: String,
    /// Why
    #[garde(length(min = 1, max = 2000))]
    pub(crate) reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Named {
    /// Id of the request
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 64))]
    pub(crate) id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Verify {}

const fn one() -> u32 {
    1
}

const fn ten() -> u32 {
    10
}

const fn fifty() -> u32 {
    50
}
