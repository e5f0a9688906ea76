//! The memory of incidents and the outbox of alerts, as one.

use std::{collections::BTreeMap, time::Duration};

use app_core::{
    Context, ToolError, ToolResult,
    state::{MessageState, Outbox, OwnedMessage, Pace, Principal, Settled},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Alert, Channels, Incident, Occasion, Origin, channels::Kind};

/// All that one watcher remembers, by keys of its own.
pub type Incidents = BTreeMap<String, Incident>;

/// Tries before a channel is given up: with the waits of `flush.rs` about a day.
const ATTEMPTS: u32 = 110;

/// How long it is remembered that something was sent or given up.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Name of the note that holds the silenced keys.
const SILENCES: &str = "silences";

/// Prefix of the notes that hold incidents.
const INCIDENTS: &str = "incidents ";

/// What a row of the outbox holds. Settings, and the secrets in them, are read anew when it is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) channel: Kind,
    pub(crate) origin: Origin,
    pub(crate) alert: Alert,
}

/// The alerts of a host.
#[derive(Debug)]
pub struct Book {
    pub(crate) outbox: Outbox,
}

/// What came of a round of looks.
#[derive(Debug)]
pub struct Observed<T> {
    /// What the looks themselves brought.
    pub value: T,
    /// Alerts that were raised but are silenced.
    pub silenced: usize,
}

impl Book {
    /// Opens the alerts of this host. What a killed sender had in hand is ready again, marked as perhaps told.
    pub fn open(ctx: &Context) -> ToolResult<Self> {
        let pace = Pace {
            between: Duration::ZERO,
            attempts: ATTEMPTS,
            backoff: Duration::ZERO,
        };
        let book = Self {
            outbox: Outbox::open(ctx.state_dir()?, "alerts", pace)?,
        };
        let now = ctx.now();
        for message in book.outbox.list(MessageState::Undecided, 100_000)? {
            book.again(&message.key, now)?;
        }
        if let Ok(before) = now.checked_sub(KEPT) {
            book.outbox.forget(before)?;
        }
        Ok(book)
    }

    /// An alert whose fate is unknown is told once more.
    pub(crate) fn again(&self, key: &str, now: Timestamp) -> ToolResult<()> {
        let by = Principal::os_user("alerts");
        self.outbox.settle(key, Settled::NotSent, &by, now).map(drop)
    }

    /// What a watcher remembers; `None` before its first round.
    pub fn incidents(&self, source: &str) -> ToolResult<Option<Incidents>> {
        self.outbox.note(&note_of(source))
    }

    /// The names of all watchers.
    pub fn sources(&self) -> ToolResult<Vec<String>> {
        let names = self.outbox.notes(INCIDENTS)?;
        Ok(names
            .into_iter()
            .filter_map(|name| name.strip_prefix(INCIDENTS).map(str::to_owned))
            .collect())
    }

    /// Lets `look` change what a watcher remembers, and puts the alerts it raises into the outbox, one for each channel:
    /// both or neither. `first` is asked for the memory when there is none yet.
    pub fn observe<T>(
        &self,
        source: &str,
        (channels, origin): (&Channels, &Origin),
        now: Timestamp,
        first: impl FnOnce() -> ToolResult<Incidents>,
        look: impl FnOnce(&mut Incidents) -> (T, Vec<Alert>),
    ) -> ToolResult<Observed<T>> {
        let silences: BTreeMap<String, Timestamp> = self.outbox.note(SILENCES)?.unwrap_or_default();
        let silent = |alert: &Alert| {
            [&alert.key, &alert.title]
                .into_iter()
                .any(|name| silences.get(name).is_some_and(|until| now < *until))
        };
        let mut observed = None;
        self.outbox
            .decide(&note_of(source), now, |known: Option<Incidents>| {
                let mut incidents = known.map_or_else(first, Ok)?;
                let (value, alerts) = look(&mut incidents);
                let (quiet, loud): (Vec<_>, Vec<_>) = alerts.into_iter().partition(silent);
                for alert in &quiet {
                    if let Some(incident) = incidents.get_mut(&alert.key) {
                        incident.untell();
                    }
                }
                let mut rows = Vec::new();
                for alert in &loud {
                    rows.extend(self.rows(source, alert, channels, origin)?);
                }
                observed = Some(Observed {
                    value,
                    silenced: quiet.len(),
                });
                Ok((incidents, rows))
            })?;
        observed.ok_or_else(|| ToolError::internal("a round of looks brought nothing"))
    }

    /// Puts one alert in that belongs to no incident.
    pub fn say(
        &self,
        alert: &Alert,
        (channels, origin): (&Channels, &Origin),
        now: Timestamp,
    ) -> ToolResult<()> {
        let rows = self.rows("", alert, channels, origin)?;
        self.outbox
            .decide("said", now, |_: Option<Timestamp>| Ok((now, rows)))
            .map(drop)
    }

    fn rows(
        &self,
        source: &str,
        alert: &Alert,
        channels: &Channels,
        origin: &Origin,
    ) -> ToolResult<Vec<OwnedMessage>> {
        let change = alert.change;
        let key = |occasion: Occasion, step: u32, lane: &str| {
            format!(
                "{source}\n{}\n{} {occasion:?} {step}\n{lane}",
                alert.key, change.incident
            )
        };
        let mut rows = Vec::new();
        for channel in channels.all() {
            let first_word = key(Occasion::Failing, 0, &channel.lane);
            if change.occasion == Occasion::Resolved
                && self
                    .outbox
                    .get(&first_word)
                    .is_ok_and(|m| m.state == MessageState::Refused)
            {
                // This channel never heard that it failed.
                continue;
            }
            let row = Row {
                channel: channel.kind,
                origin: origin.clone(),
                alert: alert.clone(),
            };
            rows.push(OwnedMessage {
                key: key(change.occasion, change.step, &channel.lane),
                lane: channel.lane,
                body: serde_json::to_value(row).map_err(|e| ToolError::internal(format!("alert: {e}")))?,
            });
        }
        Ok(rows)
    }

    /// The silenced keys with the end of each silence, those that are over left out.
    pub fn silences(&self, now: Timestamp) -> ToolResult<BTreeMap<String, Timestamp>> {
        let mut silences: BTreeMap<String, Timestamp> = self.outbox.note(SILENCES)?.unwrap_or_default();
        silences.retain(|_, until| now < *until);
        Ok(silences)
    }

    /// Tells nothing of a key or title until a time; `None` ends the silence.
    pub fn silence(&self, key: &str, until: Option<Timestamp>, now: Timestamp) -> ToolResult<()> {
        self.outbox
            .decide(SILENCES, now, |known: Option<BTreeMap<String, Timestamp>>| {
                let mut silences = known.unwrap_or_default();
                silences.retain(|_, until| now < *until);
                match until {
                    Some(until) => silences.insert(key.to_owned(), until),
                    None => silences.remove(key),
                };
                Ok((silences, Vec::new()))
            })
            .map(drop)
    }

    /// Alerts in a state, oldest first, with the lane of each and why its last try failed.
    pub fn messages(&self, state: MessageState) -> ToolResult<Vec<(Alert, app_core::state::Message)>> {
        let messages = self.outbox.list(state, 100_000)?;
        Ok(messages
            .into_iter()
            .filter_map(|message| {
                let row: Row = serde_json::from_value(message.body.clone()).ok()?;
                Some((row.alert, message))
            })
            .collect())
    }
}

fn note_of(source: &str) -> String {
    format!("{INCIDENTS}{source}")
}
