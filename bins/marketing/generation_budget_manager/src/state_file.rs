//! The budget file of the replaced script: read for the import, and kept in step for scripts that still read it.

use std::{collections::HashMap, io::Write as _, path::Path};

use app_core::{
    ErrorKind, ToolError, ToolResult, Usd,
    state::{Ledger, LedgerEntry, ReservationState},
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde::Serialize as _;
use serde_json::{Value, json};

/// What the old file holds.
#[derive(Debug, Default)]
pub(crate) struct StateFile {
    pub(crate) records: Vec<OldRecord>,
    /// First day on which the counter starts anew.
    pub(crate) resets_on: String,
    /// The records as they stand in the file.
    raw: Vec<Value>,
}

/// One spending of the old file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OldRecord {
    /// Tells records apart across imports.
    pub(crate) identity: String,
    pub(crate) at: Timestamp,
    pub(crate) tool: String,
    pub(crate) cost: Usd,
}

/// Reads the file; `None` when there is none. A file that cannot be read stops everything: spending would be unknown.
pub(crate) fn read(path: &Path) -> ToolResult<Option<StateFile>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ToolError::file("read the budget file", path, &error)),
    };
    let broken = |problem: &str| {
        ToolError::new(
            ErrorKind::Conflict,
            format!("the budget file `{}` {problem}", path.display()),
        )
        .code("budget_file_parse_failed")
        .hint("repair or move it; nothing is spent until then")
    };
    let root: Value =
        serde_json::from_str(&text).map_err(|error| broken("is not valid JSON").caused_by(&error))?;
    let raw = root
        .get("generations")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut file = StateFile {
        raw: raw.clone(),
        ..StateFile::default()
    };
    for record in &raw {
        let old = old_record(record, &mut seen)
            .ok_or_else(|| broken("has a record without timestamp, tool or cost"))?;
        file.records.push(old);
    }
    file.resets_on = root
        .get("daily_resets_on")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let spend = root
        .get("daily_spend")
        .map_or(Some(0.0), Value::as_f64)
        .and_then(Usd::from_dollars);
    let spend = spend.ok_or_else(|| broken("has a `daily_spend` that is no amount"))?;
    file.records.extend(unlisted(&file, spend));
    Ok(Some(file))
}

fn old_record(record: &Value, seen: &mut HashMap<String, usize>) -> Option<OldRecord> {
    let stamp = record.get("timestamp")?.as_str()?;
    let at = stamp.parse::<Timestamp>().ok().or_else(|| {
        // The old script wrote local time without an offset; hosts ran on UTC.
        stamp
            .parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })?;
    let tool = record.get("tool")?.as_str()?.to_owned();
    let cost = record.get("cost")?.as_f64().and_then(Usd::from_dollars)?;
    let identity = format!("{stamp}|{tool}|{}", cost.nanos());
    let count = seen.entry(identity.clone()).or_default();
    *count += 1;
    Some(OldRecord {
        identity: format!("{identity}#{count}"),
        at,
        tool,
        cost,
    })
}

/// The part of the day's counter that no record explains.
fn unlisted(file: &StateFile, spend: Usd) -> Option<OldRecord> {
    let resets_on = file.resets_on.parse::<jiff::civil::Date>().ok()?;
    let day = resets_on.yesterday().ok()?;
    let start = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let listed: Usd = file
        .records
        .iter()
        .filter(|r| r.at >= start)
        .map(|r| r.cost)
        .sum();
    let rest = spend.minus_floor(listed);
    (rest > Usd::ZERO).then(|| OldRecord {
        identity: format!("unlisted|{day}|{}", rest.nanos()),
        at: start,
        tool: "unlisted".to_owned(),
        cost: rest,
    })
}

/// Takes over what the ledger does not know yet. Records that the ledger itself once wrote to the file are known.
pub(crate) fn import(file: &StateFile, ledger: &mut Ledger) -> ToolResult<()> {
    let Some(oldest) = file.records.iter().map(|r| r.at).min() else {
        return Ok(());
    };
    let own: Vec<LedgerEntry> = own_entries(ledger.entries(oldest)?);
    let is_own = |record: &OldRecord| {
        own.iter().any(|entry| {
            entry.tool == record.tool
                && entry.spent_usd == Some(record.cost)
                && entry.at.as_millisecond() == record.at.as_millisecond()
        })
    };
    for record in file.records.iter().filter(|record| !is_own(record)) {
        ledger.import(&record.identity, &record.tool, record.cost, record.at)?;
    }
    Ok(())
}

