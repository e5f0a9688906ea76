//! What the data centre knows: the account, its peers, and the messages of its chats.
//!
//! A scenario file holds a world as JSON: the format of the recorded parity cases, with additions for
//! everything they did not need (sign-in, topics, albums, faults, generated histories).

mod entity;
mod history;
mod message;

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use entity::{Dialog, Entity, Folder, Topic};
pub use history::{Generated, History};
pub use message::{Message, Stretch, Tally, iso, unix};

/// A scenario.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct World {
    /// The account.
    #[serde(rename = "self")]
    pub account: Account,
    /// Whether the pre-shared key is signed in.
    #[serde(default = "yes")]
    pub authorized: bool,
    /// How a new key may sign in.
    pub login: Option<Login>,
    /// Everybody and every chat.
    pub entities: Vec<Entity>,
    /// The dialog list in the server's order. Empty: every entity with messages.
    pub dialogs: Vec<Dialog>,
    /// Folders of that list.
    pub folders: Vec<Folder>,
    /// Marked chat id as text -> messages, in any order.
    pub messages: HashMap<String, Vec<Message>>,
    /// Marked chat id as text -> how to make a large history up.
    pub generated: HashMap<String, Generated>,
    /// Marked chat id as text -> topics of a forum.
    pub topics: HashMap<String, Vec<Topic>>,
    /// Marked chat id as text -> what reading its history answers.
    pub history_errors: HashMap<String, String>,
    /// Message id as text -> what reacting to it answers.
    pub reaction_errors: HashMap<String, String>,
    /// What sending answers.
    pub send_error: Option<String>,
    /// Id of the next message sent.
    pub next_message_id: Option<i32>,
    /// When messages are sent (UTC); now, unless given.
    pub send_date: Option<String>,
    /// Faults from the start.
    pub faults: Vec<super::fault::Fault>,
    /// Milliseconds from a request to its answer, beside the work; many may be on their way at a time.
    pub latency_ms: u64,
    /// Method -> calls of it that are allowed within a second; more are answered with a flood wait.
    pub allowed_per_second: HashMap<String, usize>,
    /// Whether long answers are compressed, as the service does.
    #[serde(default = "yes")]
    pub gzip: bool,
    /// The emoji that may be used as reactions; empty: the stock ones.
    pub reactions: Vec<String>,
}

fn yes() -> bool {
    true
}

/// The account behind the key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Bare id.
    pub id: i64,
}

/// How to sign in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Login {
    /// Telephone number.
    pub phone: String,
    /// The code that is sent.
    pub code: String,
    /// Two-step password, if there is one.
    pub password: Option<String>,
    /// Its hint.
    pub hint: Option<String>,
    /// The data centre that keeps the account; another one answers PHONE_MIGRATE.
    pub dc: Option<i32>,
}

impl World {
    /// Reads a scenario file.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
        let mut world: Self =
            serde_json::from_str(&text).map_err(|e| format!("`{}` is no scenario: {e}", path.display()))?;
        world.know_account();
        Ok(world)
    }

    /// Recorded cases do not always list the account itself; the wire needs it.
    fn know_account(&mut self) {
        let own = self.account.id;
        if !self
            .entities
            .iter()
            .any(|entity| entity.kind == "user" && entity.id == own)
        {
            self.entities.push(Entity {
                kind: "user".to_owned(),
                id: own,
                first_name: Some("Owner".to_owned()),
                ..Entity::default()
            });
        }
    }
}
