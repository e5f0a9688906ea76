//! The way of a message from hand to hand: taken, sent or not, settled by a person.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Claim, Delivery, Message, MessageState, Outbox, Settled, message::message, no_message};
use crate::{
    contract::{ErrorKind, ToolError, ToolResult},
    state::{database::database_error, principal::Principal},
};

/// Longest wait that a far side can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

impl Outbox {
    /// Takes the next message that may be sent now, oldest first: its time has come, and so has that of its lane. It is noted
    /// as `sending`, on disk, when this returns; whoever gets it must call [`Outbox::finish`].
    pub fn claim(&self, now: Timestamp) -> ToolResult<Option<Message>> {
        let owner = self.owner()?;
        self.write(|tx| {
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let next: Option<(i64, String)> = tx
                .query_row(
                    "SELECT m.id, m.lane FROM messages m LEFT JOIN lanes l ON l.outbox = m.outbox AND l.lane = m.lane
                     WHERE m.outbox = ?1 AND m.state = 'ready' AND m.not_before <= ?2
                       AND (l.next_at IS NULL OR l.next_at <= ?2 OR l.next_at > ?3)
                     ORDER BY m.id LIMIT 1",
                    params![self.name, now.as_millisecond(), latest(now)],
                    |r| Ok((r.get(0)?, r.get(1)?)),
                )
                .optional()
                .map_err(fail)?;
            let Some((id, lane)) = next else { return Ok(None) };
            self.take(tx, id, &lane, &owner, now).map(Some)
        })
    }

    /// The lanes that have a message which may be sent now, the one that waits longest first.
    pub fn ready_lanes(&self, now: Timestamp) -> ToolResult<Vec<String>> {
        let connection = self.connect()?;
        let fail = |e: rusqlite::Error| database_error(&self.path, &e);
        let mut statement = connection
            .prepare(
                "SELECT m.lane FROM messages m LEFT JOIN lanes l ON l.outbox = m.outbox AND l.lane = m.lane
                 WHERE m.outbox = ?1 AND m.state = 'ready' AND m.not_before <= ?2
                   AND (l.next_at IS NULL OR l.next_at <= ?2 OR l.next_at > ?3)
                 GROUP BY m.lane ORDER BY min(m.id)",
            )
            .map_err(fail)?;
        let found = statement
            .query_map(params![self.name, now.as_millisecond(), latest(now)], |r| {
                r.get(0)
            })
            .map_err(fail)?;
        found.collect::<Result<_, _>>().map_err(fail)
    }

