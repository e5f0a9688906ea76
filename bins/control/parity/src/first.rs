//! `parity shadow` on a command line: the script first, whatever the state of everything else.
//!
//! A line of cron that worked before must work with `parity shadow` in front of it. So the script is started before any
//! setting, `.env` or state is read, its output passes through, and its exit code is the end. Comparing is left to a
//! second process of this program that starts when the script is over, so that nothing it meets - a broken
//! configuration, a full disk, a fault of its own - reaches the result: that is a warning.

mod call;
mod ran;

use std::{
    ffi::OsString,
    io::Write as _,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use app_core::config::process_env;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{output::Output, setup, shadow};
use call::Call;

pub use ran::{Ran, left};

/// Names the folder of what the first process knows, for the second.
const RAN: &str = "ONEJOB_SHADOW_RAN";

/// Whether the script ran in a process before this one.
pub fn is_second() -> bool {
    process_env(RAN).is_some()
}

/// Runs the script of a `parity shadow` and compares afterwards; `None` when this process is to go the usual way.
pub fn enter() -> Option<ExitCode> {
    if process_env(RAN).is_some() {
        return None;
    }
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let call = Call::of(&args)?;
    let cwd = std::env::current_dir().ok()?;
    let script = setup::script(
        &call.tool,
        call.control.as_deref(),
        call.tool_input.as_deref(),
        &call.args,
        &cwd,
    )?;
    // What both sides read is read once, here; without it the script would do something else.
    let stdin = match (&call.stdin, script.stdin) {
        (Some(source), _) => match setup::source(source) {
            Ok(bytes) => Some(bytes),
            // Told in the usual way.
            Err(_) => return None,
        },
        (None, stdin) => stdin,
    };
    Some(run(&args, &call, &script.words, stdin, &cwd))
}

fn run(args: &[OsString], call: &Call, words: &[String], stdin: Option<Vec<u8>>, cwd: &Path) -> ExitCode {
    let folder = tempfile::Builder::new().prefix("parity-shadow-").tempdir().ok();
    let mut lost = folder
        .is_none()
        .then(|| "there is no temporary folder".to_owned());
    // Copies are taken before the script may change its inputs.
    if let Some(folder) = &folder
        && let Err(error) = setup::put_aside(
            &call.files,
            words,
            stdin.as_deref(),
            cwd,
            &folder.path().join("inputs"),
        )
    {
        lost = Some(error.message);
    }
    let before = shadow::snapshot(cwd);
    let started = Instant::now();
    let spool = |name: &str| {
        Output::new(
            folder
                .as_ref()
                .and_then(|folder| std::fs::File::create(folder.path().join(name)).ok()),
        )
    };
    let (mut out, mut err) = (spool("stdout"), spool("stderr"));
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        // Not even that: the script at least.
        return plainly(words, stdin.as_deref());
    };
    let ended = runtime.block_on(async {
        let mut told = Told::listen();
        shadow::pass_through(words, stdin.as_deref(), (&mut out, &mut err), told.next(), None).await
    });
    drop(runtime);
    let (status, stopped) = match ended {
        Ok(ended) => ended,
        Err(error) => {
            warn(&error.message);
            return ExitCode::from(127);
        }
    };
    let exit = ExitCode::from(status.code());
    // A run that was cut short says nothing about the tool.
    let (false, Some(folder)) = (stopped, folder) else {
        return exit;
    };
    let mut ran = Ran::of(&status, started.elapsed(), app_core::Clock::System.now(), before);
    ran.inputs_lost = lost;
    ran.stdin = stdin.unwrap_or_default();
    if let Err(why) = compared(args, folder.path(), &ran) {
        warn(&format!("the run of `{}` was not compared: {why}", call.tool));
    }
    exit
}

/// The second process, to its end. Its words are only told when it failed.
fn compared(args: &[OsString], folder: &Path, ran: &Ran) -> Result<(), String> {
    let text = serde_json::to_vec(ran).map_err(|e| e.to_string())?;
    std::fs::write(folder.join("ran.json"), text).map_err(|e| e.to_string())?;
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(exe)
        .args(args)
        .env(RAN, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find_map(|line| line.strip_prefix("error: "));
    let line = line
        .or_else(|| said.lines().next())
        .unwrap_or("it ended without a word");
    Err(app_core::text::visible_line(line).into_owned())
}

/// The script alone, where not even a runtime can be made.
fn plainly(words: &[String], stdin: Option<&[u8]>) -> ExitCode {
    let Some((program, arguments)) = words.split_first() else {
        return ExitCode::from(127);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    if stdin.is_some() {
        command.stdin(Stdio::piped());
    }
    let ended = command.spawn().and_then(|mut child| {
        if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), stdin) {
            // A script that does not read its input is fine.
            let _ = pipe.write_all(bytes);
        }
        child.wait()
    });
    match ended {
        Ok(status) => ExitCode::from(status.code().map_or(255, |code| (code & 0xff) as u8)),
        Err(_) => ExitCode::from(127),
    }
}

fn warn(text: &str) {
    // Nobody may be reading.
    let _ = writeln!(std::io::stderr(), "parity: warning: {text}");
}

/// The signals that ask a script to stop.
struct Told(Vec<Signal>);

impl Told {
    fn listen() -> Self {
        let kinds = [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
        ];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Ends when one of them comes.
    async fn next(&mut self) {
        let waits = self.0.iter_mut().map(|signal| {
            Box::pin(async {
                signal.recv().await;
            })
        });
        let waits: Vec<_> = waits.collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        futures_util::future::select_all(waits).await;
    }
}
