//! Standard output, the log, and the event stream.

use std::os::unix::net::UnixDatagram;

use serde_json::{Value, json};

use crate::{run, run_in_shell, sandbox, start, steps, terminal, tool, wait_until};

fn warn() -> Value {
    json!({"do": "warn", "text": "mind the gap"})
}

#[test]
fn the_result_is_json_for_machines_and_text_for_people() {
    let sandbox = sandbox();
    assert_eq!(run(&sandbox, &[], &[]).expect_code(0).json()["done"], 0);
    assert_eq!(run(&sandbox, &[], &["--text"]).expect_code(0).stdout, "done 0\n");
    run(&sandbox, &[], &["--text", "--json"]).expect_code(2);
}

#[test]
fn events_are_numbered_and_progress_is_throttled() {
    let total = 200_000;
    let run = run(
        &sandbox(),
        &[json!({"do": "progress", "total": total}), warn()],
        &[],
    )
    .expect_code(0);
    let end = terminal(&run);
    assert_eq!(end["output"]["done"], 2);
    let progress: Vec<_> = run.events.iter().filter(|e| e["kind"] == "progress").collect();
    let first_and_last = [progress.first(), progress.last()].map(|e| e.map(|e| e["done"].clone()));
    assert_eq!(first_and_last, [Some(json!(0)), Some(json!(total))]);
    let most = 3 + run.took.as_millis() as usize / 100;
    assert!(
        progress.len() <= most,
        "{} events in {:?}",
        progress.len(),
        run.took
    );
    assert_eq!(
        (&progress[0]["stage"], &progress[0]["unit"], &progress[0]["total"]),
        (&json!("count"), &json!("numbers"), &json!(total))
    );
    let log = run.events.iter().find(|e| e["kind"] == "log").unwrap();
    assert_eq!(
        (&log["level"], &log["message"]),
        (&json!("warn"), &json!("mind the gap"))
    );
    assert_eq!(run.events[0]["tool"], "sample_tool");
    assert!(run.events[0]["pid"].as_u64().unwrap() > 1);
}

#[test]
fn the_parent_names_run_and_descriptor() {
    let sandbox = sandbox().env("ONEJOB_RUN_ID", "run_7");
    let run = run(&sandbox, &[], &[]).expect_code(0);
    assert_eq!(run.events[0]["run_id"], "run_7");
    for number in ["77", "1", "-3", "five"] {
        let script = format!("ONEJOB_EVENTS_FD={number}; exec \"$@\"");
        let refused = run_in_shell(&sandbox, &script, &["--json".to_owned()]).expect_code(78);
        assert!(
            refused.stderr.contains("`ONEJOB_EVENTS_FD`"),
            "{}",
            refused.stderr
        );
        assert!(refused.stdout.is_empty() && refused.events.is_empty());
    }
}

#[test]
fn a_reader_that_leaves_is_no_trouble() {
    let sandbox = sandbox();
    // The result is larger than a pipe, so that writing meets the closed end.
    let args = ["--text".to_owned(), "x".repeat(100)];
    let big = ["x".repeat(120_000)];
    for args in [&args[..], &big[..]] {
        let script = "{ \"$@\"; echo $? > code; } | head -c 0; cat code";
        let run = run_in_shell(&sandbox, script, args).expect_code(0);
        assert_eq!(run.stdout, "0\n");
        assert_eq!(run.stderr, "");
        terminal(&run);
    }
    let events_gone = "exec 5>&-; { \"$@\" 5>&1 >/dev/null; echo $? > code; } | head -c 0; cat code";
    let progress = steps(&[json!({"do": "progress", "total": 100_000}), warn()]);
    let run = run_in_shell(&sandbox, events_gone, &progress).expect_code(0);
    assert_eq!(run.stdout, "0\n");
}

