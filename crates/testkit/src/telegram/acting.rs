//! Acting: sending, editing, forwarding, deleting, reacting.

use std::time::Instant;

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::objects;
use super::rpc::{Call, Outcome};
use super::state::{Event, Refusal};
use super::world::{self, Message, Tally};

/// Whether the account may write in a chat now.
fn may_write(call: &mut Call<'_>, chat: i64) -> Result<(), Refusal> {
    if let Some(error) = &call.state.send_error {
        return Err(Refusal::new(error));
    }
    let entity = call
        .state
        .entities
        .get(&chat)
        .ok_or_else(|| Refusal::new("PEER_ID_INVALID"))?;
    if entity.write_forbidden || entity.kind == "group_forbidden" || entity.left {
        return Err(Refusal::new("CHAT_WRITE_FORBIDDEN"));
    }
    if entity.kind == "channel" && !entity.creator && entity.admin_rights.is_none() {
        return Err(Refusal::new("CHAT_ADMIN_REQUIRED"));
    }
    if entity.deleted {
        return Err(Refusal::new("INPUT_USER_DEACTIVATED"));
    }
    if let Some(seconds) = entity.slow_mode {
        let now = Instant::now();
        if let Some(last) = call.state.last_sent.get(&chat) {
            let left = i64::from(seconds) - now.duration_since(*last).as_secs() as i64;
            if left > 0 {
                return Err(Refusal::new(&format!("SLOWMODE_WAIT_{left}")));
            }
        }
        call.state.last_sent.insert(chat, now);
    }
    Ok(())
}

/// Each number may be used once, so that a repeated request sends nothing twice.
fn fresh(call: &mut Call<'_>, random_id: i64) -> Result<(), Refusal> {
    if random_id == 0 || !call.state.random_ids.insert(random_id) {
        return Err(Refusal::new("RANDOM_ID_DUPLICATE"));
    }
    Ok(())
}

/// Keeps a message that the account sent and tells of it.
fn keep(call: &mut Call<'_>, chat: i64, random_id: i64, mut message: Message) -> Vec<u8> {
    message.id = call.state.take_id(chat);
    message.date = world::iso(call.state.now());
    message.at = None;
    let entity = call.state.entities.get(&chat);
    message.post = entity.is_some_and(|entity| entity.kind == "channel");
    message.out = true;
    message.sender_known = true;
    message.from = if message.post {
        None
    } else {
        Some(call.state.account)
    };
    let (id, date) = (message.id, message.unix());
    call.state.histories.entry(chat).or_default().put(message.clone());
    let pts = call.state.log(chat, 1, Event::New(id));
    // The short form has no room for media or a forward.
    if chat > 0 && message.media.is_none() && message.forward_from.is_none() {
        let short = types::UpdateShortSentMessage {
            out: true,
            id,
            pts,
            pts_count: 1,
            date,
            media: None,
            entities: None,
            ttl_period: None,
        };
        return enums::Updates::from(short).to_bytes();
    }
    let (mut wire, users, chats) = call.state.deliver(chat, std::slice::from_ref(&message));
    let message = wire.remove(0);
    let told: enums::Update = if chat < -1_000_000_000_000 {
        types::UpdateNewChannelMessage {
            message,
            pts,
            pts_count: 1,
        }
        .into()
    } else {
        types::UpdateNewMessage {
            message,
            pts,
            pts_count: 1,
        }
        .into()
    };
    let updates = vec![types::UpdateMessageId { id, random_id }.into(), told];
    enums::Updates::from(types::Updates {
        updates,
        users,
        chats,
        date,
        seq: 0,
    })
    .to_bytes()
}

fn reply_id(reply: Option<&enums::InputReplyTo>) -> (Option<i32>, Option<i32>) {
    match reply {
        Some(enums::InputReplyTo::Message(to)) => (Some(to.reply_to_msg_id), to.top_msg_id),
        _ => (None, None),
    }
}

pub(super) fn send(call: &mut Call<'_>, request: &functions::messages::SendMessage) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    let (reply_to, topic) = reply_id(request.reply_to.as_ref());
    call.note(json!({
        "chat": chat, "text": request.message, "random_id": request.random_id, "silent": request.silent,
        "reply_to": reply_to,
    }));
    if request.message.trim().is_empty() {
        return Err(Refusal::new("MESSAGE_EMPTY"));
    }
    if request.message.encode_utf16().count() > 4096 {
        return Err(Refusal::new("MESSAGE_TOO_LONG"));
    }
    if let Some(id) = reply_to
        && call
            .state
            .histories
            .get(&chat)
            .and_then(|history| history.get(id))
            .is_none()
    {
        return Err(Refusal::new("REPLY_MESSAGE_ID_INVALID"));
    }
    fresh(call, request.random_id)?;
    may_write(call, chat)?;
    let message = Message {
        text: request.message.clone(),
        entities: objects::stretches(request.entities.as_deref().unwrap_or_default()),
        reply_to,
        topic,
        ..Message::default()
    };
    Ok(keep(call, chat, request.random_id, message))
}

