//! Money and rate limits shared by every binary of the host.
//!
//! Spending goes reserve -> commit or refund, each one transaction under SQLite's write lock, so racing processes
//! can never pass a limit together. A reservation whose process died expires.

mod bucket;
mod entry;
mod period;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::database::{database_error, open};
use crate::contract::{ErrorKind, ToolError, ToolResult, Usd, settings::BudgetSettings as BudgetLimits};
use period::{check, periods};

pub use entry::{LedgerEntry, ReservationState};
pub use period::BudgetPeriod;

const MIGRATIONS: &[&str] = &["
CREATE TABLE entries (
    id TEXT PRIMARY KEY,
    tool TEXT NOT NULL,
    what TEXT NOT NULL,
    reserved INTEGER NOT NULL,          -- nano-dollars
    spent INTEGER,                      -- nano-dollars, once committed
    state TEXT NOT NULL CHECK (state IN ('reserved', 'committed', 'refunded', 'expired')),
    at INTEGER NOT NULL,                -- unix milliseconds of the reservation
    expires_at INTEGER NOT NULL,
    settled_at INTEGER,
    imported TEXT UNIQUE                -- identity of an imported record, so that an import can be repeated
);
CREATE INDEX entries_at ON entries (at);
CREATE INDEX entries_open ON entries (expires_at) WHERE state = 'reserved';
CREATE TABLE buckets (
    name TEXT PRIMARY KEY,
    tokens REAL NOT NULL,
    updated_at INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL DEFAULT 0
);
", "
ALTER TABLE entries ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0; -- nobody said what the call cost; `spent` is an estimate
"];

/// An open reservation. Settle it with [`Ledger::commit`] or [`Ledger::refund`]; left alone it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reservation {
    /// Id to settle it by.
    pub id: String,
    /// Amount set aside.
    pub amount_usd: Usd,
    /// When it lapses by itself.
    pub expires_at: Timestamp,
}

/// The ledger file of the host.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
    limits: BudgetLimits,
}

/// How far ahead of this clock another process of the host may have written.
const SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// No amount below zero, and none that can only be a slip: one such entry would block the host for a month.
fn sensible(amount: Usd) -> ToolResult<()> {
    if amount >= Usd::ZERO && amount <= Ledger::MOST {
        return Ok(());
    }
    Err(ToolError::new(
        ErrorKind::InvalidInput,
        format!(
            "an amount must lie between $0 and {:.0}, not {amount}",
            Ledger::MOST
        ),
    )
    .code("invalid_spend_request")
    .hint("amounts are US dollars")
    .from_source("ledger"))
}

impl Ledger {
    /// The largest amount of one entry.
    pub const MOST: Usd = Usd::from_cents(100_000_000);

    /// Opens `ledger.sqlite3` in `dir` with the given limits.
    pub fn open(dir: &Path, limits: BudgetLimits) -> ToolResult<Self> {
        let path = dir.join("ledger.sqlite3");
        Ok(Self {
            connection: open(&path, MIGRATIONS)?,
            path,
            limits,
        })
    }

    /// The limits in force.
    pub fn limits(&self) -> &BudgetLimits {
        &self.limits
    }

