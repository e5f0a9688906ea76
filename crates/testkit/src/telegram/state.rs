//! Everything the data centre remembers while it runs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::fault::Faults;
use super::objects;
use super::world::{Dialog, Entity, Generated, History, Login, Message, Topic, World};

/// A request that a client made.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Method, as the schema names it.
    pub method: String,
    /// What matters of its parameters; ids are marked.
    pub args: Value,
    /// The error it was answered with.
    pub error: Option<String>,
    /// When it came.
    pub at: Instant,
    /// Which connection brought it, counted from 1.
    pub connection: u32,
    /// Within a takeout session.
    pub takeout: bool,
}

/// Something that happened in a chat, for clients that ask what they missed.
#[derive(Debug, Clone)]
pub(super) enum Event {
    New(i32),
    Edit(i32),
    Delete(Vec<i32>),
}

/// A logged event.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub chat: i64,
    pub pts: i32,
    pub count: i32,
    pub event: Event,
}

/// An error of the service.
#[derive(Debug, Clone)]
pub(super) struct Refusal(pub String);

impl Refusal {
    pub fn new(name: &str) -> Self {
        // Recorded cases carry the client's wording: `NAME (caused by ...)`.
        Self(name.split(' ').next().unwrap_or(name).to_owned())
    }

    /// The number that goes with the name.
    pub fn code(&self) -> i32 {
        let name = self.0.as_str();
        let is = |prefix: &str| name.starts_with(prefix);
        // Spelt so, and with this number, when the service is slow.
        if name == "Timeout" {
            return -503;
        }
        if name == "AUTH_KEY_DUPLICATED" {
            406
        } else if is("FLOOD_WAIT")
            || is("SLOWMODE_WAIT")
            || is("TAKEOUT_INIT_DELAY")
            || is("FLOOD_PREMIUM_WAIT")
        {
            420
        } else if name.contains("_MIGRATE_") {
            303
        } else if is("AUTH_KEY") || is("SESSION_") || is("USER_DEACTIVATED") {
            401
        } else if is("CHAT_WRITE_FORBIDDEN") || is("CHAT_ADMIN_REQUIRED") || is("MESSAGE_DELETE_FORBIDDEN") {
            403
        } else if is("RPC_CALL_FAIL") || is("INTERNAL") {
            500
        } else {
            400
        }
    }
}

/// The state behind all data centres of one test.
pub(super) struct State {
    pub account: i64,
    pub authorized: HashSet<i32>,
    pub login: Option<Login>,
    pub entities: BTreeMap<i64, Entity>,
    pub dialogs: Vec<Dialog>,
    pub folders: Vec<super::world::Folder>,
    pub histories: HashMap<i64, History>,
    pub topics: HashMap<i64, Vec<Topic>>,
    pub history_errors: HashMap<i64, String>,
    pub reaction_errors: HashMap<i32, String>,
    pub send_error: Option<String>,
    pub next_message_id: Option<i32>,
    pub send_date: Option<String>,
    pub gzip: bool,
    pub latency: std::time::Duration,
    pub stock_reactions: Vec<String>,
    /// Custom emoji that exist: those that stand on some message when the world begins.
    pub custom_emoji: HashSet<i64>,
    pub faults: Faults,
    pub requests: Vec<Recorded>,
    pub pts: i32,
    pub channel_pts: HashMap<i64, i32>,
    pub log: Vec<Logged>,
    pub uploads: HashMap<i64, BTreeMap<i32, Vec<u8>>>,
    pub uploaded: HashMap<i64, Vec<u8>>,
    pub files: HashMap<i64, (i64, i32)>,
    pub random_ids: HashSet<i64>,
    pub last_sent: HashMap<i64, Instant>,
    pub password_pending: bool,
    pub srp: Option<super::srp::Exchange>,
    pub login_token_accepted: bool,
    pub ports: Vec<(i32, u16)>,
    pub connections: u32,
    pub open_sessions: HashMap<i32, u32>,
    pub most_sessions: u32,
}

/// The emoji every account may react with.
const STOCK: [&str; 30] = [
    "👍",
    "👎",
    "❤",
    "🔥",
    "🥰",
    "👏",
    "😁",
    "🤔",
    "🤯",
    "😱",
    "🤬",
    "😢",
    "🎉",
    "🤩",
    "🤮",
    "💩",
    "🙏",
    "👌",
    "🕊",
    "🤡",
    "🥱",
    "🥴",
    "😍",
    "🐳",
    "❤‍🔥",
    "🌚",
    "🌭",
    "💯",
    "🤣",
    "⚡",
];

