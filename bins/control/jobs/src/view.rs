//! What `jobs` answers, and how a person sees it.

use std::fmt::{self, Write};

use app_core::state::RunRecord;
use jiff::{Timestamp, tz::TimeZone};
use job_manager::{
    CancelReport, FallbackCount, Job, JobLine, JobPage, JobState, LogPage, Pruned, Route, Started, ToolEntry,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::route::{self, Switched};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Output {
    /// `list_tools`
    Tools {
        /// Every tool, by name.
        tools: Vec<ToolEntry>,
    },
    /// `run`, `get`, `wait`
    Job(Box<Job>),
    /// `start`, `retry`
    Started(Started),
    /// `list`
    Page(JobPage),
    /// `cancel`
    Cancelled(CancelReport),
    /// `logs`
    Log(LogPage),
    /// `runs`
    Runs {
        /// Newest first.
        runs: Vec<RunRecord>,
    },
    /// `route`
    Switched(Switched),
    /// `prune`
    Pruned(Pruned),
    /// `fallbacks`
    Fallbacks {
        /// By tool and reason.
        fallbacks: Vec<FallbackCount>,
    },
}

pub(crate) fn render(output: &Output, out: &mut dyn Write) -> fmt::Result {
    match output {
        Output::Tools { tools } => render_tools(tools, out),
        Output::Job(job) => render_job(job, out),
        Output::Started(started) => {
            writeln!(
                out,
                "{}{}",
                started.id,
                if started.existing {
                    " (existed already)"
                } else {
                    ""
                }
            )
        }
        Output::Page(page) => render_page(page, out),
        Output::Cancelled(report) => render_report(report, out),
        Output::Log(page) => {
            for line in &page.lines {
                writeln!(out, "{} {}", clock(line.ts), line.text)?;
            }
            Ok(())
        }
        Output::Runs { runs } => render_runs(runs, out),
        Output::Switched(switched) => route::render(switched, out),
        Output::Pruned(pruned) => writeln!(out, "{} jobs forgotten", pruned.jobs),
        Output::Fallbacks { fallbacks } => {
            let mut table = Table::new(&["TOOL", "REASON", "RUNS", "LAST"]);
            for count in fallbacks {
                table.row([
                    count.tool.clone(),
                    count.reason.clone(),
                    count.runs.to_string(),
                    clock(count.last_at),
                ]);
            }
            table.write(out)
        }
    }
}

/// A job that did not succeed, as it stands in the output of the error.
pub(crate) fn render_ended(output: &Value, out: &mut dyn Write) -> fmt::Result {
    match serde_json::from_value::<Job>(output.clone()) {
        Ok(job) => render_job(&job, out),
        Err(_) => app_core::render_value(output, out),
    }
}

fn render_tools(tools: &[ToolEntry], out: &mut dyn Write) -> fmt::Result {
    let mut table = Table::new(&["TOOL", "FAMILY", "EFFECTS", "SUMMARY"]);
    for tool in tools {
        let definition = &tool.definition;
        let effects: Vec<String> = definition
            .effects
            .iter()
            .filter_map(|e| Some(serde_json::to_value(e).ok()?.as_str()?.to_owned()))
            .collect();
        let script = if tool.route == Route::Legacy {
            " (replaced script)"
        } else {
            ""
        };
        table.row([
            definition.name.clone(),
            definition.family.clone(),
            effects.join(","),
            format!("{}{script}", definition.summary),
        ]);
    }
    table.write(out)
}

fn render_job(job: &Job, out: &mut dyn Write) -> fmt::Result {
    let attempt = match (job.attempt, job.attempts) {
        (0 | 1, _) => String::new(),
        (n, of) => format!(", attempt {n} of {of}"),
    };
    let script = if job.route == Route::Legacy {
        " (replaced script)"
    } else {
        ""
    };
    writeln!(
        out,
        "{} {}{script} {}{attempt}",
        job.id,
        job.tool,
        job.state.name()
    )?;
    match &job.state {
        JobState::Queued {
            queued_at,
            not_before,
        } => {
            writeln!(out, "queued {}", clock(*queued_at))?;
            if let Some(at) = not_before {
                writeln!(out, "not before {}", clock(*at))?;
            }
        }
        JobState::Running { started_at, pid, .. } => {
            writeln!(
                out,
                "running since {}{}",
                clock(*started_at),
                pid.map(|p| format!(", pid {p}")).unwrap_or_default()
            )?;
        }
        JobState::Succeeded {
            started_at,
            finished_at,
            output,
            ..
        } => {
            writeln!(out, "took {}", took(*started_at, *finished_at))?;
            app_core::render_value(output, out)?;
        }
        // The error itself goes to stderr, with its hint.
        JobState::Failed {
            started_at,
            finished_at,
            error,
            ..
        } => {
            let time = started_at
                .map(|at| format!(" after {}", took(at, *finished_at)))
                .unwrap_or_default();
            writeln!(out, "{}: {}{time}", error.kind, error.message)?;
        }
        JobState::Cancelled { forced, .. } => writeln!(
            out,
            "{}",
            if *forced {
                "ended by force"
            } else {
                "stopped by itself"
            }
        )?,
        JobState::TimedOut { error, .. } | JobState::Waiting { error, .. } => {
            writeln!(out, "{}", error.message)?
        }
    }
    if let Some(progress) = job
        .progress
        .as_ref()
        .filter(|_| !matches!(job.state, JobState::Succeeded { .. }))
    {
        writeln!(
            out,
            "progress {}",
            done(progress.done, progress.total, &progress.unit)
        )?;
    }
    for artifact in &job.artifacts {
        writeln!(out, "made {} ({} bytes)", artifact.path.display(), artifact.bytes)?;
    }
    if job.cost_usd > app_core::Usd::ZERO {
        writeln!(out, "cost {}", job.cost_usd)?;
    }
    Ok(())
}

fn render_page(page: &JobPage, out: &mut dyn Write) -> fmt::Result {
    let mut table = Table::new(&["JOB", "STATE", "TOOL", "QUEUED", "TOOK", "BY", ""]);
    for job in &page.jobs {
        table.row([
            job.id.to_string(),
            job.state.clone(),
            job.tool.clone(),
            clock(job.queued_at),
            job.started_at
                .zip(job.finished_at)
                .map(|(a, b)| took(a, b))
                .unwrap_or_default(),
            job.requested_by.clone(),
            remark(job),
        ]);
    }
    table.write(out)?;
    match page.next {
        Some(next) => writeln!(out, "more: --before {next}"),
        None => Ok(()),
    }
}

fn remark(job: &JobLine) -> String {
    match (&job.error, &job.progress) {
        (Some(error), _) => error.clone(),
        (None, Some(progress)) if job.finished_at.is_none() => {
            done(progress.done, progress.total, &progress.unit)
        }
        _ => String::new(),
    }
}

fn render_report(report: &CancelReport, out: &mut dyn Write) -> fmt::Result {
    let force = if report.forced { ", by force" } else { "" };
    writeln!(out, "{} {}{force}", report.id, report.state)?;
    if let Some(progress) = &report.done {
        writeln!(
            out,
            "done {}",
            done(progress.done, progress.total, &progress.unit)
        )?;
    }
    if let Some(left) = report.left {
        writeln!(out, "left {left}")?;
    }
    for path in &report.artifacts {
        writeln!(out, "made {}", path.display())?;
    }
    writeln!(
        out,
        "rerun {}: {}",
        if report.rerun_safe { "safe" } else { "not safe" },
        report.rerun
    )
}

fn render_runs(runs: &[RunRecord], out: &mut dyn Write) -> fmt::Result {
    let mut table = Table::new(&["RUN", "TOOL", "STARTED", "TOOK", "EXIT", "ERROR", "COST", ""]);
    for run in runs {
        table.row([
            run.run_id.clone(),
            run.tool.clone(),
            clock(run.started_at),
            run.finished_at
                .map(|end| took(run.started_at, end))
                .unwrap_or_default(),
            run.exit_code.map(|c| c.to_string()).unwrap_or_default(),
            run.error_code.clone().unwrap_or_default(),
            if run.cost_usd > app_core::Usd::ZERO {
                run.cost_usd.to_string()
            } else {
                String::new()
            },
            run.fallback
                .as_ref()
                .map(|reason| format!("replaced script: {reason}"))
                .unwrap_or_default(),
        ]);
    }
    table.write(out)
}

fn done(done: u64, total: Option<u64>, unit: &str) -> String {
    total
        .map_or_else(
            || format!("{done} {unit}"),
            |total| format!("{done} of {total} {unit}"),
        )
        .trim_end()
        .to_owned()
}

/// Local time, to the second.
fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

fn took(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs_f64();
    match seconds {
        s if s < 10.0 => format!("{s:.2}s"),
        s if s < 90.0 => format!("{s:.0}s"),
        s if s < 5400.0 => format!("{:.0}min", s / 60.0),
        s => format!("{:.1}h", s / 3600.0),
    }
}

/// Columns as wide as their widest cell; the last is not padded.
struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    fn new(head: &[&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned)],
        }
    }

    fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        let width = |column: usize| {
            self.rows
                .iter()
                .map(|r| r[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                write!(line, "{cell:<width$}  ")?;
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["A", "LONGER", ""]);
        table.row(["wide cell".to_owned(), "x".to_owned(), "end".to_owned()]);
        let mut text = String::new();
        table.write(&mut text).unwrap();
        assert_eq!(text, "A          LONGER\nwide cell  x       end\n");
    }

    #[test]
    fn durations_are_short() {
        let at = Timestamp::UNIX_EPOCH;
        let after = |s: f64| took(at, at + jiff::SignedDuration::from_secs_f64(s));
        assert_eq!(
            [after(0.5), after(42.0), after(600.0), after(9000.0)],
            ["0.50s", "42s", "10min", "2.5h"]
        );
    }
}
