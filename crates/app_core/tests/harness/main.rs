//! The harness from outside: a sample tool runs as a process, and the tests look at what anybody can see of it.
//!
//! Nothing here reaches into `app_core`; the provider tests stand beside them to share one test executable.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod artifacts;
mod ending;
mod environment;
mod inputs;
mod money;
mod streams;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::{Finished, Sandbox, sandbox::Started};

/// Where cargo put the sample tool of this build.
#[track_caller]
fn tool() -> PathBuf {
    let path = testkit::tools::target_dir().join("examples/sample_tool");
    assert!(
        path.is_file(),
        "`sample_tool` is not built: run `cargo build -p app_core --example sample_tool` first"
    );
    path
}

fn sandbox() -> Sandbox {
    Sandbox::new().unwrap()
}

/// The arguments for these steps.
fn steps(steps: &[Value]) -> Vec<String> {
    steps
        .iter()
        .flat_map(|step| ["--step".to_owned(), step.to_string()])
        .collect()
}

/// Runs the steps, with further arguments.
fn run(sandbox: &Sandbox, taken: &[Value], more: &[&str]) -> Finished {
    let mut args = steps(taken);
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    sandbox.run(&tool(), &args)
}

/// Runs the steps through `sh -c SCRIPT`; `"$@"` is the tool with its arguments.
fn run_in_shell(sandbox: &Sandbox, script: &str, args: &[String]) -> Finished {
    let mut all = vec!["-c".to_owned(), script.to_owned(), "sh".to_owned()];
    all.push(tool().display().to_string());
    all.extend_from_slice(args);
    sandbox.run(std::path::Path::new("/bin/sh"), &all)
}

fn start(sandbox: &Sandbox, taken: &[Value], more: &[&str]) -> Started {
    let mut args = steps(taken);
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    sandbox.start(&tool(), &args, b"")
}

/// Asks until it is so, at most ten seconds.
#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{what} does not happen"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The stream is numbered without gaps, begins with `started` and ends with its only `finished`, which is returned.
#[track_caller]
fn terminal(run: &Finished) -> Value {
    let kinds: Vec<_> = run
        .events
        .iter()
        .map(|e| e["kind"].as_str().unwrap_or("?"))
        .collect();
    assert_eq!(
        kinds.first(),
        Some(&"started"),
        "{kinds:?}; stderr: {}",
        run.stderr
    );
    assert_eq!(
        kinds.last(),
        Some(&"finished"),
        "{kinds:?}; stderr: {}",
        run.stderr
    );
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "finished").count(),
        1,
        "{kinds:?}"
    );
    for (index, event) in run.events.iter().enumerate() {
        assert_eq!((&event["v"], &event["seq"]), (&json!(1), &json!(index)));
    }
    run.events.last().cloned().unwrap()
}

/// The error that `--json` prints on stderr: the last line, alone.
#[track_caller]
fn error_line(run: &Finished) -> Value {
    let lines: Vec<_> = run.stderr.lines().filter(|l| l.starts_with('{')).collect();
    assert_eq!(lines.len(), 1, "{}", run.stderr);
    serde_json::from_str::<Value>(lines[0]).unwrap()["error"].clone()
}
