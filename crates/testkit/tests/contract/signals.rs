//! Stopping: a run that is told to stop does so in time, says so once, and leaves no half file.

use std::time::{Duration, Instant};

use testkit::tools;

use crate::{ExampleRun, check_events, examples};

#[test]
fn a_run_told_to_stop_ends_within_its_grace() {
    for tool in tools::all() {
        let d = tool.describe();
        let grace = Duration::from_secs_f64(d["policy"]["cancel_grace_s"].as_f64().unwrap());
        for (index, example) in examples(&d).iter().enumerate() {
            let example_run = ExampleRun::of(&tool, example);
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
    }
}
