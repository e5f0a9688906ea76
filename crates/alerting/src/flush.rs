//! Sending what is in the outbox, channel by channel.

use std::{collections::BTreeMap, time::Duration};

use app_core::{
    Context, ErrorKind, ToolError, ToolResult,
    contract::RateBucket,
    state::{Delivery, Message, MessageState},
};
use futures_util::future::join_all;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Alert, Change, Channel, Channels, Occasion, Severity,
    book::{Book, Row},
    channel,
    text::{Part, Told, parts},
};

/// Most alerts taken into one batch.
const BATCH: u32 = 2000;

/// Most texts over one channel in one go; the others follow after [`PAUSE`].
const TEXTS: usize = 5;
const PAUSE: Duration = Duration::from_mins(5);

/// A channel that has failed for so long is itself worth an alert over the others.
const CHANNEL_DOWN: SignedDuration = SignedDuration::from_hours(1);

/// What sending brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flushed {
    /// Texts that arrived.
    pub texts: u64,
    /// Alerts in them, counted once for each channel.
    pub alerts: u64,
    /// Channels with something that did not arrive.
    pub troubles: Vec<Trouble>,
}

/// A channel with something that did not arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    /// The channel, without its secrets.
    pub channel: String,
    /// Why.
    pub problem: String,
    /// Alerts that will be tried again.
    pub waiting: u64,
    /// Alerts that it will never take; `alerts list` shows them.
    pub given_up: u64,
}

impl Trouble {
    /// One line for people.
    pub fn line(&self) -> String {
        let mut line = format!("{}: {}", self.channel, self.problem);
        if self.waiting > 0 {
            line.push_str(&format!(" ({} waiting)", self.waiting));
        }
        if self.given_up > 0 {
            line.push_str(&format!(" ({} given up)", self.given_up));
        }
        line
    }
}

impl Book {
    /// Sends what may be sent now: over these channels, or over all with `None`. All channels at once, each in order.
    ///
    /// A channel that fails is no error: it is among the troubles, and its alerts wait for the next call.
    pub async fn flush(&self, only: Option<&[Channel]>, ctx: &Context) -> ToolResult<Flushed> {
        let wanted = |lane: &str| only.is_none_or(|channels| channels.iter().any(|c| c.lane == lane));
        let lanes: Vec<_> = self
            .outbox
            .ready_lanes(ctx.now())?
            .into_iter()
            .filter(|lane| wanted(lane))
            .collect();
        let mut flushed = Flushed::default();
        let mut failed = BTreeMap::new();
        for (lane, result) in join_all(
            lanes
                .iter()
                .map(|lane| async move { (lane, self.lane(lane, ctx).await) }),
        )
        .await
        {
            let sent = result?;
            flushed.texts += sent.texts;
            flushed.alerts += sent.alerts;
            if let Some(problem) = sent.problem {
                failed.insert(lane.clone(), (problem, sent.given_up));
            }
        }
        let mut waiting: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        for message in self.outbox.list(MessageState::Ready, 100_000)? {
            if wanted(&message.lane) {
                waiting.entry(message.lane.clone()).or_default().push(message);
            }
        }
        for (lane, messages) in &waiting {
            self.report_channel(lane, messages, ctx)?;
            // Not tried this time: its last failure is what there is to say.
            let last = || messages.iter().rev().find_map(|m| m.error.clone());
            failed
                .entry(lane.clone())
                .or_insert_with(|| (last().unwrap_or_else(|| "waits its turn".to_owned()), 0));
        }
        flushed.troubles = failed
            .into_iter()
            .map(|(lane, (problem, given_up))| Trouble {
                waiting: waiting.get(&lane).map_or(0, |messages| messages.len() as u64),
                channel: channel_of(&lane).to_owned(),
                problem,
                given_up,
            })
            .collect();
        Ok(flushed)
    }

