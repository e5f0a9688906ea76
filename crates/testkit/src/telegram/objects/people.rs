//! Users, groups and channels.

use grammers_tl_types::{enums, types};

use super::access_hash;
use crate::telegram::world::Entity;

/// A user, as messages and listings carry one.
pub(in crate::telegram) fn user(entity: &Entity, is_self: bool) -> enums::User {
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
pub(in crate::telegram) fn chat(entity: &Entity) -> enums::Chat {
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
