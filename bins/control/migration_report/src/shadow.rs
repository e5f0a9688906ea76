//! Runs beside the script (`parity shadow` writes them, one JSON line each), and what they say of a tool. Pure but for
//! the reading.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use app_core::{ToolError, ToolResult, state::RunRecord};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use serde_json::Value;

use crate::model::Shadow;

/// One comparison; what else stands in the line is for others.
#[derive(Debug, Deserialize)]
struct Line {
    v: u32,
    at: Timestamp,
    tool: String,
    clean: bool,
    #[serde(default)]
    differences: Vec<Value>,
}

/// What the logs say of each tool, and how many of their lines cannot be read. No log is no run.
pub(crate) fn read(logs: &[PathBuf]) -> ToolResult<(BTreeMap<String, Shadow>, usize)> {
    let mut all = String::new();
    for log in logs {
        match std::fs::read_to_string(log) {
            Ok(text) => {
                all.push_str(&text);
                all.push('\n');
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(ToolError::file("read", log, &e)),
        }
    }
    Ok(sum(&all))
}

fn sum(text: &str) -> (BTreeMap<String, Shadow>, usize) {
    let mut unreadable = 0;
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str::<Line>(line) {
            Ok(line) if line.v == 1 => lines.push(line),
            _ => unreadable += 1,
        }
    }
    // Several processes append: their order is nearly, not fully, that of time.
    lines.sort_by_key(|line| line.at);
    let mut shadows: BTreeMap<String, (Shadow, BTreeSet<Date>)> = BTreeMap::new();
    for line in lines {
        let (shadow, days) = shadows.entry(line.tool).or_default();
        shadow.comparisons += 1;
        shadow.last_at = Some(line.at);
        if line.clean {
            shadow.clean_runs += 1;
            days.insert(day(line.at));
        } else {
            shadow.divergent += 1;
            shadow.last_divergence = Some(line.at);
            shadow.last_difference = line.differences.first().map(in_words);
            shadow.clean_runs = 0;
            days.clear();
        }
    }
    let shadows = shadows.into_iter().map(|(tool, (mut shadow, days))| {
        // The day of a difference is no clean day, also not from noon on.
        let dirty = shadow.last_divergence.map(day);
        shadow.clean_days = days.into_iter().filter(|day| Some(*day) != dirty).count() as u32;
        (tool, shadow)
    });
    (shadows.collect(), unreadable)
}

/// A tool that may not be run beside its script (its effects reach people or change things) proves itself alone: runs
/// since it last failed by its own fault or its script stood in.
pub(crate) fn alone(runs: &[RunRecord]) -> Shadow {
    let mut shadow = Shadow {
        alone: true,
        last_at: runs.iter().find_map(|run| run.finished_at),
        ..Shadow::default()
    };
    let mut days = BTreeSet::new();
    for run in runs
        .iter()
        .filter(|run| !run.planned && run.finished_at.is_some())
    {
        shadow.comparisons += 1;
        let fault = run.error_kind.as_deref() == Some("internal");
        if run.fallback.is_some() || fault {
            shadow.divergent += 1;
            if shadow.last_divergence.is_none() {
                shadow.last_divergence = Some(run.started_at);
                shadow.last_difference = run
                    .fallback
                    .as_ref()
                    .map(|reason| format!("the script stood in: {reason}"))
                    .or_else(|| run.error_code.clone());
            }
        } else if shadow.last_divergence.is_none() && run.exit_code == Some(0) {
            shadow.clean_runs += 1;
            days.insert(day(run.started_at));
        }
    }
    let dirty = shadow.last_divergence.map(day);
    shadow.clean_days = days.into_iter().filter(|day| Some(*day) != dirty).count() as u32;
    shadow
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn in_words(difference: &Value) -> String {
    let text = match difference {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: &str, clean: bool) -> String {
        format!(
            "{{\"v\":1,\"at\":\"{at}\",\"tool\":\"t\",\"clean\":{clean},\"differences\":[\"stdout\"],\"calibrated\":true}}\n"
        )
    }

    #[test]
    fn a_difference_starts_the_count_anew() {
        let mut log = String::new();
        for day in 1..=5 {
            log += &line(&format!("2026-03-0{day}T08:00:00Z"), true);
            log += &line(&format!("2026-03-0{day}T20:00:00Z"), true);
        }
        let (shadows, unreadable) = sum(&log);
        assert_eq!(
            (shadows["t"].clean_days, shadows["t"].clean_runs, unreadable),
            (5, 10, 0)
        );
        // Late in the file, early in time.
        log += &line("2026-03-03T12:00:00Z", false);
        log += "half a li\n{\"v\":2}\n";
        let (shadows, unreadable) = sum(&log);
        let shadow = &shadows["t"];
        assert_eq!(
            (shadow.clean_days, shadow.clean_runs, shadow.divergent, unreadable),
            (2, 5, 1, 2)
        );
        assert_eq!(shadow.last_difference.as_deref(), Some("stdout"));
    }

    #[test]
    fn runs_alone_count_until_the_last_fault() {
        let run = |day: u8, exit: u8, kind: Option<&str>, fallback: Option<&str>| RunRecord {
            seq: 0,
            run_id: String::new(),
            tool: "t".into(),
            version: "1".into(),
            input_hash: String::new(),
            pid: 1,
            planned: false,
            started_at: format!("2026-03-{day:02}T08:00:00Z").parse().unwrap(),
            finished_at: Some(Timestamp::UNIX_EPOCH),
            exit_code: Some(exit),
            error_kind: kind.map(str::to_owned),
            error_code: kind.map(str::to_owned),
            cost_usd: app_core::Usd::ZERO,
            fallback: fallback.map(str::to_owned),
        };
        let runs = [
            run(9, 0, None, None),
            run(8, 2, Some("invalid_input"), None), // the caller's fault, and no proof either
            run(8, 0, None, None),
            run(7, 70, Some("internal"), None),
            run(6, 0, None, None),
        ];
        let shadow = alone(&runs);
        assert_eq!(
            (shadow.clean_runs, shadow.clean_days, shadow.divergent),
            (2, 2, 1)
        );
        assert_eq!(alone(&[run(9, 0, None, Some("switched"))]).clean_runs, 0);
    }
}