    /// Sets money aside for a call that is about to be made.
    ///
    /// Fails with `budget_exceeded`, naming the limit and when it resets; `invalid_input` for a negative amount or
    /// blank names. The reservation lapses after `lifetime` unless settled.
    pub fn reserve(
        &mut self,
        tool: &str,
        what: &str,
        amount: Usd,
        lifetime: Duration,
        now: Timestamp,
    ) -> ToolResult<Reservation> {
        if tool.trim().is_empty() || what.trim().is_empty() {
            return Err(
                ToolError::new(ErrorKind::InvalidInput, "a reservation needs names")
                    .code("invalid_spend_request")
                    .from_source("ledger"),
            );
        }
        sensible(amount)?;
        let id = crate::ids::random_id("rsv");
        let lifetime =
            jiff::SignedDuration::try_from(lifetime).unwrap_or(jiff::SignedDuration::from_hours(1));
        let expires = now.saturating_add(lifetime).unwrap_or(now);
        let limits = self.limits;
        self.write(|transaction| {
            expire(transaction, now)?;
            if let Err(refusal) = check(transaction, &limits, amount, now)? {
                return Ok(Err(refusal));
            }
            transaction.execute(
                "INSERT INTO entries (id, tool, what, reserved, state, at, expires_at) VALUES (?, ?, ?, ?, 'reserved', ?, ?)",
                params![id, tool, what, amount.nanos(), now.as_millisecond(), expires.as_millisecond()],
            )?;
            Ok(Ok(()))
        })??;
        Ok(Reservation {
            id,
            amount_usd: amount,
            expires_at: expires,
        })
    }

    /// Turns a reservation into spending of the real amount, which may differ from the reserved one.
    ///
    /// Money that is gone is always recorded, also when the reservation has expired or the amount is larger.
    pub fn commit(&mut self, id: &str, spent: Usd, now: Timestamp) -> ToolResult<()> {
        sensible(spent)?;
        self.settle(id, "committed", Some(spent), false, now)
    }

    /// Like [`Ledger::commit`], for a call that was sent and whose price nobody told: `estimate` counts as spent, and
    /// the entry says that it is one.
    pub fn commit_unconfirmed(&mut self, id: &str, estimate: Usd, now: Timestamp) -> ToolResult<()> {
        sensible(estimate)?;
        self.settle(id, "committed", Some(estimate), true, now)
    }

    /// Gives a reservation back. Never touches the spending of another day.
    pub fn refund(&mut self, id: &str, now: Timestamp) -> ToolResult<()> {
        self.settle(id, "refunded", None, false, now)
    }

    fn settle(
        &mut self,
        id: &str,
        state: &str,
        spent: Option<Usd>,
        unconfirmed: bool,
        now: Timestamp,
    ) -> ToolResult<()> {
        self.write(|transaction| {
            let old: Option<String> = transaction
                .query_row("SELECT state FROM entries WHERE id = ?", [id], |row| row.get(0))
                .optional()?;
            match old.as_deref() {
                None => Ok(Err(
                    ToolError::not_found(format!("no reservation `{id}`")).from_source("ledger")
                )),
                Some("reserved") => Ok(Ok(())),
                Some("expired") if state == "committed" => Ok(Ok(())),
                Some(old) => Ok(Err(ToolError::new(
                    ErrorKind::Conflict,
                    format!("reservation `{id}` is {old} already"),
                )
                .code("already_settled")
                .from_source("ledger"))),
            }
            .and_then(|verdict: ToolResult<()>| {
                if verdict.is_ok() {
                    transaction.execute(
                        "UPDATE entries SET state = ?, spent = ?, unconfirmed = ?, settled_at = ? WHERE id = ?",
                        params![state, spent.map(Usd::nanos), unconfirmed, now.as_millisecond(), id],
                    )?;
                }
                Ok(verdict)
            })
        })?
    }

    /// Records spending in one step, refused like a reservation when a limit would be passed.
    pub fn spend(&mut self, tool: &str, what: &str, amount: Usd, now: Timestamp) -> ToolResult<()> {
        let reservation = self.reserve(tool, what, amount, Duration::from_secs(60), now)?;
        self.commit(&reservation.id, amount, now)
    }

    /// Adds a record of an older budget file. Returns whether it was new. Limits do not apply: the money is gone.
    pub fn import(&mut self, identity: &str, tool: &str, amount: Usd, at: Timestamp) -> ToolResult<bool> {
        sensible(amount)?;
        let id = crate::ids::random_id("imp");
        self.write(|transaction| {
            transaction
                .execute(
                    "INSERT INTO entries (id, tool, what, reserved, spent, state, at, expires_at, settled_at, imported)
                     VALUES (?1, ?2, 'imported', ?3, ?3, 'committed', ?4, ?4, ?4, ?5) ON CONFLICT (imported) DO NOTHING",
                    params![id, tool, amount.nanos(), at.as_millisecond(), identity],
                )
                .map(|rows| rows > 0)
        })
    }

