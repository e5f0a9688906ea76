//! The last messages, kept to show what a reply answers; bounded, so that memory stays flat.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use super::media;
use crate::model::{EntityKind, Message, Service};

/// How many are kept.
const KEPT: usize = 4096;

/// Most characters of a message shown in a reply.
const SNIPPET: usize = 90;

#[derive(Default)]
pub(super) struct Recent {
    order: VecDeque<i32>,
    known: HashMap<i32, Snippet>,
    topics: HashMap<i32, String>,
}

pub(super) struct Snippet {
    pub(super) name: String,
    pub(super) text: String,
}

impl Recent {
    pub(super) fn remember(&mut self, message: &Message, name: &str) {
        if message.service.is_some() {
            return;
        }
        if self.order.len() >= KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        let text = if message.text.trim().is_empty() {
            message.media.as_ref().map(media::label).unwrap_or_default()
        } else {
            snippet(&without_spoilers(message))
        };
        let name = name.to_owned();
        self.order.push_back(message.id);
        self.known.insert(message.id, Snippet { name, text });
    }

    pub(super) fn get(&self, id: i32) -> Option<&Snippet> {
        self.known.get(&id)
    }

    /// Remembers the title a topic was given.
    pub(super) fn topic(&mut self, message: &Message, entry: &Service) {
        let Some(title) = &entry.title else { return };
        match entry.action.as_str() {
            "topic_created" => {
                self.topics.insert(message.id, title.clone());
            }
            "topic_edit" => {
                if let Some(topic) = message.topic {
                    self.topics.insert(topic, title.clone());
                }
            }
            _ => {}
        }
    }

    pub(super) fn topic_title(&self, topic: i32) -> Option<&str> {
        self.topics.get(&topic).map(String::as_str)
    }
}

/// The text with hidden stretches covered: a quotation of it must not give them away.
pub(super) fn without_spoilers(message: &Message) -> Cow<'_, str> {
    let hidden = || {
        message
            .entities
            .iter()
            .filter(|entity| entity.kind == EntityKind::Spoiler)
    };
    if hidden().next().is_none() {
        return Cow::Borrowed(&message.text);
    }
    let mut at = 0;
    let cover = |c: char| {
        let covered =
            hidden().any(|entity| (entity.offset..entity.offset.saturating_add(entity.length)).contains(&at));
        at += c.len_utf16();
        if covered && !c.is_whitespace() { '▒' } else { c }
    };
    message.text.chars().map(cover).collect::<String>().into()
}

/// The beginning of a text in one line.
pub(super) fn snippet(text: &str) -> String {
    let words = text
        .split_whitespace()
        .take(SNIPPET)
        .collect::<Vec<_>>()
        .join(" ");
    if words.chars().count() <= SNIPPET {
        return words;
    }
    let cut: String = words.chars().take(SNIPPET).collect();
    format!("{}…", cut.trim_end())
}
