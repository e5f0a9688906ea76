//! The host: its tools, who works there, and what ran.

use std::fmt::{self, Write};

use app_core::state::RunRecord;
use job_manager::{Route, Status, ToolEntry};

use super::{
    table::Table,
    words::{clock, took},
};

pub(super) fn render_status(status: &Status, out: &mut dyn Write) -> fmt::Result {
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

pub(super) fn render_tools(tools: &[ToolEntry], out: &mut dyn Write) -> fmt::Result {
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

pub(super) fn render_runs(runs: &[RunRecord], out: &mut dyn Write) -> fmt::Result {
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
