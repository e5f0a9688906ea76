//! Absurd but well-formed values in every field: done or refused, in bounded time and memory.

use std::{
    os::unix::process::ExitStatusExt as _,
    panic::resume_unwind,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use app_core::config::process_env;
use serde_json::{Map, Value};
use testkit::{extremes, tools::BuiltTool};

use crate::{ExampleRun, evidence::each_tool, examples, inputs::branches};

/// Processor time of one run in seconds.
const SECONDS: u32 = 10;
/// Memory of one run in MiB.
const MEBIBYTES: u64 = 1024;

/// `ONEJOB_EXTREMES` asks for more inputs a tool (50), `ONEJOB_EXTREMES_SEED` for others.
#[test]
fn extreme_values_are_answered_in_bounded_time_and_memory() {
    let setting = |name: &str| process_env(name).and_then(|text| text.parse::<u64>().ok());
    let count = setting("ONEJOB_EXTREMES").unwrap_or(50) as usize;
    let seed = setting("ONEJOB_EXTREMES_SEED").unwrap_or(11);
    let (mut past_checks, mut in_all) = (0, 0);
    each_tool("extremes", |tool| {
        let d = tool.describe();
        // What a control program runs is somebody else's input.
        if tool.family == "control" {
            return;
        }
        let usable: Vec<_> = examples(&d)
            .into_iter()
            .filter(|e| e["exit"] == 0 && e["input"].is_object())
            .collect();
        let accepted = AtomicUsize::new(0);
        let each = count.div_ceil(usable.len().max(1));
        std::thread::scope(|scope| {
            let mut running = Vec::new();
            for (number, example) in usable.iter().enumerate() {
                let (d, accepted) = (&d, &accepted);
                running.push(scope.spawn(move || {
                    for input in made_from(d, example, seed + number as u64, each) {
                        if answered(tool, example, &input, seed) {
                            accepted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }));
            }
            for ended in running {
                if let Err(panic) = ended.join() {
                    resume_unwind(panic);
                }
            }
        });
        let (accepted, all) = (accepted.into_inner(), each * usable.len());
        assert!(
            accepted * 3 >= all,
            "{}: only {accepted} of {all} inputs came past the checks",
            tool.name
        );
        past_checks += accepted;
        in_all += all;
    });
    // Half is asked of all tools together; one alone has few inputs, and has to pass a third above.
    assert!(
        past_checks * 2 >= in_all || app_core::config::process_env("ONEJOB_ONLY_TOOL").is_some(),
        "only {past_checks} of {in_all} inputs came past the checks"
    );
}

fn made_from(d: &Value, example: &Value, seed: u64, count: usize) -> Vec<Value> {
    let base: &Map<String, Value> = example["input"].as_object().unwrap();
    let fits = |branch: &Value| {
        let properties = branch["properties"].as_object().into_iter().flatten();
        properties
            .filter_map(|(name, property)| Some((name, property.get("const")?)))
            .all(|(name, tag)| base.get(name) == Some(tag))
    };
    let branch = branches(d).into_iter().find(fits).unwrap();
    extremes::variants(&branch, base, seed, count)
}

/// Runs it; whether it came past the checks of the input.
#[track_caller]
fn answered(tool: &BuiltTool, example: &Value, input: &Value, seed: u64) -> bool {
    let run = ExampleRun::of(tool, example);
    let file = run.sandbox.root().join("input.json");
    std::fs::write(&file, input.to_string()).unwrap();
    // Memory is what is in use, not what is reserved, so it is looked at afterwards; the limit is for the host's sake.
    let limits = format!(
        "ulimit -t {SECONDS}; ulimit -v {}; exec \"$0\" --input \"$1\" --json -q --run-timeout 4",
        4 * MEBIBYTES * 1024
    );
    let mut command = Command::new("sh");
    run.sandbox.prepare(&mut command);
    let child = command
        .args(["-c", &limits])
        .arg(&tool.binary)
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id();
    let peak = std::thread::spawn(move || peak_of(id));
    let output = child.wait_with_output().unwrap();
    let peak = peak.join().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let what = format!("{} (seed {seed}) {input}", tool.name);
    assert_eq!(
        output.status.signal(),
        None,
        "{what}: ended by a signal: {stderr}"
    );
    let code = output.status.code().unwrap();
    assert!(
        [0, 2, 3, 66, 69, 73, 74, 75, 77, 78].contains(&code),
        "{what}: exit {code}: {stderr}"
    );
    assert!(!stderr.contains("panicked"), "{what}: {stderr}");
    assert!(peak <= MEBIBYTES, "{what}: {peak} MiB");
    code != 2
}

/// The most memory a process was seen to use, in MiB. The system keeps the peak itself, so looking now and then is enough
/// but for what happens in the last moments.
fn peak_of(id: u32) -> u64 {
    let mut peak = 0;
    while let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) {
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
        let Some(kilobytes) = kilobytes else { break };
        peak = peak.max(kilobytes / 1024);
        std::thread::yield_now();
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    peak
}
