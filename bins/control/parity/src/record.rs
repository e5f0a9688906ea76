//! `parity record`: one run of the replaced script becomes a case that `parity check` runs the tool against.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    recording::{self, CaseText},
    redact::{self, Secrets},
    replay,
    seen::{Entry, Exit, Kind, Seen},
    setup::{Job, Sides},
    side,
};

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

fn write(
    input: &Record,
    job: &Job,
    seen: &Seen,
    secrets: &Secrets,
    inputs: &std::collections::BTreeMap<String, Entry>,
    clock: jiff::Timestamp,
) -> ToolResult<PathBuf> {
    let target = &input.case_dir;
    let name = target
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let parent = target
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let failed = |e: &std::io::Error| ToolError::file("write the case to", target, e);
    std::fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    let half = tempfile::Builder::new()
        .prefix(".case-")
        .tempdir_in(parent)
        .map_err(|e| failed(&e))?;
    let (mut expected, mut details) = recording::expected(seen, inputs, &job.given.sqlite);
    job.candidate_args.clone_into(&mut details.candidate_args);
    details.normalisers.clone_from(&job.rules.normalise);
    details.any_order = job.rules.any_order;
    details.envelope = job.rules.envelope;
    details.confined = input.sides.confine;
    details.program = program(job);
    if job.given.routes.is_none() && seen.requests.is_empty() {
        expected["http_requests"] = Value::Null;
    }
    let routes = match &job.given.routes {
        Some(routes) => (!routes.is_empty()).then(|| routes.clone()),
        None => (!seen.requests.is_empty()).then(|| recording::routes(&seen.requests)),
    };
    let stdin = String::from_utf8(job.given.stdin.clone())
        .map_err(|_| ToolError::invalid("stdin", "a case holds text on stdin, and this is none"))?;
    let env: serde_json::Map<String, Value> = job
        .given
        .env
        .iter()
        .map(|(name, value)| {
            let hidden = redact::is_secret(name) && !value.is_empty();
            let value = if hidden {
                redact::filler(value)
            } else {
                secrets.text(value)
            };
            (name.clone(), json!(value))
        })
        .collect();
    let args: Vec<String> = job.args.iter().map(|arg| secrets.text(arg)).collect();
    let text = CaseText {
        tool: &job.tool,
        case: &name,
        script: &secrets.text(&job.script),
        summary: input
            .summary
            .as_deref()
            .unwrap_or("recorded from the replaced script"),
        args: &args,
        env: Value::Object(env),
        stdin: if stdin.is_empty() {
            Value::Null
        } else {
            json!(secrets.text(&stdin))
        },
        files_in: inputs
            .iter()
            .filter(|(_, e)| e.kind != Kind::Folder)
            .map(|(n, _)| n.clone())
            .collect(),
        // To the second: a script that prints its time is read back in the same one.
        clock: clock.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        routes,
        class: job.rules.class,
    };
    let json = serde_json::to_string_pretty(&text.value(expected, &details))
        .map_err(|e| ToolError::internal(format!("case: {e}")))?;
    std::fs::write(half.path().join("case.json"), json + "\n").map_err(|e| failed(&e))?;
    for (from, to) in &job.given.inputs {
        let inner = half.path().join("in").join(to);
        copy_clean(from, &inner, secrets).map_err(|e| ToolError::file("copy", from, &e))?;
    }
    for name in details.modes.keys() {
        let entry = seen.files.get(name).map(|entry| &entry.kind);
        put(&half.path().join("out").join(name), entry).map_err(|e| failed(&e))?;
    }
    for name in details.folders.keys() {
        std::fs::create_dir_all(half.path().join("out").join(name)).map_err(|e| failed(&e))?;
    }
    if target.exists() {
        let intended = target.join("intended.json");
        if intended.is_file() {
            std::fs::copy(&intended, half.path().join("intended.json")).map_err(|e| failed(&e))?;
        }
        let old = tempfile::Builder::new()
            .prefix(".case-")
            .tempdir_in(parent)
            .map_err(|e| failed(&e))?;
        std::fs::rename(target, old.path().join("old")).map_err(|e| failed(&e))?;
    }
    std::fs::rename(half.path(), target).map_err(|e| failed(&e))?;
    // It has another name now, and the folder was private to its maker until it was whole.
    let _ = half.keep();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(target, open).map_err(|e| failed(&e))?;
    Ok(target.clone())
}

/// The binary behind the candidate: `dispatch` for scripts that the old dispatcher called.
fn program(job: &Job) -> String {
    let dispatch = job.given.tools.join("dispatch").display().to_string();
    if job.candidate.first() == Some(&dispatch) {
        "dispatch".to_owned()
    } else {
        job.tool.clone()
    }
}

fn put(path: &Path, kind: Option<&Kind>) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match kind {
        Some(Kind::File(bytes)) => std::fs::write(path, bytes),
        Some(Kind::Link(target)) => std::os::unix::fs::symlink(target, path),
        _ => Ok(()),
    }
}

fn copy_clean(from: &Path, to: &Path, secrets: &Secrets) -> std::io::Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy_clean(&entry.path(), &to.join(entry.file_name()), secrets)?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::copy(from, to)?;
    let bytes = std::fs::read(from)?;
    let clean = secrets.bytes(&bytes);
    if clean == bytes {
        Ok(())
    } else {
        std::fs::write(to, clean)
    }
}