impl State {
    pub fn new(world: World) -> Self {
        let entities: BTreeMap<i64, Entity> = world
            .entities
            .into_iter()
            .map(|entity| (entity.marked(), entity))
            .collect();
        let mut generated: HashMap<i64, Generated> = world
            .generated
            .into_iter()
            .filter_map(|(id, how)| Some((id.parse().ok()?, how)))
            .collect();
        let account = world.account.id;
        let mut histories = HashMap::new();
        let kept: HashMap<i64, Vec<Message>> = world
            .messages
            .into_iter()
            .filter_map(|(id, list)| Some((id.parse().ok()?, list)))
            .collect();
        let custom_emoji = kept
            .values()
            .flatten()
            .flat_map(|message| message.reactions.iter().filter_map(|tally| tally.custom_emoji_id))
            .collect();
        let chats: HashSet<i64> = kept.keys().chain(generated.keys()).copied().collect();
        for chat in chats {
            let senders = entities
                .get(&chat)
                .map(|entity| entity.members.clone())
                .unwrap_or_default();
            let made = generated.remove(&chat).map(|how| (how, senders));
            histories.insert(
                chat,
                History::new(kept.get(&chat).cloned().unwrap_or_default(), made),
            );
        }
        let mut state = Self {
            account,
            authorized: HashSet::new(),
            login: world.login,
            dialogs: world.dialogs,
            folders: world.folders,
            topics: world
                .topics
                .into_iter()
                .filter_map(|(id, list)| Some((id.parse().ok()?, list)))
                .collect(),
            history_errors: parsed(world.history_errors),
            reaction_errors: parsed(world.reaction_errors),
            send_error: world.send_error,
            next_message_id: world.next_message_id,
            send_date: world.send_date,
            gzip: world.gzip,
            custom_emoji,
            stock_reactions: if world.reactions.is_empty() {
                STOCK.iter().map(|emoji| (*emoji).to_owned()).collect()
            } else {
                world.reactions
            },
            latency: std::time::Duration::from_millis(world.latency_ms),
            faults: Faults::new(world.faults, world.allowed_per_second),
            requests: Vec::new(),
            pts: 1000,
            channel_pts: HashMap::new(),
            log: Vec::new(),
            uploads: HashMap::new(),
            uploaded: HashMap::new(),
            files: HashMap::new(),
            random_ids: HashSet::new(),
            last_sent: HashMap::new(),
            password_pending: false,
            srp: None,
            login_token_accepted: false,
            ports: Vec::new(),
            connections: 0,
            open_sessions: HashMap::new(),
            most_sessions: 0,
            entities,
            histories,
        };
        if world.authorized {
            state.authorized.insert(1);
        }
        if state.dialogs.is_empty() {
            state.dialogs = state.default_dialogs();
        }
        state
    }

    /// The chats with messages, most recent first.
    fn default_dialogs(&self) -> Vec<Dialog> {
        let mut chats: Vec<(i32, i64)> = self
            .histories
            .iter()
            .filter(|(chat, _)| {
                self.entities
                    .get(chat)
                    .is_some_and(|entity| !entity.left && entity.migrated_to().is_none())
            })
            .map(|(chat, history)| {
                (
                    history
                        .below(i32::MAX, 0)
                        .next()
                        .map_or(0, |message| message.unix()),
                    *chat,
                )
            })
            .collect();
        chats.sort_unstable_by(|a, b| b.cmp(a));
        chats
            .into_iter()
            .map(|(_, chat)| Dialog {
                chat,
                ..Dialog::default()
            })
            .collect()
    }

    /// Reads a peer that a client named; its access hash must be right.
    pub fn peer(&self, peer: &enums::InputPeer) -> Result<i64, Refusal> {
        let checked = |marked: i64, hash: i64, name: &str| {
            if self.entities.contains_key(&marked) && hash == objects::access_hash(marked) {
                Ok(marked)
            } else {
                Err(Refusal::new(name))
            }
        };
        match peer {
            enums::InputPeer::PeerSelf => Ok(self.account),
            enums::InputPeer::User(user) => checked(user.user_id, user.access_hash, "PEER_ID_INVALID"),
            enums::InputPeer::Chat(chat) => {
                let marked = -chat.chat_id;
                if self.entities.contains_key(&marked) {
                    Ok(marked)
                } else {
                    Err(Refusal::new("CHAT_ID_INVALID"))
                }
            }
            enums::InputPeer::Channel(channel) => {
                let marked = -(1_000_000_000_000 + channel.channel_id);
                checked(marked, channel.access_hash, "CHANNEL_INVALID")
            }
            _ => Err(Refusal::new("PEER_ID_INVALID")),
        }
    }

