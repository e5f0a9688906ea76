//! One JSON object per line: first the chat, then every message.
//!
//! Each line says in `type` what it is (`chat`, `message`, `service`). Numbers that may exceed what JavaScript
//! can hold (documents, albums) are strings; ids of chats and people are marked numbers; dates are UTC.
//! Nothing in it changes from one run to the next unless the message did.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::names::sender_id;
use super::{Attachment, Header, Options, Renderer, Senders};
use crate::model::{Entity, EntityKind, Forward, Message, Reaction, ReactionKind, Service};

mod media;

/// Version of the lines' layout; raised when a field changes its meaning.
const VERSION: u32 = 1;

/// Writes newline-delimited JSON.
pub struct Ndjson {
    senders: Senders,
}

impl Ndjson {
    /// A renderer with the given names.
    pub fn new(options: Options) -> Self {
        Self {
            senders: Senders::new(&options, ""),
        }
    }
}

impl Renderer for Ndjson {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.senders.learn(&header.chat);
        let mut line = json!({
            "type": "chat",
            "v": VERSION,
            "id": header.chat.id,
            "kind": header.chat.kind,
            "title": header.title,
            "count": header.count,
            "exported_at": header.exported_at,
        });
        set(
            &mut line,
            "username",
            header.chat.username.as_deref().map(Value::from),
        );
        if !header.meta.is_empty() {
            set(&mut line, "meta", Some(json!(header.meta)));
        }
        write_line(out, &line)
    }

    fn message(
        &mut self,
        out: &mut dyn Write,
        message: &Message,
        attachment: Option<&Attachment>,
    ) -> io::Result<()> {
        let name = self.senders.name(message);
        write_line(out, &object(message, &name, attachment))
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn write_line(out: &mut dyn Write, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn set(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.to_owned(), value);
    }
}

fn object(message: &Message, sender: &str, attachment: Option<&Attachment>) -> Value {
    let kind = if message.service.is_some() {
        "service"
    } else {
        "message"
    };
    let mut line = json!({
        "type": kind,
        "id": message.id,
        "chat_id": message.chat,
        "date": message.date,
    });
    let mut put = |key: &str, value: Option<Value>| set(&mut line, key, value);
    put("edited", message.edited.map(|at| json!(at)));
    put(
        "from",
        Some(sender).filter(|name| !name.is_empty()).map(Value::from),
    );
    put("from_id", sender_id(message).map(|id| json!(id)));
    put(
        "from_username",
        message
            .sender
            .as_ref()
            .and_then(|s| s.username.as_deref())
            .map(Value::from),
    );
    put("author", message.author.as_deref().map(Value::from));
    for (key, flag) in [
        ("out", message.out),
        ("post", message.post),
        ("pinned", message.pinned),
    ] {
        put(key, flag.then_some(Value::Bool(true)));
    }
    if message.service.is_none() {
        put("text", Some(Value::from(message.text.as_str())));
    }
    put("service", message.service.as_ref().map(service));
    let entities: Vec<Value> = message.entities.iter().map(entity).collect();
    put("entities", (!entities.is_empty()).then(|| Value::from(entities)));
    put(
        "media",
        message
            .media
            .as_ref()
            .map(|media| media::object(media, attachment)),
    );
    let reactions: Vec<Value> = message.reactions.iter().map(reaction).collect();
    put(
        "reactions",
        (!reactions.is_empty()).then(|| Value::from(reactions)),
    );
    let recent: Vec<Value> = message.recent_reactions.iter().map(recent).collect();
    put(
        "recent_reactions",
        (!recent.is_empty()).then(|| Value::from(recent)),
    );
    put("views", message.views.map(Value::from));
    put("forwards", message.forwards.map(Value::from));
    put("replies", message.replies.map(Value::from));
    put(
        "reply_to",
        message.reply_to.as_ref().map(|reply| {
            let mut value = json!({});
            set(&mut value, "message_id", reply.message_id.map(Value::from));
            set(&mut value, "chat_id", reply.chat.map(|id| json!(id)));
            set(&mut value, "quote", reply.quote.as_deref().map(Value::from));
            value
        }),
    );
    put("topic_id", message.topic.map(Value::from));
    put("forwarded", message.forwarded.as_ref().map(forward));
    put(
        "grouped_id",
        message.grouped_id.map(|id| Value::from(id.to_string())),
    );
    let bot = message.via_bot.as_ref();
    put(
        "via_bot",
        bot.and_then(|bot| bot.username.as_deref()).map(Value::from),
    );
    for fact in &message.facts {
        put(&fact.name, Some(fact.json()));
    }
    line
}

fn service(service: &Service) -> Value {
    let mut value = json!({"action": service.action});
    set(&mut value, "title", service.title.as_deref().map(Value::from));
    if !service.member_ids.is_empty() {
        set(&mut value, "member_ids", Some(json!(service.member_ids)));
    }
    if !service.members.is_empty() {
        set(&mut value, "members", Some(json!(service.members)));
    }
    set(&mut value, "duration", service.duration.map(Value::from));
    set(
        &mut value,
        "discard_reason",
        service.discard_reason.as_deref().map(Value::from),
    );
    set(&mut value, "text", service.text.as_deref().map(Value::from));
    value
}

