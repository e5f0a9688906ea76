//! The state when a world begins.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::str::FromStr;
use std::time::Duration;

use super::State;
use crate::telegram::fault::Faults;
use crate::telegram::world::{Dialog, Entity, Generated, History, Message, World};

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
            latency: Duration::from_millis(world.latency_ms),
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
}

fn parsed<K: FromStr + Eq + Hash>(map: HashMap<String, String>) -> HashMap<K, String> {
    map.into_iter()
        .filter_map(|(id, error)| Some((id.parse().ok()?, error)))
        .collect()
}
