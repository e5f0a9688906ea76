//! `parity run`: control and candidate side by side on the same input.

use std::path::PathBuf;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    diff::{self, Divergence},
    output::Output,
    report::{Comparison, SideReport},
    seen::{Exit, Seen},
    setup::{Job, Sides},
    side::{self, Ran},
};

/// Fields of `parity run`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Run {
    /// Tool whose script is the control.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 100))]
    pub tool: String,
    /// Arguments for both sides, after `--`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub args: Vec<String>,
    #[serde(flatten)]
    #[garde(dive)]
    pub sides: Sides,
    /// How often the control runs again to find what differs by itself.
    #[serde(default = "once")]
    #[garde(range(max = 20))]
    pub calibrate: u32,
    /// File for the report as JSON.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "out"}))]
    pub report: Option<PathBuf>,
    /// End with exit code 3 when the sides differ, instead of with the control's.
    #[serde(default)]
    pub strict: bool,
}

fn once() -> u32 {
    1
}

/// A comparison and the control's own result, which is the one that counts.
#[derive(Debug)]
pub struct Outcome {
    pub comparison: Comparison,
    pub stdout: Output,
    pub stderr: Output,
    pub exit: Exit,
}

/// Runs both sides in random order, then the control again to find the noise.
pub async fn side_by_side(job: &Job, calibrations: u32, ctx: &Context) -> ToolResult<Outcome> {
    job.guard()?;
    // A script that may reach the world is looked at first: one that acts although it is said to read is not run again.
    let may_reach = job.given.routes.is_none() && job.given.capture;
    let candidate_first = !may_reach && coin();
    let mut early = None;
    if candidate_first {
        early = Some(candidate(job).await?);
    }
    ctx.check_cancelled()?;
    let control = side::run(&job.control, &job.given).await?;
    if let Exit::TimedOut(limit) = control.seen.exit {
        return Err(ToolError::new(
            ErrorKind::Timeout,
            format!("the control did not end within {} s", limit.as_secs_f64()),
        )
        .hint("raise it with `--time-limit-s`"));
    }
    let acted = if job.given.routes.is_none() {
        acts(&control.seen)
    } else {
        Vec::new()
    };
    if !acted.is_empty() {
        let nothing = Ran {
            seen: Seen::not_started("not run, since the script acts".to_owned()),
            notes: Vec::new(),
            stdout: Output::spooled(),
            stderr: Output::spooled(),
        };
        let mut comparison = compared(job, &control, &nothing, &[], 0, false);
        comparison.not_compared.push(format!(
            "the script is said to read and sent {}; it was not run again, nor the tool",
            acted.join(", ")
        ));
        comparison.differences.clear();
        return Ok(Outcome {
            comparison,
            exit: control.seen.exit,
            stdout: control.stdout,
            stderr: control.stderr,
        });
    }
    let candidate = match early {
        Some(ran) => ran,
        None => candidate(job).await?,
    };
    let mut noise = Vec::new();
    for _ in 0..calibrations {
        ctx.check_cancelled()?;
        let again = side::run(&job.control, &job.given).await?;
        noise.extend(diff::compare(&control.seen, &again.seen, &job.rules));
    }
    let comparison = compared(job, &control, &candidate, &noise, calibrations, candidate_first);
    Ok(Outcome {
        comparison,
        exit: control.seen.exit,
        stdout: control.stdout,
        stderr: control.stderr,
    })
}

/// Requests that change something at the other side.
fn acts(seen: &Seen) -> Vec<String> {
    let reading = ["GET", "HEAD", "OPTIONS", "CONNECT", "PROPFIND", "TRACE"];
    let requests = seen
        .requests
        .iter()
        .filter(|request| !reading.contains(&request.method.as_str()));
    let mails = seen.mails.iter().map(|_| "a mail".to_owned());
    requests
        .map(|request| format!("{} {}{}", request.method, request.base, request.path))
        .chain(mails)
        .collect()
}

/// Runs the candidate. Its own faults are differences, never errors.
pub async fn candidate(job: &Job) -> ToolResult<Ran> {
    started(side::run(&job.candidate, &job.given).await)
}

/// A program that cannot be started has been seen not to start.
pub fn started(ran: ToolResult<Ran>) -> ToolResult<Ran> {
    match ran {
        Err(error) if error.source == "process" => Ok(Ran {
            seen: Seen::not_started(error.message),
            notes: Vec::new(),
            stdout: Output::spooled(),
            stderr: Output::spooled(),
        }),
        other => other,
    }
}

fn compared(
    job: &Job,
    control: &Ran,
    candidate: &Ran,
    noise: &[Divergence],
    calibrations: u32,
    candidate_first: bool,
) -> Comparison {
    let found = diff::compare(&control.seen, &candidate.seen, &job.rules);
    let (differences, noisy) = diff::without_noise(found, noise);
    let mut notes: Vec<String> = Vec::new();
    for (who, ran) in [("control", control), ("candidate", candidate)] {
        notes.extend(ran.notes.iter().map(|note| format!("{who}: {note}")));
        for request in ran
            .seen
            .requests
            .iter()
            .filter(|r| r.unexpected && r.answer.is_some())
        {
            notes.push(format!(
                "{who}: the far side has no answer for {} {}{}",
                request.method, request.base, request.path
            ));
        }
    }
    if job.rules.envelope {
        let before = |seen: &Seen| diff::envelope(&seen.stdout).len() < seen.stdout.trim_ascii().len();
        if before(&control.seen) || before(&candidate.seen) {
            notes.push(
                "only the envelope, the last line of stdout, is compared; lines stand before it".to_owned(),
            );
        }
    }
    let lost = String::from_utf8_lossy(&control.seen.stderr).contains("No such file or directory");
    if lost && control.seen.exit != Exit::Code(0) {
        notes.push("the script misses a file: each side has a directory of its own; bring files along with `--files`".to_owned());
    }
    notes.dedup();
    let mut not_compared: Vec<String> = Vec::new();
    for (who, ran) in [("control", control), ("candidate", candidate)] {
        not_compared.extend(ran.seen.escapes.iter().map(|escape| format!("{who}: {escape}")));
        let cut = ran.notes.iter().filter(|note| note.starts_with("not compared: "));
        not_compared.extend(cut.map(|note| format!("{who}: {}", note.trim_start_matches("not compared: "))));
    }
    if let Exit::NotStarted(why) = &candidate.seen.exit {
        not_compared.push(format!("the candidate: {why}"));
    }
    if !job.given.capture {
        not_compared.push("connections: `--capture=false` leaves them unseen".to_owned());
    }
    Comparison {
        tool: job.tool.clone(),
        clean: differences.is_empty() && not_compared.is_empty(),
        not_compared,
        class: job.rules.class,
        normalise: job.rules.normalise.clone(),
        calibrations,
        first: if candidate_first { "candidate" } else { "control" }.to_owned(),
        control: SideReport::of(&job.control, &control.seen),
        candidate: SideReport::of(&job.candidate, &candidate.seen),
        differences,
        noise: noisy,
        notes,
    }
}

/// Which side goes first is drawn, so that neither always finds a warm machine.
fn coin() -> bool {
    let mut byte = [0_u8; 1];
    getrandom::fill(&mut byte).is_ok() && byte[0] & 1 == 1
}