    /// Takes all messages of a lane that may be sent now, oldest first, at most so many: for what goes out as one. As with
    /// [`Outbox::claim`], each must be finished. Empty when another sender was quicker, or the lane must wait.
    pub fn claim_lane(&self, lane: &str, most: u32, now: Timestamp) -> ToolResult<Vec<Message>> {
        let owner = self.owner()?;
        self.write(|tx| {
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let (ms, latest) = (now.as_millisecond(), latest(now));
            let mut statement = tx
                .prepare(
                    "UPDATE messages SET state = 'sending', owner = ?5, sending_at = ?2, attempts = attempts + 1
                     WHERE id IN (SELECT id FROM messages WHERE outbox = ?1 AND lane = ?3 AND state = 'ready' AND not_before <= ?2
                       AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.outbox = ?1 AND l.lane = ?3 AND l.next_at > ?2 AND l.next_at <= ?4)
                       ORDER BY id LIMIT ?6)
                     RETURNING *",
                )
                .map_err(fail)?;
            let found = statement
                .query_map(params![self.name, ms, lane, latest, owner, most], message)
                .map_err(fail)?;
            let mut claimed = found.collect::<Result<Vec<_>, _>>().map_err(fail)?;
            // `RETURNING` gives rows in no promised order.
            claimed.sort_by_key(|message| message.id);
            if !claimed.is_empty() {
                self.hold_lane(tx, lane, later(now, self.pace.between))?;
            }
            Ok(claimed)
        })
    }

    /// Takes the message of this key, as [`claim`](Self::claim) takes the next one: for a sender that has an order of its own.
    ///
    /// Fails with kind `not_found` when there is none of that key.
    pub fn claim_key(&self, key: &str, now: Timestamp) -> ToolResult<Claim> {
        let owner = self.owner()?;
        self.write(|tx| {
            let known = self.one(tx, "key = ?2", key)?.ok_or_else(|| no_message(key))?;
            if known.state != MessageState::Ready {
                return Ok(Claim::Not(Box::new(known)));
            }
            if known.not_before > now {
                return Ok(Claim::Held(known.not_before));
            }
            let lane: Option<i64> = tx
                .query_row(
                    "SELECT next_at FROM lanes WHERE outbox = ?1 AND lane = ?2 AND next_at > ?3 AND next_at <= ?4",
                    params![self.name, known.lane, now.as_millisecond(), latest(now)],
                    |r| r.get(0),
                )
                .optional()
                .map_err(|e| database_error(&self.path, &e))?;
            if let Some(ms) = lane {
                return Ok(Claim::Held(Timestamp::from_millisecond(ms).unwrap_or(now)));
            }
            let taken = self.take(tx, known.id, &known.lane, &owner, now)?;
            Ok(Claim::Taken(Box::new(taken)))
        })
    }

    fn take(&self, tx: &Connection, id: i64, lane: &str, owner: &str, now: Timestamp) -> ToolResult<Message> {
        tx.execute(
            "UPDATE messages SET state = 'sending', owner = ?2, sending_at = ?3, attempts = attempts + 1 WHERE id = ?1",
            params![id, owner, now.as_millisecond()],
        )
        .map_err(|e| database_error(&self.path, &e))?;
        if !self.pace.between.is_zero() {
            self.hold_lane(tx, lane, later(now, self.pace.between))?;
        }
        self.by_id(tx, id)
    }

    /// Notes how a claimed message fared.
    ///
    /// Fails with kind `conflict` when this process does not have it in hand any more.
    pub fn finish(&self, message: &Message, delivery: Delivery, now: Timestamp) -> ToolResult<Message> {
        let owner = self.owner()?;
        // Lost in a power cut, it leaves the message `sending`, which becomes `undecided`: nothing goes out twice. So it need
        // not wait for the disk, which is half of what a message costs.
        self.write_synced(false, |tx| {
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let mut not_before = message.not_before;
            let (state, receipt, error) = match &delivery {
                Delivery::Sent(receipt) => (MessageState::Sent, Some(receipt.clone()), None),
                Delivery::Refused(error) => (MessageState::Refused, None, Some(error)),
                Delivery::Undecided(error) => (MessageState::Undecided, None, Some(error)),
                Delivery::NotSent(error) if message.attempts >= self.pace.attempts => {
                    (MessageState::Refused, None, Some(error))
                }
                Delivery::NotSent(error) => {
                    let asked = error.retry_after_ms.map(Duration::from_millis);
                    not_before = later(now, asked.unwrap_or_else(|| self.backoff(message.attempts)).min(LONGEST_WAIT));
                    if asked.is_some() {
                        self.hold_lane(tx, &message.lane, not_before)?;
                    }
                    (MessageState::Ready, None, Some(error))
                }
            };
            let ended = (state != MessageState::Ready).then(|| now.as_millisecond());
            let changed = tx
                .execute(
                    "UPDATE messages SET state = ?3, owner = NULL, ended_at = ?4, receipt = ?5, error = ?6, not_before = ?7
                     WHERE id = ?1 AND owner = ?2 AND state = 'sending'",
                    params![
                        message.id,
                        owner,
                        state.word(),
                        ended,
                        receipt,
                        error.map(|e| e.message.clone()),
                        not_before.as_millisecond()
                    ],
                )
                .map_err(fail)?;
            if changed == 0 {
                let what = format!("message `{}` is not in the hands of this process any more", message.key);
                return Err(ToolError::new(ErrorKind::Conflict, what).from_source("outbox"));
            }
            self.by_id(tx, message.id)
        })
    }

    /// Notes what somebody found out about an undecided message.
    ///
    /// Fails with kind `conflict` unless it is undecided, and `not_found` when there is none of that key.
    pub fn settle(&self, key: &str, settled: Settled, by: &Principal, now: Timestamp) -> ToolResult<Message> {
        self.write(|tx| {
            let known = self.one(tx, "key = ?2", key)?.ok_or_else(|| no_message(key))?;
            if known.state != MessageState::Undecided {
                let what = format!(
                    "message `{key}` is {}, nothing is to be settled",
                    known.state.word()
                );
                return Err(ToolError::new(ErrorKind::Conflict, what).from_source("outbox"));
            }
            let state = match settled {
                Settled::Sent => MessageState::Sent,
                Settled::NotSent => MessageState::Ready,
                Settled::Dropped => MessageState::Refused,
            };
            let ended = (state != MessageState::Ready).then(|| now.as_millisecond());
            tx.execute(
                "UPDATE messages SET state = ?2, ended_at = ?3, settled_by = ?4 WHERE id = ?1",
                params![known.id, state.word(), ended, by.as_str()],
            )
            .map_err(|e| database_error(&self.path, &e))?;
            self.by_id(tx, known.id)
        })
    }

    fn backoff(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(16);
        self.pace
            .backoff
            .saturating_mul(1 << doublings)
            .min(Duration::from_secs(3600))
    }

    fn hold_lane(&self, tx: &Connection, lane: &str, until: Timestamp) -> ToolResult<()> {
        tx.execute(
            "INSERT INTO lanes VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET next_at = max(next_at, ?3)",
            params![self.name, lane, until.as_millisecond()],
        )
        .map(drop)
        .map_err(|e| database_error(&self.path, &e))
    }
}

/// The latest time, in milliseconds, that a lane can be held to: one further off was set while the clock was wrong.
fn latest(now: Timestamp) -> i64 {
    later(now, LONGEST_WAIT).as_millisecond()
}

/// A time later; one that no clock can hold is the last one.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