pub(super) fn send_media(call: &mut Call<'_>, request: &functions::messages::SendMedia) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    let (file, media, name) = match &request.media {
        enums::InputMedia::UploadedPhoto(photo) => (&photo.file, "photo", None),
        enums::InputMedia::UploadedDocument(document) => {
            let name = document.attributes.iter().find_map(|attribute| match attribute {
                enums::DocumentAttribute::Filename(name) => Some(name.file_name.clone()),
                _ => None,
            });
            (&document.file, "document", name)
        }
        _ => return Err(Refusal::new("MEDIA_INVALID")),
    };
    let (id, parts) = match file {
        enums::InputFile::File(file) => (file.id, file.parts),
        enums::InputFile::Big(file) => (file.id, file.parts),
        enums::InputFile::StoryDocument(_) => return Err(Refusal::new("MEDIA_INVALID")),
    };
    call.note(json!({"chat": chat, "text": request.message, "media": media, "random_id": request.random_id}));
    let saved = call
        .state
        .uploads
        .get(&id)
        .filter(|saved| saved.len() as i32 == parts);
    let Some(saved) = saved else {
        return Err(Refusal::new("FILE_PARTS_INVALID"));
    };
    let bytes: Vec<u8> = saved.values().flatten().copied().collect();
    fresh(call, request.random_id)?;
    may_write(call, chat)?;
    let size = bytes.len();
    call.state.uploads.remove(&id);
    call.state.uploaded.insert(id, bytes);
    let (reply_to, topic) = reply_id(request.reply_to.as_ref());
    let message = Message {
        text: request.message.clone(),
        media: Some(media.to_owned()),
        attached: json!({"file_id": id, "size": size, "file_name": name}),
        reply_to,
        topic,
        ..Message::default()
    };
    Ok(keep(call, chat, request.random_id, message))
}

pub(super) fn edit(call: &mut Call<'_>, request: &functions::messages::EditMessage) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    call.note(json!({"chat": chat, "id": request.id, "text": request.message}));
    let mut message = call
        .state
        .histories
        .get(&chat)
        .and_then(|history| history.get(request.id))
        .ok_or_else(|| Refusal::new("MESSAGE_ID_INVALID"))?;
    if !message.out {
        return Err(Refusal::new("MESSAGE_AUTHOR_REQUIRED"));
    }
    let text = request.message.clone().unwrap_or_default();
    if text == message.text {
        return Err(Refusal::new("MESSAGE_NOT_MODIFIED"));
    }
    message.text = text;
    message.edited = Some(world::iso(call.state.now()));
    call.state.histories.entry(chat).or_default().put(message.clone());
    let pts = call.state.log(chat, 1, Event::Edit(request.id));
    let (mut wire, users, chats) = call.state.deliver(chat, std::slice::from_ref(&message));
    let message = wire.remove(0);
    let told: enums::Update = if chat < -1_000_000_000_000 {
        types::UpdateEditChannelMessage {
            message,
            pts,
            pts_count: 1,
        }
        .into()
    } else {
        types::UpdateEditMessage {
            message,
            pts,
            pts_count: 1,
        }
        .into()
    };
    let date = call.state.now() as i32;
    Ok(enums::Updates::from(types::Updates {
        updates: vec![told],
        users,
        chats,
        date,
        seq: 0,
    })
    .to_bytes())
}

pub(super) fn forward(call: &mut Call<'_>, request: &functions::messages::ForwardMessages) -> Outcome {
    let (from, to) = (
        call.state.peer(&request.from_peer)?,
        call.state.peer(&request.to_peer)?,
    );
    call.note(json!({"from": from, "to": to, "ids": request.id}));
    if request.id.len() != request.random_id.len() || request.id.len() > 100 {
        return Err(Refusal::new("RANDOM_ID_INVALID"));
    }
    may_write(call, to)?;
    let mut answer = Vec::new();
    for (id, random_id) in request.id.iter().zip(&request.random_id) {
        let original = call
            .state
            .histories
            .get(&from)
            .and_then(|history| history.get(*id))
            .ok_or_else(|| Refusal::new("MESSAGE_ID_INVALID"))?;
        fresh(call, *random_id)?;
        let copy = Message {
            forward_from: original.from.or(Some(from)),
            reply_to: None,
            ..original
        };
        answer = keep(call, to, *random_id, copy);
    }
    Ok(answer)
}

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
