//! Turns what a scenario says into the objects of the wire.

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::world::{Entity, Message, Stretch, Tally, unix};

/// The access hash of a peer: a number nobody guesses, but every test can compute.
pub(super) fn access_hash(marked: i64) -> i64 {
    (marked as u64 ^ 0x5bd1_e995_9d1c_8a6b).wrapping_mul(0x9E37_79B9_7F4A_7C15) as i64 & i64::MAX
}

/// A marked id as a peer.
pub(super) fn peer(marked: i64) -> enums::Peer {
    const CHANNEL: i64 = -1_000_000_000_000;
    if marked > 0 {
        types::PeerUser { user_id: marked }.into()
    } else if marked < CHANNEL {
        types::PeerChannel {
            channel_id: CHANNEL - marked,
        }
        .into()
    } else {
        types::PeerChat { chat_id: -marked }.into()
    }
}

/// A user, as messages and listings carry one.
pub(super) fn user(entity: &Entity, is_self: bool) -> enums::User {
    types::User {
        is_self,
        contact: entity.contact,
        mutual_contact: false,
        deleted: entity.deleted,
        bot: entity.kind == "bot",
        bot_chat_history: false,
        bot_nochats: false,
        verified: entity.verified,
        restricted: entity.restricted,
        min: false,
        bot_inline_geo: false,
        support: false,
        scam: false,
        apply_min_photo: false,
        fake: false,
        bot_attach_menu: false,
        premium: false,
        attach_menu_enabled: false,
        bot_can_edit: false,
        close_friend: false,
        stories_hidden: false,
        stories_unavailable: true,
        contact_require_premium: false,
        bot_business: false,
        bot_has_main_app: false,
        bot_forum_view: false,
        bot_forum_can_manage_topics: false,
        bot_can_manage_bots: false,
        bot_guestchat: false,
        bot_guard: false,
        id: entity.id,
        access_hash: Some(access_hash(entity.id)),
        first_name: entity.first_name.clone().filter(|_| !entity.deleted),
        last_name: entity.last_name.clone().filter(|_| !entity.deleted),
        username: entity.username.clone(),
        phone: None,
        photo: None,
        status: None,
        bot_info_version: (entity.kind == "bot").then_some(1),
        restriction_reason: entity.restricted.then(Vec::new),
        bot_inline_placeholder: None,
        lang_code: None,
        emoji_status: None,
        usernames: None,
        stories_max_id: None,
        color: None,
        profile_color: None,
        bot_active_users: None,
        bot_verification_icon: None,
        send_paid_messages_stars: None,
        linked_community_id: None,
    }
    .into()
}

/// Every right an administrator can have.
fn admin_rights() -> enums::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        post_messages: true,
        edit_messages: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: false,
        anonymous: false,
        manage_call: false,
        other: false,
        manage_topics: false,
        post_stories: false,
        edit_stories: false,
        delete_stories: false,
        manage_direct_messages: false,
        manage_ranks: false,
        manage_linked_peers: false,
        manage_welcome_messages: false,
    }
    .into()
}

/// A group or channel.
pub(super) fn chat(entity: &Entity) -> enums::Chat {
    let title = entity.title.clone().unwrap_or_default();
    let rights = entity.admin_rights.as_ref().map(|_| admin_rights());
    match entity.kind.as_str() {
        "group_forbidden" => types::ChatForbidden { id: entity.id, title }.into(),
        "group" => types::Chat {
            creator: entity.creator,
            left: entity.left,
            deactivated: entity.migrated_to().is_some(),
            call_active: false,
            call_not_empty: false,
            noforwards: false,
            id: entity.id,
            title,
            photo: enums::ChatPhoto::Empty,
            participants_count: entity.participants_count.unwrap_or(entity.members.len() as i32),
            date: 1_600_000_000,
            version: 1,
            migrated_to: entity.migrated_to().map(|id| {
                types::InputChannel {
                    channel_id: id,
                    access_hash: access_hash(-(1_000_000_000_000 + id)),
                }
                .into()
            }),
            admin_rights: rights,
            default_banned_rights: None,
        }
        .into(),
        _ => enums::Chat::Channel(channel(entity, title, rights)),
    }
}

