//! Service entries.

use grammers_tl_types::{enums, types};
use serde_json::Value;

use crate::telegram::{odd, world::Message};

/// What a service entry tells.
pub(super) fn action(message: &Message) -> enums::MessageAction {
    let text = |key: &str| {
        message
            .attached
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let users = || {
        let list = message
            .attached
            .get("users")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        list.iter().filter_map(Value::as_i64).collect::<Vec<_>>()
    };
    if let Some(odd) = odd::action(message) {
        return odd;
    }
    match message.service.as_str().unwrap_or("pin") {
        "join" | "add" => types::MessageActionChatAddUser { users: users() }.into(),
        "leave" => types::MessageActionChatDeleteUser {
            user_id: users().first().copied().unwrap_or_default(),
        }
        .into(),
        "join_by_link" => types::MessageActionChatJoinedByLink {
            inviter_id: users().first().copied().unwrap_or_default(),
        }
        .into(),
        "title" => types::MessageActionChatEditTitle { title: text("title") }.into(),
        "migrate_to" => types::MessageActionChatMigrateTo {
            channel_id: message
                .attached
                .get("channel")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
        }
        .into(),
        "migrate_from" => types::MessageActionChannelMigrateFrom {
            title: text("title"),
            chat_id: message
                .attached
                .get("chat")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
        }
        .into(),
        "create" => types::MessageActionChannelCreate { title: text("title") }.into(),
        "topic" => types::MessageActionTopicCreate {
            title_missing: false,
            title: text("title"),
            icon_color: 0,
            icon_emoji_id: None,
        }
        .into(),
        "call" => types::MessageActionPhoneCall {
            video: false,
            call_id: 1,
            reason: Some(enums::PhoneCallDiscardReason::Hangup),
            duration: message
                .attached
                .get("duration")
                .and_then(Value::as_i64)
                .map(|seconds| seconds as i32),
        }
        .into(),
        _ => enums::MessageAction::PinMessage,
    }
}
