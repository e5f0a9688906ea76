//! What is shown.

use std::fmt;

use alerting::{Alert, Flushed, Trouble};
use app_core::{state, text::visible_line};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Output {
    /// How things stand.
    List {
        /// What is wrong now.
        failing: Vec<Failing>,
        /// Alerts that are still to be told.
        waiting: Vec<Message>,
        /// Alerts of the last 30 days that a channel would not take.
        given_up: Vec<Message>,
        /// What nobody is told of.
        silenced: Vec<Silenced>,
    },
    /// What was sent.
    Flush(Flushed),
}

/// Something that is wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Failing {
    /// Who watches it: the file of the watcher.
    pub(crate) watcher: String,
    /// Its name there.
    pub(crate) key: String,
    /// Since when it fails.
    pub(crate) since: Timestamp,
    /// End of its silence.
    pub(crate) silenced_until: Option<Timestamp>,
}

/// An alert for one channel.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Message {
    /// The channel, without its secrets.
    pub(crate) channel: String,
    /// What it says.
    pub(crate) text: String,
    /// When it was raised.
    pub(crate) since: Timestamp,
    /// How often it was tried.
    pub(crate) tries: u32,
    /// Why it did not arrive.
    pub(crate) problem: Option<String>,
}

/// A silence.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Silenced {
    /// Of what.
    pub(crate) key: String,
    /// When it ends.
    pub(crate) until: Timestamp,
}

impl Message {
    pub(crate) fn of(alert: &Alert, message: &state::Message) -> Self {
        Self {
            channel: channel(&message.lane),
            text: alert.line(),
            since: message.put_at,
            tries: message.attempts,
            problem: message.error.clone(),
        }
    }

    pub(crate) fn planned(lane: &str, alert: &Alert) -> Self {
        Self {
            channel: channel(lane),
            text: alert.line(),
            since: alert.change.since,
            tries: 0,
            problem: None,
        }
    }
}

fn channel(lane: &str) -> String {
    alerting::channel_of(lane).to_owned()
}

pub(crate) fn render(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    match output {
        Output::Flush(flushed) => flush(flushed, out),
        Output::List {
            failing,
            waiting,
            given_up,
            silenced,
        } => {
            if failing.is_empty() {
                writeln!(out, "no incident is known")?;
            }
            for one in failing {
                let silence = one
                    .silenced_until
                    .map(|until| format!(", silenced until {}", time(until)))
                    .unwrap_or_default();
                writeln!(
                    out,
                    "🚨 {} since {}{silence}",
                    visible_line(&one.key),
                    time(one.since)
                )?;
                writeln!(out, "   {}", visible_line(&one.watcher))?;
            }
            messages("waiting to be told", waiting, out)?;
            messages("given up", given_up, out)?;
            for one in silenced {
                writeln!(out, "🔕 {} until {}", visible_line(&one.key), time(one.until))?;
            }
            Ok(())
        }
    }
}

fn flush(flushed: &Flushed, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "{} alerts in {} texts", flushed.alerts, flushed.texts)?;
    for trouble in &flushed.troubles {
        writeln!(out, "❌ {}", visible_line(&Trouble::line(trouble)))?;
    }
    Ok(())
}

fn messages(heading: &str, messages: &[Message], out: &mut dyn fmt::Write) -> fmt::Result {
    if messages.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading}: {}", messages.len())?;
    for message in messages {
        writeln!(out, "  {}: {}", visible_line(&message.channel), message.text)?;
        let tries = match message.tries {
            0 => "not tried yet".to_owned(),
            1 => "tried once".to_owned(),
            many => format!("tried {many} times"),
        };
        let problem = message.problem.as_deref().unwrap_or_default();
        let problem = if problem.is_empty() {
            String::new()
        } else {
            format!(": {}", visible_line(problem))
        };
        writeln!(out, "     since {}, {tries}{problem}", time(message.since))?;
    }
    Ok(())
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
