//! Reading: history, search, single messages, reactions.

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::rpc::{Call, Outcome};
use super::state::Refusal;
use super::world::Message;

/// Where a page lies in a history.
struct Window {
    offset_id: i32,
    offset_date: i32,
    add_offset: i32,
    limit: i32,
    max_id: i32,
    min_id: i32,
}

/// The messages of a page, newest first, that a test lets through.
fn page(call: &Call<'_>, chat: i64, window: &Window, keep: impl Fn(&Message) -> bool) -> Vec<Message> {
    let Some(history) = call.state.histories.get(&chat) else {
        return Vec::new();
    };
    let limit = usize::try_from(window.limit).unwrap_or_default().min(100);
    let top = match (window.offset_id, window.offset_date) {
        (id, _) if id > 0 => id,
        (_, date) if date > 0 => history
            .below(i32::MAX, 0)
            .find(|message| message.unix() < date)
            .map_or(1, |message| message.id + 1),
        _ => i32::MAX,
    };
    // The page is cut out of the list of all messages: it begins `add_offset` places after the message before `top`.
    // Places before the newest message are places all the same, so that a page there holds fewer.
    let newer = usize::try_from(-window.add_offset).unwrap_or_default();
    let mut above: Vec<Message> = if newer > 0 && top < i32::MAX {
        history.from(top).filter(&keep).take(newer).collect()
    } else {
        Vec::new()
    };
    above.reverse();
    let limit = limit.saturating_sub(newer - above.len());
    let skip = usize::try_from(window.add_offset).unwrap_or_default();
    let below = history.below(top, 0).filter(&keep).skip(skip);
    above
        .into_iter()
        .chain(below)
        .take_while(|message| window.min_id == 0 || message.id > window.min_id)
        .take(limit)
        .filter(|message| window.max_id == 0 || message.id < window.max_id)
        .filter(|message| !message.is_hidden())
        .collect()
}

/// An answer with messages, in the form that suits the chat.
fn messages(call: &mut Call<'_>, chat: i64, found: &[Message], count: i32) -> Vec<u8> {
    let (messages, users, chats) = call.state.deliver(chat, found);
    let topics = Vec::new();
    let answer: enums::messages::Messages = if chat < -1_000_000_000_000 {
        types::messages::ChannelMessages {
            inexact: false,
            pts: call.state.channel_pts(chat),
            count,
            offset_id_offset: None,
            messages,
            topics,
            chats,
            users,
        }
        .into()
    } else if found.len() as i32 == count {
        types::messages::Messages {
            messages,
            topics,
            chats,
            users,
        }
        .into()
    } else {
        types::messages::MessagesSlice {
            inexact: false,
            count,
            next_rate: None,
            offset_id_offset: None,
            search_flood: None,
            messages,
            topics,
            chats,
            users,
        }
        .into()
    };
    answer.to_bytes()
}

pub(super) fn history(call: &mut Call<'_>, request: &functions::messages::GetHistory) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    call.note(json!({
        "chat": chat, "offset_id": request.offset_id, "offset_date": request.offset_date,
        "add_offset": request.add_offset, "limit": request.limit, "min_id": request.min_id, "max_id": request.max_id,
    }));
    if let Some(error) = call.state.history_errors.get(&chat) {
        return Err(Refusal::new(error));
    }
    let window = Window {
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let found = page(call, chat, &window, |_| true);
    let count = call
        .state
        .histories
        .get(&chat)
        .map_or(0, super::world::History::count);
    Ok(messages(call, chat, &found, count))
}

