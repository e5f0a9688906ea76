//! How a run ends: exit codes, signals, time, panics.

use std::time::{Duration, Instant};

use app_core::ErrorKind;
use serde_json::{Value, json};
use testkit::{Finished, sandbox::Started};

use crate::{error_line, run, sandbox, start, terminal, tool, wait_until};

fn sleep(how: &str) -> Value {
    json!({"do": "sleep", "how": how, "s": 30})
}

/// Waits until the run is past its first step, a warning.
#[track_caller]
fn under_way(started: &Started) {
    wait_until("the warning", || {
        started.events().iter().any(|event| event["kind"] == "log")
    });
}

fn warn() -> Value {
    json!({"do": "warn", "text": "here we go"})
}

#[track_caller]
fn no_half_files(sandbox: &testkit::Sandbox) {
    let half: Vec<_> = sandbox
        .files()
        .into_iter()
        .filter(|file| file.contains(".part"))
        .collect();
    assert!(half.is_empty(), "{half:?}");
}

#[test]
fn every_kind_ends_with_its_exit_code_and_is_told_alike_on_every_face() {
    let sandbox = sandbox();
    for kind in ErrorKind::ALL {
        let run = run(&sandbox, &[json!({"do": "fail", "kind": kind})], &["--json"])
            .expect_code(i32::from(kind.exit_code()));
        let error = error_line(&run);
        assert_eq!(error["kind"], kind.as_str());
        assert_eq!(error["retryable"], kind.retryable());
        assert_eq!(terminal(&run)["error"], error);
        assert_eq!(run.stdout, "");
    }
    let text = run(&sandbox, &[json!({"do": "fail", "kind": "locked"})], &[]).expect_code(75);
    assert_eq!(text.stderr, "error: asked to fail\nhint: do not ask\n");
}

#[test]
fn a_partial_failure_prints_its_output_and_ends_with_3() {
    let run = run(&sandbox(), &[warn(), json!({"do": "partial"})], &["--json"]).expect_code(3);
    assert_eq!(run.json()["done"], 1);
    let end = terminal(&run);
    assert_eq!(end["output"]["done"], 1);
    assert_eq!(end["error"]["kind"], "partial");
}

#[test]
fn a_run_that_listens_ends_with_the_code_of_its_signal() {
    for (signal, code, name) in [("INT", 130, "interrupted"), ("TERM", 143, "cancelled")] {
        for how in ["cooperative", "plain"] {
            let sandbox = sandbox();
            let begin = json!({"do": "begin", "path": "half.txt"});
            let started = start(&sandbox, &[begin, warn(), sleep(how)], &["--json"]);
            under_way(&started);
            started.signal(signal);
            let run = started.finish().expect_code(code);
            assert_eq!(error_line(&run)["code"], name);
            assert_eq!(terminal(&run)["error"]["kind"], "cancelled");
            let tidied = run.events.iter().any(|e| e["message"] == "tidying up");
            assert_eq!(tidied, how == "cooperative", "{:?}", run.events);
            no_half_files(&sandbox);
        }
    }
}

#[test]
fn a_run_past_its_time_ends_with_75() {
    for how in ["cooperative", "plain", "stubborn"] {
        let sandbox = sandbox();
        let run = run(&sandbox, &[sleep(how)], &["--json", "--run-timeout", "1"]).expect_code(75);
        assert_eq!(error_line(&run)["kind"], "timeout");
        assert_eq!(error_line(&run)["retryable"], true);
        assert_eq!(terminal(&run)["error"]["kind"], "timeout");
        assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
    }
}

#[test]
fn a_stubborn_run_is_ended_by_force_within_its_grace() {
    let sandbox = sandbox();
    let begin = json!({"do": "begin", "path": "half.txt"});
    let started = start(&sandbox, &[begin, warn(), sleep("stubborn")], &["--json"]);
    under_way(&started);
    assert!(sandbox.files().iter().any(|file| file.contains(".part")));
    started.signal("TERM");
    let told = Instant::now();
    let run = started.finish().expect_code(143);
    let took = told.elapsed();
    // The tool's grace is 0.4 s.
    assert!(
        took > Duration::from_millis(350) && took < Duration::from_secs(3),
        "{took:?}"
    );
    let error = error_line(&run);
    assert_eq!(error["kind"], "cancelled");
    assert!(error["hint"].as_str().unwrap().contains("grace"), "{error}");
    assert_eq!(terminal(&run)["error"], error);
    no_half_files(&sandbox);
    let row = crate::environment::runs(&sandbox).remove(0);
    assert_eq!(
        (row.exit_code, row.error_kind.as_deref()),
        (Some(143), Some("cancelled"))
    );
}

