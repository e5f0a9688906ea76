//! Peers: those that a client names, and those that go with an answer.

use std::collections::BTreeSet;

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::{Refusal, State};
use crate::telegram::{media, objects, world::Message};

impl State {
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
        let ids: BTreeSet<i64> = ids.into_iter().collect();
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
            if let Some((id, size, dc)) = media::whereabouts(message) {
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
}