fn own_entries(entries: Vec<LedgerEntry>) -> Vec<LedgerEntry> {
    entries
        .into_iter()
        .filter(|e| e.state == ReservationState::Committed && e.what != "imported")
        .collect()
}

/// Writes the file anew from the ledger: old records of the last 30 days as they stood, then the ledger's own.
pub(crate) fn write(
    path: &Path,
    old: Option<&StateFile>,
    ledger: &mut Ledger,
    now: Timestamp,
) -> ToolResult<()> {
    let since = now
        .checked_sub(SignedDuration::from_hours(24 * 30))
        .unwrap_or(Timestamp::MIN);
    let kept = old
        .into_iter()
        .flat_map(|file| file.raw.iter().zip(&file.records))
        .filter(|(_, record)| record.at >= since);
    let mut generations: Vec<Value> = kept.map(|(raw, _)| raw.clone()).collect();
    let listed: Vec<(i64, String)> = old
        .into_iter()
        .flat_map(|f| &f.records)
        .map(|r| (r.at.as_millisecond(), r.tool.clone()))
        .collect();
    for entry in own_entries(ledger.entries(since)?) {
        if !listed.contains(&(entry.at.as_millisecond(), entry.tool.clone())) {
            let stamp = entry.at.to_zoned(TimeZone::UTC).datetime();
            let cost = entry.spent_usd.unwrap_or_default();
            generations.push(json!({"timestamp": python_iso(stamp), "tool": entry.tool, "cost": cost}));
        }
    }
    let spend = ledger.periods(now)?.first().map_or(Usd::ZERO, |day| day.used_usd);
    let tomorrow = now.to_zoned(TimeZone::UTC).date().tomorrow().unwrap_or_default();
    let file =
        json!({"daily_spend": spend, "daily_resets_on": tomorrow.to_string(), "generations": generations});
    let failed = |e: &std::io::Error| ToolError::file("write the budget file", path, e);
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    file.serialize(&mut serde_json::Serializer::with_formatter(&mut text, indent))
        .map_err(|e| ToolError::internal(format!("budget file: {e}")))?;
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(|e| failed(&e))?;
    temporary.write_all(&text).map_err(|e| failed(&e))?;
    temporary.persist(path).map(drop).map_err(|e| failed(&e.error))
}

/// `isoformat()` of a naive Python datetime: microseconds only when there are any.
fn python_iso(stamp: DateTime) -> String {
    let micros = stamp.subsec_nanosecond() / 1000;
    let whole = stamp.strftime("%Y-%m-%dT%H:%M:%S");
    if micros == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{micros:06}")
    }
}

#[cfg(test)]
mod tests {
    use app_core::state::BudgetLimits;

    use super::*;

    #[test]
    fn the_file_and_the_ledger_stay_in_step_without_counting_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.json");
        let now: Timestamp = "2025-03-04T05:06:07.25Z".parse().unwrap();
        std::fs::write(&path, r#"{"daily_spend": 0.5, "daily_resets_on": "2025-03-05", "generations": [{"timestamp": "2025-03-04T01:00:00", "tool": "a", "cost": 0.3}]}"#).unwrap();
        let mut ledger = Ledger::open(dir.path(), BudgetLimits::default()).unwrap();
        for _ in 0..3 {
            let file = read(&path).unwrap();
            import(file.as_ref().unwrap(), &mut ledger).unwrap();
            write(&path, file.as_ref(), &mut ledger, now).unwrap();
        }
        ledger.spend("rust", "m", "0.25".parse().unwrap(), now).unwrap();
        for _ in 0..3 {
            let file = read(&path).unwrap();
            import(file.as_ref().unwrap(), &mut ledger).unwrap();
            write(&path, file.as_ref(), &mut ledger, now).unwrap();
        }
        assert_eq!(ledger.periods(now).unwrap()[0].used_usd, "0.75".parse().unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("\"timestamp\": \"2025-03-04T05:06:07.250000\""),
            "{text}"
        );
        assert_eq!(read(&path).unwrap().unwrap().raw.len(), 2);
    }

    #[test]
    fn a_truncated_file_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.json");
        std::fs::write(&path, "{\"daily_spend\": 1.0,").unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.message.contains("b.json"), "{}", error.message);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"daily_spend\": 1.0,");
    }
}
