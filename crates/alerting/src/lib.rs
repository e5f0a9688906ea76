//! Alerts: what is wrong, since when, and who has been told.
//!
//! ```text
//! a round of checks -> incidents (thresholds, reminders)  \  one transaction
//!                      alerts, one row for each channel   /  in the outbox
//! the rows of a channel -> texts of a size it takes -> sent | tried again later | given up, and said
//! ```
//!
//! An alert is on disk, with the memory that led to it, before anybody is told. A channel that fails is tried again by
//! the next run that sends (the same tool, another one, or `alerts flush` on a timer) for a day; the other channels are
//! not told twice. What nobody knows the fate of (the sender was killed, the answer was lost) is told once more, and
//! says so: an alert that comes twice is better than one that never comes.

mod book;
mod channel;
mod channels;
mod flush;
mod incident;
mod text;

use app_core::text::visible_line;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use book::{Book, Incidents, Observed};
pub use channels::{Channel, Channels, Chat, Kind, Origin};
pub use flush::{Flushed, Trouble, channel_of};
pub use incident::{Change, Incident, Occasion, Rule, Verdict};

/// How bad something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It does not work.
    #[default]
    Critical,
    /// It works, and somebody should look.
    Warning,
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The incident, by the key that whoever observes it remembers it under.
    pub key: String,
    /// What happened to it.
    pub change: Change,
    /// What people call the thing that is wrong.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// What does not hold: a condition, or a word such as `reachable`.
    pub condition: String,
    /// What was seen instead.
    pub detail: String,
    /// The part of the work that failed, in words.
    pub stage: Option<String>,
    /// The alert for programs, as webhooks and commands get it.
    pub data: Value,
}

impl Alert {
    /// Of a message that channels show as it is, for example one to try them with.
    pub fn plain(key: &str, title: &str, severity: Severity, now: Timestamp) -> Self {
        Self {
            key: key.to_owned(),
            change: Change {
                occasion: Occasion::Notice,
                incident: 0,
                step: 0,
                since: now,
            },
            title: title.to_owned(),
            severity,
            condition: String::new(),
            detail: String::new(),
            stage: None,
            data: serde_json::json!({"key": key, "title": title, "severity": severity, "occasion": "notice", "since": now}),
        }
    }

    /// One line for people: `🚨 Shop fails: reachable (HTTP 500) [stage: tcp]`.
    pub fn line(&self) -> String {
        let occasion = self.change.occasion;
        let mut line = format!("{} {}", self.icon(), shorten(&self.title, 200));
        if let Some(words) = occasion.words() {
            line.push_str(&format!(" {words}"));
        }
        line.push_str(&self.cause());
        if matches!(occasion, Occasion::Reminder | Occasion::Resolved) {
            line.push_str(&since(self.change.since));
        }
        line
    }

    /// What does not hold, what was seen, and where: `: reachable (HTTP 500) [stage: tcp]`.
    fn cause(&self) -> String {
        let occasion = self.change.occasion;
        let mut text = String::new();
        if occasion != Occasion::Changed && !self.condition.is_empty() {
            text.push_str(&format!(": {}", shorten(&self.condition, 200)));
        }
        if !self.detail.is_empty() && matches!(occasion, Occasion::Failing | Occasion::Reminder) {
            text.push_str(&format!(" ({})", shorten(&self.detail, 500)));
        }
        if let Some(stage) = &self.stage {
            text.push_str(&format!(" [stage: {}]", shorten(stage, 50)));
        }
        text
    }

    fn icon(&self) -> &'static str {
        match (self.change.occasion, self.severity) {
            (Occasion::Resolved, _) => "✅",
            (Occasion::Changed, _) => "📝",
            (Occasion::Notice, Severity::Warning) => "ℹ️",
            (_, Severity::Warning) => "⚠️",
            _ => "🚨",
        }
    }
}

fn since(at: Timestamp) -> String {
    format!(" since {}", at.strftime("%Y-%m-%d %H:%M UTC"))
}

/// Other people's text on one line, at most so many characters of it.
fn shorten(text: &str, most: usize) -> String {
    let text = visible_line(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    let mut short: String = text.chars().take(most).collect();
    short.push('…');
    short
}
