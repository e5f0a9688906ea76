//! What a tool does when its far side takes the call and never answers, or answers nonsense.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::Value;
use testkit::{
    Finished,
    broken::{Answers, BrokenSide},
    tools::BuiltTool,
};

use crate::{ExampleRun, check_events, check_exit, evidence::each_tool, examples, reaches_far};

#[test]
fn a_far_side_that_never_answers_ends_in_time() {
    let called = AtomicUsize::new(0);
    each_tool("silent_far_side", |tool| {
        each_example(tool, &called, &[Answers::Never], |d, name, run| {
            let grace = Duration::from_secs_f64(d["policy"]["cancel_grace_s"].as_f64().unwrap());
            assert!(
                run.took < Duration::from_secs(2) + grace + Duration::from_secs(5),
                "{name}: took {:?}",
                run.took
            );
            // A tool may have a shorter patience of its own, and then says what it lacks.
            if run.took > Duration::from_millis(1900) && d["long_running"] != true {
                assert_eq!(run.code, Some(75), "{name}: {}", run.stderr);
                let end = run.events.last().unwrap_or(&Value::Null);
                assert_eq!(end["error"]["kind"], "timeout", "{name}: {end}");
            }
        });
    });
    enough(&called);
}

#[test]
fn a_far_side_that_answers_nonsense_is_a_clear_failure() {
    let called = AtomicUsize::new(0);
    each_tool("garbage_far_side", |tool| {
        let kinds = [Answers::Noise, Answers::HttpNoise];
        each_example(tool, &called, &kinds, |_, name, run| {
            assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
            assert!(!run.stderr.contains("bug:"), "{name}: {}", run.stderr);
            // The noise has control characters; none may reach a terminal or a log.
            for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
                let raw = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
                assert_eq!(raw, None, "{name}: raw characters on {stream}: {text:?}");
            }
        });
    });
    enough(&called);
}

fn enough(called: &AtomicUsize) {
    let called = called.load(Ordering::Relaxed);
    assert!(
        called > 10 || app_core::config::process_env("ONEJOB_ONLY_TOOL").is_some(),
        "only {called} examples called their far side"
    );
}

/// Runs the examples of a tool at the same time, since most of it is waiting, each against far sides of its own.
fn each_example(
    tool: &BuiltTool,
    called: &AtomicUsize,
    kinds: &[Answers],
    examine: impl Fn(&Value, &str, &Finished) + Sync,
) {
    let d = &tool.describe();
    if !reaches_far(d) {
        return;
    }
    let examine = &examine;
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for example in examples(d) {
            for &kind in kinds {
                let example = example.clone();
                running.push(scope.spawn(move || {
                    let side = BrokenSide::start(kind);
                    let mut example_run = ExampleRun::at(tool, &example, &side);
                    let end = example_run.args.iter().position(|arg| arg == "--");
                    let end = end.unwrap_or(example_run.args.len());
                    let limits = ["--run-timeout", "2", "--run-attempts", "1"].map(str::to_owned);
                    example_run.args.splice(end..end, limits);
                    let run = example_run.run(tool);
                    let name = format!("{} {} {kind:?}", tool.name, example["args"]);
                    check_exit(&tool.name, &name, &run);
                    check_events(&name, &run);
                    let mut half = example_run.sandbox.files();
                    half.retain(|file| file.contains(".part"));
                    assert!(half.is_empty(), "{name}: half done: {half:?}");
                    if side.calls() > 0 {
                        called.fetch_add(1, Ordering::Relaxed);
                        // One that runs until stopped reports a failing far side as its work. A page of noise is a page.
                        let may_succeed = d["long_running"] == true || kind == Answers::HttpNoise;
                        assert!(
                            may_succeed || run.code != Some(0),
                            "{name}: well, without an answer: {}",
                            run.stdout
                        );
                        examine(d, &name, &run);
                    }
                }));
            }
        }
        for ended in running {
            if let Err(panic) = ended.join() {
                resume_unwind(panic);
            }
        }
    });
}
