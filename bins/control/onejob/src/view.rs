//! What `onejob` answers, and how a person sees it.

use std::{
    fmt::{self, Write},
    path::PathBuf,
};

use app_core::state::{Request, RunRecord};
use jiff::Timestamp;
use job_manager::{
    ArtifactInfo, CancelReport, FallbackCount, Job, JobLine, JobPage, JobState, LogLine, LogPage, Pruned,
    Route, Started, Status, ToolEntry, ToolList, Validation,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    config_check::{self, Checked, Keys},
    doctor::{self, Finding},
    route::{self, Switched},
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Output {
    /// `list_tools`
    Tools {
        /// Every tool, by name.
        tools: Vec<ToolEntry>,
    },
    /// `list_tools --short`
    ToolList(ToolList),
    /// `validate`
    Validated(Validation),
    /// `status`
    Status(Status),
    /// `artifact`
    Artifact(ArtifactInfo),
    /// `watch`
    Watched {
        /// Where it stopped.
        position: i64,
    },
    /// `approvals`, `approve`, `reject`
    Approvals {
        /// Oldest first.
        requests: Vec<Request>,
    },
    /// `config check`
    Config(Checked),
    /// `config keys`
    Keys(Keys),
    /// `doctor`
    Doctor {
        /// Everything that was looked at.
        findings: Vec<Finding>,
    },
    /// `help`, `completions`
    Text {
        /// As it is printed.
        text: String,
    },
    /// `man`
    Written {
        /// Files.
        files: Vec<PathBuf>,
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
        Output::ToolList(list) => {
            let mut table = Table::new(&["TOOL", "FAMILY", "SUMMARY"]);
            for tool in &list.tools {
                table.row([tool.name.clone(), tool.family.clone(), tool.summary.clone()]);
            }
            table.write(out)
        }
        Output::Validated(told) => render_validation(told, out),
        Output::Status(status) => render_status(status, out),
        Output::Artifact(info) => writeln!(out, "{}", info.path.display()),
        Output::Watched { position } => writeln!(out, "{position}"),
        Output::Approvals { requests } => render_approvals(requests, out),
        Output::Config(checked) => config_check::render(checked, out),
        Output::Keys(keys) => config_check::render_keys(keys, out),
        Output::Doctor { findings } => doctor::render(findings, out),
        Output::Text { text } => out.write_str(text),
        Output::Written { files } => files
            .iter()
            .try_for_each(|file| writeln!(out, "{}", file.display())),
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
            let mut text = String::new();
            for line in &page.lines {
                log_line(line, false, &mut text);
            }
            out.write_str(&text)
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
    if let Ok(job) = serde_json::from_value::<Job>(output.clone()) {
        return render_job(&job, out);
    }
    if let Ok(told) = serde_json::from_value::<Validation>(output.clone()) {
        return render_validation(&told, out);
    }
    if let Ok(checked) = serde_json::from_value::<Checked>(output.clone()) {
        return config_check::render(&checked, out);
    }
    match output
        .get("findings")
        .cloned()
        .map(serde_json::from_value::<Vec<Finding>>)
    {
        Some(Ok(findings)) => doctor::render(&findings, out),
        _ => app_core::render_value(output, out),
    }
}

/// One line of a log, for people or as JSON.
pub(crate) fn log_line(line: &LogLine, json: bool, out: &mut String) {
    if json {
        out.push_str(&serde_json::to_string(line).unwrap_or_default());
        out.push('\n');
    } else {
        out.push_str(&format!("{} {}\n", clock(line.ts), line.text));
    }
}

fn render_validation(told: &Validation, out: &mut dyn Write) -> fmt::Result {
    if told.valid {
        return writeln!(out, "nothing wrong");
    }
    told.fields
        .iter()
        .try_for_each(|mistake| match mistake.path.as_str() {
            "" => writeln!(out, "the input {}", mistake.message),
            path => writeln!(out, "{path} {}", mistake.message),
        })
}

fn render_status(status: &Status, out: &mut dyn Write) -> fmt::Result {
    match &status.worker {
        Some(worker) => writeln!(out, "worker   pid {} since {}", worker.pid, clock(worker.since))?,
        None => writeln!(out, "worker   none")?,
    }
    writeln!(
        out,
        "slots    {} of {} taken",
        status.slots.used, status.slots.limit
    )?;
    for family in &status.families {
        let limit = family.limit.map(|l| format!(" of {l}")).unwrap_or_default();
        writeln!(out, "family   {}: {}{limit} running", family.family, family.used)?;
    }
    for key in &status.keys {
        writeln!(out, "key      {}: {}", key.key, key.job)?;
    }
    writeln!(
        out,
        "jobs     {} queued, {} running",
        status.queued, status.running
    )?;
    writeln!(out, "disk     {} MB left", status.disk_left >> 20)?;
    if let Some(paused) = &status.paused {
        writeln!(out, "paused   {paused}")?;
    }
    for job in &status.waiting {
        writeln!(out, "{}  {}: {}", job.id, job.tool, job.waiting.detail)?;
    }
    Ok(())
}

fn render_approvals(requests: &[Request], out: &mut dyn Write) -> fmt::Result {
    for request in requests {
        let state = serde_json::to_value(request.state).unwrap_or_default();
        let state = state.as_str().unwrap_or_default().to_owned();
        writeln!(
            out,
            "{} {state}: {} ({})",
            request.id, request.question, request.subject
        )?;
        writeln!(
            out,
            "  asked {} by {}, needs {}",
            clock(request.requested_at),
            request.by,
            request.needed
        )?;
        for hash in &request.shown {
            writeln!(out, "  shown {hash}")?;
        }
        for decided in &request.decisions {
            let said = serde_json::to_value(decided.decision).unwrap_or_default();
            let said = said.as_str().unwrap_or_default().to_owned();
            writeln!(
                out,
                "  {} {said}: {} {}",
                clock(decided.at),
                decided.principal,
                decided.comment
            )?;
        }
    }
    Ok(())
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
            if let Some(waiting) = &job.waiting {
                writeln!(out, "waits: {}", waiting.detail)?;
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
            writeln!(out, "{}", error.message)?;
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
    if let Some(counts) = &page.counts {
        let counts: Vec<String> = counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
        writeln!(out, "{}", counts.join(", "))?;
    }
    if let Some(previous) = page.previous {
        writeln!(out, "newer: --after {previous}")?;
    }
    match page.next {
        Some(next) => writeln!(out, "more: --before {next}"),
        None => Ok(()),
    }
}

fn remark(job: &JobLine) -> String {
    if let Some(waiting) = &job.waiting {
        return waiting.detail.clone();
    }
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
    at.to_zoned(app_core::host_zone())
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
