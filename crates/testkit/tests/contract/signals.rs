//! Stopping: a run that is told to stop does so in time, says so once, and leaves no half file.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{ExampleRun, check_events, check_exit, evidence::each_tool, examples};

#[test]
fn a_run_told_to_stop_ends_within_its_grace() {
    each_tool("told_to_stop", |tool| {
        let d = tool.describe();
        let grace = Duration::from_secs_f64(d["policy"]["cancel_grace_s"].as_f64().unwrap());
        for (index, example) in examples(&d).iter().enumerate() {
            let example_run = ExampleRun::of(tool, example);
            let before = example_run.sandbox.files();
            let started = example_run.sandbox.start(&tool.binary, &example_run.args, b"");
            // Different moments of the run, the same in every run of this test.
            std::thread::sleep(Duration::from_millis([3, 9, 20, 45][index % 4]));
            started.signal("TERM");
            let told = Instant::now();
            let run = started.finish();
            let name = format!("{} {:?}", tool.name, example_run.args);
            assert!(
                told.elapsed() < grace + Duration::from_secs(2),
                "{name}: took {:?}",
                told.elapsed()
            );
            let begun = run.events.iter().any(|e| e["kind"] == "started");
            match run.code {
                // The signal came before the program could listen for it, or before it began.
                None => assert!(run.events.len() <= 1, "{name}: {:?}", run.events),
                Some(code) => {
                    assert!(
                        code == 143 || code == example_run.exit,
                        "{name}: exit {code}: {}",
                        run.stderr
                    );
                    assert!(begun, "{name}");
                    check_events(&name, &run);
                }
            }
            let half: Vec<_> = example_run
                .sandbox
                .files()
                .into_iter()
                .filter(|f| f.contains(".part"))
                .collect();
            assert!(
                run.code.is_none() || half.is_empty(),
                "{name}: {half:?} (before: {before:?})"
            );
        }
    });
}

#[test]
fn a_run_that_takes_too_long_ends_as_a_timeout() {
    each_tool("out_of_time", |tool| {
        let d = tool.describe();
        let grace = Duration::from_secs_f64(d["policy"]["cancel_grace_s"].as_f64().unwrap());
        for example in examples(&d) {
            let mut example_run = ExampleRun::of(tool, &example);
            example_run
                .args
                .extend(["--run-timeout", "1", "--run-attempts", "1"].map(str::to_owned));
            // The whole of it is bounded, whatever it waits for.
            let run = example_run.run(tool);
            let name = format!("{} {:?}", tool.name, example_run.args);
            check_exit(&tool.name, &name, &run);
            check_events(&name, &run);
            assert!(
                run.took < grace + Duration::from_secs(5),
                "{name}: took {:?}",
                run.took
            );
            // A run may be over before its time is; one that is not has no other end.
            if run.code == Some(75) || run.took > Duration::from_millis(1500) {
                let end = run.events.last().unwrap_or(&Value::Null);
                assert_eq!(run.code, Some(75), "{name}: {}", run.stderr);
                assert_eq!(end["error"]["kind"], "timeout", "{name}: {end}");
            }
        }
    });
}
