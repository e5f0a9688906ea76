//! Messages of kinds that few chats have: giveaways, lists, games, amounts, buttons, stories.

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::objects::{self, access_hash};
use super::world::Message;

fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key).and_then(Value::as_i64)
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn with_entities(text: &str) -> enums::TextWithEntities {
    types::TextWithEntities {
        text: text.to_owned(),
        entities: Vec::new(),
    }
    .into()
}

/// An attachment of such a kind; `None` for the usual ones.
pub(super) fn media(message: &Message) -> Option<enums::MessageMedia> {
    let detail = &message.attached;
    Some(match message.media.as_deref()? {
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

/// A service entry of such a kind; `None` for the usual ones.
pub(super) fn action(message: &Message) -> Option<enums::MessageAction> {
    let detail = &message.attached;
    let call = || {
        enums::InputGroupCall::Call(types::InputGroupCall {
            id: 1,
            access_hash: access_hash(1),
        })
    };
    Some(match message.service.as_str()? {
        "score" => types::MessageActionGameScore {
            game_id: 5,
            score: number(detail, "score").unwrap_or_default() as i32,
        }
        .into(),
        "paid" => types::MessageActionPaymentSent {
            recurring_init: false,
            recurring_used: false,
            currency: text(detail, "currency").unwrap_or_else(|| "EUR".to_owned()),
            total_amount: number(detail, "amount").unwrap_or_default(),
            invoice_slug: None,
            subscription_until_date: None,
        }
        .into(),
        "theme" => types::MessageActionSetChatTheme {
            theme: types::ChatTheme {
                emoticon: text(detail, "emoji").unwrap_or_default(),
            }
            .into(),
        }
        .into(),
        "group_call_scheduled" => types::MessageActionGroupCallScheduled {
            call: call(),
            schedule_date: message.unix() + 3600,
        }
        .into(),
        "ttl" => types::MessageActionSetMessagesTtl {
            period: number(detail, "period").unwrap_or_default() as i32,
            auto_setting_from: None,
        }
        .into(),
        "boost" => types::MessageActionBoostApply {
            boosts: number(detail, "boosts").unwrap_or(1) as i32,
        }
        .into(),
        "gift_stars" => types::MessageActionGiftStars {
            currency: "USD".to_owned(),
            amount: 199,
            stars: number(detail, "stars").unwrap_or_default(),
            crypto_currency: None,
            crypto_amount: None,
            transaction_id: None,
        }
        .into(),
        "giveaway_launch" => types::MessageActionGiveawayLaunch { stars: None }.into(),
        "giveaway_results" => types::MessageActionGiveawayResults {
            stars: false,
            winners_count: 2,
            unclaimed_count: 1,
        }
        .into(),
        "todo_done" => types::MessageActionTodoCompletions {
            completed: vec![1],
            incompleted: vec![2],
        }
        .into(),
        "noforwards" => types::MessageActionNoForwardsToggle {
            prev_value: false,
            new_value: true,
        }
        .into(),
        "topic_edit" => types::MessageActionTopicEdit {
            title: Some("New name".to_owned()),
            icon_emoji_id: None,
            closed: Some(true),
            hidden: None,
        }
        .into(),
        "screenshot" => enums::MessageAction::ScreenshotTaken,
        "custom" => types::MessageActionCustomAction {
            message: text(detail, "text").unwrap_or_default(),
        }
        .into(),
        "proximity" => types::MessageActionGeoProximityReached {
            from_id: objects::peer(message.from.unwrap_or(1)),
            to_id: objects::peer(112),
            distance: 150,
        }
        .into(),
        "join_request" => enums::MessageAction::ChatJoinedByRequest,
        "photo" => types::MessageActionChatEditPhoto {
            photo: types::PhotoEmpty { id: 1 }.into(),
        }
        .into(),
        "chat_create" => types::MessageActionChatCreate {
            title: text(detail, "title").unwrap_or_default(),
            users: detail
                .get("users")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_i64)
                .collect(),
        }
        .into(),
        _ => return None,
    })
}

/// The buttons below a message: `extra.buttons`, rows of `{"text", "url" or "data"}`.
pub(super) fn buttons(message: &Message) -> Option<enums::ReplyMarkup> {
    let rows = message.extra.get("buttons")?.as_array()?;
    let button = |value: &Value| -> enums::KeyboardInlineButton {
        let kind = match text(value, "url") {
            Some(url) => types::InlineButtonTypeUrl { url }.into(),
            None => types::InlineButtonTypeCallback {
                requires_password: false,
                data: text(value, "data").unwrap_or_default().into_bytes(),
            }
            .into(),
        };
        types::KeyboardInlineButton {
            style: None,
            text: text(value, "text").unwrap_or_default(),
            r#type: kind,
        }
        .into()
    };
    let rows = rows.iter().map(|row| {
        types::KeyboardInlineButtonRow {
            buttons: row.as_array().into_iter().flatten().map(button).collect(),
        }
        .into()
    });
    Some(
        types::ReplyInlineMarkup {
            force_reply: false,
            rows: rows.collect(),
        }
        .into(),
    )
}

/// An answer to a story, where the message is one: `extra.reply_story` and `extra.story_peer`.
pub(super) fn story_reply(message: &Message) -> Option<enums::MessageReplyHeader> {
    let story_id = number(&message.extra, "reply_story")?;
    Some(
        types::MessageReplyStoryHeader {
            peer: objects::peer(number(&message.extra, "story_peer").unwrap_or(1)),
            story_id: story_id as i32,
        }
        .into(),
    )
}