    /// The three periods as they stand.
    pub fn periods(&mut self, now: Timestamp) -> ToolResult<Vec<BudgetPeriod>> {
        let limits = self.limits;
        self.write(|transaction| {
            expire(transaction, now)?;
            periods(transaction, &limits, now)
        })
    }

    /// Whether `amount` could be reserved now; does not reserve.
    pub fn allows(&mut self, amount: Usd, now: Timestamp) -> ToolResult<bool> {
        let limits = self.limits;
        self.write(|transaction| {
            expire(transaction, now)?;
            Ok(check(transaction, &limits, amount, now)?.is_ok())
        })
    }

    /// Runs `act` under the write lock.
    fn write<T>(&mut self, act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> ToolResult<T> {
        let run = |connection: &mut Connection| -> rusqlite::Result<T> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = act(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run(&mut self.connection).map_err(|e| database_error(&self.path, &e))
    }
}

fn expire(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE entries SET state = 'expired' WHERE state = 'reserved' AND expires_at <= ?")?
        .execute([now.as_millisecond()])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::RateBucket;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    fn ledger(limits: BudgetLimits) -> (tempfile::TempDir, Ledger) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path(), limits).unwrap();
        (dir, ledger)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_file_with_sums_beyond_all_numbers_still_answers_and_can_be_mended() {
        let (_dir, mut ledger) = ledger(BudgetLimits::default());
        let now = at("2025-03-04T05:06:07Z");
        let reserved = [0, 1].map(|_| ledger.reserve("t", "m", usd("0.01"), MINUTE, now).unwrap());
        for open in reserved {
            // As a version without bounds let it in.
            ledger
                .connection
                .execute(
                    "UPDATE entries SET state = 'committed', spent = ? WHERE id = ?",
                    params![8_000_000_000_000_000_000_i64, open.id],
                )
                .unwrap();
        }
        assert!(!ledger.allows(usd("0.01"), now).unwrap());
        let absurd = ledger.absurd(now).unwrap();
        assert_eq!(absurd.len(), 2);
        for entry in absurd {
            ledger.void(&entry.id, now).unwrap();
        }
        assert!(ledger.allows(usd("0.01"), now).unwrap());
        let open = ledger.reserve("t", "m", usd("0.01"), MINUTE, now).unwrap();
        let refused = ledger.commit(&open.id, usd("8000000000"), now).unwrap_err();
        assert_eq!(refused.code, "invalid_spend_request");
    }

    #[test]
    fn exactly_the_limit_is_allowed_and_a_cent_more_is_not() {
        let (_dir, mut ledger) = ledger(BudgetLimits::default());
        let now = at("2025-03-04T05:06:07Z");
        ledger.spend("t", "m", usd("1.995"), now).unwrap();
        assert!(ledger.allows(usd("0.005"), now).unwrap());
        let error = ledger.reserve("t", "m", usd("0.009"), MINUTE, now).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BudgetExceeded);
        assert_eq!(error.code, "day_budget_exceeded");
        assert_eq!(error.retry_after_ms, Some((18 * 3600 + 53 * 60 + 53) * 1000));
        assert!(ledger.spend("t", "m", usd("5"), now).is_err());
    }

    #[test]
    fn a_refund_after_midnight_leaves_the_new_day_alone() {
        let (_dir, mut ledger) = ledger(BudgetLimits::default());
        let reservation = ledger
            .reserve(
                "t",
                "m",
                usd("1.5"),
                Duration::from_secs(7200),
                at("2025-03-04T23:59:00Z"),
            )
            .unwrap();
        let morning = at("2025-03-05T00:01:00Z");
        ledger.spend("t", "m", usd("2"), morning).unwrap();
        ledger.refund(&reservation.id, morning).unwrap();
        assert_eq!(ledger.periods(morning).unwrap()[0].used_usd, usd("2"));
        assert_eq!(
            ledger.refund(&reservation.id, morning).unwrap_err().code,
            "already_settled"
        );
    }

