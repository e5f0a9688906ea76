//! `parity shadow`: a scheduled run of the replaced script as it always was, then the tool on the same input, unseen.
//!
//! Nothing the tool does reaches the script's result. Every comparison is one line of the divergence log.

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    os::unix::{fs::MetadataExt as _, process::ExitStatusExt as _},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use app_core::{Context, ToolError, ToolResult, process::ChildGroup};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    diff::{self, Divergence},
    divergence_log::Line,
    place::{self, Names, Place},
    run,
    seen::{Entry, Exit, Kind, Seen},
    setup::{Job, Sides},
    side::{self, Given},
    sqlite,
};

/// Bytes of the script's output that are kept for the comparison; all of it passes through.
const KEPT: usize = 16 << 20;

/// Entries of the working directory that are looked at for files the script made.
const MAX_ENTRIES: usize = 20_000;

/// Fields of `parity shadow`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Shadow {
    /// Tool whose script is run.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 100))]
    pub tool: String,
    /// Arguments of the script, after `--`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(skip)]
    pub args: Vec<String>,
    #[serde(flatten)]
    #[garde(dive)]
    pub sides: Sides,
    /// How often the script runs again, apart, when the tool differs, to find what differs by itself.
    #[serde(default = "once")]
    #[garde(range(max = 20))]
    pub calibrate: u32,
}

fn once() -> u32 {
    1
}

/// Runs the script for real, its output passing through, then the tool apart. Gives the script's end and the log
/// line, unless the script was told to stop.
pub async fn shadow(job: &Job, calibrations: u32, ctx: &Context) -> ToolResult<(Exit, Option<Line>)> {
    // Copies are taken before the script may change its inputs.
    let prepared = prepare(job);
    let cwd = std::env::current_dir().unwrap_or_default();
    let before = snapshot(&cwd);
    let started = Instant::now();
    let (exit, stdout, stderr) = pass_through(job, ctx).await?;
    let took = started.elapsed();
    if ctx.check_cancelled().is_err() {
        // A run that was cut short says nothing about the tool.
        return Ok((exit, None));
    }
    let at = ctx.now();
    let line = Line {
        v: 1,
        at,
        tool: job.tool.clone(),
        clean: false,
        differences: Vec::new(),
        calibrated: false,
        input_sha256: String::new(),
        legacy_ms: took.as_millis() as u64,
        rust_ms: 0,
    };
    let refused = |why: String| Line {
        differences: vec![format!("not compared: {why}")],
        ..line.clone()
    };
    let (stash, given, input_sha256) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Ok((exit, Some(refused(error.message)))),
    };
    let control = Seen {
        exit: exit.clone(),
        stdout,
        stderr,
        files: made(&cwd, before.as_ref(), &given),
        requests: Vec::new(),
        mails: Vec::new(),
        tables: tables(&cwd, &given),
        took,
    };
    let control = named(control, &Names::of_directory(&cwd));
    let apart = Job { given, ..job.clone() };
    let compared = compare(&apart, &control, before.is_some(), calibrations).await;
    drop(stash);
    let line = match compared {
        Ok((differences, calibrated, rust)) => Line {
            clean: differences.is_empty(),
            differences: differences.iter().map(told).collect(),
            calibrated,
            rust_ms: rust.as_millis() as u64,
            input_sha256,
            ..line
        },
        Err(error) => Line {
            input_sha256,
            ..refused(error.message)
        },
    };
    Ok((exit, Some(line)))
}

