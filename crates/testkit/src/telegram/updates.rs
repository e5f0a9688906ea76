//! What a client missed, and what it is told unasked.

use std::collections::BTreeSet;

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::rpc::{Call, Outcome};
use super::state::{Event, Logged, Refusal, State};

/// Where the account stands now.
pub(super) fn current(state: &State) -> enums::updates::State {
    types::updates::State {
        pts: state.pts,
        qts: 0,
        date: state.now() as i32,
        seq: 1,
        unread_count: 0,
    }
    .into()
}

pub(super) fn state(call: &mut Call<'_>, _request: &functions::updates::GetState) -> Outcome {
    call.note(json!({}));
    Ok(current(call.state).to_bytes())
}

/// What happened in some chats, each message once and as it stands now.
struct Missed {
    new: Vec<enums::Message>,
    other: Vec<enums::Update>,
    people: Vec<i64>,
}

fn missed(call: &mut Call<'_>, events: &[Logged]) -> Missed {
    let mut out = Missed {
        new: Vec::new(),
        other: Vec::new(),
        people: Vec::new(),
    };
    let fresh: BTreeSet<(i64, i32)> = events
        .iter()
        .filter_map(|logged| match logged.event {
            Event::New(id) => Some((logged.chat, id)),
            _ => None,
        })
        .collect();
    for Logged {
        chat,
        pts,
        count,
        event,
    } in events
    {
        out.people.push(*chat);
        let (chat, pts, pts_count) = (*chat, *pts, *count);
        let channel = chat < -1_000_000_000_000;
        match event {
            Event::New(id) | Event::Edit(id) => {
                let Some(message) = call
                    .state
                    .histories
                    .get(&chat)
                    .and_then(|history| history.get(*id))
                else {
                    continue;
                };
                out.people.extend(State::people(&message, chat));
                let (mut wire, _, _) = call.state.deliver(chat, std::slice::from_ref(&message));
                let message = wire.remove(0);
                if matches!(event, Event::New(_)) {
                    out.new.push(message);
                } else if fresh.contains(&(chat, *id)) {
                    // Already delivered in its present form.
                } else if channel {
                    out.other.push(
                        types::UpdateEditChannelMessage {
                            message,
                            pts,
                            pts_count,
                        }
                        .into(),
                    );
                } else {
                    out.other.push(
                        types::UpdateEditMessage {
                            message,
                            pts,
                            pts_count,
                        }
                        .into(),
                    );
                }
            }
            Event::Delete(ids) if channel => {
                let channel_id = -1_000_000_000_000 - chat;
                let messages = ids.clone();
                out.other.push(
                    types::UpdateDeleteChannelMessages {
                        channel_id,
                        messages,
                        pts,
                        pts_count,
                    }
                    .into(),
                );
            }
            Event::Delete(ids) => {
                out.other.push(
                    types::UpdateDeleteMessages {
                        messages: ids.clone(),
                        pts,
                        pts_count,
                    }
                    .into(),
                );
            }
        }
    }
    out
}

pub(super) fn difference(call: &mut Call<'_>, request: &functions::updates::GetDifference) -> Outcome {
    call.note(json!({"pts": request.pts}));
    let oldest = call
        .state
        .log
        .iter()
        .find(|logged| logged.chat >= -1_000_000_000_000)
        .map(|logged| logged.pts - logged.count);
    if request.pts < call.state.pts && oldest.is_none_or(|oldest| request.pts < oldest) {
        let long = types::updates::DifferenceTooLong { pts: call.state.pts };
        return Ok(enums::updates::Difference::from(long).to_bytes());
    }
    if request.pts >= call.state.pts {
        let date = call.state.now() as i32;
        return Ok(
            enums::updates::Difference::from(types::updates::DifferenceEmpty { date, seq: 1 }).to_bytes(),
        );
    }
    let limit = usize::try_from(request.pts_limit.unwrap_or(1000))
        .unwrap_or(1000)
        .clamp(1, 1000);
    let events: Vec<Logged> = call
        .state
        .log
        .iter()
        .filter(|logged| logged.chat >= -1_000_000_000_000 && logged.pts > request.pts)
        .take(limit)
        .cloned()
        .collect();
    let Missed { new, other, people } = missed(call, &events);
    let (users, chats) = call.state.company(people);
    let reached = events.last().map_or(call.state.pts, |logged| logged.pts);
    let state = types::updates::State {
        pts: reached,
        qts: 0,
        date: call.state.now() as i32,
        seq: 1,
        unread_count: 0,
    };
    let answer: enums::updates::Difference = if reached < call.state.pts {
        types::updates::DifferenceSlice {
            new_messages: new,
            new_encrypted_messages: Vec::new(),
            other_updates: other,
            chats,
            users,
            intermediate_state: state.into(),
        }
        .into()
    } else {
        types::updates::Difference {
            new_messages: new,
            new_encrypted_messages: Vec::new(),
            other_updates: other,
            chats,
            users,
            state: state.into(),
        }
        .into()
    };
    Ok(answer.to_bytes())
}

