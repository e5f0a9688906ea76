//! The counting: one message at a time, in memory that grows with senders and days only.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use app_core::text::visible_line;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use telegram::export::{Options, Senders, reactions};
use telegram::listing::stamp;
use telegram::model::{MarkedId, Message};

/// A sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sender {
    /// Marked id.
    pub id: MarkedId,
    /// First and last name, else title, else `@username`.
    pub name: String,
    /// Their messages.
    pub messages: u64,
    /// Characters of these, as people count them: code points, not bytes.
    pub characters: u64,
    /// Characters a message, rounded down.
    pub average: u64,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reacted {
    /// The emoji.
    pub emoji: String,
    /// How often it was given.
    pub count: i64,
}

/// A day with messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Day {
    /// The day (UTC).
    pub date: Date,
    /// Its messages.
    pub messages: u64,
}

/// What was counted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Stats {
    /// Messages looked at.
    pub messages: u64,
    /// Those with media; link previews and polls count.
    pub with_media: u64,
    /// Share of those in percent.
    pub media_percent: f64,
    /// People and groups that wrote; posts of a channel have no sender.
    pub participants: usize,
    /// The oldest message looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// The newest one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Messages a day on average.
    pub per_day: f64,
    /// The busiest senders; ties in the order of their ids.
    pub senders: Vec<Sender>,
    /// Reactions in all.
    pub reactions: i64,
    /// Reactions by emoji, the most frequent first.
    pub reactions_by_emoji: Vec<Reacted>,
    /// Messages of each day that has some, oldest first.
    pub days: Vec<Day>,
}

/// Counts while messages come, newest first.
#[derive(Debug)]
pub struct Counts {
    messages: u64,
    with_media: u64,
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
    names: Senders,
    senders: HashMap<MarkedId, Sender>,
    total_reactions: i64,
    reactions: BTreeMap<String, i64>,
    days: BTreeMap<Date, u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            messages: 0,
            with_media: 0,
            oldest: None,
            newest: None,
            names: Senders::new(&Options::default(), "Unknown"),
            senders: HashMap::new(),
            total_reactions: 0,
            reactions: BTreeMap::new(),
            days: BTreeMap::new(),
        }
    }
}

impl Counts {
    /// Counts a message.
    pub fn add(&mut self, message: &Message) {
        self.messages += 1;
        self.with_media += u64::from(message.media.is_some());
        self.oldest = Some(self.oldest.map_or(message.date, |at| at.min(message.date)));
        self.newest = Some(self.newest.map_or(message.date, |at| at.max(message.date)));
        let day = message.date.to_zoned(TimeZone::UTC).date();
        *self.days.entry(day).or_default() += 1;
        self.total_reactions += reactions::total(&message.reactions);
        for given in reactions::breakdown(&message.reactions) {
            *self.reactions.entry(given.emoji).or_default() += i64::from(given.count);
        }
        let own_post = message.post && message.sender_id.is_none_or(|id| id == message.chat);
        let Some(id) = message.sender_id.filter(|_| !own_post) else {
            return;
        };
        let sender = self.senders.entry(id).or_insert_with(|| Sender {
            id,
            name: self.names.name(message).to_string(),
            messages: 0,
            characters: 0,
            average: 0,
        });
        sender.messages += 1;
        sender.characters += message.text.chars().count() as u64;
    }

