//! What the data centre knows: the account, its peers, and the messages of its chats.
//!
//! A scenario file holds a world as JSON: the format of the recorded parity cases, with additions for
//! everything they did not need (sign-in, topics, albums, faults, generated histories).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};

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

/// A user, group or channel.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// `user`, `bot`, `group`, `supergroup`, `channel` or `group_forbidden`.
    pub kind: String,
    /// Bare id.
    pub id: i64,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Public name.
    pub username: Option<String>,
    /// Number of members.
    pub participants_count: Option<i32>,
    /// Verified.
    pub verified: bool,
    /// Restricted.
    pub restricted: bool,
    /// Created by the account.
    pub creator: bool,
    /// The account is an administrator.
    pub admin_rights: Option<serde_json::Value>,
    /// Deleted account.
    pub deleted: bool,
    /// In the account's contacts.
    pub contact: bool,
    /// A supergroup with topics.
    pub forum: bool,
    /// Bare ids of the members.
    pub members: Vec<i64>,
    /// The account may not write here.
    pub write_forbidden: bool,
    /// Seconds between two messages of one person.
    pub slow_mode: Option<i32>,
    /// Not in the dialog list and not to be resolved by anybody but its members.
    pub left: bool,
    /// What few scenarios need: `migrated_to` (bare id of the supergroup that a group became), `hidden` (left out of
    /// the pages of members it belongs to).
    pub extra: serde_json::Value,
}

impl Entity {
    /// Marked id.
    pub fn marked(&self) -> i64 {
        match self.kind.as_str() {
            "user" | "bot" => self.id,
            "group" | "group_forbidden" => -self.id,
            _ => -(1_000_000_000_000 + self.id),
        }
    }

    /// Bare id of the supergroup that a group became.
    pub fn migrated_to(&self) -> Option<i64> {
        self.extra.get("migrated_to").and_then(serde_json::Value::as_i64)
    }

    /// Whether it is left out of the pages of members.
    pub fn is_hidden(&self) -> bool {
        self.extra.get("hidden").and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// Whether it is a channel or supergroup.
    pub fn is_channel(&self) -> bool {
        matches!(self.kind.as_str(), "supergroup" | "channel")
    }
}

/// A line of the dialog list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialog {
    /// Marked id.
    pub chat: i64,
    /// Unread messages.
    pub unread: i32,
    /// Pinned on top.
    pub pinned: bool,
    /// Title shown instead of the entity's (the recorded cases use it; the wire has no such thing).
    pub title: Option<String>,
    /// Left out of the page it belongs to.
    pub hidden: bool,
    /// In the archive.
    pub archived: bool,
    /// Notifications are off until then, in seconds since 1970.
    pub muted_until: Option<i32>,
}

/// A folder of the dialog list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the wire")]
pub struct Folder {
    /// Number.
    pub id: i32,
    /// Title.
    pub title: String,
    /// Takes in contacts.
    pub contacts: bool,
    /// Takes in other people.
    pub non_contacts: bool,
    /// Takes in groups.
    pub groups: bool,
    /// Takes in channels.
    pub broadcasts: bool,
    /// Takes in bots.
    pub bots: bool,
    /// Leaves out what is muted.
    pub exclude_muted: bool,
    /// Leaves out what is read.
    pub exclude_read: bool,
    /// Leaves out the archive.
    pub exclude_archived: bool,
    /// Marked ids of chats that are in it.
    pub include: Vec<i64>,
    /// Marked ids of chats that are not.
    pub exclude: Vec<i64>,
}

/// A topic of a forum.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Topic {
    /// Id: that of the message which opened it.
    pub id: i32,
    /// Title.
    pub title: String,
    /// Left out of the page it belongs to.
    pub hidden: bool,
}

/// A formatted stretch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stretch {
    /// Kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// First UTF-16 unit.
    pub offset: i32,
    /// Number of UTF-16 units.
    pub length: i32,
    /// Link.
    pub url: Option<String>,
    /// Person.
    pub user_id: Option<i64>,
    /// Language of a code block.
    pub language: Option<String>,
    /// Custom emoji.
    pub document_id: Option<i64>,
}

/// How often a message got one reaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Plain emoji.
    pub emoji: Option<String>,
    /// Custom emoji.
    pub custom_emoji_id: Option<i64>,
    /// Paid.
    pub paid: bool,
    /// How many.
    pub count: i32,
    /// Given by the account.
    pub chosen: bool,
}

