//! People, dialogs, names and topics.

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::objects;
use super::rpc::{Call, Outcome};
use super::state::Refusal;
use super::world::Dialog;

pub(super) fn users(call: &mut Call<'_>, request: &functions::users::GetUsers) -> Outcome {
    call.note(json!({"count": request.id.len()}));
    let mut users = Vec::new();
    for user in &request.id {
        let id = match user {
            enums::InputUser::UserSelf => call.state.account,
            enums::InputUser::User(user) if user.access_hash == objects::access_hash(user.user_id) => {
                user.user_id
            }
            enums::InputUser::FromMessage(from) => from.user_id,
            _ => return Err(Refusal::new("USER_ID_INVALID")),
        };
        if let Some(entity) = call.state.entities.get(&id) {
            users.push(objects::user(entity, id == call.state.account));
        }
    }
    Ok(users.to_bytes())
}

/// One line of the dialog list, and the message it shows.
fn line(call: &mut Call<'_>, dialog: &Dialog) -> (enums::Dialog, Option<super::world::Message>) {
    let chat = dialog.chat;
    let top = call
        .state
        .histories
        .get(&chat)
        .and_then(|history| history.below(i32::MAX, 0).next());
    let line = types::Dialog {
        pinned: dialog.pinned,
        unread_mark: false,
        view_forum_as_messages: false,
        peer: objects::peer(chat),
        top_message: top.as_ref().map_or(0, |message| message.id),
        read_inbox_max_id: 0,
        read_outbox_max_id: 0,
        unread_count: dialog.unread,
        unread_mentions_count: 0,
        unread_reactions_count: 0,
        unread_poll_votes_count: 0,
        notify_settings: objects::muted(dialog.muted_until),
        pts: (chat < -1_000_000_000_000).then(|| call.state.channel_pts(chat)),
        draft: None,
        folder_id: dialog.archived.then_some(1),
        ttl_period: None,
    };
    (line.into(), top)
}

type Listed = (
    Vec<enums::Dialog>,
    Vec<enums::Message>,
    Vec<enums::User>,
    Vec<enums::Chat>,
);

