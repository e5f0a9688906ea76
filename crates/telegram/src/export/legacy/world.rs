//! The description of a Telegram that recorded cases share: people, chats, and messages newest first.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{
    ChatKind, DocumentKind, Entity, EntityKind, File, Forward, MarkedId, Media, Message, Peer, PeerFlags,
    PollAnswer, Reaction, ReactionKind, Reply, Service,
};

/// The description, as plain data.
#[derive(Debug, Default)]
pub struct World {
    peers: HashMap<MarkedId, Arc<Peer>>,
    messages: HashMap<MarkedId, Vec<Message>>,
}

impl World {
    /// Reads a description; what it does not say takes the value Telegram would send.
    pub fn new(world: &Value) -> Self {
        let entities = world["entities"].as_array().into_iter().flatten();
        let peers: HashMap<_, _> = entities
            .map(|entity| peer(entity, world["self"]["id"].as_i64()))
            .map(|peer| (peer.id, Arc::new(peer)))
            .collect();
        let chats = world["messages"].as_object().into_iter().flatten();
        let messages = chats
            .filter_map(|(id, list)| {
                let id = MarkedId(id.parse().ok()?);
                let list = list
                    .as_array()?
                    .iter()
                    .map(|one| message(one, id, &peers))
                    .collect();
                Some((id, list))
            })
            .collect();
        Self { peers, messages }
    }

    /// The messages of a chat, newest first.
    pub fn messages(&self, chat: MarkedId) -> &[Message] {
        self.messages.get(&chat).map_or(&[], Vec::as_slice)
    }

    /// The chat or person with this id; nameless when the description has none.
    pub fn peer(&self, id: MarkedId) -> Peer {
        self.peers
            .get(&id)
            .map_or_else(|| nameless(id), |peer| (**peer).clone())
    }

    /// All chats and people.
    pub fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values().map(AsRef::as_ref)
    }
}

