//! Turns what a scenario says into the objects of the wire.

mod action;
mod message;
mod people;
mod text;

use grammers_tl_types::{enums, types};

pub(super) use message::message;
pub(super) use people::{chat, user};
pub(super) use text::{reactions, stretches};

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
