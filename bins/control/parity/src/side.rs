//! Runs one side: its own directories, a cleared environment, a far side of its own, a time limit.

mod end;
mod start;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use app_core::{ToolError, ToolResult, process::ChildGroup};

use crate::{
    escapes::{self, Watch},
    far_side::{FarSide, Mode, Route},
    output::Output,
    place::Place,
    seen::Seen,
    shadow::snapshot,
};
use end::{observe, watch};
use start::{mapped, process};

/// What both sides get.
#[derive(Clone, Debug)]
pub struct Given {
    pub stdin: Vec<u8>,
    /// Declared variables; placeholders are filled.
    pub env: BTreeMap<String, String>,
    /// Files and folders of the host, and where they lie in the working directory.
    pub inputs: Vec<(PathBuf, PathBuf)>,
    /// Absolute paths of the host that arguments name.
    pub outside: Vec<PathBuf>,
    /// Declared answers of the far side; without them requests go on to where they were meant to go.
    pub routes: Option<Vec<Route>>,
    /// Whether requests go through the proxy.
    pub capture: bool,
    /// Whether a faked far side is declared, so that loopback addresses are allowed.
    pub faked: bool,
    /// SQLite files below the working directory.
    pub sqlite: Vec<String>,
    pub limit: Duration,
    /// The program that keeps a side from writing elsewhere; `None` leaves it free.
    pub confine: Option<PathBuf>,
    /// Time zone of the side; `None` leaves the host's.
    pub tz: Option<String>,
    /// Where the tools are, for a candidate that calls others.
    pub tools: PathBuf,
}

/// A side that ran: what was seen, and what a reader should know.
#[derive(Debug)]
pub struct Ran {
    pub seen: Seen,
    pub notes: Vec<String>,
    /// Stdout and stderr as they were, before shared names.
    pub stdout: Output,
    pub stderr: Output,
}

/// Runs a command line. A program that cannot be started is an error.
pub async fn run(command: &[String], given: &Given) -> ToolResult<Ran> {
    let far = FarSide::start(match &given.routes {
        Some(routes) => Mode::Answer(routes.clone()),
        None => Mode::Forward,
    })?;
    let place = Place::new()?;
    for (from, to) in &given.inputs {
        place.copy_in(from, &place.work().join(to))?;
    }
    place.fill_inputs(&far);
    for path in &given.outside {
        let target = place.outside(path);
        if path.exists() {
            place.copy_in(path, &target)?;
        } else if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(|e| ToolError::file("create", folder, &e))?;
        }
    }
    let words: Vec<String> = command
        .iter()
        .map(|word| place.fill(&mapped(word, given, &place), &far))
        .collect();
    let process = process(&words, given, &place, &far)?;
    let before = snapshot(&place.work());
    escapes::adopt();
    // With a faked far side the kernel refuses what would be seen here; without a proxy nothing is past it.
    let watch_sockets = given
        .capture
        .then(|| Watch::begin(place.root(), vec![far.http().port(), far.smtp().port()]));
    let started = Instant::now();
    let mut group = ChildGroup::spawn(process)?;
    let stdin = match std::str::from_utf8(&given.stdin) {
        Ok(text) => place.fill(&mapped(text, given, &place), &far).into_bytes(),
        Err(_) => given.stdin.clone(),
    };
    let (exit, out, err) = watch(&mut group, &stdin, given.limit).await;
    let took = started.elapsed();
    // Whatever it left running is no part of the run, and must not write while its files are read.
    drop(group);
    let mut escaped: Vec<String> = escapes::left_running(place.root())
        .into_iter()
        .map(|name| format!("it left a process running: `{name}`"))
        .collect();
    for seen in watch_sockets.map(Watch::end).unwrap_or_default() {
        escaped.push(format!("it made {seen}, past the proxy"));
    }
    let names = place.names(&far);
    let mut notes = far.notes();
    for (name, pipe) in [("stdout", &out), ("stderr", &err)] {
        if pipe.cut {
            notes.push(format!("not compared: {name} is longer than can be kept"));
        }
    }
    let beyond = [out.beyond(), err.beyond()];
    let mut seen = observe(
        &place,
        &far,
        &names,
        given,
        exit,
        (&out.bytes, &err.bytes),
        took,
        &mut notes,
    );
    seen.beyond = beyond;
    seen.escapes = escaped;
    seen.written = before.zip(snapshot(&place.work())).map(|(before, after)| {
        let changed = after
            .into_iter()
            .filter(|(name, stamp)| before.get(name) != Some(stamp));
        changed.map(|(name, _)| name).collect()
    });
    Ok(Ran {
        seen,
        notes,
        stdout: out,
        stderr: err,
    })
}

pub(crate) fn is_database(name: &str, file: &str) -> bool {
    name.strip_prefix(file)
        .is_some_and(|rest| matches!(rest, "" | "-wal" | "-shm" | "-journal"))
}
