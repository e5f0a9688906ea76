//! Worlds that several tools are tried in.

use std::ops::RangeInclusive;

use super::world::{Entity, Message, World, iso};

/// Marked id of the chat of [`gappy`].
pub const GAPPY: i64 = -1_000_000_002_500;

/// A public supergroup `@gappy_club` of `count` messages, one a minute, of which the service leaves some out of every
/// page they belong to. Every third message is the account's own; message `n` reads `note n`.
pub fn gappy(count: i32, hidden: &[RangeInclusive<i32>]) -> World {
    let mut world = super::world("town");
    world.entities.push(Entity {
        kind: "supergroup".into(),
        id: 2500,
        title: Some("Gappy club".into()),
        username: Some("gappy_club".into()),
        members: vec![500, 111],
        ..Entity::default()
    });
    world.dialogs.push(super::world::Dialog {
        chat: GAPPY,
        ..super::world::Dialog::default()
    });
    let messages = (1..=count).map(|id| {
        let own = id % 3 == 0;
        Message {
            id,
            text: format!("note {id}"),
            date: iso(1_735_689_600 + i64::from(id) * 60),
            from: Some(if own { 500 } else { 111 }),
            out: own,
            sender_known: true,
            extra: serde_json::json!({"hidden": hidden.iter().any(|range| range.contains(&id))}),
            ..Message::default()
        }
    });
    world.messages.insert(GAPPY.to_string(), messages.collect());
    world
}
