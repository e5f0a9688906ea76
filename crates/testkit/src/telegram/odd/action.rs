//! Service entries of kinds that few chats have.

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::{number, text};
use crate::telegram::{
    objects::{self, access_hash},
    world::Message,
};

/// A service entry of such a kind; `None` for the usual ones.
pub(in crate::telegram) fn action(message: &Message) -> Option<enums::MessageAction> {
    let kind = message.service.as_str()?;
    paid(&message.attached, kind).or_else(|| other(message, kind))
}

/// Scores, payments and gifts.
fn paid(detail: &Value, kind: &str) -> Option<enums::MessageAction> {
    Some(match kind {
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
        _ => return None,
    })
}

/// What was changed, called or asked.
fn other(message: &Message, kind: &str) -> Option<enums::MessageAction> {
    let detail = &message.attached;
    let call = || {
        enums::InputGroupCall::Call(types::InputGroupCall {
            id: 1,
            access_hash: access_hash(1),
        })
    };
    Some(match kind {
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
