//! Messages with their headers.

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::{
    action::action,
    peer,
    text::{entity, reactions},
};
use crate::telegram::{
    media, odd,
    world::{Message, unix},
};

/// A message or service entry.
pub(in crate::telegram) fn message(message: &Message, chat: i64, account: i64) -> enums::Message {
    // Posts name no sender, nor does the other side of a private chat; an anonymous administrator is the group itself.
    let from_id = message
        .from
        .filter(|from| !message.post && *from != chat.max(0))
        .map(peer);
    let reply_to = reply(message);
    if message.is_service() {
        return types::MessageService {
            out: message.out,
            mentioned: false,
            media_unread: false,
            reactions_are_possible: false,
            silent: false,
            post: message.post,
            legacy: false,
            id: message.id,
            from_id,
            peer_id: peer(chat),
            saved_peer_id: None,
            reply_to,
            date: message.unix(),
            action: action(message),
            reactions: None,
            ttl_period: None,
        }
        .into();
    }
    let extra = |key: &str| {
        message
            .extra
            .get(key)
            .and_then(Value::as_bool)
            .unwrap_or_default()
    };
    let count = |key: &str| message.extra.get(key).and_then(Value::as_i64);
    let word = |key: &str| message.extra.get(key).and_then(Value::as_str).map(str::to_owned);
    let reactions = (!message.reactions.is_empty())
        .then(|| enums::MessageReactions::Reactions(reactions(&message.reactions, account, message.unix())));
    types::Message {
        out: message.out,
        mentioned: false,
        media_unread: false,
        silent: false,
        post: message.post,
        from_scheduled: false,
        legacy: false,
        edit_hide: extra("edit_hide"),
        pinned: message.pinned,
        noforwards: extra("noforwards"),
        invert_media: false,
        offline: false,
        video_processing_pending: false,
        paid_suggested_post_stars: false,
        paid_suggested_post_ton: false,
        id: message.id,
        from_id,
        from_boosts_applied: None,
        from_rank: word("rank"),
        peer_id: peer(chat),
        saved_peer_id: None,
        fwd_from: forward(message),
        via_bot_id: count("via_bot"),
        via_business_bot_id: None,
        guestchat_via_from: None,
        reply_to,
        date: message.unix(),
        message: message.text.clone(),
        media: media::media(message),
        reply_markup: odd::buttons(message),
        entities: (!message.entities.is_empty()).then(|| message.entities.iter().map(entity).collect()),
        views: message.views.or(message.forwards.map(|_| 0)),
        forwards: message.forwards.or(message.views.map(|_| 0)),
        replies: None,
        edit_date: message.edited.as_deref().map(unix),
        post_author: message.author.clone(),
        grouped_id: message.grouped_id,
        reactions,
        restriction_reason: None,
        ttl_period: count("ttl_period").map(|seconds| seconds as i32),
        quick_reply_shortcut_id: None,
        effect: None,
        factcheck: None,
        report_delivery_until_date: None,
        paid_message_stars: count("paid_stars"),
        suggested_post: None,
        schedule_repeat_period: None,
        summary_from_language: None,
        rich_message: None,
    }
    .into()
}

fn reply(message: &Message) -> Option<enums::MessageReplyHeader> {
    if let Some(story) = odd::story_reply(message) {
        return Some(story);
    }
    let quote = message.extra.get("quote_text").and_then(Value::as_str);
    let elsewhere = message.extra.get("reply_peer").and_then(Value::as_i64);
    let author = message.extra.get("reply_from_name").and_then(Value::as_str);
    if message.reply_to.is_none() && message.topic.is_none() && elsewhere.is_none() {
        return None;
    }
    let to = message.reply_to.or(message.topic);
    Some(
        types::MessageReplyHeader {
            reply_to_scheduled: false,
            forum_topic: message.topic.is_some(),
            quote: quote.is_some(),
            reply_to_ephemeral: false,
            reply_to_msg_id: to,
            reply_to_peer_id: elsewhere.map(peer),
            reply_from: author.map(|name| {
                types::MessageFwdHeader {
                    from_name: Some(name.to_owned()),
                    date: message.unix() - 60,
                    ..blank_forward()
                }
                .into()
            }),
            reply_media: None,
            reply_to_top_id: message.topic.filter(|topic| Some(*topic) != to),
            quote_text: quote.map(str::to_owned),
            quote_entities: None,
            quote_offset: None,
            todo_item_id: None,
            poll_option: None,
        }
        .into(),
    )
}

fn forward(message: &Message) -> Option<enums::MessageFwdHeader> {
    if message.forward_from.is_none() && message.forward_from_name.is_none() {
        return None;
    }
    let extra = &message.extra;
    let saved = extra.get("saved_from").and_then(Value::as_i64);
    Some(
        types::MessageFwdHeader {
            imported: extra.get("imported").and_then(Value::as_bool).unwrap_or_default(),
            from_id: message.forward_from.map(peer),
            from_name: message.forward_from_name.clone(),
            date: message.unix() - 3600,
            channel_post: message
                .forward_from
                .filter(|from| *from < -1_000_000_000_000)
                .map(|_| 7),
            post_author: extra.get("fwd_author").and_then(Value::as_str).map(str::to_owned),
            saved_from_peer: saved.map(peer),
            saved_from_msg_id: saved.map(|_| 7),
            ..blank_forward()
        }
        .into(),
    )
}

/// A forward header that says nothing.
fn blank_forward() -> types::MessageFwdHeader {
    types::MessageFwdHeader {
        imported: false,
        saved_out: false,
        from_id: None,
        from_name: None,
        date: 0,
        channel_post: None,
        post_author: None,
        saved_from_peer: None,
        saved_from_msg_id: None,
        saved_from_id: None,
        saved_from_name: None,
        saved_date: None,
        psa_type: None,
    }
}