/// A message of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Id.
    pub id: i32,
    /// When, UTC, ISO 8601 without offset.
    pub date: String,
    /// The same in seconds since 1970, where it is known without reading it.
    #[serde(skip)]
    pub at: Option<i32>,
    /// When edited.
    pub edited: Option<String>,
    /// Raw text.
    pub text: String,
    /// Formatting.
    pub entities: Vec<Stretch>,
    /// Marked id of the sender.
    pub from: Option<i64>,
    /// Sent by the account.
    pub out: bool,
    /// A channel post.
    pub post: bool,
    /// A service entry: `true` is a pin; a word names the action.
    pub service: serde_json::Value,
    /// What is attached.
    pub media: Option<String>,
    /// Details of what is attached.
    pub attached: serde_json::Value,
    /// Reactions.
    pub reactions: Vec<Tally>,
    /// Views.
    pub views: Option<i32>,
    /// Forwards.
    pub forwards: Option<i32>,
    /// Message answered.
    pub reply_to: Option<i32>,
    /// Topic it stands in.
    pub topic: Option<i32>,
    /// Marked id of the original author.
    pub forward_from: Option<i64>,
    /// Name of an original author who hides.
    pub forward_from_name: Option<String>,
    /// Signature of a post, or title of an anonymous administrator.
    pub author: Option<String>,
    /// Album.
    pub grouped_id: Option<i64>,
    /// Whether the sender is delivered with the message.
    #[serde(default = "yes")]
    pub sender_known: bool,
    /// `error`: looking the sender up fails.
    pub sender_lookup: Option<String>,
    /// What deleting it answers.
    pub delete_error: Option<String>,
    /// Pinned.
    pub pinned: bool,
    /// What few scenarios need: `hidden` (left out of the pages it belongs to, as the service does by local law).
    pub extra: serde_json::Value,
}

impl Message {
    /// Whether the service leaves it out of its pages.
    pub fn is_hidden(&self) -> bool {
        self.extra.get("hidden").and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// Seconds since 1970.
    pub fn unix(&self) -> i32 {
        self.at.unwrap_or_else(|| unix(&self.date))
    }

    /// Whether it is a service entry.
    pub fn is_service(&self) -> bool {
        !matches!(
            self.service,
            serde_json::Value::Null | serde_json::Value::Bool(false)
        )
    }
}

/// Seconds since 1970 of an ISO 8601 time without offset (UTC), 0 if it is none.
pub fn unix(iso: &str) -> i32 {
    iso.parse::<jiff::civil::DateTime>()
        .ok()
        .and_then(|when| when.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map_or(0, |when| when.timestamp().as_second() as i32)
}

/// ISO 8601 without offset of seconds since 1970.
pub fn iso(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .map(|when| when.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string())
        .unwrap_or_default()
}

/// A made-up history of any size, computed when asked for, so that it needs no memory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Generated {
    /// How many messages, with ids from 1.
    pub count: i32,
    /// Any number; another one gives other texts.
    pub seed: u64,
    /// Time of the first one (UTC).
    pub start: String,
    /// Seconds between two.
    pub every: i32,
    /// The time of the first one, read once.
    #[serde(skip)]
    pub first: std::sync::OnceLock<i32>,
}

const WORDS: [&str; 24] = [
    "river",
    "lantern",
    "утро",
    "письмо",
    "orchard",
    "сад",
    "window",
    "дорога",
    "copper",
    "лодка",
    "garden",
    "весна",
    "signal",
    "чай",
    "meadow",
    "книга",
    "harbour",
    "снег",
    "ladder",
    "звезда",
    "bread",
    "мост",
    "cloud",
    "🔥",
];

impl Generated {
    /// When the first message was sent.
    fn first(&self) -> i32 {
        *self.first.get_or_init(|| unix(&self.start))
    }

