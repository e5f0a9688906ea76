//! The periods of the budget: what is used of each, and whether an amount still fits.

use jiff::{Timestamp, ToSpan, Unit, tz::TimeZone};
use rusqlite::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SKEW;
use crate::contract::{ErrorKind, ToolError, ToolResult, Usd, settings::BudgetSettings as BudgetLimits};

/// One period of the budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetPeriod {
    /// `day`, `month` or `window`.
    pub name: String,
    /// Spent and reserved so far.
    pub used_usd: Usd,
    /// Of that, still reserved.
    pub reserved_usd: Usd,
    /// The limit, when there is one.
    pub limit_usd: Option<Usd>,
    /// When used money becomes free again.
    pub resets_at: Timestamp,
}

pub(super) fn periods(
    transaction: &Transaction<'_>,
    limits: &BudgetLimits,
    now: Timestamp,
) -> rusqlite::Result<Vec<BudgetPeriod>> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let start = |date: jiff::civil::Date| {
        date.to_zoned(TimeZone::UTC)
            .map_or(Timestamp::MIN, |z| z.timestamp())
    };
    let window = i64::from(limits.window_hours.clamp(1, 8_784));
    let month = today.first_of_month();
    let tomorrow = today.tomorrow().unwrap_or(today);
    let next_month = month.checked_add(1.month()).unwrap_or(month);
    let rows = [
        ("day", start(today), start(tomorrow), limits.daily_usd),
        ("month", start(month), start(next_month), limits.monthly_usd),
        (
            "window",
            now.saturating_sub(window.hours()).unwrap_or(Timestamp::MIN),
            now,
            limits.window_usd,
        ),
    ];
    let mut statement = transaction.prepare_cached(
        // `total` adds as floating point and so cannot overflow, whatever an older version let in.
        "SELECT total(coalesce(spent, reserved)), total(iif(state = 'reserved', reserved, 0)), min(at)
         FROM entries WHERE at >= ? AND at < ? AND state IN ('reserved', 'committed')",
    )?;
    let mut periods = Vec::with_capacity(rows.len());
    for (name, from, resets_at, limit_usd) in rows {
        // A period ends: an entry of a clock that ran ahead belongs to a later one. The window ends now.
        let end = resets_at.max(now.saturating_add(SKEW).unwrap_or(now));
        let (used, reserved, oldest): (f64, f64, Option<i64>) = statement
            .query_row([from.as_millisecond(), end.as_millisecond()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        // The sliding window frees money when its oldest entry leaves it.
        let resets_at = match (name, oldest.and_then(|ms| Timestamp::from_millisecond(ms).ok())) {
            ("window", Some(oldest)) => oldest.saturating_add(window.hours()).unwrap_or(resets_at),
            _ => resets_at,
        };
        periods.push(BudgetPeriod {
            name: name.to_owned(),
            used_usd: Usd::from_nanos(used as i64),
            reserved_usd: Usd::from_nanos(reserved as i64),
            limit_usd,
            resets_at: resets_at.round(Unit::Second).unwrap_or(resets_at),
        });
    }
    Ok(periods)
}

/// The inner result is the refusal; exactly reaching a limit is allowed.
pub(super) fn check(
    transaction: &Transaction<'_>,
    limits: &BudgetLimits,
    amount: Usd,
    now: Timestamp,
) -> rusqlite::Result<ToolResult<()>> {
    for period in periods(transaction, limits, now)? {
        let Some(limit) = period.limit_usd else { continue };
        if period.used_usd + amount > limit {
            let wait = period
                .resets_at
                .duration_since(now)
                .max(jiff::SignedDuration::ZERO);
            return Ok(Err(ToolError::new(
                ErrorKind::BudgetExceeded,
                format!(
                    "{amount} would pass the {} limit of {limit:.2}: {} is spent or reserved",
                    period.name, period.used_usd
                ),
            )
            .code(format!("{}_budget_exceeded", period.name))
            .from_source("ledger")
            .hint(format!(
                "wait until {}, or raise `budget` in onejob.toml",
                period.resets_at
            ))
            .retry_after(wait.unsigned_abs())
            .with("limit_usd", limit.dollars())
            .with("used_usd", period.used_usd.dollars())));
        }
    }
    Ok(Ok(()))
}