#[test]
fn a_result_that_cannot_be_written_fails_the_run() {
    let run = run_in_shell(&sandbox(), "exec \"$@\" >/dev/full", &[]).expect_code(74);
    assert!(
        run.stderr.contains("standard output") && run.stderr.contains("no space left"),
        "{}",
        run.stderr
    );
    assert_eq!(terminal(&run)["error"]["kind"], "io");
}

#[test]
fn the_log_has_levels_and_a_json_form() {
    let quiet = run(&sandbox(), &[warn()], &["--quiet"]).expect_code(0);
    assert!(quiet.stderr.contains("mind the gap"), "{}", quiet.stderr);
    let silent = sandbox().env("ONEJOB_LOG", "error");
    assert_eq!(run(&silent, &[warn()], &[]).expect_code(0).stderr, "");
    let json = sandbox().env("ONEJOB_LOG_FORMAT", "json");
    let run = run(&json, &[warn()], &[]).expect_code(0);
    let lines: Vec<Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1, "{}", run.stderr);
    assert_eq!(
        (&lines[0]["level"], &lines[0]["fields"]["message"]),
        (&json!("WARN"), &json!("mind the gap"))
    );
    assert_eq!(lines[0]["span"]["tool"], "sample_tool");
    assert!(
        lines[0]["span"]["trace_id"]
            .as_str()
            .unwrap()
            .starts_with("trace_")
    );
}

#[test]
fn colour_follows_the_flag_then_no_color_then_the_terminal() {
    let failing = steps(&[json!({"do": "fail", "kind": "io"})]);
    let colours = |sandbox: &testkit::Sandbox, color: &str, terminal: bool| {
        let mut args = vec![format!("--color={color}")];
        args.extend_from_slice(&failing);
        let run = if terminal {
            // `script` gives the program a terminal and keeps its exit code.
            sandbox.file(
                "tool.sh",
                format!("exec '{}' {}", tool().display(), quoted(&args)),
            );
            sandbox.run(
                std::path::Path::new("/usr/bin/script"),
                &["-qec", "sh tool.sh", "/dev/null"],
            )
        } else {
            sandbox.run(&tool(), &args)
        };
        let run = run.expect_code(74);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(text.contains("asked to fail"), "{text}");
        text.contains("\x1b[31")
    };
    let plain = sandbox();
    assert!(!colours(&plain, "auto", false));
    assert!(colours(&plain, "always", false));
    assert!(colours(&plain, "auto", true));
    assert!(!colours(&plain, "never", true));
    let no_color = sandbox().env("NO_COLOR", "1");
    assert!(!colours(&no_color, "auto", true));
    assert!(colours(&no_color, "always", true));
}

fn quoted(args: &[String]) -> String {
    let quoted: Vec<_> = args.iter().map(|arg| format!("'{arg}'")).collect();
    quoted.join(" ")
}

#[test]
fn systemd_is_told_ready_status_watchdog_and_stopping() {
    let sandbox = sandbox();
    let path = sandbox.root().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let sandbox = sandbox
        .env("NOTIFY_SOCKET", path.display().to_string())
        .env("WATCHDOG_USEC", "100000");
    let mut told = Vec::<String>::new();
    let mut listen = || {
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            told.extend(text.lines().map(str::to_owned));
        }
        told.clone()
    };
    let taken = [
        json!({"do": "ready"}),
        json!({"do": "progress", "total": 5}),
        json!({"do": "sleep", "how": "cooperative", "s": 30}),
    ];
    let started = start(&sandbox, &taken, &[]);
    wait_until("READY, STATUS and three pings", || {
        let told = listen();
        told.contains(&"READY=1".to_owned())
            && told.contains(&"STATUS=count: 5 numbers".to_owned())
            && told.iter().filter(|line| *line == "WATCHDOG=1").count() >= 3
    });
    assert!(!listen().contains(&"STOPPING=1".to_owned()));
    started.signal("TERM");
    started.finish().expect_code(143);
    assert!(listen().contains(&"STOPPING=1".to_owned()));
}
