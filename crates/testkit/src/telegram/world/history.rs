//! The messages of a chat: kept ones, and made-up ones of any number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Message, Tally, unix};

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