/// Inputs put aside, and what the candidate gets instead of the real ones.
fn prepare(job: &Job) -> ToolResult<(Place, Given, String)> {
    let acts = job.acts()?;
    if !acts.is_empty() {
        return Err(job.refusal(&acts, "only tools that read and write files are shadowed"));
    }
    let stash = Place::new()?;
    let mut sha = sha2::Sha256::new();
    let mut add = |part: &[u8]| {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    };
    job.args.iter().for_each(|arg| add(arg.as_bytes()));
    add(&job.given.stdin);
    let mut given = job.given.clone();
    for (from, to) in &mut given.inputs {
        let aside = stash.work().join(&*to);
        stash.copy_in(from, &aside)?;
        *from = aside;
    }
    for (name, entry) in stash.tree() {
        add(name.as_bytes());
        match entry.kind {
            Kind::File(bytes) => add(&bytes),
            Kind::Large(_, hash) => add(hash.as_bytes()),
            Kind::Link(target) => add(target.as_bytes()),
            Kind::Folder => {}
        }
    }
    // The script ran with the host's time zone, and so must the tool.
    given.tz = app_core::config::process_env("TZ");
    // What the script asked the world is not known, so what the tool asks is not compared.
    given.capture = false;
    Ok((stash, given, hex::encode(sha.finalize())))
}

