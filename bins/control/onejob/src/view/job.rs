//! Jobs: one in full, pages of them, and what a cancelled one leaves.

use std::fmt::{self, Write};

use job_manager::{CancelReport, Job, JobLine, JobPage, JobState, Route};

use super::{
    table::Table,
    words::{clock, done, took},
};

pub(super) fn render_job(job: &Job, out: &mut dyn Write) -> fmt::Result {
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

pub(super) fn render_page(page: &JobPage, out: &mut dyn Write) -> fmt::Result {
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

pub(super) fn render_report(report: &CancelReport, out: &mut dyn Write) -> fmt::Result {
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
