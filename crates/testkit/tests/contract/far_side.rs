//! What a tool does when its far side takes the call and never answers, or answers nonsense.

use std::time::Duration;

use serde_json::Value;
use testkit::broken::{Answers, BrokenSide};

use crate::{ExampleRun, check_events, check_exit, evidence::each_tool, examples, reaches_far};

#[test]
fn a_far_side_that_never_answers_ends_in_time() {
    let mut called = 0;
    each_tool("silent_far_side", |tool| {
        let d = tool.describe();
        if !reaches_far(&d) {
            return;
        }
        let grace = Duration::from_secs_f64(d["policy"]["cancel_grace_s"].as_f64().unwrap());
        for example in examples(&d) {
            let side = BrokenSide::start(Answers::Never);
            let (run, left) = against(&side, tool, &example);
            let name = format!("{} {}", tool.name, example["args"]);
            check_exit(&tool.name, &name, &run);
            check_events(&name, &run);
            assert!(
                run.took < Duration::from_secs(2) + grace + Duration::from_secs(5),
                "{name}: took {:?}",
                run.took
            );
            if side.calls() == 0 {
                continue;
            }
            called += 1;
            assert_ne!(
                run.code,
                Some(0),
                "{name}: well, without an answer: {}",
                run.stdout
            );
            // A tool may have a shorter patience of its own and then say what it lacks.
            if run.took > Duration::from_millis(1900) {
                assert_eq!(run.code, Some(75), "{name}: {}", run.stderr);
                let end = run.events.last().unwrap_or(&Value::Null);
                assert_eq!(end["error"]["kind"], "timeout", "{name}: {end}");
            }
            assert!(left.is_empty(), "{name}: half done: {left:?}");
        }
    });
    assert!(
        called > 10 || std::env::var_os("ONEJOB_ONLY_TOOL").is_some(),
        "only {called} examples called their far side"
    );
}

#[test]
fn a_far_side_that_answers_nonsense_is_a_clear_failure() {
    let mut called = 0;
    each_tool("garbage_far_side", |tool| {
        let d = tool.describe();
        if !reaches_far(&d) {
            return;
        }
        for example in examples(&d) {
            for answers in [Answers::Noise, Answers::HttpNoise] {
                let side = BrokenSide::start(answers);
                let (run, left) = against(&side, tool, &example);
                let name = format!("{} {} {answers:?}", tool.name, example["args"]);
                check_exit(&tool.name, &name, &run);
                check_events(&name, &run);
                assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
                assert!(!run.stderr.contains("bug:"), "{name}: {}", run.stderr);
                // The noise has control characters; none may reach a terminal or a log.
                for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
                    let raw = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
                    assert_eq!(raw, None, "{name}: raw characters on {stream}: {text:?}");
                }
                assert!(left.is_empty(), "{name}: half done: {left:?}");
                if side.calls() > 0 && answers == Answers::Noise {
                    called += 1;
                    assert_ne!(run.code, Some(0), "{name}: well, from noise: {}", run.stdout);
                }
            }
        }
    });
    assert!(
        called > 10 || std::env::var_os("ONEJOB_ONLY_TOOL").is_some(),
        "only {called} examples called their far side"
    );
}

/// The run, and the half-written files it left.
fn against(
    side: &BrokenSide,
    tool: &testkit::tools::BuiltTool,
    example: &Value,
) -> (testkit::Finished, Vec<String>) {
    let mut example_run = ExampleRun::at(tool, example, side);
    let end = example_run.args.iter().position(|arg| arg == "--");
    let end = end.unwrap_or(example_run.args.len());
    let limits = ["--run-timeout", "2", "--run-attempts", "1"].map(str::to_owned);
    example_run.args.splice(end..end, limits);
    let run = example_run.run(tool);
    let files = example_run.sandbox.files().into_iter();
    (run, files.filter(|file| file.contains(".part")).collect())
}