fn channel(entity: &Entity, title: String, rights: Option<enums::ChatAdminRights>) -> types::Channel {
    let broadcast = entity.kind == "channel";
    types::Channel {
        creator: entity.creator,
        left: entity.left,
        broadcast,
        verified: entity.verified,
        megagroup: !broadcast,
        restricted: entity.restricted,
        signatures: false,
        min: false,
        scam: false,
        has_link: false,
        has_geo: false,
        slowmode_enabled: entity.slow_mode.is_some(),
        call_active: false,
        call_not_empty: false,
        fake: false,
        gigagroup: false,
        noforwards: false,
        join_to_send: false,
        join_request: false,
        forum: entity.forum,
        stories_hidden: false,
        stories_hidden_min: false,
        stories_unavailable: true,
        signature_profiles: false,
        autotranslation: false,
        broadcast_messages_allowed: false,
        monoforum: false,
        forum_tabs: false,
        id: entity.id,
        access_hash: Some(access_hash(entity.marked())),
        title,
        username: entity.username.clone(),
        photo: enums::ChatPhoto::Empty,
        date: 1_600_000_000,
        restriction_reason: entity.restricted.then(Vec::new),
        admin_rights: rights,
        banned_rights: None,
        default_banned_rights: None,
        participants_count: entity.participants_count,
        usernames: None,
        stories_max_id: None,
        color: None,
        profile_color: None,
        emoji_status: None,
        level: None,
        subscription_until_date: None,
        bot_verification_icon: None,
        send_paid_messages_stars: None,
        linked_monoforum_id: None,
        linked_community_id: None,
    }
}

/// Formatting.
fn entity(stretch: &Stretch) -> enums::MessageEntity {
    let (offset, length) = (stretch.offset, stretch.length);
    match stretch.kind.as_str() {
        "bold" => types::MessageEntityBold { offset, length }.into(),
        "italic" => types::MessageEntityItalic { offset, length }.into(),
        "code" => types::MessageEntityCode { offset, length }.into(),
        "strike" => types::MessageEntityStrike { offset, length }.into(),
        "underline" => types::MessageEntityUnderline { offset, length }.into(),
        "spoiler" => types::MessageEntitySpoiler { offset, length }.into(),
        "pre" => {
            let language = stretch.language.clone().unwrap_or_default();
            types::MessageEntityPre {
                offset,
                length,
                language,
            }
            .into()
        }
        "blockquote" => types::MessageEntityBlockquote {
            collapsed: false,
            offset,
            length,
        }
        .into(),
        "text_url" => {
            let url = stretch.url.clone().unwrap_or_default();
            types::MessageEntityTextUrl { offset, length, url }.into()
        }
        "mention_name" => {
            let user_id = stretch.user_id.unwrap_or_default();
            types::MessageEntityMentionName {
                offset,
                length,
                user_id,
            }
            .into()
        }
        "custom_emoji" => {
            let document_id = stretch.document_id.unwrap_or_default();
            types::MessageEntityCustomEmoji {
                offset,
                length,
                document_id,
            }
            .into()
        }
        "mention" => types::MessageEntityMention { offset, length }.into(),
        "hashtag" => types::MessageEntityHashtag { offset, length }.into(),
        "bot_command" => types::MessageEntityBotCommand { offset, length }.into(),
        "url" => types::MessageEntityUrl { offset, length }.into(),
        "email" => types::MessageEntityEmail { offset, length }.into(),
        _ => types::MessageEntityUnknown { offset, length }.into(),
    }
}

/// Formatting that a client sent, as a scenario writes it.
pub(super) fn stretches(entities: &[enums::MessageEntity]) -> Vec<Stretch> {
    let stretch = |kind: &str, offset, length| Stretch {
        kind: kind.to_owned(),
        offset,
        length,
        ..Stretch::default()
    };
    let read = |entity: &enums::MessageEntity| {
        Some(match entity {
            enums::MessageEntity::Bold(e) => stretch("bold", e.offset, e.length),
            enums::MessageEntity::Italic(e) => stretch("italic", e.offset, e.length),
            enums::MessageEntity::Code(e) => stretch("code", e.offset, e.length),
            enums::MessageEntity::Strike(e) => stretch("strike", e.offset, e.length),
            enums::MessageEntity::TextUrl(e) => Stretch {
                url: Some(e.url.clone()),
                ..stretch("text_url", e.offset, e.length)
            },
            enums::MessageEntity::Pre(e) => stretch("pre", e.offset, e.length),
            _ => return None,
        })
    };
    entities.iter().filter_map(read).collect()
}

fn reaction(tally: &Tally) -> enums::Reaction {
    match (&tally.emoji, tally.custom_emoji_id) {
        (Some(emoji), _) => types::ReactionEmoji {
            emoticon: emoji.clone(),
        }
        .into(),
        (None, Some(document_id)) => types::ReactionCustomEmoji { document_id }.into(),
        (None, None) if tally.paid => enums::Reaction::Paid,
        (None, None) => enums::Reaction::Empty,
    }
}