pub(super) fn channel_difference(
    call: &mut Call<'_>,
    request: &functions::updates::GetChannelDifference,
) -> Outcome {
    let chat = call.state.channel(&request.channel)?;
    call.note(json!({"chat": chat, "pts": request.pts, "limit": request.limit}));
    if request.pts <= 0 {
        return Err(Refusal::new("PERSISTENT_TIMESTAMP_EMPTY"));
    }
    let now = call.state.channel_pts(chat);
    if request.pts >= now {
        let empty = types::updates::ChannelDifferenceEmpty {
            r#final: true,
            pts: now,
            timeout: Some(30),
        };
        return Ok(enums::updates::ChannelDifference::from(empty).to_bytes());
    }
    let oldest = call
        .state
        .log
        .iter()
        .find(|logged| logged.chat == chat)
        .map(|logged| logged.pts - logged.count);
    if oldest.is_none_or(|oldest| request.pts < oldest) {
        return too_long(call, chat);
    }
    let limit = usize::try_from(request.limit).unwrap_or(100).clamp(1, 100);
    let events: Vec<Logged> = call
        .state
        .log
        .iter()
        .filter(|logged| logged.chat == chat && logged.pts > request.pts)
        .take(limit)
        .cloned()
        .collect();
    let Missed { new, other, people } = missed(call, &events);
    let (users, chats) = call.state.company(people);
    let reached = events.last().map_or(now, |logged| logged.pts);
    let answer = types::updates::ChannelDifference {
        r#final: reached >= now,
        pts: reached,
        timeout: Some(30),
        new_messages: new,
        other_updates: other,
        chats,
        users,
    };
    Ok(enums::updates::ChannelDifference::from(answer).to_bytes())
}

/// The answer to a client that was away for too long: the newest messages only.
fn too_long(call: &mut Call<'_>, chat: i64) -> Outcome {
    let pts = call.state.channel_pts(chat);
    let newest: Vec<_> = call
        .state
        .histories
        .get(&chat)
        .map(|history| history.below(i32::MAX, 0).take(20).collect())
        .unwrap_or_default();
    let top = newest
        .first()
        .map_or(0, |message: &super::world::Message| message.id);
    let (messages, users, chats) = call.state.deliver(chat, &newest);
    let dialog = types::Dialog {
        pinned: false,
        unread_mark: false,
        view_forum_as_messages: false,
        peer: super::objects::peer(chat),
        top_message: top,
        read_inbox_max_id: 0,
        read_outbox_max_id: 0,
        unread_count: 0,
        unread_mentions_count: 0,
        unread_reactions_count: 0,
        unread_poll_votes_count: 0,
        notify_settings: super::objects::no_settings(),
        pts: Some(pts),
        draft: None,
        folder_id: None,
        ttl_period: None,
    };
    let answer = types::updates::ChannelDifferenceTooLong {
        r#final: true,
        timeout: Some(30),
        dialog: dialog.into(),
        messages,
        chats,
        users,
    };
    Ok(enums::updates::ChannelDifference::from(answer).to_bytes())
}

/// What connected clients hear of the latest event in a chat.
pub(super) fn tell(state: &mut State, chat: i64) -> Vec<u8> {
    let date = state.now() as i32;
    let latest = state.log.iter().rev().find(|logged| logged.chat == chat).cloned();
    let mut updates = Vec::new();
    let (mut users, mut chats) = (Vec::new(), Vec::new());
    if let Some(Logged {
        pts,
        count,
        event: Event::New(id),
        ..
    }) = latest
        && let Some(message) = state.histories.get(&chat).and_then(|history| history.get(id))
    {
        let (mut wire, people, places) = state.deliver(chat, std::slice::from_ref(&message));
        (users, chats) = (people, places);
        let (message, pts_count) = (wire.remove(0), count);
        updates.push(if chat < -1_000_000_000_000 {
            types::UpdateNewChannelMessage {
                message,
                pts,
                pts_count,
            }
            .into()
        } else {
            types::UpdateNewMessage {
                message,
                pts,
                pts_count,
            }
            .into()
        });
    }
    enums::Updates::from(types::Updates {
        updates,
        users,
        chats,
        date,
        seq: 0,
    })
    .to_bytes()
}

/// What a client that shows a login code hears when it was scanned.
pub(super) fn login_token() -> Vec<u8> {
    let date = jiff::Timestamp::now().as_second() as i32;
    enums::Updates::from(types::UpdateShort {
        update: enums::Update::LoginToken,
        date,
    })
    .to_bytes()
}
