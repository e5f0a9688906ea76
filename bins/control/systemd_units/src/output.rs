//! What is shown.

use std::fmt;

use app_core::text::visible_line;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    host::{Change, FileChange},
    schedule::Job,
    verify::Judgement,
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Output {
    /// What is written and removed.
    Units {
        /// The entries of the schedule.
        entries: Vec<EntryPlan>,
        /// The files of the host.
        files: Vec<FileChange>,
        /// What is allowed but odd.
        warnings: Vec<String>,
        /// Commands that are left to do, in this order.
        steps: Vec<String>,
    },
    /// What systemd says of the units.
    Check {
        /// One for each unit.
        judgements: Vec<Judgement>,
    },
}

/// One entry.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EntryPlan {
    /// Its name.
    pub(crate) name: String,
    /// The tool.
    pub(crate) tool: String,
    /// When it runs.
    pub(crate) when: String,
    /// Its next time by the calendar.
    pub(crate) next: Option<Timestamp>,
    /// Its units; none when the tool is not installed.
    pub(crate) units: Vec<String>,
}

impl EntryPlan {
    pub(crate) fn of(job: &Job, units: Vec<String>, now: Timestamp) -> Self {
        let when = match (&job.calendar, job.interval) {
            (Some(calendar), _) => calendar.clone(),
            (None, Some(interval)) => format!("every {interval:#}"),
            (None, None) => "all the time".to_owned(),
        };
        Self {
            name: job.entry.name.clone(),
            tool: job.entry.tool.clone(),
            when,
            next: job.when.as_ref().and_then(|when| when.next(now)),
            units,
        }
    }
}

impl Output {
    pub(crate) fn of(
        entries: Vec<EntryPlan>,
        files: Vec<FileChange>,
        warnings: Vec<String>,
        steps: Vec<String>,
    ) -> Self {
        Self::Units {
            entries,
            files,
            warnings,
            steps,
        }
    }
}

pub(crate) fn render(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    match output {
        Output::Check { judgements } => {
            for one in judgements {
                let mark = if one.passes() { "✅" } else { "❌" };
                let exposure = one
                    .exposure
                    .map(|e| format!("  exposure {e:.1}"))
                    .unwrap_or_default();
                writeln!(out, "{mark} {}{exposure}", one.unit)?;
                for complaint in &one.complaints {
                    writeln!(out, "   {}", visible_line(complaint))?;
                }
            }
            Ok(())
        }
        Output::Units {
            entries,
            files,
            steps,
            ..
        } => {
            for entry in entries {
                let next = entry
                    .next
                    .map(|at| format!(", next {}", at.strftime("%Y-%m-%d %H:%M:%S UTC")))
                    .unwrap_or_default();
                writeln!(
                    out,
                    "{}: {} {}{next}",
                    entry.name,
                    entry.tool,
                    visible_line(&entry.when)
                )?;
            }
            for file in files {
                writeln!(
                    out,
                    "  {} {}",
                    word(file.change),
                    visible_line(&file.path.to_string_lossy())
                )?;
            }
            for (number, step) in steps.iter().enumerate() {
                if number == 0 {
                    writeln!(out, "then:")?;
                }
                writeln!(out, "  {step}")?;
            }
            Ok(())
        }
    }
}

const fn word(change: Change) -> &'static str {
    match change {
        Change::Create => "new      ",
        Change::Update => "changed  ",
        Change::Keep => "the same ",
        Change::Remove => "removed  ",
        Change::Conflict => "CONFLICT ",
    }
}
