//! `doctor`: what this host lacks, with the line that mends each.

mod files;
mod needs;

use std::fmt::{self, Write};

use app_core::{Context, ToolResult};
use job_manager::{JobManager, Options, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use files::{sessions, state_folder, too_open, tools_folder};
use needs::{helpers, variables};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Something that only some tools or settings need.
    Lacking,
    /// To be mended.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Finding {
    /// What: `browser`, `secret SMTP_PASSWORD`, `state folder`.
    pub what: String,
    /// How it is.
    pub level: Level,
    /// In words.
    pub found: String,
    /// The line that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    fn ok(what: &str, found: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            level: Level::Ok,
            found: found.into(),
            mend: None,
        }
    }

    fn bad(level: Level, what: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            level,
            found: found.into(),
            mend: Some(mend.into()),
        }
    }
}

/// Looks at everything; changes nothing but what opening the store changes.
pub(crate) async fn run(ctx: &Context) -> ToolResult<Vec<Finding>> {
    let state = ctx.state_dir()?.to_owned();
    let mut findings = Vec::new();
    findings.push(state_folder(&state));
    findings.extend(too_open(&state));
    findings.extend(configuration(ctx));
    let options = Options::from_config(ctx.config(), &state, Role::Client);
    match options {
        Ok(options) => {
            findings.push(tools_folder(&options.tools_dir));
            match JobManager::open(options) {
                Ok(jobs) => {
                    let tools: Vec<_> = jobs
                        .list_tools()
                        .await?
                        .into_iter()
                        .map(|t| t.definition)
                        .collect();
                    findings.extend(helpers(ctx));
                    findings.extend(variables(ctx, &tools));
                    findings.extend(worker(&jobs).await?);
                }
                Err(e) => findings.push(Finding::bad(
                    Level::Wrong,
                    "job store",
                    e.message,
                    e.hint.unwrap_or_default(),
                )),
            }
        }
        Err(e) => findings.push(Finding::bad(
            Level::Wrong,
            "onejob.toml",
            e.message,
            "onejob config check",
        )),
    }
    findings.extend(sessions(ctx));
    Ok(findings)
}

pub(crate) fn render(findings: &[Finding], out: &mut dyn Write) -> fmt::Result {
    for finding in findings {
        let mark = match finding.level {
            Level::Ok => "ok     ",
            Level::Lacking => "lacking",
            Level::Wrong => "wrong  ",
        };
        writeln!(out, "{mark}  {}: {}", finding.what, finding.found)?;
        if let Some(mend) = &finding.mend {
            writeln!(out, "         {mend}")?;
        }
    }
    Ok(())
}

fn configuration(ctx: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    match ctx.config().find_file("onejob.toml") {
        None => findings.push(Finding::ok(
            "onejob.toml",
            "there is none: everything is as it comes",
        )),
        Some(file) => findings.push(Finding::ok("onejob.toml", format!("`{}`", file.display()))),
    }
    for name in ctx.config().unused_dotenv() {
        findings.push(Finding::bad(
            Level::Wrong,
            format!(".env {name}"),
            "is not used: it decides what runs, and is taken from the real environment only",
            format!("export {name}=..."),
        ));
    }
    findings
}

async fn worker(jobs: &JobManager) -> ToolResult<Vec<Finding>> {
    let status = jobs.status().await?;
    let mut findings = Vec::new();
    match status.worker {
        Some(worker) => findings.push(Finding::ok(
            "worker",
            format!("pid {} since {}", worker.pid, worker.since),
        )),
        None if status.queued > 0 => findings.push(Finding::bad(
            Level::Wrong,
            "worker",
            format!("none runs, and {} jobs wait", status.queued),
            "worker &",
        )),
        None => findings.push(Finding::bad(
            Level::Lacking,
            "worker",
            "none runs; `onejob run` works without one, `onejob start` waits for one",
            "worker &",
        )),
    }
    let megabytes = status.disk_left >> 20;
    findings.push(match status.paused {
        Some(why) => Finding::bad(
            Level::Wrong,
            "disk",
            why,
            format!("df -h {}", jobs.state_dir().display()),
        ),
        None if megabytes < 200 => Finding::bad(
            Level::Lacking,
            "disk",
            format!("only {megabytes} MB are left for the state folder"),
            "onejob prune --keep-days 7",
        ),
        None => Finding::ok("disk", format!("{megabytes} MB left for the state folder")),
    });
    Ok(findings)
}
