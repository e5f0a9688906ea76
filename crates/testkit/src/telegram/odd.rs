//! Messages of kinds that few chats have: giveaways, lists, games, amounts, buttons, stories.

mod action;
mod media;

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::objects;
use super::world::Message;

pub(super) use action::action;
pub(super) use media::media;

fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key).and_then(Value::as_i64)
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn with_entities(text: &str) -> enums::TextWithEntities {
    types::TextWithEntities {
        text: text.to_owned(),
        entities: Vec::new(),
    }
    .into()
}

/// The buttons below a message: `extra.buttons`, rows of `{"text", "url" or "data"}`.
pub(super) fn buttons(message: &Message) -> Option<enums::ReplyMarkup> {
    let rows = message.extra.get("buttons")?.as_array()?;
    let button = |value: &Value| -> enums::KeyboardInlineButton {
        let kind = match text(value, "url") {
            Some(url) => types::InlineButtonTypeUrl { url }.into(),
            None => types::InlineButtonTypeCallback {
                requires_password: false,
                data: text(value, "data").unwrap_or_default().into_bytes(),
            }
            .into(),
        };
        types::KeyboardInlineButton {
            style: None,
            text: text(value, "text").unwrap_or_default(),
            r#type: kind,
        }
        .into()
    };
    let rows = rows.iter().map(|row| {
        types::KeyboardInlineButtonRow {
            buttons: row.as_array().into_iter().flatten().map(button).collect(),
        }
        .into()
    });
    Some(
        types::ReplyInlineMarkup {
            force_reply: false,
            rows: rows.collect(),
        }
        .into(),
    )
}

/// An answer to a story, where the message is one: `extra.reply_story` and `extra.story_peer`.
pub(super) fn story_reply(message: &Message) -> Option<enums::MessageReplyHeader> {
    let story_id = number(&message.extra, "reply_story")?;
    Some(
        types::MessageReplyStoryHeader {
            peer: objects::peer(number(&message.extra, "story_peer").unwrap_or(1)),
            story_id: story_id as i32,
        }
        .into(),
    )
}
