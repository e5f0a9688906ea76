//! A tool that keeps the contract, or breaks it as it is told. For tests and measurements of the job manager only.
//!
//! What it is called decides what it says of itself; its input decides what it does.

#![expect(
    clippy::disallowed_methods,
    reason = "a program of the tests, without the harness"
)]

use std::{
    env,
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::fd::FromRawFd,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitCode},
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

fn main() -> ExitCode {
    let name = env::args().next().unwrap_or_default();
    let name = Path::new(&name)
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or("contract_tool")
        .to_owned();
    if env::args().any(|a| a == "--describe") {
        let mut out = std::io::stdout();
        return match writeln!(out, "{}", describe(&name)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let mut text = String::new();
    let input: Value = match std::io::stdin()
        .read_to_string(&mut text)
        .map(|_| serde_json::from_str(&text))
    {
        Ok(Ok(input)) => input,
        _ => return ExitCode::from(2),
    };
    // Ignoring a signal survives exec: the shell sets it, and this program runs again under it.
    if input["ignore_term"] == true && env::var_os("UNDER_SHELL").is_none() {
        let Ok(exe) = env::current_exe() else {
            return ExitCode::from(70);
        };
        let script = "trap '' TERM; printf '%s' \"$1\" | UNDER_SHELL=1 exec \"$0\"";
        drop(
            Command::new("sh")
                .arg("-c")
                .arg(script)
                .arg(exe)
                .arg(&text)
                .exec(),
        );
        return ExitCode::from(70);
    }
    run(&name, &input)
}

/// The definition: the name says the effects and the policy.
fn describe(name: &str) -> Value {
    let effects = if name.contains("sender") {
        json!(["reads", "sends"])
    } else {
        json!(["reads", "writes_files"])
    };
    let key = name.starts_with("keyed").then_some("acct:{account}");
    let timeout = if name.starts_with("short") { 1 } else { 60 };
    let attempts = if name.starts_with("once") { 1 } else { 3 };
    json!({
        "contract": "onejob.tool.v1", "name": name, "family": if name.ends_with("_b") { "beta" } else { "alpha" },
        "summary": "Does what its input says", "version": "1.2.3", "replaces": [], "wave": 0,
        "effects": effects, "gate": "direct", "long_running": false,
        "policy": {
            "timeout_s": timeout, "retry": {"attempts": attempts, "backoff_ms": 40, "max_backoff_ms": 400},
            "cancel_grace_s": 0.4, "concurrency_key": key,
        },
        "env": [], "examples": [],
        "input_schema": {"type": "object", "additionalProperties": true, "properties": {
            "rate": {"type": "integer", "maximum": 100},
            "account": {"type": "string", "default": "main"}, "token": {"type": "string", "writeOnly": true},
        }},
        "output_schema": {"type": "object"},
    })
}

struct Stream {
    pipe: Option<File>,
    seq: u64,
}

impl Stream {
    fn emit(&mut self, mut event: Value) {
        event["v"] = json!(1);
        event["seq"] = json!(self.seq);
        event["ts"] = json!("2025-01-01T00:00:00Z");
        event["elapsed_ms"] = json!(self.seq);
        self.seq += 1;
        self.line(&event.to_string());
    }

    fn line(&mut self, text: &str) {
        if let Some(pipe) = &mut self.pipe {
            drop(writeln!(pipe, "{text}"));
        }
    }
}

fn run(name: &str, input: &Value) -> ExitCode {
    #[expect(unsafe_code, reason = "the descriptor is handed over by number")]
    let pipe = env::var("ONEJOB_EVENTS_FD")
        .ok()
        .and_then(|n| n.parse().ok())
        // SAFETY: the parent opened it for this process, which takes it once.
        .map(|fd: i32| unsafe { File::from_raw_fd(fd) });
    let mut events = Stream { pipe, seq: 0 };
    events.emit(json!({"kind": "started", "run_id": "r", "tool": name, "version": "1.2.3", "pid": std::process::id()}));
    let journal = input["journal"].as_str();
    note(journal, "start");
    let _alone = alone(journal);
    if let Some(text) = input["say"].as_str() {
        drop(writeln!(std::io::stderr(), "{text}"));
    }
    for _ in 0..input["grandchildren"].as_u64().unwrap_or(0) {
        let detached = input["detached"] == true;
        let script = "trap '' TERM; sleep 300 & wait; wait";
        let mut command = Command::new(if detached { "setsid" } else { "sh" });
        let arguments: &[&str] = if detached {
            &["sh", "-c", script]
        } else {
            &["-c", script]
        };
        drop(command.args(arguments).spawn());
    }
    if let Some(total) = input["steps"].as_u64() {
        for done in 1..=total {
            events.emit(
                json!({"kind": "progress", "stage": "work", "done": done, "total": total, "unit": "steps"}),
            );
            sleep(Duration::from_millis(input["step_ms"].as_u64().unwrap_or(0)));
        }
    }
    if let Some(text) = input["write"].as_str() {
        drop(std::fs::write("made.txt", text));
        let sha256 = input["sha256"].clone();
        events.emit(json!({"kind": "artifact", "path": "made.txt", "media_type": "text/plain", "bytes": text.len(), "sha256": sha256, "role": "output"}));
    }
    for n in 0..input["logs"].as_u64().unwrap_or(0) {
        events.emit(json!({"kind": "log", "level": "info", "message": format!("line {n}")}));
    }
    if let Some(path) = input["artifact"].as_str() {
        events.emit(json!({"kind": "artifact", "path": path, "media_type": "text/plain", "bytes": 1, "sha256": "00", "role": "output"}));
        events.emit(json!({"kind": "cost", "usd": 0.25, "what": "ink"}));
    }
    if let Some(bytes) = input["flood"].as_u64() {
        let line = vec![b'x'; 199].into_iter().chain([b'\n']).collect::<Vec<u8>>();
        let mut out = std::io::stdout();
        for _ in 0..bytes / 200 {
            drop(out.write_all(&line));
        }
    }
    sleep(Duration::from_millis(input["sleep_ms"].as_u64().unwrap_or(0)));
    note(journal, "end");
    ending(input, &mut events)
}

fn ending(input: &Value, events: &mut Stream) -> ExitCode {
    if input["panic"] == true {
        // The index is always out of bounds: the panic is the point.
        let nothing = vec![0_u8; input["nothing"].as_u64().unwrap_or(0) as usize];
        return ExitCode::from(nothing[nothing.len()]);
    }
    match input["end"].as_str() {
        Some("silent") => return ExitCode::SUCCESS,
        Some("garbage") => events.line("this is no event"),
        Some("twice") => events.emit(json!({"kind": "finished", "output": 1})),
        _ => {}
    }
    let failed = &input["fail"];
    // `fail_times` with a counter file: the first attempts fail.
    let times = input["fail_times"].as_u64();
    let counter = input["counter"].as_str();
    let so_far = counter
        .and_then(|c| std::fs::metadata(c).ok())
        .map_or(0, |m| m.len());
    if failed.is_object() && times.is_none_or(|times| so_far < times) {
        if let Some(counter) = counter {
            drop(
                OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(counter)
                    .and_then(|mut f| f.write_all(b".")),
            );
        }
        let mut error = json!({"code": failed["kind"], "kind": "internal", "message": "told to fail", "retryable": false, "source": "tool"});
        for (key, value) in failed.as_object().into_iter().flatten() {
            error[key] = value.clone();
        }
        let exit = failed["exit"].as_u64().unwrap_or(70) as u8;
        error.as_object_mut().map(|e| e.remove("exit"));
        events.emit(json!({"kind": "finished", "error": error}));
        return ExitCode::from(exit);
    }
    if let Some(targets) = input["targets"].as_array() {
        return act_on(targets, events);
    }
    // Only whether it came, and as what: the tests look for the secret itself everywhere.
    let token = input["token"]
        .as_str()
        .map(|t| format!("{} letters, {}", t.len(), t.split('-').next().unwrap_or("")));
    let output = json!({"token": token, "echo": input["echo"], "args": env::args().skip(1).collect::<Vec<_>>(), "dir": env::current_dir().ok()});
    events.emit(json!({"kind": "finished", "output": output}));
    drop(writeln!(std::io::stdout(), "{output}"));
    ExitCode::SUCCESS
}

/// Plans for each target, or acts on those of the plan that it is given.
fn act_on(targets: &[Value], events: &mut Stream) -> ExitCode {
    let planning = env::args().any(|a| a == "--dry-run");
    let plan = env::var("ONEJOB_PLAN_FILE")
        .ok()
        .and_then(|path| std::fs::read_to_string(path).ok());
    let plan: Value = plan
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let output = if planning {
        let actions: Vec<Value> = targets
            .iter()
            .map(|t| json!({"action": "touch", "target": t}))
            .collect();
        json!({"plan": {"total": actions.len(), "actions": actions, "truncated": false}})
    } else {
        json!({"acted_on": plan["actions"].as_array().map(|a| a.iter().map(|p| p["target"].clone()).collect::<Vec<_>>())})
    };
    events.emit(json!({"kind": "finished", "output": output}));
    ExitCode::SUCCESS
}

/// A lock that two runs of one job cannot both hold; the journal tells if they try.
fn alone(journal: Option<&str>) -> Option<File> {
    let job = env::var("ONEJOB_JOB_ID").unwrap_or_default();
    let file = File::create(format!("{}.{job}", journal?)).ok()?;
    if file.try_lock().is_err() {
        note(journal, "overlap");
    }
    Some(file)
}

/// One line per start and end; appending a short line is atomic.
fn note(journal: Option<&str>, what: &str) {
    let Some(journal) = journal else { return };
    let job = env::var("ONEJOB_JOB_ID").unwrap_or_default();
    let line = format!("{what} {job} {}\n", std::process::id());
    drop(
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(journal)
            .and_then(|mut f| f.write_all(line.as_bytes())),
    );
}