/// The reactions on a message.
pub(super) fn reactions(tallies: &[Tally], account: i64, date: i32) -> types::MessageReactions {
    let counts = tallies.iter().enumerate().map(|(order, tally)| {
        types::ReactionCount {
            chosen_order: tally.chosen.then_some(order as i32),
            reaction: reaction(tally),
            count: tally.count,
        }
        .into()
    });
    let mine = tallies.iter().filter(|tally| tally.chosen).map(|tally| {
        types::MessagePeerReaction {
            big: false,
            unread: false,
            my: true,
            peer_id: peer(account),
            date,
            reaction: reaction(tally),
        }
        .into()
    });
    let recent: Vec<enums::MessagePeerReaction> = mine.collect();
    types::MessageReactions {
        min: false,
        can_see_list: true,
        reactions_as_tags: false,
        results: counts.collect(),
        recent_reactions: (!recent.is_empty()).then_some(recent),
        top_reactors: None,
    }
}

/// A message or service entry.
pub(super) fn message(message: &Message, chat: i64, account: i64) -> enums::Message {
    // Posts name no sender, nor does the other side of a private chat; an anonymous administrator is the group itself.
    let from_id = message
        .from
        .filter(|from| !message.post && *from != chat.max(0))
        .map(peer);
    let reply_to = reply(message);
    if message.is_service() {
        return types::MessageService {
            out: message.out,
            mentioned: false,
            media_unread: false,
            reactions_are_possible: false,
            silent: false,
            post: message.post,
            legacy: false,
            id: message.id,
            from_id,
            peer_id: peer(chat),
            saved_peer_id: None,
            reply_to,
            date: message.unix(),
            action: action(message),
            reactions: None,
            ttl_period: None,
        }
        .into();
    }
    let extra = |key: &str| {
        message
            .extra
            .get(key)
            .and_then(Value::as_bool)
            .unwrap_or_default()
    };
    let count = |key: &str| message.extra.get(key).and_then(Value::as_i64);
    let word = |key: &str| message.extra.get(key).and_then(Value::as_str).map(str::to_owned);
    let reactions = (!message.reactions.is_empty())
        .then(|| enums::MessageReactions::Reactions(reactions(&message.reactions, account, message.unix())));
    types::Message {
        out: message.out,
        mentioned: false,
        media_unread: false,
        silent: false,
        post: message.post,
        from_scheduled: false,
        legacy: false,
        edit_hide: extra("edit_hide"),
        pinned: message.pinned,
        noforwards: extra("noforwards"),
        invert_media: false,
        offline: false,
        video_processing_pending: false,
        paid_suggested_post_stars: false,
        paid_suggested_post_ton: false,
        id: message.id,
        from_id,
        from_boosts_applied: None,
        from_rank: word("rank"),
        peer_id: peer(chat),
        saved_peer_id: None,
        fwd_from: forward(message),
        via_bot_id: count("via_bot"),
        via_business_bot_id: None,
        guestchat_via_from: None,
        reply_to,
        date: message.unix(),
        message: message.text.clone(),
        media: super::media::media(message),
        reply_markup: super::odd::buttons(message),
        entities: (!message.entities.is_empty()).then(|| message.entities.iter().map(entity).collect()),
        views: message.views.or(message.forwards.map(|_| 0)),
        forwards: message.forwards.or(message.views.map(|_| 0)),
        replies: None,
        edit_date: message.edited.as_deref().map(unix),
        post_author: message.author.clone(),
        grouped_id: message.grouped_id,
        reactions,
        restriction_reason: None,
        ttl_period: count("ttl_period").map(|seconds| seconds as i32),
        quick_reply_shortcut_id: None,
        effect: None,
        factcheck: None,
        report_delivery_until_date: None,
        paid_message_stars: count("paid_stars"),
        suggested_post: None,
        schedule_repeat_period: None,
        summary_from_language: None,
        rich_message: None,
    }
    .into()
}

