//! Acting: sending, editing, forwarding.

use std::time::Instant;

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::objects;
use super::rpc::{Call, Outcome};
use super::state::{Event, Refusal};
use super::world::{self, Message};

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