fn nameless(id: MarkedId) -> Peer {
    let kind = if id.is_channel() {
        ChatKind::Channel
    } else if id.is_group() {
        ChatKind::Group
    } else {
        ChatKind::User
    };
    Peer {
        id,
        kind,
        first_name: None,
        last_name: None,
        title: None,
        username: None,
        members: None,
        flags: PeerFlags::default(),
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

fn flag(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

fn int(value: &Value, key: &str) -> Option<i32> {
    value[key].as_i64().and_then(|n| i32::try_from(n).ok())
}

fn peer(entity: &Value, own: Option<i64>) -> Peer {
    let bare = entity["id"].as_i64().unwrap_or_default();
    let (id, kind) = match entity["kind"].as_str().unwrap_or_default() {
        "bot" => (MarkedId::user(bare), ChatKind::Bot),
        "group" | "group_forbidden" => (MarkedId::group(bare), ChatKind::Group),
        "supergroup" => (MarkedId::channel(bare), ChatKind::Supergroup),
        "channel" => (MarkedId::channel(bare), ChatKind::Channel),
        _ => (MarkedId::user(bare), ChatKind::User),
    };
    Peer {
        first_name: text(entity, "first_name"),
        last_name: text(entity, "last_name"),
        title: text(entity, "title"),
        username: text(entity, "username"),
        members: int(entity, "participants_count"),
        flags: PeerFlags {
            is_self: id.is_user() && own == Some(bare),
            deleted: flag(entity, "deleted"),
            verified: flag(entity, "verified"),
            restricted: flag(entity, "restricted"),
            creator: flag(entity, "creator"),
            admin: !matches!(entity["admin_rights"], Value::Null | Value::Bool(false)),
            forbidden: entity["kind"] == "group_forbidden",
            ..PeerFlags::default()
        },
        kind,
        ..nameless(id)
    }
}

fn message(one: &Value, chat: MarkedId, peers: &HashMap<MarkedId, Arc<Peer>>) -> Message {
    let post = flag(one, "post");
    let sender_id = one["from"]
        .as_i64()
        .map(MarkedId)
        .or_else(|| post.then_some(chat));
    let known = one["sender_known"].as_bool().unwrap_or(true);
    let sender = sender_id.filter(|_| known).and_then(|id| peers.get(&id).cloned());
    let list = |key: &str| one[key].as_array().cloned().unwrap_or_default();
    let date = date(one["date"].as_str().unwrap_or_default());
    let forward_from = one["forward_from"].as_i64().map(MarkedId);
    let forward_name = text(one, "forward_from_name");
    let forwarded = (forward_from.is_some() || forward_name.is_some()).then(|| Forward {
        from: forward_from.and_then(|id| peers.get(&id).cloned()),
        from_id: forward_from,
        name: forward_name,
        date,
        channel_post: None,
        author: None,
    });
    let reply = int(one, "reply_to");
    let is_service = !matches!(one["service"], Value::Null | Value::Bool(false));
    Message {
        id: int(one, "id").unwrap_or_default(),
        chat,
        date,
        sender,
        sender_id,
        out: flag(one, "out"),
        post,
        text: if is_service {
            String::new()
        } else {
            text(one, "text").unwrap_or_default()
        },
        entities: list("entities").iter().map(entity).collect(),
        media: one["media"].as_str().map(media),
        reactions: list("reactions").iter().map(reaction).collect(),
        views: int(one, "views"),
        forwards: int(one, "forwards"),
        reply_to: reply.map(|id| Reply {
            message_id: Some(id),
            chat: None,
            quote: None,
        }),
        forwarded,
        service: is_service.then(|| Service {
            action: "pin_message".to_owned(),
            ..Service::default()
        }),
        ..Message::default()
    }
}

/// A date without an offset is UTC.
fn date(text: &str) -> Timestamp {
    let civil = || text.get(..19)?.parse::<jiff::civil::DateTime>().ok();
    let utc = |at: jiff::civil::DateTime| at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp());
    text.parse()
        .ok()
        .or_else(|| civil().and_then(utc))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn entity(value: &Value) -> Entity {
    let kind = match value["type"].as_str().unwrap_or_default() {
        "bold" => EntityKind::Bold,
        "italic" => EntityKind::Italic,
        "code" => EntityKind::Code,
        "strike" => EntityKind::Strike,
        "underline" => EntityKind::Underline,
        "spoiler" => EntityKind::Spoiler,
        "pre" => EntityKind::Pre {
            language: text(value, "language").unwrap_or_default(),
        },
        "text_url" => EntityKind::TextUrl {
            url: text(value, "url").unwrap_or_default(),
        },
        "mention_name" => EntityKind::MentionName {
            user_id: value["user_id"].as_i64().unwrap_or_default(),
        },
        _ => EntityKind::Unknown,
    };
    let unit = |key: &str| value[key].as_u64().unwrap_or_default() as usize;
    Entity {
        offset: unit("offset"),
        length: unit("length"),
        kind,
    }
}

fn reaction(value: &Value) -> Reaction {
    let custom = &value["custom_emoji_id"];
    let custom = custom.as_i64().or_else(|| custom.as_str()?.parse().ok());
    let kind = match (value["emoji"].as_str(), custom) {
        (Some(emoji), _) => ReactionKind::Emoji(emoji.to_owned()),
        (None, Some(id)) => ReactionKind::Custom(id),
        (None, None) if flag(value, "paid") => ReactionKind::Paid,
        (None, None) => ReactionKind::Empty,
    };
    Reaction {
        kind,
        count: int(value, "count").unwrap_or_default(),
        chosen: flag(value, "chosen"),
    }
}

fn media(word: &str) -> Media {
    let document = |kind, mime: &str| Media::Document {
        kind,
        file_name: None,
        mime: mime.to_owned(),
        width: None,
        height: None,
        duration: None,
        performer: None,
        title: None,
        emoji: None,
        file: None,
    };
    match word {
        "photo" => Media::Photo {
            width: 0,
            height: 0,
            file: None::<File>,
        },
        "video" => document(DocumentKind::Video, "video/mp4"),
        "round_video" => document(DocumentKind::RoundVideo, "video/mp4"),
        "gif" => document(DocumentKind::Animation, "video/mp4"),
        "voice" => document(DocumentKind::Voice, "audio/ogg"),
        "audio" => document(DocumentKind::Audio, "audio/mpeg"),
        "sticker" => document(DocumentKind::Sticker, "image/webp"),
        "document" => document(DocumentKind::File, "application/octet-stream"),
        "web_page" | "web_page_photo" => Media::WebPage {
            url: None,
            title: None,
            image: word == "web_page_photo",
        },
        "geo" => Media::Geo {
            place: Some((0.0, 0.0)),
            live_period: None,
        },
        "poll" => Media::Poll {
            question: String::new(),
            closed: false,
            total_voters: None,
            answers: Vec::<PollAnswer>::new(),
        },
        "contact" => Media::Contact {
            phone: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            user_id: 0,
        },
        other => Media::Other {
            name: other.to_owned(),
        },
    }
}
