//! Asking executables what they are.

use std::{
    fs::File,
    io::Read,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use app_core::contract::{CONTRACT, Definition};

use super::cache::Stamp;

/// Longest wait for an answer. The bar is 10 ms; a machine under load may take longer.
const PATIENCE: Duration = Duration::from_secs(10);

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
    let mut child = Command::new(path)
        .arg("--describe")
        .env_remove("ONEJOB_EVENTS_FD")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .inspect_err(|e| tracing::warn!(path = %path.display(), "cannot ask for a description: {e}"))
        .ok()?;
    let mut stdout = child.stdout.take()?;
    let (done, answer) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.by_ref().take(16 << 20).read_to_end(&mut text);
        drop(done.send(read.map(|_| text)));
    });
    let text = answer.recv_timeout(PATIENCE);
    if text.is_err() {
        tracing::warn!(path = %path.display(), "does not answer --describe");
    }
    if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
        // Not reaped yet, so the group is still its own.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    drop((child.wait(), reader.join()));
    let definition: Definition = serde_json::from_slice(&text.ok()?.ok()?)
        .inspect_err(|e| tracing::warn!(path = %path.display(), "not a description: {e}"))
        .ok()?;
    let name = path.file_name()?.to_str()?;
    (definition.contract == CONTRACT && definition.name == name).then_some(definition)
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
