//! What the tool needs, and the defaults.

use std::{collections::BTreeMap, path::PathBuf};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What to do with the collected CSS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Measure it.
    #[default]
    Analyze,
    /// Remove comments and most blanks, as the replaced script did; style elements come before linked sheets.
    Compact,
    /// Minify it safely.
    Minify,
    /// Compare it with `against`.
    Diff,
    /// List selectors that match nothing in the page (and in `pages`).
    Unused,
}

const fn default_true() -> bool {
    true
}

const fn default_max_bytes() -> u64 {
    20_000_000
}

const fn default_total_bytes() -> u64 {
    20_000_000
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Page or sheet: an http(s) address or a file
    #[garde(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any", "aliases": ["url"]}))]
    pub target: Option<String>,
    /// The page itself, instead of a target (with a target: the text of that page)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// What to do with the CSS
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    pub mode: Mode,
    /// Second version for `diff`: an address or a file
    #[garde(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// More pages for `unused`: addresses or files
    #[garde(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// Limit as `metric=number`, for example `stylesheet.size=50000`; exit code 3 when one is exceeded
    #[garde(length(max = 200))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<String>,
    /// Limits as an object of metric and number (or list, for a specificity)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<BTreeMap<String, Value>>,
    /// File for the resulting CSS
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "aliases": ["out"], "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Keep the raw number lists of the metrics (one entry per rule, selector and declaration)
    #[serde(default)]
    pub items: bool,
    /// Follow `@import`
    #[serde(default = "default_true")]
    pub imports: bool,
    /// Folder that local sheets must lie in; the folder of the target by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    pub root: Option<PathBuf>,
    /// Largest page or sheet in bytes
    #[garde(range(min = 1, max = 200_000_000))]
    #[serde(default = "default_max_bytes")]
    pub max_bytes: u64,
    /// Most bytes of CSS in all, each sheet counted as often as it is imported
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[serde(default = "default_total_bytes")]
    pub max_total_bytes: u64,
}
