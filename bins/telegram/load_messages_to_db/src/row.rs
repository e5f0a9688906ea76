//! A message as a row.

use sql::telegram::MessageRow;
use telegram::export::{markup, reactions};
use telegram::model::{DocumentKind, Media, Message};

/// The row of a message whose sender has this name.
pub fn of(message: &Message, sender: &str) -> MessageRow {
    let text = markup::markdown(&message.text, &message.entities);
    let given = reactions::breakdown(&message.reactions);
    let author = message.forwarded.as_ref().and_then(|forward| forward.from_id);
    MessageRow {
        id: message.id,
        chat_id: message.chat.0,
        sender_id: telegram::export::names::sender_id(message).map(|id| id.0),
        sender_name: sender.to_owned(),
        text: Some(text).filter(|text| !text.is_empty() && message.service.is_none()),
        date: message.date,
        reply_to: message.reply_to.as_ref().and_then(|reply| reply.message_id),
        // Channels and authors who hide are not people.
        forward_from: author.filter(|id| id.is_user()).map(|id| id.0),
        views: message.views,
        forwards: message.forwards,
        reactions: reactions::total(&message.reactions),
        reactions_json: (!given.is_empty()).then(|| serde_json::to_string(&given).unwrap_or_default()),
        media_type: message.media.as_ref().and_then(media_type),
    }
}

/// The word for what is attached; nothing for places, polls, contacts and links without a picture.
const fn media_type(media: &Media) -> Option<&'static str> {
    match media {
        Media::Photo { .. } | Media::WebPage { image: true, .. } => Some("photo"),
        Media::Document { kind, .. } => Some(match kind {
            DocumentKind::Video
            | DocumentKind::RoundVideo
            | DocumentKind::Animation
            | DocumentKind::VideoSticker => "video",
            DocumentKind::Voice => "voice",
            DocumentKind::Audio => "audio",
            DocumentKind::Sticker => "sticker",
            DocumentKind::File => "document",
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use telegram::model::{Forward, MarkedId, Reaction, ReactionKind};

    use super::*;

    #[test]
    fn a_message_becomes_a_row() {
        let message = Message {
            id: 5,
            chat: MarkedId::channel(1002),
            text: "own text bold".to_owned(),
            entities: vec![telegram::model::Entity {
                offset: 9,
                length: 4,
                kind: telegram::model::EntityKind::Bold,
            }],
            reactions: vec![
                Reaction {
                    kind: ReactionKind::Emoji("🔥".to_owned()),
                    count: 3,
                    chosen: false,
                },
                Reaction {
                    kind: ReactionKind::Empty,
                    count: 1,
                    chosen: false,
                },
            ],
            forwarded: Some(Forward {
                from: None,
                from_id: Some(MarkedId::user(111)),
                name: None,
                date: jiff::Timestamp::UNIX_EPOCH,
                channel_post: None,
                author: None,
            }),
            ..Message::default()
        };
        let row = of(&message, "Alice");
        assert_eq!(row.text.as_deref(), Some("own text **bold**"));
        assert_eq!(row.reactions, 4);
        assert_eq!(
            row.reactions_json.as_deref(),
            Some(r#"[{"emoji":"🔥","count":3}]"#)
        );
        assert_eq!(row.forward_from, Some(111));
        let hidden = Message {
            forwarded: Some(Forward {
                from_id: Some(MarkedId::channel(7)),
                ..message.forwarded.clone().unwrap()
            }),
            text: String::new(),
            reactions: Vec::new(),
            ..message
        };
        let row = of(&hidden, "Alice");
        assert_eq!(
            (row.forward_from, row.text, row.reactions_json),
            (None, None, None)
        );
    }
}
