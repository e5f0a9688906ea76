//! What a message tells beside its text, sender and file: buttons, amounts, lists, where it was saved from, and so on.
//!
//! Few messages have any of it, there are many kinds, and new ones come with every release. So each is a named value in
//! the words of Telegram Desktop's JSON, with a sentence for people, instead of a field of its own in the model.

mod actions;

pub(crate) use actions::{action_name, of_action};

use grammers_client::tl::{enums, types};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::convert::{People, marked, moment};
use crate::model::MarkedId;

/// One thing that a message tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Name, as Telegram Desktop's JSON has it where it does.
    pub name: String,
    /// The value as JSON.
    pub value: String,
    /// For people, in a few words; may be of several lines. Empty for what the formats show by themselves.
    pub shown: String,
}

impl Fact {
    fn new(name: &str, value: impl Into<Value>, shown: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into().to_string(),
            shown: shown.into(),
        }
    }

    /// The value, parsed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.value).unwrap_or_default()
    }
}

/// Links behind the buttons of a message.
pub fn button_links(facts: &[Fact]) -> Vec<String> {
    let rows = facts.iter().filter(|fact| fact.name == BUTTONS).map(Fact::json);
    rows.flat_map(|rows| {
        let rows = rows.as_array().cloned().unwrap_or_default();
        rows.into_iter()
            .flat_map(|row| row.as_array().cloned().unwrap_or_default())
    })
    .filter_map(|button| {
        button["data"]
            .as_str()
            .filter(|data| data.contains("://"))
            .map(str::to_owned)
    })
    .collect()
}

const BUTTONS: &str = "inline_bot_buttons";

fn plain(text: &enums::TextWithEntities) -> String {
    let enums::TextWithEntities::Entities(text) = text;
    text.text.clone()
}

fn name_of(id: MarkedId, people: &People) -> String {
    people
        .get(&id)
        .and_then(|peer| peer.name())
        .unwrap_or_else(|| format!("id {id}"))
}

/// An amount in the smallest unit of its currency, for people.
pub fn money(amount: i64, currency: &str) -> String {
    // Currencies without or with three decimals; https://core.telegram.org/bots/payments/currencies.json
    const WHOLE: [&str; 14] = [
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "XAF", "XTR",
    ];
    const THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
    if currency == "XTR" {
        return format!("{amount} stars");
    }
    let (divisor, digits) = if WHOLE.contains(&currency) {
        (1, 0)
    } else if THREE.contains(&currency) {
        (1000, 3)
    } else {
        (100, 2)
    };
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, part) = (amount.unsigned_abs() / divisor, amount.unsigned_abs() % divisor);
    if digits == 0 {
        format!("{sign}{whole} {currency}")
    } else {
        format!("{sign}{whole}.{part:0digits$} {currency}")
    }
}

