//! Where a value comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way to say something on a page, the most trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A script with JSON-LD.
    JsonLd,
    /// `itemscope` and `itemprop`.
    Microdata,
    /// `typeof` and `property`.
    Rdfa,
    /// `meta` elements of OpenGraph.
    OpenGraph,
    /// What a reader sees.
    VisibleText,
}

impl Source {
    /// The name people use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonLd => "JSON-LD",
            Self::Microdata => "Microdata",
            Self::Rdfa => "RDFa",
            Self::OpenGraph => "OpenGraph",
            Self::VisibleText => "visible text",
        }
    }
}

/// One statement about a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// How it is said.
    pub source: Source,
    /// Where: number of the script and JSON pointer, or the path of the element.
    pub place: String,
    /// What is written there; at most 500 characters of it.
    pub raw: String,
    /// What was made of it.
    pub value: String,
    /// What had to be repaired or concluded for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<String>,
}

/// Sources that do not say the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// The field.
    pub field: String,
    /// What each source says.
    pub values: Vec<Claim>,
    /// Whose value was taken.
    pub chosen: Source,
}

/// What one source says in a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// The source.
    pub source: Source,
    /// Its value.
    pub value: String,
}

/// A text cut to so many characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}...", &text[..at]),
    }
}