pub(super) fn search(call: &mut Call<'_>, request: &functions::messages::Search) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    let from = request
        .from_id
        .as_ref()
        .map(|peer| call.state.peer(peer))
        .transpose()?;
    call.note(json!({
        "chat": chat, "q": request.q, "from": from, "offset_id": request.offset_id, "limit": request.limit,
        "topic": request.top_msg_id, "min_date": request.min_date, "max_date": request.max_date,
    }));
    let needle = request.q.to_lowercase();
    let wanted = |message: &Message| {
        (needle.is_empty() || message.text.to_lowercase().contains(&needle))
            && from
                .is_none_or(|from| message.from == Some(from) || (message.out && from == call.state.account))
            && request.top_msg_id.is_none_or(|topic| stands_in(message, topic))
            && (request.min_date == 0 || message.unix() >= request.min_date)
            && (request.max_date == 0 || message.unix() <= request.max_date)
            && passes(&request.filter, message)
    };
    let window = Window {
        offset_id: request.offset_id,
        offset_date: 0,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let found = page(call, chat, &window, wanted);
    let count = call.state.histories.get(&chat).map_or(0, |history| {
        history.below(i32::MAX, 0).take(20_000).filter(wanted).count()
    });
    Ok(messages(call, chat, &found, count as i32))
}

/// Whether a message stands in a topic. What names none stands in the first, which every forum has; its number is that
/// of the making of the group, which is no part of it.
fn stands_in(message: &Message, topic: i32) -> bool {
    const GENERAL: i32 = 1;
    let opens = message.service.as_str() == Some("topic");
    let own = message.topic.unwrap_or(if opens { message.id } else { GENERAL });
    own == topic && message.id != GENERAL
}

fn passes(filter: &enums::MessagesFilter, message: &Message) -> bool {
    use enums::MessagesFilter as F;
    let media = message.media.as_deref().unwrap_or_default();
    match filter {
        F::InputMessagesFilterPhotos => media == "photo",
        F::InputMessagesFilterVideo => media == "video",
        F::InputMessagesFilterPhotoVideo => matches!(media, "photo" | "video"),
        F::InputMessagesFilterDocument => media == "document",
        F::InputMessagesFilterVoice => media == "voice",
        F::InputMessagesFilterMusic => media == "audio",
        F::InputMessagesFilterGif => media == "gif",
        F::InputMessagesFilterPinned => message.pinned,
        F::InputMessagesFilterUrl => media.starts_with("web_page") || message.text.contains("http"),
        F::InputMessagesFilterPoll => media == "poll",
        _ => true,
    }
}

pub(super) fn replies(call: &mut Call<'_>, request: &functions::messages::GetReplies) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    call.note(
        json!({"chat": chat, "id": request.msg_id, "offset_id": request.offset_id, "limit": request.limit}),
    );
    let thread = request.msg_id;
    let wanted = |message: &Message| message.topic == Some(thread) || message.reply_to == Some(thread);
    let window = Window {
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let found = page(call, chat, &window, wanted);
    let count = call.state.histories.get(&chat).map_or(0, |history| {
        history.below(i32::MAX, 0).take(20_000).filter(wanted).count()
    });
    Ok(messages(call, chat, &found, count as i32))
}

/// The ids that a client asked for.
fn wanted_ids(ids: &[enums::InputMessage]) -> Vec<i32> {
    ids.iter()
        .filter_map(|id| match id {
            enums::InputMessage::Id(id) => Some(id.id),
            _ => None,
        })
        .collect()
}

/// Messages by id; an empty one for each that is not there.
fn pick(
    call: &mut Call<'_>,
    ids: &[i32],
    find: impl Fn(&Call<'_>, i32) -> Option<(i64, Message)>,
) -> Vec<u8> {
    let (mut wire, mut people) = (Vec::new(), Vec::new());
    let mut channel = None;
    for id in ids {
        match find(call, *id) {
            Some((chat, message)) => {
                let (mut found, _, _) = call.state.deliver(chat, std::slice::from_ref(&message));
                wire.append(&mut found);
                people.extend(super::state::State::people(&message, chat));
                channel = Some(chat).filter(|chat| *chat < -1_000_000_000_000);
            }
            None => wire.push(
                types::MessageEmpty {
                    id: *id,
                    peer_id: None,
                }
                .into(),
            ),
        }
    }
    let (users, chats) = call.state.company(people);
    let topics = Vec::new();
    let answer: enums::messages::Messages = match channel {
        Some(chat) => types::messages::ChannelMessages {
            inexact: false,
            pts: call.state.channel_pts(chat),
            count: wire.len() as i32,
            offset_id_offset: None,
            messages: wire,
            topics,
            chats,
            users,
        }
        .into(),
        None => types::messages::Messages {
            messages: wire,
            topics,
            chats,
            users,
        }
        .into(),
    };
    answer.to_bytes()
}

pub(super) fn by_id(call: &mut Call<'_>, request: &functions::messages::GetMessages) -> Outcome {
    let ids = wanted_ids(&request.id);
    call.note(json!({"ids": ids}));
    if ids.len() > 100 {
        return Err(Refusal::new("MSG_ID_INVALID"));
    }
    Ok(pick(call, &ids, |call, id| {
        let mut own = call
            .state
            .histories
            .iter()
            .filter(|(chat, _)| **chat >= -1_000_000_000_000);
        own.find_map(|(chat, history)| Some((*chat, history.get(id)?)))
    }))
}

pub(super) fn by_id_in_channel(call: &mut Call<'_>, request: &functions::channels::GetMessages) -> Outcome {
    let chat = call.state.channel(&request.channel)?;
    let ids = wanted_ids(&request.id);
    call.note(json!({"chat": chat, "ids": ids}));
    if ids.len() > 100 {
        return Err(Refusal::new("MSG_ID_INVALID"));
    }
    Ok(pick(call, &ids, |call, id| {
        let message = call.state.histories.get(&chat)?.get(id)?;
        (!message.is_hidden()).then_some((chat, message))
    }))
}