    /// The message with this id.
    pub fn message(&self, id: i32, senders: &[i64]) -> Option<Message> {
        if id < 1 || id > self.count {
            return None;
        }
        let mut dice = Dice(self.seed ^ (id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let words = 4 + dice.below(20);
        let mut text = String::new();
        for n in 0..words {
            if n > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[dice.below(WORDS.len() as u64) as usize]);
        }
        let mut message = Message {
            id,
            at: Some(self.first().saturating_add(id.saturating_mul(self.every.max(1)))),
            text,
            sender_known: true,
            from: (!senders.is_empty()).then(|| senders[dice.below(senders.len() as u64) as usize]),
            ..Message::default()
        };
        if dice.below(5) == 0 && id > 10 {
            message.reply_to = Some(id - 1 - dice.below(9) as i32);
        }
        if dice.below(4) == 0 {
            let tally = |emoji: &str, count| Tally {
                emoji: Some(emoji.into()),
                count,
                ..Tally::default()
            };
            message.reactions = vec![
                tally("👍", 1 + dice.below(9) as i32),
                tally("🔥", 1 + dice.below(3) as i32),
            ];
        }
        if dice.below(12) == 0 {
            message.media = Some("photo".into());
        }
        Some(message)
    }
}

/// A small, repeatable source of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit.max(1)
    }
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

/// The messages of one chat.
#[derive(Debug, Default)]
pub struct History {
    /// Messages that are kept; `None` marks one that was deleted.
    kept: BTreeMap<i32, Option<Message>>,
    /// How the others are made up.
    generated: Option<(Generated, Vec<i64>)>,
}

impl History {
    /// The history of a chat.
    pub fn new(messages: Vec<Message>, generated: Option<(Generated, Vec<i64>)>) -> Self {
        let kept = messages
            .into_iter()
            .map(|message| (message.id, Some(message)))
            .collect();
        Self { kept, generated }
    }

    /// One message.
    pub fn get(&self, id: i32) -> Option<Message> {
        match self.kept.get(&id) {
            Some(kept) => kept.clone(),
            None => self
                .generated
                .as_ref()
                .and_then(|(generated, senders)| generated.message(id, senders)),
        }
    }

    /// Adds or replaces a message.
    pub fn put(&mut self, message: Message) {
        self.kept.insert(message.id, Some(message));
    }

    /// Takes a message away; whether it was there.
    pub fn delete(&mut self, id: i32) -> bool {
        let there = self.get(id).is_some();
        if there {
            self.kept.insert(id, None);
        }
        there
    }

    /// The highest id ever used.
    pub fn last_id(&self) -> i32 {
        let kept = self.kept.last_key_value().map_or(0, |(id, _)| *id);
        kept.max(
            self.generated
                .as_ref()
                .map_or(0, |(generated, _)| generated.count),
        )
    }

    /// How many messages there are.
    pub fn count(&self) -> i32 {
        let made = self
            .generated
            .as_ref()
            .map_or(0, |(generated, _)| generated.count);
        self.kept
            .iter()
            .fold(made, |count, (id, kept)| match (kept, *id >= 1 && *id <= made) {
                (Some(_), true) | (None, false) => count,
                (Some(_), false) => count + 1,
                (None, true) => count - 1,
            })
    }

    /// Whether there is a message with this id.
    fn exists(&self, id: i32) -> bool {
        match self.kept.get(&id) {
            Some(kept) => kept.is_some(),
            None => self
                .generated
                .as_ref()
                .is_some_and(|(generated, _)| (1..=generated.count).contains(&id)),
        }
    }

    /// The messages with ids below `top`, newest first, without the first `skip`.
    pub fn below(&self, top: i32, skip: usize) -> impl Iterator<Item = Message> + '_ {
        self.ids_below(top)
            .filter(|id| self.exists(*id))
            .skip(skip)
            .filter_map(|id| self.get(id))
    }

    /// The ids below `top` that may be in use, newest first.
    fn ids_below(&self, top: i32) -> Box<dyn Iterator<Item = i32> + '_> {
        match &self.generated {
            Some(_) => Box::new((1..top.min(self.last_id() + 1)).rev()),
            None => Box::new(self.kept.range(..top).rev().map(|(id, _)| *id)),
        }
    }

    /// The messages with ids of at least `bottom`, oldest first.
    pub fn from(&self, bottom: i32) -> impl Iterator<Item = Message> + '_ {
        let ids: Box<dyn Iterator<Item = i32> + '_> = match &self.generated {
            Some(_) => Box::new(bottom.max(1)..=self.last_id()),
            None => Box::new(self.kept.range(bottom..).map(|(id, _)| *id)),
        };
        ids.filter_map(|id| self.get(id))
    }
}
