//! A dialog of a page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A dialog that the page opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dialog {
    /// `alert`, `confirm`, `prompt` or `beforeunload`.
    pub kind: String,
    /// What it said, at most 500 characters.
    pub message: String,
    /// `closed`, or for a question `dismissed`.
    pub answer: String,
}
