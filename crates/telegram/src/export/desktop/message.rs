//! One message as an object.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};

use super::text::{Mixed, Parts, Text};
use super::{media, service};
use crate::export::names::sender_id;
use crate::export::{Attachment, dates};
use crate::model::{MarkedId, Message, Reaction, ReactionKind, RecentReaction};

/// An object being filled in the order its fields are written.
#[derive(Default)]
pub(super) struct Fields<'m>(Vec<(Cow<'m, str>, Item<'m>)>);

/// A field's value. Texts are borrowed from the message.
pub(super) enum Item<'m> {
    Value(Value),
    Mixed(&'m Text<'m>),
    Parts(&'m Text<'m>),
    List(Vec<Fields<'m>>),
}

impl<'m> Fields<'m> {
    pub(super) fn put(&mut self, key: impl Into<Cow<'m, str>>, value: impl Into<Value>) {
        self.0.push((key.into(), Item::Value(value.into())));
    }

    fn item(&mut self, key: &'static str, item: Item<'m>) {
        self.0.push((Cow::Borrowed(key), item));
    }

    /// Leaves the field out when there is no value, or an empty text.
    pub(super) fn maybe<V: Into<Value>>(&mut self, key: &'static str, value: Option<V>) {
        let value = value.map(Into::into);
        if let Some(value) = value.filter(|value| value.as_str() != Some("")) {
            self.put(key, value);
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, item)| (key, item)))
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Mixed(text) => Mixed(text).serialize(serializer),
            Self::Parts(text) => Parts(text).serialize(serializer),
            Self::List(list) => list.serialize(serializer),
        }
    }
}

/// `user1`, `chat1` or `channel1`.
pub(super) fn peer_id(id: MarkedId) -> String {
    let kind = if id.is_channel() {
        "channel"
    } else if id.is_group() {
        "chat"
    } else {
        "user"
    };
    format!("{kind}{}", id.bare())
}

/// A name, or `null` for one that is not known.
pub(super) fn name(name: &str) -> Value {
    if name.is_empty() {
        Value::Null
    } else {
        Value::from(name)
    }
}

fn date(fields: &mut Fields<'_>, keys: [&'static str; 2], at: Timestamp, zone: &TimeZone) {
    fields.put(keys[0], dates::without_offset(at, zone));
    fields.put(keys[1], at.as_second().to_string());
}

/// The message with the fields of Telegram Desktop first and those it lacks behind them.
pub(super) fn object<'m>(
    message: &'m Message,
    text: &'m Text<'m>,
    sender: &str,
    attachment: Option<&Attachment>,
    zone: &TimeZone,
) -> Fields<'m> {
    let mut fields = Fields::default();
    fields.put("id", message.id);
    fields.put(
        "type",
        if message.service.is_some() {
            "service"
        } else {
            "message"
        },
    );
    date(&mut fields, ["date", "date_unixtime"], message.date, zone);
    if let Some(edited) = message.edited {
        date(&mut fields, ["edited", "edited_unixtime"], edited, zone);
    }
    let from = sender_id(message);
    if let Some(service) = &message.service {
        service::put(&mut fields, service, message, sender, from);
    } else {
        if let Some(from) = from {
            fields.put("from", name(sender));
            fields.put("from_id", peer_id(from));
        }
        fields.maybe("author", message.author.as_deref());
        origin(&mut fields, message);
    }
    if let Some(media) = &message.media {
        media::put(&mut fields, media, attachment);
    }
    fields.item("text", Item::Mixed(text));
    fields.item("text_entities", Item::Parts(text));
    // Parts do not nest; where that lost formatting, all of it stands here as Telegram counts it.
    if text.flattened() {
        let entities: Vec<Value> = message.entities.iter().map(super::text::raw).collect();
        fields.put("entities", entities);
    }
    let reactions: Vec<Fields<'_>> = message
        .reactions
        .iter()
        .filter_map(|given| reaction(given, &message.recent_reactions, zone))
        .collect();
    if !reactions.is_empty() {
        fields.item("reactions", Item::List(reactions));
    }
    additions(&mut fields, message, zone);
    fields
}

/// Where it was forwarded from and what it answers.
fn origin(fields: &mut Fields<'_>, message: &Message) {
    if let Some(forward) = &message.forwarded {
        let from = forward.from.as_ref().and_then(|from| from.name());
        let from = from.or_else(|| forward.name.clone()).unwrap_or_default();
        fields.put("forwarded_from", name(&from));
    }
    let reply = message.reply_to.as_ref();
    let answered = reply.and_then(|reply| reply.message_id);
    // A message of a topic answers the topic's first message; the general topic (1) has none.
    let topic = message.topic.filter(|topic| *topic != 1);
    fields.maybe("reply_to_message_id", answered.or(topic));
    let elsewhere = reply
        .and_then(|reply| reply.chat)
        .filter(|chat| *chat != message.chat);
    fields.maybe("reply_to_peer_id", elsewhere.map(peer_id));
    let bot = message.via_bot.as_ref().and_then(|bot| bot.username.as_ref());
    fields.maybe("via_bot", bot.map(|name| format!("@{name}")));
}

fn reaction(given: &Reaction, recent: &[RecentReaction], zone: &TimeZone) -> Option<Fields<'static>> {
    let mut fields = Fields::default();
    let (kind, key, value) = match &given.kind {
        ReactionKind::Emoji(emoji) => ("emoji", "emoji", Some(emoji.clone())),
        ReactionKind::Custom(id) => ("custom_emoji", "document_id", Some(id.to_string())),
        ReactionKind::Paid => ("paid", "emoji", None),
        ReactionKind::Empty => return None,
    };
    fields.put("type", kind);
    fields.put("count", given.count);
    fields.maybe(key, value);
    let recent: Vec<Value> = recent
        .iter()
        .filter(|one| one.kind == given.kind)
        .map(|one| {
            let from = one.from.as_ref().and_then(|from| from.name()).unwrap_or_default();
            json!({
                "from": name(&from),
                "from_id": peer_id(one.from_id),
                "date": dates::without_offset(one.date, zone),
            })
        })
        .collect();
    if !recent.is_empty() {
        fields.put("recent", recent);
    }
    Some(fields)
}

/// What Telegram Desktop leaves out. Numbers JavaScript could not hold are strings.
fn additions(fields: &mut Fields<'_>, message: &Message, zone: &TimeZone) {
    if let Some(forward) = &message.forwarded {
        fields.maybe("forwarded_from_id", forward.from_id.map(peer_id));
        date(
            fields,
            ["forwarded_date", "forwarded_date_unixtime"],
            forward.date,
            zone,
        );
        fields.maybe("forwarded_message_id", forward.channel_post);
    }
    let quote = message.reply_to.as_ref().and_then(|reply| reply.quote.as_deref());
    fields.maybe("quote", quote);
    fields.maybe("topic_id", message.topic);
    fields.maybe("grouped_id", message.grouped_id.map(|id| id.to_string()));
    fields.maybe("views", message.views);
    fields.maybe("forwards", message.forwards);
    fields.maybe("replies", message.replies);
    fields.maybe("pinned", message.pinned.then_some(true));
    fields.maybe("outgoing", message.out.then_some(true));
    for fact in &message.facts {
        fields.put(fact.name.clone(), fact.json());
    }
}