    /// What came of it, with so many senders.
    pub fn finish(self, top: usize) -> Stats {
        let mut senders: Vec<Sender> = self.senders.into_values().collect();
        let participants = senders.len();
        senders.sort_by_key(|sender| (std::cmp::Reverse(sender.messages), sender.id));
        senders.truncate(top);
        for sender in &mut senders {
            sender.average = sender.characters / sender.messages.max(1);
        }
        let mut by_emoji: Vec<Reacted> = self
            .reactions
            .into_iter()
            .map(|(emoji, count)| Reacted { emoji, count })
            .collect();
        by_emoji.sort_by_key(|given| std::cmp::Reverse(given.count));
        let seconds = self
            .newest
            .zip(self.oldest)
            .map_or(0, |(newest, oldest)| newest.as_second() - oldest.as_second());
        let whole_days = (seconds / 86_400).max(1);
        Stats {
            messages: self.messages,
            with_media: self.with_media,
            media_percent: if self.messages == 0 {
                0.0
            } else {
                self.with_media as f64 * 100.0 / self.messages as f64
            },
            participants,
            oldest: self.oldest,
            newest: self.newest,
            per_day: self.messages as f64 / whole_days as f64,
            senders,
            reactions: self.total_reactions,
            reactions_by_emoji: by_emoji,
            days: self
                .days
                .into_iter()
                .map(|(date, messages)| Day { date, messages })
                .collect(),
        }
    }
}

impl Stats {
    /// Writes it for people.
    pub fn render(&self, top: usize, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "=== Chat Statistics ===\n")?;
        writeln!(out, "Total messages analyzed: {}", self.messages)?;
        writeln!(
            out,
            "Messages with media: {} ({:.1}%)",
            self.with_media, self.media_percent
        )?;
        writeln!(out, "Unique participants: {}", self.participants)?;
        if let (Some(oldest), Some(newest)) = (self.oldest, self.newest) {
            let day = |at: Timestamp| stamp(at, "%Y-%m-%d");
            writeln!(out, "Date range: {} to {}", day(oldest), day(newest))?;
            writeln!(out, "Messages per day: {:.1}", self.per_day)?;
        }
        if self.reactions > 0 {
            let shown: Vec<String> = self
                .reactions_by_emoji
                .iter()
                .take(5)
                .map(|given| format!("{} {}", given.emoji, given.count))
                .collect();
            writeln!(out, "Reactions: {} ({})", self.reactions, shown.join(", "))?;
        }
        writeln!(out, "\n=== Top {top} Senders ===\n")?;
        writeln!(
            out,
            "{:<4} {:<25} {:>8} {:>10} {:>8}",
            "#", "Name", "Messages", "Chars", "Avg len"
        )?;
        writeln!(out, "{}", "-".repeat(60))?;
        for (n, sender) in self.senders.iter().enumerate() {
            writeln!(
                out,
                "{:<4} {:<25} {:>8} {:>10} {:>8}",
                n + 1,
                shortened(&sender.name),
                sender.messages,
                sender.characters,
                sender.average
            )?;
        }
        Ok(())
    }
}

/// A name of at most 24 characters.
fn shortened(name: &str) -> String {
    let name = visible_line(name);
    if name.chars().count() <= 24 {
        return name.into_owned();
    }
    let begin: String = name.chars().take(21).collect();
    format!("{begin}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_chat_has_no_share_and_no_dates() -> fmt::Result {
        let stats = Counts::default().finish(10);
        assert_eq!((stats.media_percent, stats.per_day), (0.0, 0.0));
        let mut text = String::new();
        stats.render(10, &mut text)?;
        assert!(text.contains("Messages with media: 0 (0.0%)\n"), "{text}");
        assert!(!text.contains("Date range") && !text.contains("NaN"), "{text}");
        Ok(())
    }

    #[test]
    fn ties_are_in_the_order_of_ids_and_lengths_in_characters() {
        let mut counts = Counts::default();
        for (id, sender, text) in [(3, 9, "да"), (2, 7, "привет"), (1, 8, "")] {
            counts.add(&Message {
                id,
                sender_id: Some(MarkedId(sender)),
                text: text.to_owned(),
                ..Message::default()
            });
        }
        let stats = counts.finish(2);
        assert_eq!(stats.participants, 3);
        let shown: Vec<(i64, u64)> = stats.senders.iter().map(|s| (s.id.0, s.characters)).collect();
        assert_eq!(shown, [(7, 6), (8, 0)]);
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(shortened(&"я".repeat(24)).chars().count(), 24);
        assert_eq!(shortened(&"я".repeat(25)), format!("{}...", "я".repeat(21)));
    }
}