/// The script as it always ran: in this directory, with this environment, its output passed on as it comes.
async fn pass_through(job: &Job, ctx: &Context) -> ToolResult<(Exit, Vec<u8>, Vec<u8>)> {
    let (program, arguments) = job
        .control
        .split_first()
        .ok_or_else(|| ToolError::invalid("control", "the command is empty"))?;
    let mut command = tokio::process::Command::new(program);
    // The events of this run are this run's own.
    command
        .args(arguments)
        .env_remove("ONEJOB_EVENTS_FD")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.stdin(if !job.given.stdin.is_empty() {
        Stdio::piped()
    } else if std::io::stdin().is_terminal() {
        // In a process group of its own, a script that reads the terminal would be stopped for ever.
        Stdio::null()
    } else {
        Stdio::inherit()
    });
    let mut group = ChildGroup::spawn(command)?;
    let (input, output, errors) = {
        let child = group.child();
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    };
    let stdin = &job.given.stdin;
    let write = async move {
        if let Some(mut pipe) = input {
            let _ = pipe.write_all(stdin).await;
        }
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let cancel = ctx.cancellation().clone();
    let io = async {
        tokio::join!(
            tee(output, &mut out, app_core::stdout::stdout()),
            tee(errors, &mut err, std::io::stderr()),
            write
        )
    };
    let ended = {
        tokio::pin!(io);
        let mut closed = false;
        // Told to stop, the script is told too, and what it still says is still passed on.
        let mut asked = false;
        let grace = ctx.policy().cancel_grace().mul_f64(0.9);
        let late = async {
            cancel.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::pin!(late);
        let status = loop {
            tokio::select! {
                () = cancel.cancelled(), if !asked => {
                    group.terminate();
                    asked = true;
                }
                () = &mut late => break None,
                status = group.wait() => break Some(status),
                _ = &mut io, if !closed => closed = true,
            }
        };
        if status.is_some() && !closed {
            // A child it left in the background may hold the pipes for ever.
            let _ = tokio::time::timeout(Duration::from_millis(300), io).await;
        }
        status
    };
    // Dropped with the group, a script that does not stop is ended by force.
    let status = ended.ok_or_else(ToolError::cancelled)?;
    let status = status.map_err(|e| ToolError::internal(format!("cannot wait for the script: {e}")))?;
    let exit = status
        .code()
        .map_or_else(|| Exit::Signal(status.signal().unwrap_or_default()), Exit::Code);
    // Whatever the script left running stays, as it always did.
    group.release();
    Ok((exit, out, err))
}

async fn tee(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>, mut to: impl std::io::Write) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = pipe.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        // A reader that left must not stop the script.
        let _ = to.write_all(&buffer[..read]).and_then(|()| to.flush());
        let room = KEPT - kept.len();
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
}

/// The tool apart; when it differs, the script apart too, which shows what differs by itself.
async fn compare(
    job: &Job,
    control: &Seen,
    files_known: bool,
    calibrations: u32,
) -> ToolResult<(Vec<Divergence>, bool, Duration)> {
    let inputs = crate::replay::tree(&job.given)?;
    let shown = |mut seen: Seen| {
        seen.requests.clear();
        seen.mails.clear();
        seen.files
            .retain(|name, entry| !name.starts_with(['~', '/']) && inputs.get(name) != Some(&*entry));
        if !files_known {
            seen.files.clear();
        }
        seen
    };
    let candidate = shown(run::candidate(job).await?.seen);
    let mut control = control.clone();
    if !files_known {
        control.files.clear();
    }
    let found = diff::compare(&control, &candidate, &job.rules);
    if found.is_empty() || calibrations == 0 {
        return Ok((found.clone(), found.is_empty(), candidate.took));
    }
    let mut noise = Vec::new();
    for _ in 0..calibrations {
        let again = shown(side::run(&job.control, &job.given).await?.seen);
        noise.extend(diff::compare(&control, &again, &job.rules));
    }
    let (differences, _) = diff::without_noise(found, &noise);
    Ok((differences, true, candidate.took))
}

fn told(found: &Divergence) -> String {
    format!(
        "{}: {}: legacy {}, rust {}",
        found.place,
        found.what,
        crate::report::short(&found.control),
        crate::report::short(&found.candidate)
    )
}

type Stamp = (i64, i64, u64, u64, u32);

/// Every entry of the directory with what changes when it is written; `None` when there are too many.
fn snapshot(cwd: &Path) -> Option<BTreeMap<String, Stamp>> {
    let mut found = BTreeMap::new();
    walk(cwd, "", &mut found).then_some(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Stamp>) -> bool {
    for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = item.metadata() else { continue };
        let name = format!("{prefix}{}", item.file_name().to_string_lossy());
        // A folder changes whenever something in it does.
        let time = if metadata.is_dir() {
            (0, 0)
        } else {
            (metadata.mtime(), metadata.mtime_nsec())
        };
        let size = if metadata.is_dir() { 0 } else { metadata.len() };
        let stamp = (time.0, time.1, size, metadata.ino(), metadata.mode());
        let inner = !metadata.is_dir() || walk(&item.path(), &format!("{name}/"), found);
        found.insert(name, stamp);
        if !inner || found.len() > MAX_ENTRIES {
            return false;
        }
    }
    true
}

/// What the script made or changed.
fn made(cwd: &Path, before: Option<&BTreeMap<String, Stamp>>, given: &Given) -> BTreeMap<String, Entry> {
    let (Some(before), Some(after)) = (before, snapshot(cwd)) else {
        return BTreeMap::new();
    };
    let ours = app_core::state::state_dir().unwrap_or_default();
    let changed = after
        .into_iter()
        .filter(|(name, stamp)| before.get(name) != Some(stamp));
    let mut files = BTreeMap::new();
    for (name, _) in changed {
        let path = cwd.join(&name);
        let own = path.starts_with(&ours) || name.split('/').any(|part| part == "__pycache__");
        if own || given.sqlite.iter().any(|file| side::is_database(&name, file)) {
            continue;
        }
        if let Some(entry) = place::entry(&path).filter(|entry| !place::is_own(&name, entry)) {
            files.insert(name, entry);
        }
    }
    files
}

fn tables(cwd: &Path, given: &Given) -> BTreeMap<String, crate::seen::Table> {
    let mut tables = BTreeMap::new();
    for file in &given.sqlite {
        for (name, table) in sqlite::tables(&cwd.join(file)).unwrap_or_default() {
            tables.insert(format!("{file}:{name}"), table);
        }
    }
    tables
}

fn named(mut seen: Seen, names: &Names) -> Seen {
    seen.stdout = names.bytes(&seen.stdout);
    seen.stderr = names.bytes(&seen.stderr);
    for entry in seen.files.values_mut() {
        if let Kind::File(bytes) = &mut entry.kind {
            *bytes = names.bytes(bytes);
        }
    }
    seen
}
