//! What the tool may be asked for.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const fn a_thousand() -> usize {
    1000
}

const fn ten() -> usize {
    10
}

const fn twenty() -> usize {
    20
}

/// What to do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// Read the messages of chats into the local full-text index; a later run reads only what is new or changed
    Index(#[garde(dive)] Index),
    /// Find messages by their words, the best first
    Search(#[garde(dive)] Search),
    /// People who write in the same chats as somebody
    Contacts(#[garde(dive)] Contacts),
    /// What the index holds
    Stats(#[garde(dive)] Stats),
}

/// Reading chats into the index.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Index {
    /// Chats: aliases of config.yml, ids, @usernames, t.me links or titles; all of config.yml, if none is named
    #[garde(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub chats: Vec<String>,
    /// The newest so many messages of a chat that is not in the index yet; 0 takes all
    #[serde(default = "a_thousand")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
    /// Forget what the index holds of these chats and read them again
    #[serde(default)]
    pub rebuild: bool,
    /// Nothing to leave out: the index has no vectors
    #[serde(default)]
    #[schemars(extend("x-cli" = {"hidden": true}))]
    pub no_vector: bool,
    /// Nothing to leave out: the graph is part of the index
    #[serde(default)]
    #[schemars(extend("x-cli" = {"hidden": true}))]
    pub no_graph: bool,
    /// Nothing to leave out: no text leaves this machine
    #[serde(default)]
    #[schemars(extend("x-cli" = {"hidden": true}))]
    pub no_embeddings: bool,
    /// Not used any more: the index is a local file
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"hidden": true}))]
    pub qdrant_url: Option<String>,
}

/// Finding messages.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Search {
    /// Words, all of which must be there, each also as the beginning of a longer one; "in quotes" as they stand
    #[garde(length(min = 1, max = 2000))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub query: String,
    /// Messages found at most
    #[garde(range(min = 1, max = 10_000))]
    #[serde(default = "ten")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
    /// Only in this chat: marked or bare id
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<i64>,
    /// Only of this sender: marked id
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<i64>,
    /// Only own messages
    #[serde(default)]
    pub outgoing: bool,
    /// One of the words is enough
    #[serde(default)]
    pub any: bool,
    /// Whole words only
    #[serde(default)]
    pub exact: bool,
}

/// Finding people.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Contacts {
    /// Whose contacts: marked id
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub user_id: i64,
    /// People shown at most
    #[garde(range(min = 1, max = 10_000))]
    #[serde(default = "twenty")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
}

/// What the index holds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Stats {}