    /// Reads a channel that a client named.
    pub fn channel(&self, channel: &enums::InputChannel) -> Result<i64, Refusal> {
        match channel {
            enums::InputChannel::Channel(channel) => {
                self.peer(&enums::InputPeer::Channel(types::InputPeerChannel {
                    channel_id: channel.channel_id,
                    access_hash: channel.access_hash,
                }))
            }
            _ => Err(Refusal::new("CHANNEL_INVALID")),
        }
    }

    /// The users and chats that go with an answer.
    pub fn company(&self, ids: impl IntoIterator<Item = i64>) -> (Vec<enums::User>, Vec<enums::Chat>) {
        let ids: std::collections::BTreeSet<i64> = ids.into_iter().collect();
        let (mut users, mut chats) = (Vec::new(), Vec::new());
        for entity in ids.iter().filter_map(|id| self.entities.get(id)) {
            if entity.marked() > 0 {
                users.push(objects::user(entity, entity.id == self.account));
            } else {
                chats.push(objects::chat(entity));
            }
        }
        (users, chats)
    }

    /// The peers a message speaks of and delivers.
    pub fn people(message: &Message, chat: i64) -> Vec<i64> {
        let mut ids = vec![chat];
        if message.sender_known {
            ids.extend(message.from);
        }
        ids.extend(message.forward_from);
        if let Some(users) = message.attached.get("users").and_then(Value::as_array) {
            ids.extend(users.iter().filter_map(Value::as_i64));
        }
        ids
    }

    /// Messages on the wire, with the people in them.
    pub fn deliver(
        &mut self,
        chat: i64,
        messages: &[Message],
    ) -> (Vec<enums::Message>, Vec<enums::User>, Vec<enums::Chat>) {
        for message in messages {
            if let Some((id, size, dc)) = super::media::whereabouts(message) {
                self.files.entry(id).or_insert((size, dc));
            }
        }
        let (users, chats) = self.company(
            messages
                .iter()
                .flat_map(|message| Self::people(message, chat))
                .chain([chat]),
        );
        let wire = messages
            .iter()
            .map(|message| objects::message(message, chat, self.account))
            .collect();
        (wire, users, chats)
    }

    /// Counts an event in a chat and keeps it for those who ask later; the new number.
    pub fn log(&mut self, chat: i64, count: i32, event: Event) -> i32 {
        let pts = if chat < -1_000_000_000_000 {
            let pts = self.channel_pts.entry(chat).or_insert(100);
            *pts += count;
            *pts
        } else {
            self.pts += count;
            self.pts
        };
        self.log.push(Logged {
            chat,
            pts,
            count,
            event,
        });
        pts
    }

    /// The number of the latest event in a channel.
    pub fn channel_pts(&self, chat: i64) -> i32 {
        self.channel_pts.get(&chat).copied().unwrap_or(100)
    }

    /// Who is a member of a chat.
    pub fn members(&self, chat: i64) -> Vec<i64> {
        let Some(entity) = self.entities.get(&chat) else {
            return Vec::new();
        };
        if !entity.members.is_empty() {
            return entity.members.clone();
        }
        let Some(history) = self.histories.get(&chat) else {
            return vec![self.account];
        };
        let mut members: Vec<i64> = history
            .below(i32::MAX, 0)
            .take(1000)
            .filter_map(|message| message.from)
            .filter(|id| *id > 0)
            .collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    /// The time that sent messages bear.
    pub fn now(&self) -> i64 {
        self.send_date.as_deref().map_or_else(
            || jiff::Timestamp::now().as_second(),
            |date| super::world::unix(date).into(),
        )
    }

    /// The id of the next message of a chat.
    pub fn take_id(&mut self, chat: i64) -> i32 {
        if let Some(next) = self.next_message_id {
            self.next_message_id = Some(next + 1);
            return next;
        }
        if chat < -1_000_000_000_000 {
            return self
                .histories
                .get(&chat)
                .map_or(1, |history| history.last_id() + 1);
        }
        // Private chats and basic groups share the numbers of the account.
        let others = self
            .histories
            .iter()
            .filter(|(chat, _)| **chat >= -1_000_000_000_000);
        others
            .map(|(_, history)| history.last_id())
            .max()
            .unwrap_or_default()
            + 1
    }
}

fn parsed<K: std::str::FromStr + Eq + std::hash::Hash>(map: HashMap<String, String>) -> HashMap<K, String> {
    map.into_iter()
        .filter_map(|(id, error)| Some((id.parse().ok()?, error)))
        .collect()
}