fn reply(message: &Message) -> Option<enums::MessageReplyHeader> {
    if let Some(story) = super::odd::story_reply(message) {
        return Some(story);
    }
    let quote = message.extra.get("quote_text").and_then(Value::as_str);
    let elsewhere = message.extra.get("reply_peer").and_then(Value::as_i64);
    let author = message.extra.get("reply_from_name").and_then(Value::as_str);
    if message.reply_to.is_none() && message.topic.is_none() && elsewhere.is_none() {
        return None;
    }
    let to = message.reply_to.or(message.topic);
    Some(
        types::MessageReplyHeader {
            reply_to_scheduled: false,
            forum_topic: message.topic.is_some(),
            quote: quote.is_some(),
            reply_to_ephemeral: false,
            reply_to_msg_id: to,
            reply_to_peer_id: elsewhere.map(peer),
            reply_from: author.map(|name| {
                types::MessageFwdHeader {
                    from_name: Some(name.to_owned()),
                    date: message.unix() - 60,
                    ..blank_forward()
                }
                .into()
            }),
            reply_media: None,
            reply_to_top_id: message.topic.filter(|topic| Some(*topic) != to),
            quote_text: quote.map(str::to_owned),
            quote_entities: None,
            quote_offset: None,
            todo_item_id: None,
            poll_option: None,
        }
        .into(),
    )
}

fn forward(message: &Message) -> Option<enums::MessageFwdHeader> {
    if message.forward_from.is_none() && message.forward_from_name.is_none() {
        return None;
    }
    let extra = &message.extra;
    let saved = extra.get("saved_from").and_then(Value::as_i64);
    Some(
        types::MessageFwdHeader {
            imported: extra.get("imported").and_then(Value::as_bool).unwrap_or_default(),
            from_id: message.forward_from.map(peer),
            from_name: message.forward_from_name.clone(),
            date: message.unix() - 3600,
            channel_post: message
                .forward_from
                .filter(|from| *from < -1_000_000_000_000)
                .map(|_| 7),
            post_author: extra.get("fwd_author").and_then(Value::as_str).map(str::to_owned),
            saved_from_peer: saved.map(peer),
            saved_from_msg_id: saved.map(|_| 7),
            ..blank_forward()
        }
        .into(),
    )
}

/// A forward header that says nothing.
fn blank_forward() -> types::MessageFwdHeader {
    types::MessageFwdHeader {
        imported: false,
        saved_out: false,
        from_id: None,
        from_name: None,
        date: 0,
        channel_post: None,
        post_author: None,
        saved_from_peer: None,
        saved_from_msg_id: None,
        saved_from_id: None,
        saved_from_name: None,
        saved_date: None,
        psa_type: None,
    }
}

/// What a service entry tells.
fn action(message: &Message) -> enums::MessageAction {
    let text = |key: &str| {
        message
            .attached
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let users = || {
        let list = message
            .attached
            .get("users")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        list.iter().filter_map(Value::as_i64).collect::<Vec<_>>()
    };
    if let Some(odd) = super::odd::action(message) {
        return odd;
    }
    match message.service.as_str().unwrap_or("pin") {
        "join" | "add" => types::MessageActionChatAddUser { users: users() }.into(),
        "leave" => types::MessageActionChatDeleteUser {
            user_id: users().first().copied().unwrap_or_default(),
        }
        .into(),
        "join_by_link" => types::MessageActionChatJoinedByLink {
            inviter_id: users().first().copied().unwrap_or_default(),
        }
        .into(),
        "title" => types::MessageActionChatEditTitle { title: text("title") }.into(),
        "migrate_to" => types::MessageActionChatMigrateTo {
            channel_id: message
                .attached
                .get("channel")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
        }
        .into(),
        "migrate_from" => types::MessageActionChannelMigrateFrom {
            title: text("title"),
            chat_id: message
                .attached
                .get("chat")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
        }
        .into(),
        "create" => types::MessageActionChannelCreate { title: text("title") }.into(),
        "topic" => types::MessageActionTopicCreate {
            title_missing: false,
            title: text("title"),
            icon_color: 0,
            icon_emoji_id: None,
        }
        .into(),
        "call" => types::MessageActionPhoneCall {
            video: false,
            call_id: 1,
            reason: Some(enums::PhoneCallDiscardReason::Hangup),
            duration: message
                .attached
                .get("duration")
                .and_then(Value::as_i64)
                .map(|seconds| seconds as i32),
        }
        .into(),
        _ => enums::MessageAction::PinMessage,
    }
}

/// Notification settings that say nothing.
pub(super) fn no_settings() -> enums::PeerNotifySettings {
    muted(None)
}

/// Settings of notifications: off until a time, or as the general ones.
pub(super) fn muted(mute_until: Option<i32>) -> enums::PeerNotifySettings {
    types::PeerNotifySettings {
        show_previews: None,
        silent: None,
        mute_until,
        ios_sound: None,
        android_sound: None,
        other_sound: None,
        stories_muted: None,
        stories_hide_sender: None,
        stories_ios_sound: None,
        stories_android_sound: None,
        stories_other_sound: None,
    }
    .into()
}
