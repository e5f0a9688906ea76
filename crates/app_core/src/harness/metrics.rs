//! Metrics as a textfile for the Prometheus node exporter, one file per tool.

use std::{fmt::Write as _, path::Path};

use crate::{
    contract::{ToolError, ToolResult},
    state::{RunTotals, Runs},
};

/// Writes `onejob_<tool>.prom` into `dir` from the run log, whole: a scraper never sees half a file.
pub fn write(dir: &Path, tool: &str, runs: &Runs) -> ToolResult<()> {
    let text = render(tool, &runs.totals(tool)?);
    let path = dir.join(format!("onejob_{tool}.prom"));
    let failed = |e: &std::io::Error| ToolError::file("write the metrics", &path, e);
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(dir)
        .map_err(|e| failed(&e))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| failed(&e))?;
    file.persist(&path).map(drop).map_err(|e| failed(&e.error))
}

fn render(tool: &str, totals: &RunTotals) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, rows: &[(String, f64)]| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(text, "{name}{{tool=\"{tool}\"{labels}}} {value}");
        }
    };
    let one = |value: f64| [(String::new(), value)];
    let results: Vec<_> = totals
        .by_result
        .iter()
        .map(|(result, count)| (format!(",result=\"{result}\""), *count as f64))
        .collect();
    metric(
        "onejob_runs_total",
        "counter",
        "Runs by result, over the kept run log.",
        &results,
    );
    metric(
        "onejob_run_seconds_total",
        "counter",
        "Time spent in runs.",
        &one(totals.seconds),
    );
    metric(
        "onejob_last_run_seconds",
        "gauge",
        "Duration of the newest run.",
        &one(totals.last_seconds),
    );
    metric(
        "onejob_items_total",
        "counter",
        "Items handled.",
        &one(totals.items as f64),
    );
    metric(
        "onejob_written_bytes_total",
        "counter",
        "Bytes written as artifacts.",
        &one(totals.bytes as f64),
    );
    metric(
        "onejob_cost_usd_total",
        "counter",
        "Money spent.",
        &one(totals.cost.dollars()),
    );
    let fallbacks: Vec<_> = totals
        .fallbacks
        .iter()
        .map(|f| (format!(",reason=\"{}\"", f.reason), f.runs as f64))
        .collect();
    if !fallbacks.is_empty() {
        metric(
            "onejob_fallback_runs_total",
            "counter",
            "Runs of the replaced script instead of the tool, over the kept run log.",
            &fallbacks,
        );
    }
    if let Some(at) = totals.last_success {
        let seconds = at.as_millisecond() as f64 / 1000.0;
        metric(
            "onejob_last_success_timestamp_seconds",
            "gauge",
            "End of the last run that succeeded.",
            &one(seconds),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::FallbackRuns;

    #[test]
    fn the_file_is_in_exposition_format() {
        let totals = RunTotals {
            by_result: vec![("ok".into(), 3), ("timeout".into(), 1)],
            seconds: 1.5,
            fallbacks: vec![FallbackRuns {
                tool: "demo".into(),
                reason: "switched".into(),
                runs: 2,
                last_at: jiff::Timestamp::UNIX_EPOCH,
            }],
            ..RunTotals::default()
        };
        let text = render("demo", &totals);
        assert!(text.contains("onejob_runs_total{tool=\"demo\",result=\"timeout\"} 1\n"));
        assert!(text.contains("onejob_fallback_runs_total{tool=\"demo\",reason=\"switched\"} 2\n"));
        assert!(!render("demo", &RunTotals::default()).contains("fallback"));
        assert!(text.contains(
            "# TYPE onejob_run_seconds_total counter\nonejob_run_seconds_total{tool=\"demo\"} 1.5\n"
        ));
    }
}