fn entity(entity: &Entity) -> Value {
    let (kind, more) = match &entity.kind {
        EntityKind::Bold => ("bold", None),
        EntityKind::Italic => ("italic", None),
        EntityKind::Underline => ("underline", None),
        EntityKind::Strike => ("strike", None),
        EntityKind::Spoiler => ("spoiler", None),
        EntityKind::Code => ("code", None),
        EntityKind::Pre { language } => ("pre", Some(("language", Value::from(language.as_str())))),
        EntityKind::Blockquote { collapsed } => ("blockquote", Some(("collapsed", Value::from(*collapsed)))),
        EntityKind::TextUrl { url } => ("text_url", Some(("url", Value::from(url.as_str())))),
        EntityKind::Url => ("url", None),
        EntityKind::Mention => ("mention", None),
        EntityKind::MentionName { user_id } => ("mention_name", Some(("user_id", Value::from(*user_id)))),
        EntityKind::Hashtag => ("hashtag", None),
        EntityKind::Cashtag => ("cashtag", None),
        EntityKind::BotCommand => ("bot_command", None),
        EntityKind::Email => ("email", None),
        EntityKind::Phone => ("phone", None),
        EntityKind::BankCard => ("bank_card", None),
        EntityKind::CustomEmoji { document_id } => (
            "custom_emoji",
            Some(("document_id", Value::from(document_id.to_string()))),
        ),
        EntityKind::Unknown => ("unknown", None),
    };
    let mut value = json!({"type": kind, "offset": entity.offset, "length": entity.length});
    if let Some((key, found)) = more {
        set(&mut value, key, Some(found));
    }
    value
}

fn reaction(reaction: &Reaction) -> Value {
    let mut value = reaction_kind(&reaction.kind);
    set(&mut value, "count", Some(Value::from(reaction.count)));
    set(&mut value, "chosen", reaction.chosen.then_some(Value::Bool(true)));
    value
}

fn recent(recent: &crate::model::RecentReaction) -> Value {
    let mut value = reaction_kind(&recent.kind);
    let name = recent.from.as_ref().and_then(|from| from.name());
    set(&mut value, "from", name.map(Value::from));
    set(&mut value, "from_id", Some(json!(recent.from_id)));
    set(&mut value, "date", Some(json!(recent.date)));
    value
}

fn reaction_kind(kind: &ReactionKind) -> Value {
    match kind {
        ReactionKind::Emoji(emoji) => json!({"type": "emoji", "emoji": emoji}),
        ReactionKind::Custom(id) => json!({"type": "custom_emoji", "document_id": id.to_string()}),
        ReactionKind::Paid => json!({"type": "paid"}),
        ReactionKind::Empty => json!({"type": "empty"}),
    }
}

fn forward(forward: &Forward) -> Value {
    let mut value = json!({"date": forward.date});
    let name = forward.from.as_ref().and_then(|from| from.name());
    set(
        &mut value,
        "from",
        name.or_else(|| forward.name.clone()).map(Value::from),
    );
    set(&mut value, "from_id", forward.from_id.map(|id| json!(id)));
    set(&mut value, "channel_post", forward.channel_post.map(Value::from));
    set(&mut value, "author", forward.author.as_deref().map(Value::from));
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Format, samples};

    #[test]
    fn every_line_stands_alone_and_says_what_it_is() {
        let mut renderer = Format::Ndjson.renderer(Options::default());
        let mut out = Vec::new();
        let conversation = samples::conversation();
        renderer
            .begin(&mut out, &samples::header(conversation.len()))
            .unwrap();
        for (message, attachment) in &conversation {
            renderer.message(&mut out, message, attachment.as_ref()).unwrap();
        }
        renderer.end(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), conversation.len() + 1);
        assert_eq!(lines[0]["type"], "chat");
        assert_eq!(lines[0]["count"], conversation.len());
        assert_eq!(lines[1]["service"]["action"], "create_group");
        assert_eq!(lines[2]["entities"][0]["document_id"], "5368324170671202286");
        assert_eq!(lines[3]["reply_to"]["message_id"], 2);
        assert_eq!(lines[7]["grouped_id"], "13579246801357924");
        assert_eq!(
            lines[7]["media"],
            json!({"type": "photo", "width": 1280, "height": 853, "document_id": "7", "size": 183_204})
        );
        assert_eq!(lines[22]["forwarded"]["from"], "Demo news");
        assert_eq!(lines[26]["topic_id"], 25);
        assert!(!text.contains("access_hash") && !text.contains("99887766"));
    }

    #[test]
    fn a_stored_file_and_a_skipped_one_say_so() {
        let stored = Attachment::Stored {
            path: "files/a.jpg".to_owned(),
            thumbnail: Some("files/a_thumb.jpg".to_owned()),
        };
        let message = samples::photo(1, "");
        let line = object(&message, "A", Some(&stored));
        assert_eq!(line["media"]["path"], "files/a.jpg");
        assert_eq!(line["media"]["thumbnail"], "files/a_thumb.jpg");
        let line = object(&message, "A", Some(&Attachment::TooLarge));
        assert_eq!(line["media"]["skipped"], "too_large");
    }
}