    async fn lane(&self, lane: &str, ctx: &Context) -> ToolResult<LaneSent> {
        let mut sent = LaneSent::default();
        loop {
            let claimed = self.outbox.claim_lane(lane, BATCH, ctx.now())?;
            let Some(first) = claimed.first() else {
                return Ok(sent);
            };
            let rows: Result<Vec<Row>, _> = claimed
                .iter()
                .map(|message| serde_json::from_value(message.body.clone()))
                .collect();
            let (rows, channels) = match rows {
                Ok(rows) if !rows.is_empty() => {
                    let channels = rows[0].origin.load(ctx);
                    (rows, channels)
                }
                _ => {
                    let error = ToolError::internal("the alert was written by another version");
                    self.finish(&claimed, &Delivery::Refused(Box::new(error)), &mut sent, ctx)?;
                    continue;
                }
            };
            let kind = rows[0].channel;
            let channels = match channels {
                Ok(channels) if channels.all().iter().any(|c| c.kind == kind) => channels,
                Ok(_) => {
                    let error = ToolError::config(format!("there is no {} channel any more", kind.word()));
                    self.finish(&claimed, &Delivery::Refused(Box::new(error)), &mut sent, ctx)?;
                    continue;
                }
                Err(error) => {
                    let wait = backoff(first.attempts);
                    self.finish(&claimed, &not_sent(error, wait), &mut sent, ctx)?;
                    return Ok(sent);
                }
            };
            let told: Vec<_> = rows
                .iter()
                .zip(&claimed)
                .map(|(row, message)| Told {
                    alert: &row.alert,
                    late: message.attempts > 1,
                    repeated: message.settled_by.is_some(),
                })
                .collect();
            if !self
                .send_parts(&parts(&told), &told, &claimed, (kind, &channels), &mut sent, ctx)
                .await?
            {
                return Ok(sent);
            }
        }
    }

