//! What each action gives back.

use std::path::PathBuf;

use memory::{Collection, Document, Found, Measured, Proof, Verified};
use schemars::JsonSchema;
use serde::Serialize;

use crate::import::Skipped;

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Output {
    /// What was stored.
    Store(Stored),
    /// What was found by words.
    Retrieve(Found),
    /// What was found as a part of the text.
    Substring {
        /// Documents in the collection.
        searched: u64,
        /// Those that have it, oldest first.
        documents: Vec<Document>,
    },
    /// Documents of a collection.
    List {
        /// Documents in the collection, of which conditions hold.
        matching: u64,
        /// Those listed.
        documents: Vec<Document>,
    },
    /// What was forgotten, or would be.
    Forget {
        /// Whether it was done.
        done: bool,
        /// Ids of the documents.
        ids: Vec<String>,
        /// That nothing is left of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// The collections.
    Collections {
        /// By name.
        collections: Vec<Collection>,
    },
    /// What was written.
    Export {
        /// The file.
        file: PathBuf,
        /// Documents in it.
        documents: u64,
    },
    /// The index was built anew, or would be.
    Reindex {
        /// Whether it was done.
        done: bool,
        /// Documents in it.
        documents: u64,
    },
    /// What the check showed.
    Verify(Verified),
    /// How well the questions went.
    Gold(Measured),
}

/// What was stored, or would be.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Stored {
    /// Collection.
    pub(crate) collection: String,
    /// Whether it was done.
    pub(crate) done: bool,
    /// Documents that were not there before.
    pub(crate) new: u64,
    /// Documents that were there already.
    pub(crate) known: u64,
    /// Ids of the first thousand, in order.
    pub(crate) ids: Vec<String>,
    /// Parts of the input that were not taken.
    pub(crate) skipped_total: u64,
    /// The first of them, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) skipped: Vec<Skipped>,
    /// Files in folders that were passed over: of another kind, hidden, or links.
    pub(crate) ignored: u64,
}
