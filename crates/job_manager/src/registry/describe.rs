//! Asking executables what they are: the one place that starts a program with `--describe`.

use std::{
    fs::File,
    io::Read,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use app_core::contract::{CONTRACT, Definition};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use super::cache::Stamp;
use crate::orphans::{self, Wanted};

/// Longest wait for an answer. The bar is 10 ms; a machine under load may take longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the answer may still come in after the program has ended.
const AFTERWARDS: Duration = Duration::from_millis(100);
/// Longest answer.
const LONGEST: usize = 16 << 20;
/// Environment variable that marks what a program leaves behind while it describes itself.
const MARK: &str = "ONEJOB_DESCRIBE";

/// What the executable at `path` says of itself; `None` if it keeps no contract of ours. Blocks up to ten seconds.
///
/// Only a program that carries the contract's mark is started: a folder of tools may be `~/.local/bin`, and nobody
/// wants all of its programs run because a name was mistyped.
pub fn describe(path: &Path) -> Option<Definition> {
    Stamp::of(path).and_then(|_| one(path))
}

/// Every marked executable of the folder that describes itself, sorted by path. Blocks.
pub fn describe_all(dir: &Path) -> std::io::Result<Vec<(PathBuf, Definition)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)?.flatten() {
        let path = entry.path();
        let named = entry.file_name().to_str().is_some_and(super::is_tool_name);
        files.extend(
            named
                .then(|| Stamp::of(&path))
                .flatten()
                .map(|stamp| (path, stamp)),
        );
    }
    let mut found: Vec<_> = all(files)
        .into_iter()
        .filter_map(|(path, _, definition)| Some((path, definition?)))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Asks many, a few at a time.
pub(super) fn all(files: Vec<(PathBuf, Stamp)>) -> Vec<(PathBuf, Stamp, Option<Definition>)> {
    let lanes = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .min(files.len().max(1));
    let share = files.len().div_ceil(lanes).max(1);
    std::thread::scope(|scope| {
        let ask = |(path, stamp): &(PathBuf, Stamp)| (path.clone(), *stamp, one(path));
        let asked: Vec<_> = files
            .chunks(share)
            .map(|lane| scope.spawn(move || lane.iter().map(ask).collect::<Vec<_>>()))
            .collect();
        asked
            .into_iter()
            .flat_map(|lane| lane.join().unwrap_or_default())
            .collect()
    })
}

