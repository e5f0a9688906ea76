//! How results are printed for people.

use std::{fmt, path::Path};

use app_core::{
    state::{Request, RequestState},
    text::visible_line,
};

use crate::{
    plan::PlannedStep,
    run::{Run, StepRun, StepStatus},
    runs::RunLine,
    shown::digest,
};

/// A dry run.
pub(crate) fn plan(steps: &[PlannedStep], out: &mut dyn fmt::Write) -> fmt::Result {
    for (index, step) in steps.iter().enumerate() {
        let after = if step.needs.is_empty() {
            String::new()
        } else {
            format!("  after {}", step.needs.join(", "))
        };
        writeln!(out, "{:>3}. {:<20} {}{after}", index + 1, step.id, step.tool)?;
    }
    Ok(())
}

/// A run, step by step.
pub(crate) fn run(run_dir: &Path, report: Option<&Path>, run: &Run, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "{}  {}", run.id, run.status.word())?;
    for one in &run.steps {
        step(run_dir, one, out)?;
    }
    if let Some(report) = report {
        writeln!(out, "report: {}", report.display())?;
    }
    Ok(())
}

fn step(run_dir: &Path, step: &StepRun, out: &mut dyn fmt::Write) -> fmt::Result {
    let icon = match step.status {
        StepStatus::Succeeded => "✅",
        StepStatus::Failed => "❌",
        StepStatus::Skipped => "⏭️",
        StepStatus::WaitingForApproval => "✋",
        StepStatus::Pending | StepStatus::Running => "⏳",
    };
    let tool = step.tool.as_deref().unwrap_or("approval");
    let time = step
        .duration_ms
        .map(|ms| format!("{:.1} s", ms as f64 / 1000.0))
        .unwrap_or_default();
    writeln!(
        out,
        "{icon} {:<20} {tool:<22} {time:>8}  {}",
        step.id, step.cost_usd
    )?;
    let shown = step
        .artifacts
        .iter()
        .filter(|a| a.role != "manifest" && a.role != "sidecar");
    for artifact in shown {
        writeln!(out, "     {}", run_dir.join(&artifact.path).display())?;
    }
    approval(step, out)?;
    if let Some(error) = &step.error {
        writeln!(out, "     {}", visible_line(&error.message))?;
    }
    Ok(())
}

/// What was asked and said for a step, with what is shown while it waits.
fn approval(step: &StepRun, out: &mut dyn fmt::Write) -> fmt::Result {
    let Some(approval) = &step.approval else {
        return Ok(());
    };
    writeln!(
        out,
        "     {}",
        visible_line(step.question.as_deref().unwrap_or_default())
    )?;
    for said in &approval.said {
        writeln!(out, "     {} {}", spoken(said.decision), said.by)?;
        if !said.comment.is_empty() {
            writeln!(out, "       {}", visible_line(&said.comment))?;
        }
    }
    if step.status == StepStatus::WaitingForApproval {
        if approval.needed > 1 {
            writeln!(out, "     needs {} different people", approval.needed)?;
        }
        for one in &approval.shown {
            writeln!(out, "     shown: {} {}", short(&one.sha256), one.what)?;
        }
        let seen = digest(&approval.shown);
        writeln!(out, "     request {}, --seen {seen}", approval.request)?;
    }
    Ok(())
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

const fn spoken(decision: app_core::state::Decision) -> &'static str {
    match decision {
        app_core::state::Decision::Approve => "approved by",
        app_core::state::Decision::Reject => "rejected by",
    }
}

/// A decision, and what follows from it.
pub(crate) fn decision(request: &Request, next: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    let state = match request.state {
        RequestState::Waiting => "waiting",
        RequestState::Approved => "approved",
        RequestState::Rejected => "rejected",
        RequestState::Withdrawn => "withdrawn",
    };
    writeln!(out, "{} {state}: {}", request.id, visible_line(&request.question))?;
    for said in &request.decisions {
        writeln!(out, "  {} {}", spoken(said.decision), said.principal)?;
        if !said.comment.is_empty() {
            writeln!(out, "    {}", visible_line(&said.comment))?;
        }
    }
    writeln!(out, "{next}")
}

/// Runs of a folder.
pub(crate) fn list(runs: &[RunLine], left_out: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    if runs.is_empty() {
        writeln!(out, "no runs")?;
    }
    for run in runs {
        writeln!(
            out,
            "{:<20} {:>2}/{:<2} {:>8}  {}",
            run.state.word(),
            run.done,
            run.steps,
            run.cost_usd.to_string(),
            visible_line(&run.run_dir.display().to_string())
        )?;
        for question in &run.waiting {
            writeln!(
                out,
                "  ✋ {}: {}",
                visible_line(&question.step),
                visible_line(&question.text)
            )?;
        }
    }
    if left_out > 0 {
        writeln!(out, "{left_out} older runs are left out; --limit shows more")?;
    }
    Ok(())
}
