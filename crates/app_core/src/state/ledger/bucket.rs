//! Rate limits shared by every binary of the host: buckets of tokens that refill with time.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::Ledger;
use crate::contract::{ErrorKind, RateBucket, ToolError, ToolResult};

impl Ledger {
    /// Takes `count` tokens from a rate bucket shared by the host.
    ///
    /// Returns zero when they were there, else how long to wait before asking again (nothing is taken then).
    pub fn take(&mut self, bucket: &RateBucket, count: f64, now: Timestamp) -> ToolResult<Duration> {
        if !(count > 0.0 && count <= bucket.capacity) {
            return Err(ToolError::new(
                ErrorKind::InvalidInput,
                format!(
                    "bucket `{}` can never give {count} of its {} tokens",
                    bucket.name, bucket.capacity
                ),
            ));
        }
        let now_ms = now.as_millisecond();
        self.write(|transaction| {
            let row: Option<(f64, i64, i64)> = transaction
                .query_row(
                    "SELECT tokens, updated_at, blocked_until FROM buckets WHERE name = ?",
                    [&bucket.name],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            let (tokens, updated, blocked) = row.unwrap_or((bucket.capacity, now_ms, 0));
            if blocked > now_ms {
                return Ok(Duration::from_millis((blocked - now_ms) as u64));
            }
            let refilled =
                (tokens + (now_ms - updated).max(0) as f64 / 1000.0 * bucket.per_second).min(bucket.capacity);
            if refilled + 1e-9 < count {
                let wait = (count - refilled) / bucket.per_second.max(1e-9);
                return Ok(Duration::from_secs_f64(wait.clamp(0.001, 1e9)));
            }
            transaction.execute(
                "INSERT INTO buckets (name, tokens, updated_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET tokens = ?2, updated_at = ?3",
                params![bucket.name, refilled - count, now_ms],
            )?;
            Ok(Duration::ZERO)
        })
    }

    /// Remembers that the far side asked for silence until a time (a flood wait); no process gets tokens before.
    pub fn block(&mut self, bucket: &str, until: Timestamp, now: Timestamp) -> ToolResult<()> {
        self.write(|transaction| {
            transaction
                .execute(
                    "INSERT INTO buckets (name, tokens, updated_at, blocked_until) VALUES (?1, 0, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE SET blocked_until = max(blocked_until, ?3)",
                    params![bucket, now.as_millisecond(), until.as_millisecond()],
                )
                .map(drop)
        })
    }
}
