//! What `onejob` answers, and how a person sees it.

mod host;
mod job;
mod table;
mod words;

use std::{
    fmt::{self, Write},
    path::PathBuf,
};

use app_core::state::{Request, RunRecord};
use job_manager::{
    ArtifactInfo, CancelReport, FallbackCount, Job, JobPage, LogLine, LogPage, Pruned, Started, Status,
    ToolEntry, ToolList, Validation,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    config_check::{self, Checked, Keys},
    doctor::{self, Finding},
    route::{self, Switched},
};
use host::{render_runs, render_status, render_tools};
use job::{render_job, render_page, render_report};
use table::Table;
use words::clock;

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