fn lines(call: &mut Call<'_>, dialogs: &[Dialog]) -> Listed {
    let (mut list, mut messages, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for dialog in dialogs {
        let (entry, top) = line(call, dialog);
        list.push(entry);
        ids.push(dialog.chat);
        if let Some(top) = top {
            ids.extend(super::state::State::people(&top, dialog.chat));
            messages.push(objects::message(&top, dialog.chat, call.state.account));
        }
    }
    let (users, chats) = call.state.company(ids);
    (list, messages, users, chats)
}

pub(super) fn dialogs(call: &mut Call<'_>, request: &functions::messages::GetDialogs) -> Outcome {
    call.note(json!({"limit": request.limit, "offset_id": request.offset_id}));
    let all: Vec<Dialog> = call
        .state
        .dialogs
        .iter()
        .filter(|dialog| !(request.exclude_pinned && dialog.pinned))
        .filter(|dialog| call.state.entities.contains_key(&dialog.chat))
        .cloned()
        .collect();
    let start = match &request.offset_peer {
        enums::InputPeer::Empty => 0,
        peer => {
            let after = call.state.peer(peer)?;
            all.iter()
                .position(|dialog| dialog.chat == after)
                .map_or(all.len(), |at| at + 1)
        }
    };
    let limit = usize::try_from(request.limit).unwrap_or_default().clamp(1, 100);
    let mut page: Vec<Dialog> = all.iter().skip(start).take(limit).cloned().collect();
    let whole = start == 0 && page.len() == all.len();
    page.retain(|dialog| !dialog.hidden);
    let (dialogs, messages, users, chats) = lines(call, &page);
    let answer: enums::messages::Dialogs = if whole {
        types::messages::Dialogs {
            dialogs,
            messages,
            chats,
            users,
        }
        .into()
    } else {
        types::messages::DialogsSlice {
            count: all.len() as i32,
            dialogs,
            messages,
            chats,
            users,
        }
        .into()
    };
    Ok(answer.to_bytes())
}

/// How requests of a client would name a chat.
fn input_peer(chat: i64) -> enums::InputPeer {
    let access_hash = objects::access_hash(chat);
    if chat > 0 {
        types::InputPeerUser {
            user_id: chat,
            access_hash,
        }
        .into()
    } else if chat < -1_000_000_000_000 {
        types::InputPeerChannel {
            channel_id: -chat - 1_000_000_000_000,
            access_hash,
        }
        .into()
    } else {
        types::InputPeerChat { chat_id: -chat }.into()
    }
}

pub(super) fn folders(call: &mut Call<'_>, _: &functions::messages::GetDialogFilters) -> Outcome {
    call.note(json!({}));
    // The list of all chats stands among them, without a title.
    let mut filters = vec![enums::DialogFilter::Default];
    for folder in &call.state.folders {
        let peers = |ids: &[i64]| ids.iter().map(|id| input_peer(*id)).collect::<Vec<_>>();
        let title = types::TextWithEntities {
            text: folder.title.clone(),
            entities: Vec::new(),
        };
        filters.push(
            types::DialogFilter {
                contacts: folder.contacts,
                non_contacts: folder.non_contacts,
                groups: folder.groups,
                broadcasts: folder.broadcasts,
                bots: folder.bots,
                exclude_muted: folder.exclude_muted,
                exclude_read: folder.exclude_read,
                exclude_archived: folder.exclude_archived,
                title_noanimate: false,
                id: folder.id,
                title: title.into(),
                emoticon: None,
                color: None,
                pinned_peers: Vec::new(),
                include_peers: peers(&folder.include),
                exclude_peers: peers(&folder.exclude),
            }
            .into(),
        );
    }
    let answer = types::messages::DialogFilters {
        tags_enabled: false,
        filters,
    };
    Ok(enums::messages::DialogFilters::Filters(answer).to_bytes())
}

pub(super) fn peer_dialogs(call: &mut Call<'_>, request: &functions::messages::GetPeerDialogs) -> Outcome {
    let mut page = Vec::new();
    for peer in &request.peers {
        let enums::InputDialogPeer::Peer(peer) = peer else {
            return Err(Refusal::new("PEER_ID_INVALID"));
        };
        let chat = call.state.peer(&peer.peer)?;
        let known = call
            .state
            .dialogs
            .iter()
            .find(|dialog| dialog.chat == chat)
            .cloned();
        page.push(known.unwrap_or(Dialog {
            chat,
            ..Dialog::default()
        }));
    }
    call.note(json!({"chats": page.iter().map(|dialog| dialog.chat).collect::<Vec<_>>()}));
    let (dialogs, messages, users, chats) = lines(call, &page);
    let state = super::updates::current(call.state);
    Ok(
        enums::messages::PeerDialogs::Dialogs(types::messages::PeerDialogs {
            dialogs,
            messages,
            chats,
            users,
            state,
        })
        .to_bytes(),
    )
}

pub(super) fn chats(call: &mut Call<'_>, request: &functions::messages::GetChats) -> Outcome {
    let (_, chats) = call.state.company(request.id.iter().map(|id| -id));
    Ok(enums::messages::Chats::Chats(types::messages::Chats { chats }).to_bytes())
}

pub(super) fn channels(call: &mut Call<'_>, request: &functions::channels::GetChannels) -> Outcome {
    let ids = request
        .id
        .iter()
        .map(|channel| call.state.channel(channel))
        .collect::<Result<Vec<_>, _>>()?;
    let (_, chats) = call.state.company(ids);
    Ok(enums::messages::Chats::Chats(types::messages::Chats { chats }).to_bytes())
}

pub(super) fn resolve(call: &mut Call<'_>, request: &functions::contacts::ResolveUsername) -> Outcome {
    call.note(json!({"username": request.username}));
    let name = request.username.as_str();
    let valid = (3..=32).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        return Err(Refusal::new("USERNAME_INVALID"));
    }
    let found = call
        .state
        .entities
        .values()
        .find(|entity| {
            entity
                .username
                .as_deref()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
        .map(super::world::Entity::marked);
    let Some(marked) = found else {
        return Err(Refusal::new("USERNAME_NOT_OCCUPIED"));
    };
    let (users, chats) = call.state.company([marked]);
    let answer = types::contacts::ResolvedPeer {
        peer: objects::peer(marked),
        chats,
        users,
    };
    Ok(enums::contacts::ResolvedPeer::Peer(answer).to_bytes())
}

pub(super) fn topics(call: &mut Call<'_>, request: &functions::messages::GetForumTopics) -> Outcome {
    let chat = call.state.peer(&request.peer)?;
    call.note(json!({"chat": chat}));
    if !call.state.entities.get(&chat).is_some_and(|entity| entity.forum) {
        return Err(Refusal::new("CHANNEL_FORUM_MISSING"));
    }
    let all = call.state.topics.get(&chat).cloned().unwrap_or_default();
    let limit = usize::try_from(request.limit).unwrap_or_default().clamp(1, 100);
    let page = all
        .iter()
        .skip_while(|topic| request.offset_topic != 0 && topic.id != request.offset_topic)
        .skip(usize::from(request.offset_topic != 0))
        .take(limit)
        .filter(|topic| !topic.hidden)
        .map(|topic| {
            types::ForumTopic {
                my: false,
                closed: false,
                pinned: false,
                short: false,
                hidden: false,
                title_missing: false,
                id: topic.id,
                date: 1_600_000_000,
                peer: objects::peer(chat),
                title: topic.title.clone(),
                icon_color: 0,
                icon_emoji_id: None,
                top_message: topic.id,
                read_inbox_max_id: 0,
                read_outbox_max_id: 0,
                unread_count: 0,
                unread_mentions_count: 0,
                unread_reactions_count: 0,
                unread_poll_votes_count: 0,
                from_id: objects::peer(call.state.account),
                notify_settings: objects::no_settings(),
                draft: None,
            }
            .into()
        })
        .collect();
    let (users, chats) = call.state.company([chat, call.state.account]);
    let answer = types::messages::ForumTopics {
        order_by_create_date: true,
        count: all.len() as i32,
        topics: page,
        messages: Vec::new(),
        chats,
        users,
        pts: call.state.channel_pts(chat),
    };
    Ok(enums::messages::ForumTopics::Topics(answer).to_bytes())
}
