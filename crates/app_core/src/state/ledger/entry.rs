//! Entries of the ledger: reading them, and taking out those that cannot be true.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ledger, SKEW};
use crate::{
    contract::{ToolResult, Usd},
    state::database::database_error,
};

/// State of a ledger entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum ReservationState {
    Reserved,
    Committed,
    Refunded,
    Expired,
}

/// One reservation or spending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerEntry {
    /// Id of the reservation.
    pub id: String,
    /// Who asked.
    pub tool: String,
    /// What for, for example provider and model.
    pub what: String,
    /// Amount reserved.
    pub reserved_usd: Usd,
    /// Amount really spent, once committed.
    pub spent_usd: Option<Usd>,
    /// Where it stands.
    pub state: ReservationState,
    /// When it was reserved.
    pub at: Timestamp,
    /// Whether `spent_usd` is an estimate: the call was sent, and nobody said what it cost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unconfirmed: bool,
}

impl Ledger {
    /// Entries since a time, oldest first.
    pub fn entries(&mut self, since: Timestamp) -> ToolResult<Vec<LedgerEntry>> {
        let path = self.path.clone();
        let read = |connection: &Connection| -> rusqlite::Result<Vec<LedgerEntry>> {
            let mut statement = connection.prepare(
                "SELECT id, tool, what, reserved, spent, state, at, unconfirmed FROM entries WHERE at >= ? ORDER BY at, rowid",
            )?;
            let rows = statement.query_map([since.as_millisecond()], |row| {
                Ok(LedgerEntry {
                    id: row.get(0)?,
                    tool: row.get(1)?,
                    what: row.get(2)?,
                    reserved_usd: Usd::from_nanos(row.get(3)?),
                    spent_usd: row.get::<_, Option<i64>>(4)?.map(Usd::from_nanos),
                    state: match row.get::<_, String>(5)?.as_str() {
                        "committed" => ReservationState::Committed,
                        "refunded" => ReservationState::Refunded,
                        "expired" => ReservationState::Expired,
                        _ => ReservationState::Reserved,
                    },
                    at: Timestamp::from_millisecond(row.get(6)?).unwrap_or_default(),
                    unconfirmed: row.get(7)?,
                })
            })?;
            rows.collect()
        };
        read(&self.connection).map_err(|e| database_error(&path, &e))
    }

    /// Entries that cannot be true: an amount beyond [`Ledger::MOST`] or below zero, or a time in the future. They
    /// count in no period or make one overflow; [`Ledger::void`] takes them out.
    pub fn absurd(&mut self, now: Timestamp) -> ToolResult<Vec<LedgerEntry>> {
        let latest = now.saturating_add(SKEW).unwrap_or(now);
        let entries = self.entries(Timestamp::MIN)?;
        let absurd = |entry: &LedgerEntry| {
            let amount = entry.spent_usd.unwrap_or(entry.reserved_usd);
            let counts = matches!(
                entry.state,
                ReservationState::Reserved | ReservationState::Committed
            );
            counts && (amount > Self::MOST || amount < Usd::ZERO || entry.at > latest)
        };
        Ok(entries.into_iter().filter(absurd).collect())
    }

    /// Takes one entry out of every period, whatever its state; it stays in the file as refunded.
    pub fn void(&mut self, id: &str, now: Timestamp) -> ToolResult<()> {
        self.write(|transaction| {
            transaction
                .execute(
                    "UPDATE entries SET state = 'refunded', settled_at = ? WHERE id = ?",
                    params![now.as_millisecond(), id],
                )
                .map(drop)
        })
    }
}