/// Seconds in the largest unit that fits.
fn period(seconds: i32) -> String {
    let units = [(604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute")];
    for (length, unit) in units {
        if seconds >= length && seconds % length == 0 {
            let n = seconds / length;
            return format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
        }
    }
    format!("{seconds} seconds")
}

/// Everything of an ordinary message.
pub(crate) fn of_message(message: &types::Message, people: &People) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(rank) = &message.from_rank {
        facts.push(Fact::new(
            "from_rank",
            rank.as_str(),
            format!("title in the group: {rank}"),
        ));
    }
    if let Some(enums::MessageFwdHeader::Header(header)) = &message.fwd_from {
        forwarded(header, people, &mut facts);
    }
    if let Some(reply) = &message.reply_to {
        replied(reply, people, &mut facts);
    }
    if message.noforwards {
        facts.push(Fact::new(
            "protected",
            true,
            "forwarding and saving are forbidden",
        ));
    }
    if let Some(seconds) = message.ttl_period {
        let shown = format!("deletes itself after {}", period(seconds));
        facts.push(Fact::new("ttl_period_seconds", seconds, shown));
    }
    if let Some(stars) = message.paid_message_stars {
        facts.push(Fact::new(
            "paid_message_stars",
            stars,
            format!("sent for {stars} stars"),
        ));
    }
    if let Some(media) = &message.media {
        of_media(media, people, &mut facts);
    }
    if let Some(markup) = &message.reply_markup {
        buttons(markup, &mut facts);
    }
    facts
}

fn forwarded(header: &types::MessageFwdHeader, people: &People, facts: &mut Vec<Fact>) {
    if header.imported {
        facts.push(Fact::new("imported", true, "imported from another program"));
    }
    if let Some(author) = &header.post_author {
        facts.push(Fact::new(
            "forwarded_author",
            author.as_str(),
            format!("signed {author}"),
        ));
    }
    let saved = header.saved_from_peer.as_ref().or(header.saved_from_id.as_ref());
    if let Some(peer) = saved {
        let id = marked(peer);
        let name = name_of(id, people);
        facts.push(Fact::new(
            "saved_from",
            name.as_str(),
            format!("saved from {name}"),
        ));
        facts.push(Fact::new("saved_from_id", id.0, ""));
        if let Some(message) = header.saved_from_msg_id {
            facts.push(Fact::new("saved_from_message_id", message, ""));
        }
    } else if let Some(name) = &header.saved_from_name {
        facts.push(Fact::new(
            "saved_from",
            name.as_str(),
            format!("saved from {name}"),
        ));
    }
}

fn replied(reply: &enums::MessageReplyHeader, people: &People, facts: &mut Vec<Fact>) {
    match reply {
        enums::MessageReplyHeader::MessageReplyStoryHeader(story) => {
            let name = name_of(marked(&story.peer), people);
            let value = json!({"story_id": story.story_id, "peer_id": marked(&story.peer).0});
            facts.push(Fact::new(
                "reply_to_story",
                value,
                format!("in answer to a story of {name}"),
            ));
        }
        enums::MessageReplyHeader::Header(header) => {
            // A message that the reader cannot see is described by its header.
            if let Some(enums::MessageFwdHeader::Header(from)) = &header.reply_from {
                let name = from.from_name.clone();
                let name = name.or_else(|| from.from_id.as_ref().map(|peer| name_of(marked(peer), people)));
                if let Some(name) = name {
                    facts.push(Fact::new(
                        "reply_to_author",
                        name.as_str(),
                        format!("in answer to {name}"),
                    ));
                }
            }
            if let Some(item) = header.todo_item_id {
                facts.push(Fact::new("reply_to_task_id", item, format!("about task {item}")));
            }
        }
    }
}

fn of_media(media: &enums::MessageMedia, people: &People, facts: &mut Vec<Fact>) {
    use enums::MessageMedia as M;
    let mut hidden = |spoiler: bool, ttl: Option<i32>| {
        if let Some(seconds) = ttl {
            // The largest number means: once.
            let shown = if seconds == i32::MAX {
                "can be seen once".to_owned()
            } else {
                format!("self-destructs after {}", period(seconds))
            };
            facts.push(Fact::new("self_destruct_period_seconds", seconds, shown));
        }
        if spoiler {
            facts.push(Fact::new("media_spoiler", true, "hidden until touched"));
        }
    };
    match media {
        M::Photo(media) => hidden(media.spoiler, media.ttl_seconds),
        M::Document(media) => hidden(media.spoiler, media.ttl_seconds),
        M::Poll(media) => poll(media, facts),
        M::Game(media) => {
            let enums::Game::Game(game) = &media.game;
            facts.push(Fact::new(
                "game_description",
                game.description.as_str(),
                game.description.as_str(),
            ));
            facts.push(Fact::new("game_short_name", game.short_name.as_str(), ""));
        }
        M::Invoice(media) => {
            if let Some(receipt) = media.receipt_msg_id {
                facts.push(Fact::new(
                    "receipt_message_id",
                    receipt,
                    format!("paid, receipt {receipt}"),
                ));
            }
        }
        M::Story(story) => {
            let name = name_of(marked(&story.peer), people);
            let value = json!({"story_id": story.id, "peer_id": marked(&story.peer).0});
            facts.push(Fact::new("story", value, format!("story {} of {name}", story.id)));
        }
        M::Giveaway(g) => giveaway(g, people, facts),
        M::GiveawayResults(g) => giveaway_results(g, people, facts),
        M::PaidMedia(media) => {
            let (stars, files) = (media.stars_amount, media.extended_media.len());
            facts.push(Fact::new(
                "paid_stars_amount",
                stars,
                format!("{files} files for {stars} stars"),
            ));
        }
        M::ToDo(media) => todo(media, people, facts),
        M::GeoLive(live) => {
            if let Some(heading) = live.heading {
                facts.push(Fact::new("heading", heading, format!("heading {heading}°")));
            }
        }
        M::Contact(contact) if !contact.vcard.is_empty() => {
            facts.push(Fact::new("contact_vcard_text", contact.vcard.as_str(), ""));
        }
        M::Venue(venue) if !venue.venue_id.is_empty() => {
            facts.push(Fact::new("venue_id", venue.venue_id.as_str(), ""));
        }
        _ => {}
    }
}

fn poll(media: &types::MessageMediaPoll, facts: &mut Vec<Fact>) {
    let enums::Poll::Poll(poll) = &media.poll;
    let enums::PollResults::Results(results) = &media.results;
    if poll.quiz {
        facts.push(Fact::new("quiz", true, "quiz"));
    }
    if poll.multiple_choice {
        facts.push(Fact::new(
            "multiple_choice",
            true,
            "several answers may be chosen",
        ));
    }
    if poll.public_voters {
        facts.push(Fact::new("public_voters", true, "votes are public"));
    }
    let correct: Vec<String> = results
        .results
        .iter()
        .flatten()
        .filter_map(|votes| {
            let enums::PollAnswerVoters::Voters(votes) = votes;
            votes.correct.then_some(&votes.option)
        })
        .filter_map(|option| {
            poll.answers.iter().find_map(|answer| match answer {
                enums::PollAnswer::Answer(answer) if answer.option == *option => Some(plain(&answer.text)),
                _ => None,
            })
        })
        .collect();
    if !correct.is_empty() {
        let shown = format!("right answer: {}", correct.join(", "));
        facts.push(Fact::new("correct_answers", correct, shown));
    }
    if let Some(solution) = &results.solution {
        facts.push(Fact::new(
            "solution",
            solution.as_str(),
            format!("explanation: {solution}"),
        ));
    }
}

fn giveaway(g: &types::MessageMediaGiveaway, people: &People, facts: &mut Vec<Fact>) {
    let channels: Vec<MarkedId> = g.channels.iter().map(|id| MarkedId::channel(*id)).collect();
    let names: Vec<String> = channels.iter().map(|id| name_of(*id, people)).collect();
    let until = moment(g.until_date);
    let prize = match (g.stars, g.months) {
        (Some(stars), _) => format!("{stars} stars"),
        (None, Some(months)) => format!("{months} months of Premium"),
        (None, None) => "a prize".to_owned(),
    };
    let more = g
        .prize_description
        .as_deref()
        .map(|text| format!(", and {text}"))
        .unwrap_or_default();
    let value = json!({
        "quantity": g.quantity, "months": g.months, "stars": g.stars, "until_date": until,
        "until_date_unixtime": g.until_date.to_string(), "channels": channels, "countries": g.countries_iso2,
        "additional_prize": g.prize_description, "is_only_new_subscribers": g.only_new_subscribers,
        "winners_are_visible": g.winners_are_visible,
    });
    let shown = format!(
        "giveaway of {} × {prize}{more} among the subscribers of {}, until {until}",
        g.quantity,
        names.join(", ")
    );
    facts.push(Fact::new("giveaway_information", value, shown));
}

fn giveaway_results(g: &types::MessageMediaGiveawayResults, people: &People, facts: &mut Vec<Fact>) {
    let winners: Vec<String> = g
        .winners
        .iter()
        .map(|id| name_of(MarkedId::user(*id), people))
        .collect();
    let channel = MarkedId::channel(g.channel_id);
    let value = json!({
        "channel": channel, "winners": g.winners, "winners_count": g.winners_count,
        "unclaimed_count": g.unclaimed_count, "months": g.months, "stars": g.stars,
        "additional_prize": g.prize_description, "until_date": moment(g.until_date),
        "launch_message_id": g.launch_msg_id, "is_only_new_subscribers": g.only_new_subscribers,
        "is_refunded": g.refunded,
    });
    let names = if winners.is_empty() {
        String::new()
    } else {
        format!(": {}", winners.join(", "))
    };
    let shown = format!(
        "{} winners of the giveaway{names}; {} unclaimed",
        g.winners_count, g.unclaimed_count
    );
    facts.push(Fact::new("giveaway_results", value, shown));
}

fn todo(media: &types::MessageMediaToDo, people: &People, facts: &mut Vec<Fact>) {
    let enums::TodoList::List(list) = &media.todo;
    let done = |id: i32| {
        media.completions.iter().flatten().find_map(|completion| {
            let enums::TodoCompletion::Completion(completion) = completion;
            (completion.id == id).then_some(completion)
        })
    };
    let mut shown = plain(&list.title);
    let mut items = Vec::new();
    for item in &list.list {
        let enums::TodoItem::Item(item) = item;
        let title = plain(&item.title);
        let mut value = json!({"id": item.id, "text": title});
        shown.push_str(&match done(item.id) {
            None => format!("\n☐ {title}"),
            Some(done) => {
                let by = name_of(marked(&done.completed_by), people);
                value["completed_by"] = json!(marked(&done.completed_by));
                value["completed_date"] = json!(moment(done.date));
                format!("\n☑ {title} ({by})")
            }
        });
        items.push(value);
    }
    let value = json!({
        "title": plain(&list.title), "others_can_append": list.others_can_append,
        "others_can_complete": list.others_can_complete, "answers": items,
    });
    facts.push(Fact::new("todo_list", value, shown));
}

fn buttons(markup: &enums::ReplyMarkup, facts: &mut Vec<Fact>) {
    let enums::ReplyMarkup::ReplyInlineMarkup(markup) = markup else {
        return;
    };
    let mut shown = Vec::new();
    let mut rows = Vec::new();
    for row in &markup.rows {
        let enums::KeyboardInlineButtonRow::Row(row) = row;
        let mut buttons = Vec::new();
        for button in &row.buttons {
            let enums::KeyboardInlineButton::Button(button) = button;
            let (kind, data) = button_kind(&button.r#type);
            let mut value = json!({"type": kind, "text": button.text});
            let label = match (kind, &data) {
                ("url" | "auth" | "web_view", Some(Value::String(link))) => {
                    format!("[{}] {link}", button.text)
                }
                _ => format!("[{}]", button.text),
            };
            if let Some(data) = data {
                value["data"] = data;
            }
            shown.push(label);
            buttons.push(value);
        }
        rows.push(Value::from(buttons));
    }
    facts.push(Fact::new(BUTTONS, rows, shown.join("\n")));
}

/// The word of Telegram Desktop and what the button carries.
fn button_kind(kind: &enums::InlineButtonType) -> (&'static str, Option<Value>) {
    use enums::InlineButtonType as B;
    match kind {
        B::Url(b) => ("url", Some(json!(b.url))),
        B::UrlAuth(b) => ("auth", Some(json!(b.url))),
        B::WebView(b) => ("web_view", Some(json!(b.url))),
        B::Callback(b) => {
            let kind = if b.requires_password {
                "callback_with_password"
            } else {
                "callback"
            };
            // Bytes of the bot's own; most bots use text.
            (kind, Some(json!(String::from_utf8_lossy(&b.data))))
        }
        B::Game => ("game", None),
        B::Buy => ("buy", None),
        B::SwitchInline(b) => {
            let kind = if b.same_peer {
                "switch_inline_same"
            } else {
                "switch_inline"
            };
            (kind, Some(json!(b.query)))
        }
        B::UserProfile(b) => ("user_profile", Some(json!(b.user_id.to_string()))),
        B::Copy(b) => ("copy_text", Some(json!(b.copy_text))),
        _ => ("unknown", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        assert_eq!(money(1250, "USD"), "12.50 USD");
        assert_eq!(money(1500, "JPY"), "1500 JPY");
        assert_eq!(money(50, "XTR"), "50 stars");
        assert_eq!(money(-5, "EUR"), "-0.05 EUR");
        assert_eq!(money(1234, "KWD"), "1.234 KWD");
    }

    #[test]
    fn periods_are_told_in_the_largest_unit() {
        assert_eq!(period(86_400), "1 day");
        assert_eq!(period(1_209_600), "2 weeks");
        assert_eq!(period(90), "90 seconds");
    }

    #[test]
    fn an_action_without_a_word_has_that_of_the_schema() {
        assert_eq!(action_name(&enums::MessageAction::Empty), "empty");
        let gift = types::MessageActionGiftTon {
            currency: "TON".into(),
            amount: 1,
            crypto_currency: "TON".into(),
            crypto_amount: 1,
            transaction_id: None,
        };
        assert_eq!(action_name(&gift.into()), "gift_ton");
    }
}
