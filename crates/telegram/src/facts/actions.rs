//! What service entries tell beside their sentence.

use grammers_client::tl::enums;
use serde_json::{Value, json};

use super::{Fact, money, name_of, plain};
use crate::convert::{People, marked, moment};

/// Everything of a service entry.
pub(crate) fn of_action(action: &enums::MessageAction, people: &People) -> Vec<Fact> {
    let mut facts = Vec::new();
    if !of_payment(action, &mut facts) {
        of_other(action, people, &mut facts);
    }
    facts
}

/// An amount of money.
fn amount(total: i64, currency: &str, facts: &mut Vec<Fact>) {
    facts.push(Fact::new("amount", json!(total), money(total, currency)));
    facts.push(Fact::new("currency", json!(currency), String::new()));
}

/// Payments, gifts, prizes and boosts; says whether the action is one.
fn of_payment(action: &enums::MessageAction, facts: &mut Vec<Fact>) -> bool {
    use enums::MessageAction as A;
    match action {
        A::PaymentSent(a) => amount(a.total_amount, &a.currency, facts),
        A::PaymentSentMe(a) => amount(a.total_amount, &a.currency, facts),
        A::PaymentRefunded(a) => amount(a.total_amount, &a.currency, facts),
        _ => return of_stars(action, facts),
    }
    true
}

/// Stars, Premium and boosts; says whether the action is about them.
fn of_stars(action: &enums::MessageAction, facts: &mut Vec<Fact>) -> bool {
    use enums::MessageAction as A;
    let mut put = |name: &str, value: Value, shown: String| facts.push(Fact::new(name, value, shown));
    match action {
        A::BoostApply(a) => put("boosts", json!(a.boosts), format!("{} boosts", a.boosts)),
        A::GiftStars(a) => put("stars", json!(a.stars), format!("{} stars", a.stars)),
        A::PrizeStars(a) => put("stars", json!(a.stars), format!("{} stars", a.stars)),
        A::GiftPremium(a) => {
            put("days", json!(a.days), format!("{} days of Premium", a.days));
            put(
                "cost",
                json!(money(a.amount, &a.currency)),
                money(a.amount, &a.currency),
            );
        }
        A::GiftCode(a) => {
            put("days", json!(a.days), format!("{} days of Premium", a.days));
            put("via_giveaway", json!(a.via_giveaway), String::new());
            put("unclaimed", json!(a.unclaimed), String::new());
        }
        A::GiveawayLaunch(a) => {
            if let Some(stars) = a.stars {
                put("stars", json!(stars), format!("{stars} stars"));
            }
        }
        A::GiveawayResults(a) => {
            put(
                "winners",
                json!(a.winners_count),
                format!("{} winners", a.winners_count),
            );
            put(
                "unclaimed",
                json!(a.unclaimed_count),
                format!("{} unclaimed", a.unclaimed_count),
            );
        }
        A::PaidMessagesPrice(a) => put(
            "price_stars",
            json!(a.stars),
            format!("{} stars a message", a.stars),
        ),
        A::PaidMessagesRefunded(a) => {
            put("messages_count", json!(a.count), format!("{} messages", a.count));
            put("stars", json!(a.stars), format!("{} stars", a.stars));
        }
        _ => return false,
    }
    true
}

/// All other actions that tell something.
fn of_other(action: &enums::MessageAction, people: &People, facts: &mut Vec<Fact>) {
    use enums::MessageAction as A;
    let mut put = |name: &str, value: Value, shown: String| facts.push(Fact::new(name, value, shown));
    match action {
        A::GameScore(a) => put("score", json!(a.score), format!("score {}", a.score)),
        A::SetChatTheme(a) => {
            if let enums::ChatTheme::Theme(theme) = &a.theme {
                put("emoticon", json!(theme.emoticon), theme.emoticon.clone());
            }
        }
        A::GroupCallScheduled(a) => {
            let at = moment(a.schedule_date);
            put("schedule_date", json!(at), format!("for {at}"));
        }
        A::GeoProximityReached(a) => {
            let (from, to) = (marked(&a.from_id), marked(&a.to_id));
            let shown = format!(
                "{} is within {} m of {}",
                name_of(from, people),
                a.distance,
                name_of(to, people)
            );
            put("from", json!(name_of(from, people)), String::new());
            put("from_id", json!(from), String::new());
            put("to", json!(name_of(to, people)), String::new());
            put("to_id", json!(to), String::new());
            put("distance", json!(a.distance), shown);
        }
        A::TodoCompletions(a) => {
            put(
                "completed",
                json!(a.completed),
                format!("done: {:?}", a.completed),
            );
            put(
                "incompleted",
                json!(a.incompleted),
                format!("not done any more: {:?}", a.incompleted),
            );
        }
        A::TodoAppendTasks(a) => {
            let tasks: Vec<String> = a
                .list
                .iter()
                .map(|item| {
                    let enums::TodoItem::Item(item) = item;
                    plain(&item.title)
                })
                .collect();
            put("tasks", json!(tasks), tasks.join("\n"));
        }
        A::NoForwardsToggle(a) => put(
            "new_value",
            json!(a.new_value),
            format!("protected: {}", a.new_value),
        ),
        A::SetMessagesTtl(a) => {
            if let Some(from) = a.auto_setting_from {
                put("auto_setting_from", json!(from), String::new());
            }
        }
        A::WebViewDataSent(a) => put("text", json!(a.text), a.text.clone()),
        A::BotAllowed(a) => {
            if let Some(domain) = &a.domain {
                put("reason_domain", json!(domain), domain.clone());
            }
        }
        A::TopicEdit(a) => {
            if let Some(closed) = a.closed {
                put(
                    "closed",
                    json!(closed),
                    if closed { "closed" } else { "opened again" }.to_owned(),
                );
            }
            if let Some(hidden) = a.hidden {
                put(
                    "hidden",
                    json!(hidden),
                    if hidden { "hidden" } else { "shown again" }.to_owned(),
                );
            }
        }
        _ => {}
    }
}

/// The name of an action that the model has no word for: that of Telegram's schema, in small letters.
pub(crate) fn action_name(action: &enums::MessageAction) -> String {
    // Generated types print their variant first.
    let text = format!("{action:?}");
    let variant: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
    let mut name = String::with_capacity(variant.len() + 4);
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
