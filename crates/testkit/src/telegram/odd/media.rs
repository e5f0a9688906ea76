//! Attachments of kinds that few chats have.

use grammers_tl_types::{enums, types};

use super::{number, text, with_entities};
use crate::telegram::{
    objects::{self, access_hash},
    world::Message,
};

/// An attachment of such a kind; `None` for the usual ones.
pub(in crate::telegram) fn media(message: &Message) -> Option<enums::MessageMedia> {
    let kind = message.media.as_deref()?;
    sold(message, kind).or_else(|| other(message, kind))
}

/// What is sold, given away or paid for.
fn sold(message: &Message, kind: &str) -> Option<enums::MessageMedia> {
    let detail = &message.attached;
    Some(match kind {
        "invoice" => types::MessageMediaInvoice {
            shipping_address_requested: false,
            test: false,
            title: text(detail, "title").unwrap_or_else(|| "Tea".to_owned()),
            description: "A box of tea".to_owned(),
            photo: None,
            receipt_msg_id: None,
            currency: text(detail, "currency").unwrap_or_else(|| "EUR".to_owned()),
            total_amount: number(detail, "amount").unwrap_or(1250),
            start_param: String::new(),
            extended_media: None,
        }
        .into(),
        "giveaway" => types::MessageMediaGiveaway {
            only_new_subscribers: true,
            winners_are_visible: true,
            channels: vec![1001],
            countries_iso2: None,
            prize_description: Some("a teapot".to_owned()),
            quantity: 10,
            months: Some(3),
            stars: None,
            until_date: message.unix() + 86_400,
        }
        .into(),
        "giveaway_results" => types::MessageMediaGiveawayResults {
            only_new_subscribers: false,
            refunded: false,
            channel_id: 1001,
            additional_peers_count: None,
            launch_msg_id: 25,
            winners_count: 2,
            unclaimed_count: 1,
            winners: vec![111, 112],
            months: Some(3),
            stars: None,
            prize_description: None,
            until_date: message.unix(),
        }
        .into(),
        "paid_media" => types::MessageMediaPaidMedia {
            stars_amount: 25,
            extended_media: vec![
                types::MessageExtendedMediaPreview {
                    w: Some(640),
                    h: Some(480),
                    thumb: None,
                    video_duration: None,
                }
                .into(),
            ],
        }
        .into(),
        _ => return None,
    })
}

/// Places, games, stories, lists, and what has expired.
fn other(message: &Message, kind: &str) -> Option<enums::MessageMedia> {
    Some(match kind {
        "geo_empty" => types::MessageMediaGeo {
            geo: enums::GeoPoint::Empty,
        }
        .into(),
        "geo_live" => types::MessageMediaGeoLive {
            geo: types::GeoPoint {
                long: 30.5,
                lat: 50.25,
                access_hash: 1,
                accuracy_radius: None,
            }
            .into(),
            heading: None,
            period: 900,
            proximity_notification_radius: None,
        }
        .into(),
        "expired_photo" => types::MessageMediaPhoto {
            spoiler: false,
            live_photo: false,
            photo: None,
            ttl_seconds: Some(30),
            video: None,
        }
        .into(),
        "expired_document" => types::MessageMediaDocument {
            nopremium: false,
            spoiler: false,
            video: false,
            round: false,
            voice: false,
            document: None,
            alt_documents: None,
            video_cover: None,
            video_timestamp: None,
            ttl_seconds: Some(30),
        }
        .into(),
        "game" => types::MessageMediaGame {
            game: types::Game {
                id: 5,
                access_hash: access_hash(5),
                short_name: "boats".to_owned(),
                title: "Boats".to_owned(),
                description: "Row as far as you can".to_owned(),
                photo: types::PhotoEmpty { id: 1 }.into(),
                document: None,
            }
            .into(),
        }
        .into(),
        "story" => types::MessageMediaStory {
            via_mention: false,
            peer: objects::peer(message.from.unwrap_or(1)),
            id: 7,
            story: None,
        }
        .into(),
        "todo" => types::MessageMediaToDo {
            todo: types::TodoList {
                others_can_append: true,
                others_can_complete: true,
                title: with_entities("For the trip"),
                list: [(1, "Pack the tent"), (2, "Buy tea")]
                    .into_iter()
                    .map(|(id, title)| {
                        types::TodoItem {
                            id,
                            title: with_entities(title),
                        }
                        .into()
                    })
                    .collect(),
            }
            .into(),
            completions: Some(vec![
                types::TodoCompletion {
                    id: 2,
                    completed_by: objects::peer(112),
                    date: message.unix() + 60,
                }
                .into(),
            ]),
        }
        .into(),
        "unsupported" => enums::MessageMedia::Unsupported,
        _ => return None,
    })
}