/// Asks one. `None` if it is no tool of this contract.
pub(super) fn one(path: &Path) -> Option<Definition> {
    // Not every executable may be run just to see what it is: one that never names the contract cannot keep it.
    if !names_the_contract(path) {
        return None;
    }
    let mark = format!("{}-{}", std::process::id(), random());
    let mut child = Command::new(path)
        .arg("--describe")
        .env_remove("ONEJOB_EVENTS_FD")
        .env(MARK, &mark)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .inspect_err(|e| tracing::warn!(path = %path.display(), "cannot ask for a description: {e}"))
        .ok()?;
    let stdout = child.stdout.take()?;
    let answer = read(&child, stdout);
    if let Some(pid) = Pid::from_raw(child.id() as i32) {
        // Not reaped yet, so the group is still its own.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    drop(child.wait());
    let text = match answer {
        Answer::Whole(text) => text,
        Answer::Left(text) => {
            tracing::warn!(path = %path.display(), "leaves a process behind when it describes itself");
            let marks = vec![format!("{MARK}={mark}")];
            let wanted = Wanted {
                marks,
                groups: Vec::new(),
            };
            if orphans::end(&wanted, Duration::ZERO).is_err() {
                tracing::warn!(path = %path.display(), "what it left behind does not end");
            }
            text
        }
        Answer::None => {
            tracing::warn!(path = %path.display(), "does not answer --describe");
            return None;
        }
    };
    let definition: Definition = serde_json::from_slice(&text)
        .inspect_err(|e| tracing::warn!(path = %path.display(), "not a description: {e}"))
        .ok()?;
    let name = path.file_name()?.to_str()?;
    (definition.contract == CONTRACT && definition.name == name).then_some(definition)
}

fn random() -> String {
    let mut bytes = [0; 8];
    // Without random bytes the number of this process alone marks them.
    let _ = getrandom::fill(&mut bytes);
    hex::encode(bytes)
}

/// How an answer came.
enum Answer {
    /// The program wrote it and closed its end.
    Whole(Vec<u8>),
    /// The program has ended, but somebody it left behind holds the other end.
    Left(Vec<u8>),
    /// It did not come in time, or was too long.
    None,
}

/// Reads until the pipe ends, or the program does. A process outside its group may keep the pipe open for ever, so
/// the end of the pipe alone is never waited for.
fn read(child: &Child, mut pipe: ChildStdout) -> Answer {
    let ended = Pid::from_raw(child.id() as i32).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let Some(ended) = ended else { return Answer::None };
    let mut give_up = Instant::now() + PATIENCE;
    let mut text = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    let mut over = false;
    loop {
        let left = give_up.saturating_duration_since(Instant::now());
        let wait = Timespec::try_from(left).ok();
        let (readable, has_ended) = {
            let mut fds = [
                PollFd::new(&pipe, PollFlags::IN),
                PollFd::new(&ended, PollFlags::IN),
            ];
            let watched = if over { 1 } else { 2 };
            if poll(&mut fds[..watched], wait.as_ref()).is_err() {
                return Answer::None;
            }
            (
                !fds[0].revents().is_empty(),
                !over && !fds[1].revents().is_empty(),
            )
        };
        if readable {
            match pipe.read(&mut chunk) {
                Ok(0) => return Answer::Whole(text),
                Ok(read) => text.extend_from_slice(&chunk[..read]),
                Err(_) => return Answer::None,
            }
            if text.len() > LONGEST {
                return Answer::None;
            }
        } else if over {
            return Answer::Left(text);
        }
        if has_ended {
            over = true;
            give_up = Instant::now() + AFTERWARDS;
        } else if Instant::now() >= give_up {
            return if over { Answer::Left(text) } else { Answer::None };
        }
    }
}

/// What a program that keeps the contract has in it: the name of the contract, or of the variable that names the event
/// stream. (An optimiser may dissolve a short text into instructions, so either will do.)
const MARKS: [&[u8]; 2] = [CONTRACT.as_bytes(), b"ONEJOB_EVENTS_FD"];

fn names_the_contract(path: &Path) -> bool {
    let Ok(mut file) = File::open(path) else {
        return false;
    };
    let longest = MARKS.iter().map(|m| m.len()).max().unwrap_or(1);
    let mut buffer = vec![0; 1 << 16];
    let mut kept = 0;
    loop {
        match file.read(&mut buffer[kept..]) {
            Ok(0) | Err(_) => return false,
            Ok(read) => {
                let filled = kept + read;
                let text = &buffer[..filled];
                // Only few bytes can begin a mark; debug builds are large.
                let mut starts = text
                    .iter()
                    .enumerate()
                    .filter(|(_, b)| b.eq_ignore_ascii_case(&b'o'));
                if starts.any(|(at, _)| MARKS.iter().any(|mark| text[at..].starts_with(mark))) {
                    return true;
                }
                kept = filled.min(longest - 1);
                buffer.copy_within(filled - kept..filled, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_wherever_the_file_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tool");
        for mark in MARKS {
            for before in [0, (1 << 16) - 7, (1 << 17) - 1] {
                let mut text = vec![b'o'; before];
                std::fs::write(&file, &text).unwrap();
                assert!(!names_the_contract(&file));
                text.extend_from_slice(mark);
                std::fs::write(&file, &text).unwrap();
                assert!(names_the_contract(&file), "{before}");
            }
        }
    }
}
