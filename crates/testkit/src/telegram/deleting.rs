//! Deleting, within the rights of the account.

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::rpc::{Call, Outcome};
use super::state::{Event, Refusal};

/// Deletes what may be deleted; how many that were.
fn remove(call: &mut Call<'_>, chat: i64, ids: &[i32], any: bool) -> Result<Vec<i32>, Refusal> {
    let entity = call.state.entities.get(&chat);
    let rights = entity.is_some_and(|entity| entity.creator || entity.admin_rights.is_some());
    let account = call.state.account;
    let mut gone = Vec::new();
    let history = call.state.histories.entry(chat).or_default();
    for id in ids {
        let Some(message) = history.get(*id) else { continue };
        if let Some(error) = &message.delete_error {
            return Err(Refusal::new(error));
        }
        let own = message.out || message.from == Some(account);
        if !(own || rights || any) {
            if chat < -1_000_000_000_000 {
                return Err(Refusal::new("MESSAGE_DELETE_FORBIDDEN"));
            }
            continue;
        }
        if history.delete(*id) {
            gone.push(*id);
        }
    }
    Ok(gone)
}

fn affected(call: &mut Call<'_>, chat: i64, gone: Vec<i32>) -> Vec<u8> {
    let count = gone.len() as i32;
    let pts = call.state.log(chat, count, Event::Delete(gone));
    enums::messages::AffectedMessages::Messages(types::messages::AffectedMessages {
        pts,
        pts_count: count,
    })
    .to_bytes()
}

pub(super) fn delete(call: &mut Call<'_>, request: &functions::messages::DeleteMessages) -> Outcome {
    call.note(json!({"ids": request.id, "revoke": request.revoke}));
    if request.id.len() > 100 {
        return Err(Refusal::new("MESSAGE_ID_INVALID"));
    }
    let chats: Vec<i64> = call
        .state
        .histories
        .keys()
        .copied()
        .filter(|chat| *chat >= -1_000_000_000_000)
        .collect();
    let (mut all, mut where_) = (Vec::new(), 0);
    for chat in chats {
        let gone = remove(call, chat, &request.id, chat > 0)?;
        if !gone.is_empty() {
            where_ = chat;
        }
        all.extend(gone);
    }
    Ok(affected(call, where_, all))
}

pub(super) fn delete_in_channel(
    call: &mut Call<'_>,
    request: &functions::channels::DeleteMessages,
) -> Outcome {
    let chat = call.state.channel(&request.channel)?;
    call.note(json!({"chat": chat, "ids": request.id, "revoke": true}));
    if request.id.len() > 100 {
        return Err(Refusal::new("MESSAGE_ID_INVALID"));
    }
    let gone = remove(call, chat, &request.id, false)?;
    Ok(affected(call, chat, gone))
}
