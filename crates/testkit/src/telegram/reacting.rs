//! Reactions: giving them, listing them, and which there are.

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::objects;
use super::rpc::{Call, Outcome};
use super::state::Refusal;
use super::world::Tally;

pub(super) fn react(call: &mut Call<'_>, request: &functions::messages::SendReaction) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    // A reaction is a plain emoji or a custom one.
    let wanted: Vec<(Option<String>, Option<i64>)> = request
        .reaction
        .iter()
        .flatten()
        .filter_map(|reaction| match reaction {
            enums::Reaction::Emoji(emoji) => Some((Some(emoji.emoticon.clone()), None)),
            enums::Reaction::CustomEmoji(custom) => Some((None, Some(custom.document_id))),
            _ => None,
        })
        .collect();
    let emoji: Vec<&String> = wanted.iter().filter_map(|(emoji, _)| emoji.as_ref()).collect();
    let custom: Vec<i64> = wanted.iter().filter_map(|(_, custom)| *custom).collect();
    let mut noted = json!({
        "chat": chat, "id": request.msg_id, "emoji": emoji, "big": request.big,
        "add_to_recent": request.add_to_recent,
    });
    if !custom.is_empty() {
        noted["custom_emoji"] = json!(custom);
    }
    call.note(noted);
    if let Some(error) = call.state.reaction_errors.get(&request.msg_id) {
        return Err(Refusal::new(error));
    }
    let mut message = call
        .state
        .histories
        .get(&chat)
        .and_then(|history| history.get(request.msg_id))
        .filter(|message| !message.is_service())
        .ok_or_else(|| Refusal::new("MESSAGE_ID_INVALID"))?;
    if emoji
        .iter()
        .any(|emoji| !call.state.stock_reactions.contains(*emoji))
    {
        return Err(Refusal::new("REACTION_INVALID"));
    }
    if custom.iter().any(|id| !call.state.custom_emoji.contains(id)) {
        return Err(Refusal::new("DOCUMENT_INVALID"));
    }
    let mine: Vec<(Option<String>, Option<i64>)> = message
        .reactions
        .iter()
        .filter(|tally| tally.chosen && !tally.paid)
        .map(|tally| (tally.emoji.clone(), tally.custom_emoji_id))
        .collect();
    if mine == wanted {
        return Err(Refusal::new("MESSAGE_NOT_MODIFIED"));
    }
    for tally in &mut message.reactions {
        if tally.chosen && !tally.paid {
            tally.chosen = false;
            tally.count -= 1;
        }
    }
    message.reactions.retain(|tally| tally.count > 0);
    for (emoji, custom_emoji_id) in wanted {
        match message
            .reactions
            .iter_mut()
            .find(|tally| tally.emoji == emoji && tally.custom_emoji_id == custom_emoji_id)
        {
            Some(tally) => {
                tally.count += 1;
                tally.chosen = true;
            }
            None => {
                message.reactions.push(Tally {
                    emoji,
                    custom_emoji_id,
                    count: 1,
                    chosen: true,
                    ..Tally::default()
                });
            }
        }
    }
    call.state.histories.entry(chat).or_default().put(message.clone());
    let date = call.state.now() as i32;
    let update = types::UpdateMessageReactions {
        peer: objects::peer(chat),
        msg_id: request.msg_id,
        top_msg_id: None,
        saved_peer_id: None,
        reactions: objects::reactions(&message.reactions, call.state.account, date).into(),
    };
    let (users, chats) = call.state.company([chat, call.state.account]);
    let updates = vec![update.into()];
    Ok(enums::Updates::from(types::Updates {
        updates,
        users,
        chats,
        date,
        seq: 0,
    })
    .to_bytes())
}

pub(super) fn reaction_list(
    call: &mut Call<'_>,
    request: &functions::messages::GetMessageReactionsList,
) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    call.note(json!({"chat": chat, "id": request.id}));
    let message = call
        .state
        .histories
        .get(&chat)
        .and_then(|history| history.get(request.id))
        .ok_or_else(|| Refusal::new("MESSAGE_ID_INVALID"))?;
    let mine = objects::reactions(&message.reactions, call.state.account, message.unix());
    let reactions = mine.recent_reactions.unwrap_or_default();
    let (users, chats) = call.state.company([call.state.account]);
    let list = types::messages::MessageReactionsList {
        count: reactions.len() as i32,
        reactions,
        chats,
        users,
        next_offset: None,
    };
    Ok(enums::messages::MessageReactionsList::List(list).to_bytes())
}

pub(super) fn available_reactions(
    call: &mut Call<'_>,
    _request: &functions::messages::GetAvailableReactions,
) -> Outcome {
    call.note(json!({}));
    let blank = || -> enums::Document { types::DocumentEmpty { id: 0 }.into() };
    let reactions = call
        .state
        .stock_reactions
        .iter()
        .map(|emoji| {
            types::AvailableReaction {
                inactive: false,
                premium: false,
                reaction: emoji.clone(),
                title: emoji.clone(),
                static_icon: blank(),
                appear_animation: blank(),
                select_animation: blank(),
                activate_animation: blank(),
                effect_animation: blank(),
                around_animation: None,
                center_icon: None,
            }
            .into()
        })
        .collect();
    let answer = types::messages::AvailableReactions { hash: 1, reactions };
    Ok(enums::messages::AvailableReactions::Reactions(answer).to_bytes())
}
