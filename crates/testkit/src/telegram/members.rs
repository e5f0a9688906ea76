//! Members of groups and channels.

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::objects;
use super::rpc::{Call, Outcome};
use super::state::Refusal;
use super::world::Entity;

pub(super) fn full_chat(call: &mut Call<'_>, request: &functions::messages::GetFullChat) -> Outcome {
    let marked = -request.chat_id;
    if !call.state.entities.contains_key(&marked) {
        return Err(Refusal::new("CHAT_ID_INVALID"));
    }
    let members = call.state.members(marked);
    let participants = members
        .iter()
        .map(|id| {
            types::ChatParticipant {
                user_id: *id,
                inviter_id: *id,
                date: 1_600_000_000,
                rank: None,
            }
            .into()
        })
        .collect();
    let full = types::ChatFull {
        can_set_username: false,
        has_scheduled: false,
        has_welcome_messages: false,
        translations_disabled: false,
        id: request.chat_id,
        about: String::new(),
        participants: types::ChatParticipants {
            chat_id: request.chat_id,
            participants,
            version: 1,
        }
        .into(),
        chat_photo: None,
        notify_settings: objects::no_settings(),
        exported_invite: None,
        bot_info: None,
        pinned_msg_id: None,
        folder_id: None,
        call: None,
        ttl_period: None,
        groupcall_default_join_as: None,
        theme_emoticon: None,
        requests_pending: None,
        recent_requesters: None,
        available_reactions: None,
        reactions_limit: None,
    };
    let (users, chats) = call.state.company(members.into_iter().chain([marked]));
    Ok(enums::messages::ChatFull::Full(types::messages::ChatFull {
        full_chat: full.into(),
        chats,
        users,
    })
    .to_bytes())
}

pub(super) fn participants(call: &mut Call<'_>, request: &functions::channels::GetParticipants) -> Outcome {
    let chat = call.state.channel(&request.channel)?;
    call.note(json!({"chat": chat, "offset": request.offset, "limit": request.limit}));
    let entity = call.state.entities.get(&chat);
    if entity
        .is_some_and(|entity| entity.kind == "channel" && !entity.creator && entity.admin_rights.is_none())
    {
        return Err(Refusal::new("CHAT_ADMIN_REQUIRED"));
    }
    let all = call.state.members(chat);
    let offset = usize::try_from(request.offset).unwrap_or_default();
    let limit = usize::try_from(request.limit).unwrap_or_default().min(200);
    let mut page: Vec<i64> = all.iter().skip(offset).take(limit).copied().collect();
    page.retain(|id| !call.state.entities.get(id).is_some_and(Entity::is_hidden));
    let participants = page
        .iter()
        .map(|id| {
            types::ChannelParticipant {
                user_id: *id,
                date: 1_600_000_000,
                subscription_until_date: None,
                rank: None,
            }
            .into()
        })
        .collect();
    let (users, chats) = call.state.company(page.into_iter().chain([chat]));
    let answer = types::channels::ChannelParticipants {
        count: all.len() as i32,
        participants,
        chats,
        users,
    };
    Ok(enums::channels::ChannelParticipants::Participants(answer).to_bytes())
}