#[test]
fn a_second_signal_ends_a_stubborn_run_at_once() {
    let sandbox = sandbox();
    sandbox.file(
        "shared-config/onejob.toml",
        "[tools.sample_tool.policy]\ncancel_grace_s = 20\n",
    );
    let started = start(&sandbox, &[warn(), sleep("stubborn")], &[]);
    under_way(&started);
    started.signal("INT");
    // A signal that comes while the first is being read would be one signal with it; asking again is what a person does.
    let ended = std::cell::Cell::new(false);
    let pid = started.id();
    wait_until("the end", || {
        started.signal("INT");
        ended.set(started.events().iter().any(|event| event["kind"] == "finished"));
        ended.get() || !std::path::Path::new(&format!("/proc/{pid}")).exists()
    });
    let run = started.finish().expect_code(130);
    assert!(run.took < Duration::from_secs(8), "{:?}", run.took);
    terminal(&run);
}

#[test]
fn a_half_file_in_another_thread_does_not_stay_behind() {
    let sandbox = sandbox();
    let started = start(&sandbox, &[warn(), sleep("elsewhere")], &[]);
    wait_until("the half file", || {
        sandbox.files().iter().any(|file| file.contains(".part"))
    });
    started.signal("TERM");
    terminal(&started.finish().expect_code(143));
    no_half_files(&sandbox);
}

#[track_caller]
fn panicked(run: Finished) -> Finished {
    let run = run.expect_code(70);
    let error = error_line(&run);
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&json!("internal"), &json!("panic"))
    );
    assert_eq!(terminal(&run)["error"], error);
    assert!(!run.stderr.contains("RUST_BACKTRACE"), "{}", run.stderr);
    run
}

#[test]
fn a_panic_anywhere_ends_with_70_and_a_terminal_event() {
    for (place, says) in [
        ("run", "asked to panic"),
        ("joined_thread", "a thread panics"),
        ("plan_first", "panic in plan_first"),
    ] {
        let sandbox = sandbox();
        let begin = json!({"do": "begin", "path": "half.txt"});
        let panic = json!({"do": "panic", "place": place});
        let run = panicked(run(&sandbox, &[begin, panic], &["--json"]));
        let message = error_line(&run)["message"].as_str().unwrap().to_owned();
        assert!(
            message.contains(says) && message.contains("sample_tool.rs:"),
            "{message}"
        );
        no_half_files(&sandbox);
    }
    panicked(sandbox().run(&tool(), &["panic in validation", "--json"]));
}

#[test]
fn a_panic_after_the_run_is_in_the_run_log_too() {
    let sandbox = sandbox();
    let run = run(
        &sandbox,
        &[json!({"do": "panic", "place": "render"})],
        &["--text"],
    )
    .expect_code(70);
    assert!(run.stderr.contains("panic in render"), "{}", run.stderr);
    assert_eq!(terminal(&run)["error"]["code"], "panic");
    let row = crate::environment::runs(&sandbox).remove(0);
    assert_eq!(
        (row.exit_code, row.error_code.as_deref()),
        (Some(70), Some("panic"))
    );
}

#[test]
fn a_panic_that_the_tool_overlooks_is_in_the_log() {
    let run = run(&sandbox(), &[json!({"do": "panic", "place": "lost_thread"})], &[]).expect_code(0);
    assert!(run.stderr.contains("a lost thread panics"), "{}", run.stderr);
}

#[test]
fn a_run_without_descriptors_to_work_with_ends_in_order() {
    let args = ["--json".to_owned()];
    let run = crate::run_in_shell(&sandbox(), "ulimit -n 6; exec \"$@\"", &args).expect_code(74);
    assert_eq!(error_line(&run)["kind"], "io");
    assert_eq!(terminal(&run)["error"]["trace_id"], error_line(&run)["trace_id"]);
}
