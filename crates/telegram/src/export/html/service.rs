//! A service entry as a sentence in the middle of the page.

use super::pages::{Place, address};
use super::recent::Recent;
use super::{bubble, escape, recent};
use crate::export::names::sender_id;
use crate::model::{Message, Service};

/// The line with its anchor.
pub(super) fn html(
    message: &Message,
    entry: &Service,
    actor: &str,
    known: &Recent,
    place: Option<&Place>,
) -> String {
    let sender = bubble::told_id(sender_id(message));
    let who = format!("<b dir=\"auto\" title=\"{sender}\">{}</b>", escape(actor));
    let title = entry
        .title
        .as_deref()
        .map(|t| format!("<b dir=\"auto\">{}</b>", escape(t)));
    let title = title.unwrap_or_default();
    let members = people(entry);
    let duration = entry
        .duration
        .map(|s| format!(" ({})", super::media::clock(f64::from(s))))
        .unwrap_or_default();
    let sentence = match entry.action.as_str() {
        "create_group" => format!("{who} created the group {title}{}", with(" with ", &members)),
        "create_channel" => format!("{title} was created"),
        "edit_group_title" => format!("{who} changed the title to {title}"),
        "edit_group_photo" => format!("{who} changed the photo"),
        "delete_group_photo" => format!("{who} removed the photo"),
        "invite_members"
            if entry.member_ids.len() == 1
                && entry.member_ids.first() == message.sender_id.map(|id| id.0).as_ref() =>
        {
            format!("{who} joined")
        }
        "invite_members" => format!("{who} added {members}"),
        "remove_members" if entry.member_ids.first() == message.sender_id.map(|id| id.0).as_ref() => {
            format!("{who} left")
        }
        "remove_members" => format!("{who} removed {members}"),
        "join_group_by_link" => format!("{who} joined by an invite link{}", with(" of ", &members)),
        "join_group_by_request" => format!("{who} was let in after a request"),
        "migrate_to_supergroup" => "The group became a supergroup".to_owned(),
        "migrate_from_group" => format!("This was the group {title}"),
        "pin_message" => format!("{who} pinned {}", pinned(message, known, place)),
        "clear_history" => "The history was cleared".to_owned(),
        "phone_call" => {
            let reason = entry
                .discard_reason
                .as_deref()
                .filter(|reason| *reason != "hangup");
            let reason = reason.map(|r| format!(", {}", escape(r))).unwrap_or_default();
            format!("{who} called{duration}{reason}")
        }
        "group_call" => format!("Group call{duration}"),
        "invite_to_group_call" => format!("{who} invited {members} to a call"),
        "topic_created" => format!("{who} created the topic {title}"),
        "topic_edit" => format!("{who} changed the topic{}", with(" to ", &title)),
        "take_screenshot" => format!("{who} took a screenshot"),
        "joined_telegram" => format!("{who} joined Telegram"),
        other => {
            let what = other.replace('_', " ");
            let text = entry
                .text
                .as_deref()
                .map(|t| format!(": {}", escape(t)))
                .unwrap_or_default();
            format!("{who} · {}{}{text}", escape(&what), with(" ", &title))
        }
    };
    let facts = bubble::facts(message);
    format!(
        "<div class=\"service\" id=\"m{}\"><span>{sentence}{facts}</span></div>\n",
        message.id
    )
}

fn with(before: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{before}{text}")
    }
}

fn people(entry: &Service) -> String {
    let names: Vec<String> = (0..entry.member_ids.len().max(entry.members.len()))
        .map(|at| {
            let name = entry.members.get(at).filter(|name| !name.is_empty());
            let id = entry.member_ids.get(at).map(|id| format!("id {id}"));
            let title = id
                .as_ref()
                .map(|id| format!(" title=\"{id}\""))
                .unwrap_or_default();
            let name = name.cloned().or(id).unwrap_or_default();
            format!("<b dir=\"auto\"{title}>{}</b>", escape(&name))
        })
        .collect();
    names.join(", ")
}

fn pinned(message: &Message, known: &Recent, place: Option<&Place>) -> String {
    let Some(id) = message.reply_to.as_ref().and_then(|reply| reply.message_id) else {
        return "a message".to_owned();
    };
    let link = address(place, id)
        .map(|to| format!(" href=\"{to}\""))
        .unwrap_or_default();
    match known.get(id) {
        Some(seen) => {
            let text = escape(&recent::snippet(&seen.text)).into_owned();
            format!("<a{link} dir=\"auto\">“{text}”</a>")
        }
        None => format!("<a{link}>message {id}</a>"),
    }
}
