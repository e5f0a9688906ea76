//! From the objects of the wire to the plain model.

use std::collections::HashMap;
use std::sync::Arc;

use grammers_client::tl::{enums, types};
use jiff::Timestamp;

use crate::facts;
use crate::model::{
    ChatKind, Entity, EntityKind, Forward, MarkedId, Message, Peer, PeerFlags, Reaction, ReactionKind,
    RecentReaction, Reply, Service,
};

/// The peers that an answer or the connection knows.
pub(crate) type People = HashMap<MarkedId, Arc<Peer>>;

/// A moment of the wire.
pub(crate) fn moment(seconds: i32) -> Timestamp {
    Timestamp::from_second(i64::from(seconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The marked id of a peer.
pub(crate) fn marked(peer: &enums::Peer) -> MarkedId {
    match peer {
        enums::Peer::User(user) => MarkedId::user(user.user_id),
        enums::Peer::Chat(chat) => MarkedId::group(chat.chat_id),
        enums::Peer::Channel(channel) => MarkedId::channel(channel.channel_id),
    }
}

/// A person or bot.
pub(crate) fn user(user: &types::User) -> Peer {
    let name = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Peer {
        id: MarkedId::user(user.id),
        kind: if user.bot { ChatKind::Bot } else { ChatKind::User },
        first_name: name(&user.first_name),
        last_name: name(&user.last_name),
        title: None,
        username: name(&user.username).or_else(|| active(user.usernames.as_deref())),
        members: None,
        flags: PeerFlags {
            is_self: user.is_self,
            deleted: user.deleted,
            verified: user.verified,
            restricted: user.restricted,
            ..PeerFlags::default()
        },
    }
}

/// Whether a person is known already just as this answer shows them.
pub(crate) fn is_same_user(peer: &Peer, user: &types::User) -> bool {
    let same = |known: &Option<String>, told: &Option<String>| {
        known.as_deref().unwrap_or_default() == told.as_deref().unwrap_or_default()
    };
    same(&peer.first_name, &user.first_name)
        && same(&peer.last_name, &user.last_name)
        && (same(&peer.username, &user.username) || user.usernames.is_some())
        && peer.flags.deleted == user.deleted
        && peer.flags.is_self == user.is_self
}

/// The first public name in use, for peers with several.
fn active(names: Option<&[enums::Username]>) -> Option<String> {
    names?.iter().find_map(|name| {
        let enums::Username::Username(name) = name;
        name.active.then(|| name.username.clone())
    })
}

/// A group or channel.
pub(crate) fn chat(chat: &enums::Chat) -> Option<Peer> {
    let blank = |id: MarkedId, kind: ChatKind, title: &str, flags: PeerFlags| Peer {
        id,
        kind,
        first_name: None,
        last_name: None,
        title: Some(title.to_owned()),
        username: None,
        members: None,
        flags,
    };
    Some(match chat {
        enums::Chat::Chat(group) => {
            let flags = PeerFlags {
                creator: group.creator,
                admin: group.admin_rights.is_some(),
                left: group.left,
                ..PeerFlags::default()
            };
            Peer {
                members: Some(group.participants_count),
                ..blank(MarkedId::group(group.id), ChatKind::Group, &group.title, flags)
            }
        }
        enums::Chat::Forbidden(group) => {
            let flags = PeerFlags {
                forbidden: true,
                ..PeerFlags::default()
            };
            blank(MarkedId::group(group.id), ChatKind::Group, &group.title, flags)
        }
        enums::Chat::Channel(channel) => {
            let kind = if channel.broadcast {
                ChatKind::Channel
            } else {
                ChatKind::Supergroup
            };
            let flags = PeerFlags {
                verified: channel.verified,
                restricted: channel.restricted,
                creator: channel.creator,
                admin: channel.admin_rights.is_some(),
                forum: channel.forum,
                left: channel.left,
                ..PeerFlags::default()
            };
            Peer {
                username: channel
                    .username
                    .clone()
                    .filter(|name| !name.is_empty())
                    .or_else(|| active(channel.usernames.as_deref())),
                members: channel.participants_count,
                ..blank(MarkedId::channel(channel.id), kind, &channel.title, flags)
            }
        }
        enums::Chat::ChannelForbidden(channel) => {
            let kind = if channel.broadcast {
                ChatKind::Channel
            } else {
                ChatKind::Supergroup
            };
            let flags = PeerFlags {
                forbidden: true,
                ..PeerFlags::default()
            };
            blank(MarkedId::channel(channel.id), kind, &channel.title, flags)
        }
        _ => return None,
    })
}

/// The access hashes that came with an answer, by marked id.
pub(crate) fn hashes(users: &[enums::User], chats: &[enums::Chat]) -> Vec<(i64, i64)> {
    let users = users.iter().filter_map(|user| match user {
        enums::User::User(user) if !user.min => Some((user.id, user.access_hash?)),
        _ => None,
    });
    let chats = chats.iter().filter_map(|chat| match chat {
        enums::Chat::Channel(channel) if !channel.min => {
            Some((MarkedId::channel(channel.id).0, channel.access_hash?))
        }
        enums::Chat::ChannelForbidden(channel) => {
            Some((MarkedId::channel(channel.id).0, channel.access_hash))
        }
        _ => None,
    });
    users.chain(chats).collect()
}

/// A message; `None` for one that is not there any more.
pub(crate) fn message(message: &enums::Message, people: &People) -> Option<Message> {
    match message {
        enums::Message::Empty(_) => None,
        enums::Message::Message(message) => Some(plain(message, people)),
        enums::Message::Service(message) => Some(service(message, people)),
    }
}

/// Who a message is from: the sender it names, else the channel of a post, else the other side of a private chat.
fn sender(from: Option<&enums::Peer>, chat: MarkedId, out: bool, people: &People) -> Option<MarkedId> {
    match from {
        Some(peer) => Some(marked(peer)),
        // Channel posts and anonymous administrators speak as the chat.
        None if !chat.is_user() => Some(chat),
        None if out => people
            .values()
            .find(|peer| peer.flags.is_self)
            .map(|peer| peer.id),
        None => Some(chat),
    }
}

fn plain(message: &types::Message, people: &People) -> Message {
    let chat = marked(&message.peer_id);
    let sender_id = sender(message.from_id.as_ref(), chat, message.out, people);
    let (reply_to, topic) = reply(message.reply_to.as_ref());
    let (reactions, recent_reactions) = match &message.reactions {
        Some(enums::MessageReactions::Reactions(given)) => reactions(given, people),
        None => Default::default(),
    };
    Message {
        id: message.id,
        chat,
        date: moment(message.date),
        edited: message.edit_date.filter(|_| !message.edit_hide).map(moment),
        sender: sender_id.and_then(|id| people.get(&id).cloned()),
        sender_id,
        out: message.out,
        post: message.post,
        pinned: message.pinned,
        text: message.message.clone(),
        entities: message.entities.iter().flatten().map(entity).collect(),
        media: message.media.as_ref().and_then(crate::media::media),
        reactions,
        recent_reactions,
        views: message.views,
        forwards: message.forwards,
        replies: message.replies.as_ref().map(|replies| {
            let enums::MessageReplies::Replies(replies) = replies;
            replies.replies
        }),
        reply_to,
        topic,
        forwarded: message.fwd_from.as_ref().map(|from| forward(from, people)),
        grouped_id: message.grouped_id,
        via_bot: message
            .via_bot_id
            .and_then(|id| people.get(&MarkedId::user(id)).cloned()),
        via_bot_id: message.via_bot_id.map(MarkedId::user),
        author: message.post_author.clone(),
        service: None,
        facts: facts::of_message(message, people),
    }
}

fn service(message: &types::MessageService, people: &People) -> Message {
    let chat = marked(&message.peer_id);
    let sender_id = sender(message.from_id.as_ref(), chat, message.out, people);
    let (reply_to, topic) = reply(message.reply_to.as_ref());
    let (reactions, recent_reactions) = match &message.reactions {
        Some(enums::MessageReactions::Reactions(given)) => reactions(given, people),
        None => Default::default(),
    };
    let topic = match &message.action {
        enums::MessageAction::TopicCreate(_) => Some(message.id),
        _ => topic,
    };
    Message {
        id: message.id,
        chat,
        date: moment(message.date),
        edited: None,
        sender: sender_id.and_then(|id| people.get(&id).cloned()),
        sender_id,
        out: message.out,
        post: message.post,
        pinned: false,
        text: String::new(),
        entities: Vec::new(),
        media: None,
        reactions,
        recent_reactions,
        views: None,
        forwards: None,
        replies: None,
        reply_to,
        topic,
        forwarded: None,
        grouped_id: None,
        via_bot: None,
        via_bot_id: None,
        author: None,
        service: Some(action(&message.action, people)),
        facts: facts::of_action(&message.action, people),
    }
}

fn reply(header: Option<&enums::MessageReplyHeader>) -> (Option<Reply>, Option<i32>) {
    let Some(enums::MessageReplyHeader::Header(header)) = header else {
        return (None, None);
    };
    let topic = header
        .forum_topic
        .then(|| header.reply_to_top_id.or(header.reply_to_msg_id))
        .flatten();
    // Within a topic the header points at the topic's first message where no message is answered.
    let answered = header
        .reply_to_msg_id
        .filter(|id| Some(*id) != topic || header.reply_to_top_id.is_some());
    let reply = (answered.is_some() || header.reply_to_peer_id.is_some()).then(|| Reply {
        message_id: answered,
        chat: header.reply_to_peer_id.as_ref().map(marked),
        quote: header.quote_text.clone(),
    });
    (reply, topic)
}

fn forward(header: &enums::MessageFwdHeader, people: &People) -> Forward {
    let enums::MessageFwdHeader::Header(header) = header;
    let from_id = header.from_id.as_ref().map(marked);
    Forward {
        from: from_id.and_then(|id| people.get(&id).cloned()),
        from_id,
        name: header.from_name.clone(),
        date: moment(header.date),
        channel_post: header.channel_post,
        author: header.post_author.clone(),
    }
}

/// Which reaction.
pub(crate) fn reaction_kind(reaction: &enums::Reaction) -> ReactionKind {
    match reaction {
        enums::Reaction::Emoji(emoji) => ReactionKind::Emoji(emoji.emoticon.clone()),
        enums::Reaction::CustomEmoji(custom) => ReactionKind::Custom(custom.document_id),
        enums::Reaction::Paid => ReactionKind::Paid,
        enums::Reaction::Empty => ReactionKind::Empty,
    }
}

fn reactions(given: &types::MessageReactions, people: &People) -> (Vec<Reaction>, Vec<RecentReaction>) {
    let counted = given.results.iter().map(|count| {
        let enums::ReactionCount::Count(count) = count;
        Reaction {
            kind: reaction_kind(&count.reaction),
            count: count.count,
            chosen: count.chosen_order.is_some(),
        }
    });
    let recent = given.recent_reactions.iter().flatten().map(|one| {
        let enums::MessagePeerReaction::Reaction(one) = one;
        let from_id = marked(&one.peer_id);
        RecentReaction {
            from: people.get(&from_id).cloned(),
            from_id,
            date: moment(one.date),
            kind: reaction_kind(&one.reaction),
            mine: one.my,
        }
    });
    (counted.collect(), recent.collect())
}

fn entity(entity: &enums::MessageEntity) -> Entity {
    use enums::MessageEntity as E;
    let (offset, length, kind) = match entity {
        E::Bold(e) => (e.offset, e.length, EntityKind::Bold),
        E::Italic(e) => (e.offset, e.length, EntityKind::Italic),
        E::Underline(e) => (e.offset, e.length, EntityKind::Underline),
        E::Strike(e) => (e.offset, e.length, EntityKind::Strike),
        E::Spoiler(e) => (e.offset, e.length, EntityKind::Spoiler),
        E::Code(e) => (e.offset, e.length, EntityKind::Code),
        E::Pre(e) => (
            e.offset,
            e.length,
            EntityKind::Pre {
                language: e.language.clone(),
            },
        ),
        E::Blockquote(e) => (
            e.offset,
            e.length,
            EntityKind::Blockquote {
                collapsed: e.collapsed,
            },
        ),
        E::TextUrl(e) => (e.offset, e.length, EntityKind::TextUrl { url: e.url.clone() }),
        E::Url(e) => (e.offset, e.length, EntityKind::Url),
        E::Mention(e) => (e.offset, e.length, EntityKind::Mention),
        E::MentionName(e) => (e.offset, e.length, EntityKind::MentionName { user_id: e.user_id }),
        E::Hashtag(e) => (e.offset, e.length, EntityKind::Hashtag),
        E::Cashtag(e) => (e.offset, e.length, EntityKind::Cashtag),
        E::BotCommand(e) => (e.offset, e.length, EntityKind::BotCommand),
        E::Email(e) => (e.offset, e.length, EntityKind::Email),
        E::Phone(e) => (e.offset, e.length, EntityKind::Phone),
        E::BankCard(e) => (e.offset, e.length, EntityKind::BankCard),
        E::CustomEmoji(e) => (
            e.offset,
            e.length,
            EntityKind::CustomEmoji {
                document_id: e.document_id,
            },
        ),
        E::Unknown(e) => (e.offset, e.length, EntityKind::Unknown),
        other => {
            let (offset, length) = place(other);
            (offset, length, EntityKind::Unknown)
        }
    };
    Entity {
        offset: usize::try_from(offset).unwrap_or_default(),
        length: usize::try_from(length).unwrap_or_default(),
        kind,
    }
}

/// Where the newer sorts of formatting lie.
fn place(entity: &enums::MessageEntity) -> (i32, i32) {
    use enums::MessageEntity as E;
    match entity {
        E::FormattedDate(e) => (e.offset, e.length),
        E::DiffInsert(e) => (e.offset, e.length),
        E::DiffReplace(e) => (e.offset, e.length),
        E::DiffDelete(e) => (e.offset, e.length),
        E::TonAddress(e) => (e.offset, e.length),
        _ => (0, 0),
    }
}

/// What a service entry tells, in the words of the Telegram Desktop export.
fn action(action: &enums::MessageAction, people: &People) -> Service {
    use enums::MessageAction as A;
    let named = |action: &str| Service {
        action: action.to_owned(),
        ..Service::default()
    };
    let with = |action: &str, users: &[i64]| Service {
        member_ids: users.to_vec(),
        members: users
            .iter()
            .map(|id| {
                people
                    .get(&MarkedId::user(*id))
                    .and_then(|peer| peer.name())
                    .unwrap_or_default()
            })
            .collect(),
        ..named(action)
    };
    let titled = |action: &str, title: &str| Service {
        title: Some(title.to_owned()),
        ..named(action)
    };
    match action {
        A::ChatCreate(a) => Service {
            title: Some(a.title.clone()),
            ..with("create_group", &a.users)
        },
        A::ChannelCreate(a) => titled("create_channel", &a.title),
        A::ChatEditTitle(a) => titled("edit_group_title", &a.title),
        A::ChatEditPhoto(_) => named("edit_group_photo"),
        A::ChatDeletePhoto => named("delete_group_photo"),
        A::ChatAddUser(a) => with("invite_members", &a.users),
        A::ChatDeleteUser(a) => with("remove_members", &[a.user_id]),
        A::ChatJoinedByLink(a) => with("join_group_by_link", &[a.inviter_id]),
        A::ChatJoinedByRequest => named("join_group_by_request"),
        A::ChatMigrateTo(_) => named("migrate_to_supergroup"),
        A::ChannelMigrateFrom(a) => Service {
            from_group: Some(a.chat_id),
            ..titled("migrate_from_group", &a.title)
        },
        A::PinMessage => named("pin_message"),
        A::HistoryClear => named("clear_history"),
        A::GameScore(_) => named("score_in_game"),
        A::PaymentSent(_) | A::PaymentSentMe(_) => named("send_payment"),
        A::PhoneCall(a) => Service {
            duration: a.duration,
            discard_reason: a.reason.as_ref().map(|reason| discard(reason).to_owned()),
            ..named("phone_call")
        },
        A::ScreenshotTaken => named("take_screenshot"),
        A::CustomAction(a) => Service {
            text: Some(a.message.clone()),
            ..named("custom_action")
        },
        A::BotAllowed(_) => named("allow_sending_messages"),
        A::ContactSignUp => named("joined_telegram"),
        A::GeoProximityReached(_) => named("proximity_reached"),
        A::GroupCall(a) => Service {
            duration: a.duration,
            ..named("group_call")
        },
        A::InviteToGroupCall(a) => with("invite_to_group_call", &a.users),
        A::SetMessagesTtl(a) => Service {
            duration: Some(a.period),
            ..named("set_messages_ttl")
        },
        A::GroupCallScheduled(_) => named("group_call_scheduled"),
        A::SetChatTheme(_) => named("edit_chat_theme"),
        A::TopicCreate(a) => titled("topic_created", &a.title),
        A::TopicEdit(a) => Service {
            title: a.title.clone(),
            ..named("topic_edit")
        },
        A::SuggestProfilePhoto(_) => named("suggest_profile_photo"),
        A::SetChatWallPaper(_) => named("set_chat_wallpaper"),
        A::GiftPremium(_) => named("send_premium_gift"),
        A::BoostApply(_) => named("boost_apply"),
        A::Empty => named("empty"),
        A::GiftStars(_) => named("send_stars_gift"),
        A::GiveawayLaunch(_) => named("giveaway_launch"),
        A::GiveawayResults(_) => named("giveaway_results"),
        A::TodoCompletions(_) => named("todo_completions"),
        A::TodoAppendTasks(_) => named("todo_append_tasks"),
        A::NoForwardsToggle(_) => named("no_forwards_toggle"),
        A::PaymentRefunded(_) => named("refunded_payment"),
        A::GiftCode(_) => named("gift_code_prize"),
        A::PrizeStars(_) => named("stars_prize"),
        A::WebViewDataSent(_) => named("send_webview_data"),
        A::SecureValuesSent(_) => named("send_passport_values"),
        A::RequestedPeer(_) => named("requested_peer"),
        A::PaidMessagesPrice(_) => named("paid_messages_price_change"),
        A::PaidMessagesRefunded(_) => named("paid_messages_refund"),
        other => named(&facts::action_name(other)),
    }
}

fn discard(reason: &enums::PhoneCallDiscardReason) -> &'static str {
    match reason {
        enums::PhoneCallDiscardReason::Missed => "missed",
        enums::PhoneCallDiscardReason::Disconnect => "disconnect",
        enums::PhoneCallDiscardReason::Hangup => "hangup",
        enums::PhoneCallDiscardReason::Busy => "busy",
        enums::PhoneCallDiscardReason::MigrateConferenceCall(_) => "migrate_conference_call",
    }
}
