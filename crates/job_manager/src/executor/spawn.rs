//! Starting the child: its own process group, its pipes, and the pipe for events.

use std::{
    io::{PipeReader, Write as _},
    os::{
        fd::AsRawFd,
        unix::{
            fs::{DirBuilderExt as _, OpenOptionsExt as _},
            process::CommandExt,
        },
    },
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use rustix::io::{FdFlags, fcntl_setfd};

use super::{Place, plan_path};
use crate::{
    fallback::Call,
    orphans::{JOB_MARK, OWNER_MARK},
    registry::Resolved,
    store::Claimed,
    wire::{Route, RunMode},
};

/// Environment variable that names the file with the plan (`contract::Plan` as JSON) that is carried out: the tool acts on
/// its targets only.
pub(crate) const PLAN_FILE: &str = "ONEJOB_PLAN_FILE";

/// Only one child is started at a time: while it is, the write end of its event pipe is inheritable, and no other
/// child of ours may get it. (Handing a descriptor over in any other way needs code between fork and exec.)
static STARTING: Mutex<()> = Mutex::new(());

/// Starts the child. With a pipe for events unless it is a replaced script.
pub(super) fn spawn(
    claimed: &Claimed,
    tool: &Resolved,
    call: Option<&Call>,
    place: &Place,
) -> ToolResult<(Child, Option<PipeReader>)> {
    let mut command = command(claimed, tool, call, place)?;
    command
        .env(JOB_MARK, claimed.id.to_string())
        .env(OWNER_MARK, &place.owner)
        .env("ONEJOB_STATE_DIR", &place.state_dir)
        // One row per attempt in the run log, whatever process makes it.
        .env("ONEJOB_RUN_ID", run_id(claimed, place))
        .env_remove("ONEJOB_EVENTS_FD");
    if claimed.plan_of.is_none() {
        command.env_remove(PLAN_FILE);
    }
    // What systemd gave to the manager is not for its children.
    for name in [
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
    ] {
        command.env_remove(name);
    }
    if let Some(dir) = &claimed.working_dir {
        if !std::path::Path::new(dir).is_dir() {
            return Err(ToolError::not_found(format!("no working directory `{dir}`")).field("working_dir"));
        }
        command.current_dir(dir);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let failed = |e: std::io::Error| {
        ToolError::file("run", &tool.path, &e)
            .from_source("job")
            .with("program", command_name(tool))
    };
    if tool.route == Route::Legacy {
        return Ok((start(&mut command).map_err(failed)?, None));
    }
    let (reader, writer) = std::io::pipe()
        .map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot make a pipe: {e}")).from_source("job"))?;
    command.env("ONEJOB_EVENTS_FD", writer.as_raw_fd().to_string());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    fcntl_setfd(&writer, FdFlags::empty()).map_err(|e| failed(e.into()))?;
    let child = start(&mut command);
    drop(writer);
    Ok((child.map_err(failed)?, Some(reader)))
}

fn command(claimed: &Claimed, tool: &Resolved, call: Option<&Call>, place: &Place) -> ToolResult<Command> {
    if let (Some((script, _)), Some(call)) = (&tool.legacy, call) {
        if !script.script.is_file() {
            return Err(ToolError::config(format!(
                "there is no script `{}` for `{}`",
                script.script.display(),
                claimed.tool
            ))
            .from_source("legacy")
            .hint("put it there, or change `script` in its `[legacy]` section of onejob.toml"));
        }
        let mut command = Command::new(&script.interpreter);
        command
            .arg(&script.script)
            .args(&call.arguments)
            .envs(call.environment.iter().map(|(name, value)| (name, value)))
            // What it prints is in the log while it runs, and not lost when it is ended by force.
            .env("PYTHONUNBUFFERED", "1");
        return Ok(command);
    }
    let mut command = Command::new(&tool.path);
    // Time limits are kept here, so that a run that is too slow is told from one that gave up.
    command.args(["--input", "-", "--json", "--run-timeout", "0"]);
    match claimed.mode {
        RunMode::Default => {}
        RunMode::Apply => drop(command.arg("--apply")),
        RunMode::Plan => drop(command.arg("--dry-run")),
    }
    if claimed.plan_of.is_some() {
        command.env(PLAN_FILE, plan_file(claimed, place)?);
    }
    Ok(command)
}

/// Writes the plan to be carried out where the tool finds it.
fn plan_file(claimed: &Claimed, place: &Place) -> ToolResult<std::path::PathBuf> {
    let plan = claimed.plan.as_ref().ok_or_else(|| {
        ToolError::new(ErrorKind::Conflict, "the plan has left the history").code("plan_not_there")
    })?;
    let path = plan_path(&place.state_dir, claimed.id);
    let folder = path.parent().unwrap_or(&place.state_dir);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| ToolError::file("make", folder, &e))?;
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(plan.to_string().as_bytes()))
        .map_err(|e| ToolError::file("write", &path, &e))?;
    Ok(path)
}

/// Id of this attempt in the run log.
pub(super) fn run_id(claimed: &Claimed, place: &Place) -> String {
    format!("{}.{}-{}", claimed.id, claimed.attempt, &place.owner)
}

fn command_name(tool: &Resolved) -> String {
    match &tool.legacy {
        Some((script, _)) => script.interpreter.display().to_string(),
        None => tool.path.display().to_string(),
    }
}

/// A binary that is being replaced at this moment is busy for an instant.
fn start(command: &mut Command) -> std::io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy && tries < 10 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}