    /// Sends texts in order. `false` when the channel must wait: what was not sent is ready again.
    async fn send_parts(
        &self,
        parts: &[Part],
        told: &[Told<'_>],
        claimed: &[Message],
        (kind, channels): (crate::Kind, &Channels),
        sent: &mut LaneSent,
        ctx: &Context,
    ) -> ToolResult<bool> {
        let of = |part: &Part| -> Vec<Message> { part.of.iter().map(|i| claimed[*i].clone()).collect() };
        for (number, part) in parts.iter().enumerate() {
            let messages = of(part);
            let wait = if number >= TEXTS {
                Some(PAUSE)
            } else {
                let lane = &messages[0].lane;
                rate(lane, channels.max_per_hour, ctx)?
            };
            let delivery = if let Some(wait) = wait {
                let reason = format!(
                    "more than one channel takes at once; the next in {} s",
                    wait.as_secs().max(1)
                );
                not_sent(ToolError::new(ErrorKind::RateLimited, reason), wait)
            } else {
                let alerts: Vec<&Alert> = part.of.iter().map(|i| told[*i].alert).collect();
                match channel::send(kind, channels, &part.text, &alerts, ctx).await {
                    Delivery::NotSent(error) => {
                        let wait = error.retry_after_ms.map(Duration::from_millis);
                        not_sent(*error, wait.unwrap_or_else(|| backoff(messages[0].attempts)))
                    }
                    other => other,
                }
            };
            let goes_on = matches!(delivery, Delivery::Sent(_) | Delivery::Refused(_));
            self.finish(&messages, &delivery, sent, ctx)?;
            if !goes_on {
                for left in parts.iter().skip(number + 1) {
                    let waits = match &delivery {
                        Delivery::NotSent(_) => delivery.clone(),
                        // The next may well arrive; it is tried at the next occasion.
                        _ => not_sent(
                            ToolError::new(ErrorKind::Network, "waits its turn"),
                            Duration::ZERO,
                        ),
                    };
                    self.finish(&of(left), &waits, sent, ctx)?;
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn finish(
        &self,
        messages: &[Message],
        delivery: &Delivery,
        sent: &mut LaneSent,
        ctx: &Context,
    ) -> ToolResult<()> {
        for message in messages {
            let noted = self.outbox.finish(message, delivery.clone(), ctx.now())?;
            match noted.state {
                MessageState::Sent => sent.alerts += 1,
                MessageState::Refused => sent.given_up += 1,
                MessageState::Undecided => self.again(&message.key, ctx.now())?,
                _ => {}
            }
        }
        match delivery {
            Delivery::Sent(_) => sent.texts += 1,
            Delivery::NotSent(error) | Delivery::Refused(error) | Delivery::Undecided(error) => {
                sent.problem = Some(error.message.clone());
            }
        }
        Ok(())
    }

    /// Says over the other channels of the same settings that this one has been failing for long. Once for each stretch.
    fn report_channel(&self, lane: &str, waiting: &[Message], ctx: &Context) -> ToolResult<()> {
        let Some(oldest) = waiting.first() else {
            return Ok(());
        };
        let long = ctx.now().duration_since(oldest.put_at) >= CHANNEL_DOWN;
        let failing = oldest.attempts > 0 && oldest.error.is_some();
        let Ok(row) = serde_json::from_value::<Row>(oldest.body.clone()) else {
            return Ok(());
        };
        if !(long && failing) || row.alert.key.starts_with("channel ") {
            return Ok(());
        }
        let Ok(mut channels) = row.origin.load(ctx) else {
            return Ok(());
        };
        match row.channel {
            crate::Kind::Telegram => channels.telegram_chat = None,
            crate::Kind::Webhook => channels.webhook = None,
            crate::Kind::Command => channels.command.clear(),
            crate::Kind::Email => channels.email.clear(),
        }
        let alert = Alert {
            key: format!("channel {lane}"),
            change: Change {
                occasion: Occasion::Failing,
                incident: oldest.id.unsigned_abs(),
                step: 0,
                since: oldest.put_at,
            },
            title: format!("alert channel {}", channel_of(lane)),
            severity: Severity::Critical,
            condition: "delivers".to_owned(),
            detail: oldest.error.clone().unwrap_or_default(),
            stage: None,
            data: serde_json::json!({
                "channel": channel_of(lane), "occasion": "failing", "severity": "critical", "since": oldest.put_at,
            }),
        };
        self.say(&alert, (&channels, &row.origin), ctx.now())
    }
}

#[derive(Debug, Default)]
struct LaneSent {
    texts: u64,
    alerts: u64,
    given_up: u64,
    problem: Option<String>,
}

/// The channel that a lane of the outbox stands for, as people read it: the lane without the hash behind it.
pub fn channel_of(lane: &str) -> &str {
    lane.rsplit_once(' ').map_or(lane, |(name, _)| name)
}

/// The first failure is tried again at the next occasion; after that it waits longer and longer, up to a quarter of an
/// hour, so that what was missed comes soon after the channel works again.
fn backoff(attempts: u32) -> Duration {
    match attempts {
        0 | 1 => Duration::ZERO,
        more => Duration::from_secs(30_u64 << (more - 2).min(5)).min(Duration::from_mins(15)),
    }
}

fn not_sent(error: ToolError, wait: Duration) -> Delivery {
    Delivery::NotSent(Box::new(error.retry_after(wait)))
}

/// Takes one text from the hour's; how long to wait when there is none left.
fn rate(lane: &str, per_hour: u32, ctx: &Context) -> ToolResult<Option<Duration>> {
    let per_hour = f64::from(per_hour.max(1));
    let bucket = RateBucket {
        name: format!("alerts:{lane}"),
        capacity: per_hour,
        per_second: per_hour / 3600.0,
    };
    let wait = ctx.ledger()?.take(&bucket, 1.0, ctx.now())?;
    Ok((wait > Duration::ZERO).then_some(wait))
}