    #[test]
    fn month_and_window_limits_hold_too() {
        let limits = BudgetLimits {
            daily_usd: None,
            monthly_usd: Some(usd("10")),
            window_usd: Some(usd("3")),
            window_hours: 5,
        };
        let (_dir, mut ledger) = ledger(limits);
        ledger
            .spend("t", "m", usd("3"), at("2025-03-04T00:00:00Z"))
            .unwrap();
        let error = ledger
            .spend("t", "m", usd("1"), at("2025-03-04T04:00:00Z"))
            .unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.retry_after_ms),
            ("window_budget_exceeded", Some(3_600_000))
        );
        for day in 5..7 {
            ledger
                .spend("t", "m", usd("3"), at(&format!("2025-03-0{day}T00:00:00Z")))
                .unwrap();
        }
        assert_eq!(
            ledger
                .spend("t", "m", usd("2"), at("2025-03-09T00:00:00Z"))
                .unwrap_err()
                .code,
            "month_budget_exceeded"
        );
        ledger
            .spend("t", "m", usd("2"), at("2025-04-01T00:00:00Z"))
            .unwrap();
    }

    #[test]
    fn a_reservation_of_a_dead_process_expires_but_a_late_commit_still_counts() {
        let (_dir, mut ledger) = ledger(BudgetLimits::default());
        let reservation = ledger
            .reserve("t", "m", usd("2"), MINUTE, at("2025-03-04T00:00:00Z"))
            .unwrap();
        assert!(!ledger.allows(usd("0.1"), at("2025-03-04T00:00:59Z")).unwrap());
        assert!(ledger.allows(usd("0.1"), at("2025-03-04T00:01:00Z")).unwrap());
        ledger
            .commit(&reservation.id, usd("1.9"), at("2025-03-04T00:02:00Z"))
            .unwrap();
        assert!(!ledger.allows(usd("0.2"), at("2025-03-04T00:02:00Z")).unwrap());
    }

    #[test]
    fn an_import_can_be_repeated() {
        let (_dir, mut ledger) = ledger(BudgetLimits::default());
        let now = at("2025-03-04T05:06:07Z");
        assert!(ledger.import("a", "t", usd("0.5"), now).unwrap());
        assert!(!ledger.import("a", "t", usd("0.5"), now).unwrap());
        assert_eq!(ledger.entries(at("2025-01-01T00:00:00Z")).unwrap().len(), 1);
    }

    #[test]
    fn buckets_refill_with_time_and_a_flood_wait_blocks_everybody() {
        let (dir, mut ledger) = ledger(BudgetLimits::default());
        let bucket = RateBucket {
            name: "telegram:a:sends".into(),
            capacity: 2.0,
            per_second: 0.5,
        };
        let start = at("2025-03-04T00:00:00Z");
        assert_eq!(ledger.take(&bucket, 1.0, start).unwrap(), Duration::ZERO);
        assert_eq!(ledger.take(&bucket, 1.0, start).unwrap(), Duration::ZERO);
        assert_eq!(ledger.take(&bucket, 1.0, start).unwrap(), Duration::from_secs(2));
        assert_eq!(
            ledger.take(&bucket, 1.0, at("2025-03-04T00:00:02Z")).unwrap(),
            Duration::ZERO
        );
        ledger
            .block(&bucket.name, at("2025-03-04T01:00:00Z"), start)
            .unwrap();
        let mut other = Ledger::open(dir.path(), BudgetLimits::default()).unwrap();
        assert_eq!(
            other.take(&bucket, 1.0, at("2025-03-04T00:59:00Z")).unwrap(),
            Duration::from_secs(60)
        );
        assert!(other.take(&bucket, 3.0, start).is_err());
    }
}
