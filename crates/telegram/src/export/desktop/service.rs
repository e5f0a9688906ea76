//! Fields of a service entry; each action has words of its own.

use serde_json::Value;

use super::message::{Fields, name, peer_id};
use crate::model::{MarkedId, Message, Service};

/// Actions of which Telegram Desktop does not say who did them.
const WITHOUT_ACTOR: [&str; 5] = [
    "send_payment",
    "allow_sending_messages",
    "send_webview_data",
    "send_passport_values",
    "proximity_reached",
];

/// Writes who did what, and to whom.
pub(super) fn put(
    fields: &mut Fields<'_>,
    service: &Service,
    message: &Message,
    actor: &str,
    actor_id: Option<MarkedId>,
) {
    let action = service.action.as_str();
    if let Some(id) = actor_id.filter(|_| !WITHOUT_ACTOR.contains(&action)) {
        fields.put("actor", name(actor));
        fields.put("actor_id", peer_id(id));
    }
    fields.maybe("action", Some(action));
    let title = if action == "topic_edit" {
        "new_title"
    } else {
        "title"
    };
    fields.maybe(title, service.title.as_deref());
    let members: Vec<Value> = (0..service.member_ids.len().max(service.members.len()))
        .map(|at| name(service.members.get(at).map_or("", String::as_str)))
        .collect();
    match action {
        "join_group_by_link" => fields.maybe("inviter", members.into_iter().next()),
        _ if members.is_empty() => {}
        _ => fields.put("members", members),
    }
    let answered = match action {
        "score_in_game" => "game_message_id",
        "send_payment" => "invoice_message_id",
        _ => "message_id",
    };
    fields.maybe(
        answered,
        message.reply_to.as_ref().and_then(|reply| reply.message_id),
    );
    let duration = match action {
        "phone_call" => "duration_seconds",
        "set_messages_ttl" => "period",
        _ => "duration",
    };
    fields.maybe(duration, service.duration);
    fields.maybe("discard_reason", service.discard_reason.as_deref());
    let text = if action == "edit_chat_theme" {
        "emoticon"
    } else {
        "information_text"
    };
    fields.maybe(text, service.text.as_deref());
    if !service.member_ids.is_empty() {
        let ids = service.member_ids.iter().map(|id| peer_id(MarkedId(*id)));
        fields.put("member_ids", ids.collect::<Vec<_>>());
    }
}
