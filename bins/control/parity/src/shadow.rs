//! `parity shadow`: a scheduled run of the replaced script as it always was, then the tool on the same input, unseen.
//!
//! Nothing the tool does reaches the script's result. Every comparison is one line of the divergence log.

mod directory;
mod script;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use app_core::{Context, ToolError, ToolResult};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{
    diff::{self, Divergence},
    divergence_log::Line,
    first::{self, Ran},
    output::Output,
    place::{self, Names, Place},
    report, run,
    seen::{Exit, Kind, Seen},
    setup::{Job, Sides},
    side::{self, Given},
};
use directory::{MAX_ENTRIES, made, tables};

pub use directory::{Stamp, snapshot};
pub use script::pass_through;

/// Fields of `parity shadow`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Shadow {
    /// Tool whose script is run.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 100))]
    pub tool: String,
    /// Arguments of the script, after `--`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 2}))]
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
/// line, unless the script was told to stop. Where the script has run already, only the tool runs.
pub async fn shadow(job: &Job, calibrations: u32, ctx: &Context) -> ToolResult<(Exit, Option<Line>)> {
    if let Some((folder, ran)) = first::left()? {
        let read = |name: &str| {
            let path = folder.join(name);
            Output::read(&path).map_err(|e| ToolError::file("read", &path, &e))
        };
        let (out, err) = (read("stdout")?, read("stderr")?);
        let mut job = job.clone();
        job.given.stdin.clone_from(&ran.stdin);
        let prepared = match &ran.inputs_lost {
            None => prepare(&job, &folder.join("inputs"), false),
            Some(why) => Err(ToolError::internal(format!(
                "its inputs were not put aside: {why}"
            ))),
        };
        let line = judged(&job, &ran, prepared, (out, err), calibrations).await;
        return Ok((ran.exit(), Some(line)));
    }
    // Copies are taken before the script may change its inputs.
    let stash = Place::new()?;
    let prepared = prepare(job, &stash.work(), true);
    let cwd = std::env::current_dir().unwrap_or_default();
    let before = snapshot(&cwd);
    let started = Instant::now();
    let (mut out, mut err) = (Output::spooled(), Output::spooled());
    let stdin = (!job.given.stdin.is_empty()).then_some(job.given.stdin.as_slice());
    let cancel = ctx.cancellation().clone();
    let grace = ctx.policy().cancel_grace().mul_f64(0.9);
    let told = async move { cancel.cancelled().await };
    let (exit, stopped) = pass_through(&job.control, stdin, (&mut out, &mut err), told, Some(grace)).await?;
    if stopped {
        // A run that was cut short says nothing about the tool.
        return Ok((exit, None));
    }
    let ran = Ran::of(&exit, started.elapsed(), ctx.now(), before);
    let line = judged(job, &ran, prepared, (out, err), calibrations).await;
    Ok((exit, Some(line)))
}

/// Runs the tool on what the script had, and says what differs.
async fn judged(
    job: &Job,
    ran: &Ran,
    prepared: ToolResult<(Given, String)>,
    (out, err): (Output, Output),
    calibrations: u32,
) -> Line {
    let cwd = std::env::current_dir().unwrap_or_default();
    let line = Line {
        v: 1,
        at: ran.at,
        tool: job.tool.clone(),
        clean: false,
        differences: Vec::new(),
        calibrated: false,
        input_sha256: String::new(),
        legacy_ms: ran.took().as_millis() as u64,
        rust_ms: 0,
    };
    let refused = |why: String| Line {
        differences: vec![format!("not compared: {why}")],
        ..line.clone()
    };
    let (given, input_sha256) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return refused(error.message),
    };
    if out.cut || err.cut {
        return refused("the script printed more than can be kept".to_owned());
    }
    let control = Seen {
        exit: ran.exit(),
        beyond: [out.beyond(), err.beyond()],
        escapes: Vec::new(),
        written: None,
        stdout: out.bytes,
        stderr: err.bytes,
        files: made(&cwd, ran.before.as_ref(), &given),
        requests: Vec::new(),
        mails: Vec::new(),
        tables: tables(&cwd, &given),
        took: ran.took(),
    };
    let control = named(control, &Names::of_directory(&cwd));
    let apart = Job { given, ..job.clone() };
    match compare(&apart, &control, ran.before.is_some(), calibrations).await {
        Ok((differences, calibrated, rust, escapes)) => {
            let mut told: Vec<String> = differences.iter().map(told).collect();
            told.extend(
                escapes
                    .iter()
                    .map(|escape| format!("not compared: the tool: {escape}")),
            );
            // Files that could not be told from those before were not compared, and that is no clean run.
            if ran.before.is_none() {
                told.push(format!(
                    "not compared: files; the working directory holds more than {MAX_ENTRIES} entries"
                ));
            }
            Line {
                clean: told.is_empty(),
                differences: told,
                calibrated,
                rust_ms: rust.as_millis() as u64,
                input_sha256,
                ..line
            }
        }
        Err(error) => Line {
            input_sha256,
            ..refused(error.message)
        },
    }
}

/// What the candidate gets instead of the real inputs: those put aside, below `aside`, where they are copied now unless
/// they lie there already.
fn prepare(job: &Job, aside: &Path, copy: bool) -> ToolResult<(Given, String)> {
    let acts = job.acts()?;
    if !acts.is_empty() {
        return Err(job.refusal(&acts, "only tools that read and write files are shadowed"));
    }
    let mut sha = sha2::Sha256::new();
    let mut add = |part: &[u8]| {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    };
    job.args.iter().for_each(|arg| add(arg.as_bytes()));
    add(&job.given.stdin);
    let mut given = job.given.clone();
    for (from, to) in &mut given.inputs {
        let kept = aside.join(&*to);
        if copy {
            place::copied(from, &kept)?;
        }
        *from = kept;
    }
    for (name, entry) in place::tree_of(aside) {
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
    Ok((given, hex::encode(sha.finalize())))
}

/// The tool apart; when it differs, the script apart too, which shows what differs by itself.
async fn compare(
    job: &Job,
    control: &Seen,
    files_known: bool,
    calibrations: u32,
) -> ToolResult<(Vec<Divergence>, bool, Duration, Vec<String>)> {
    let shown = |mut seen: Seen| {
        seen.requests.clear();
        seen.mails.clear();
        // Of the script it is known which entries it wrote, whatever they were before; so it is of the tool.
        let written = seen.written.take().unwrap_or_default();
        seen.files
            .retain(|name, _| !name.starts_with(['~', '/']) && written.contains(name));
        if !files_known {
            seen.files.clear();
        }
        seen
    };
    let mut ran = run::candidate(job).await?;
    let escapes = std::mem::take(&mut ran.seen.escapes);
    let candidate = shown(ran.seen);
    let mut control = control.clone();
    if !files_known {
        control.files.clear();
    }
    let found = diff::compare(&control, &candidate, &job.rules);
    if found.is_empty() || calibrations == 0 {
        return Ok((found.clone(), found.is_empty(), candidate.took, escapes));
    }
    let mut noise = Vec::new();
    for _ in 0..calibrations {
        let again = shown(side::run(&job.control, &job.given).await?.seen);
        noise.extend(diff::compare(&control, &again, &job.rules));
    }
    let (differences, _) = diff::without_noise(found, &noise);
    Ok((differences, true, candidate.took, escapes))
}

fn told(found: &Divergence) -> String {
    format!(
        "{}: {}: legacy {}, rust {}",
        found.place,
        found.what,
        report::short(&found.control),
        report::short(&found.candidate)
    )
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
