//! `parity record`: one run of the replaced script becomes a case that `parity check` runs the tool against.

mod write;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    recording,
    redact::{self, Secrets},
    replay,
    seen::{Exit, Kind},
    setup::{Job, Sides},
    side,
};
use write::write;

/// Fields of `parity record`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Record {
    /// Tool whose script is recorded.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 100))]
    pub tool: String,
    /// Folder of the new case: `fixtures/parity/TOOL/CASE`.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub case_dir: PathBuf,
    /// Arguments of the script, after `--`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 3}))]
    pub args: Vec<String>,
    #[serde(flatten)]
    #[garde(dive)]
    pub sides: Sides,
    /// What the case shows, in a few words.
    #[serde(default)]
    pub summary: Option<String>,
    /// Record a script that acts on the world: what it does is really done, once.
    #[serde(default)]
    pub live: bool,
    /// Replace a case that is there; its `intended.json` stays.
    #[serde(default)]
    pub force: bool,
}

/// The result of `parity record`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Recorded {
    /// The new case.
    pub case_dir: PathBuf,
    /// How the script ended.
    pub ended: String,
    /// Requests it made.
    pub requests: usize,
    /// Mails it sent.
    pub mails: usize,
    /// Files it made or changed.
    pub files: usize,
    /// Secrets whose values were replaced by `REDACTED`.
    pub secrets_hidden: usize,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// The command that runs the tool against it.
    pub check: String,
}

impl Recorded {
    /// Lines for people.
    pub fn render(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(
            out,
            "recorded {}: {}, {} requests, {} mails, {} files, {} secrets hidden",
            self.case_dir.display(),
            self.ended,
            self.requests,
            self.mails,
            self.files,
            self.secrets_hidden
        )?;
        for note in &self.notes {
            writeln!(out, "  note: {note}")?;
        }
        writeln!(out, "  run the tool against it: {}", self.check)
    }
}

impl Record {
    /// What would be run, checked as far as it can be without running it.
    pub async fn job(&self, ctx: &Context) -> ToolResult<Job> {
        if self.case_dir.join("case.json").exists() && !self.force {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!("`{}` holds a case already", self.case_dir.display()),
            )
            .code("case_exists")
            .hint("give the new case another name, or replace this one with `--force`"));
        }
        let job = self.sides.job(&self.tool, &self.args, ctx).await?;
        if let Some(path) = job.given.outside.first() {
            return Err(ToolError::invalid(
                "args",
                format!(
                    "`{}` is an absolute path, and a case holds its own files",
                    path.display()
                ),
            )
            .hint("go to the folder of the files and name them from there"));
        }
        let acts = job.acts()?;
        if !acts.is_empty() && !job.given.faked && !self.live {
            return Err(job.refusal(&acts, "recording it would really do that").hint(
                "fake its other side with `--far-side FILE` or `--smtp`, or say `--live` when it may happen once",
            ));
        }
        Ok(job)
    }
}

/// Runs the script once and writes the case, whole or not at all.
pub async fn record(input: &Record, job: &Job, ctx: &Context) -> ToolResult<Recorded> {
    let clock = ctx.now();
    let ran = side::run(&job.control, &job.given).await?;
    let mut seen = ran.seen;
    match &seen.exit {
        Exit::Code(_) => {}
        other => {
            return Err(
                ToolError::new(ErrorKind::Timeout, format!("the script was {other}"))
                    .hint("a case needs a run that ends by itself; see `--time-limit-s`"),
            );
        }
    }
    if let Some(note) = ran
        .notes
        .iter()
        .find(|note| note.starts_with("cannot reach") || note.contains("trust"))
    {
        return Err(
            ToolError::new(ErrorKind::Network, format!("nothing recorded: {note}"))
                .hint("the case would hold the answers of the proxy instead of the far side's"),
        );
    }
    seen.files.retain(|name, _| recording::in_work(name));
    if let Some((name, _)) = seen
        .files
        .iter()
        .find(|(_, entry)| matches!(entry.kind, Kind::Large(..)))
    {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{name}` is larger than 8 MiB, too large for a case"),
        ));
    }
    let secrets = Secrets::of(&job.given.env, &seen);
    let inputs = replay::tree(&job.given)?;
    redact::places(&mut seen);
    secrets.seen(&mut seen);
    let case = write(input, job, &seen, &secrets, &inputs, clock)?;
    let mut notes = ran.notes;
    let unanswered = seen.requests.iter().filter(|r| r.unexpected);
    notes.extend(
        unanswered.map(|r| format!("the far side had no answer for {} {}{}", r.method, r.base, r.path)),
    );
    let folder = case.parent().and_then(Path::file_name).unwrap_or_default();
    if folder != job.tool.as_str() {
        notes.push(format!(
            "`parity check` looks for the cases of `{0}` in folders named `{0}`",
            job.tool
        ));
    }
    let cases = case.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let made = seen
        .files
        .iter()
        .filter(|(name, entry)| inputs.get(*name) != Some(*entry))
        .count();
    Ok(Recorded {
        check: format!("parity check {} --cases {}", job.tool, cases.display()),
        case_dir: case,
        ended: seen.exit.to_string(),
        requests: seen.requests.len(),
        mails: seen.mails.len(),
        files: made,
        secrets_hidden: secrets.len(),
        notes,
    })
}
