//! What a run leaves behind for those who look later: its row in the run log, and the metrics.

use app_core::state::{RunFilter, Runs};

use crate::{ExampleRun, evidence::each_tool, examples};

#[test]
fn a_run_is_in_the_run_log_and_in_the_metrics() {
    each_tool("run_record_and_metrics", |tool| {
        let d = tool.describe();
        for example in examples(&d) {
            let mut example_run = ExampleRun::of(tool, &example);
            let metrics = example_run.sandbox.root().join("metrics");
            std::fs::create_dir(&metrics).unwrap();
            example_run.sandbox = example_run
                .sandbox
                .env("ONEJOB_METRICS_DIR", metrics.display().to_string());
            let run = example_run.run(tool);
            let name = format!("{} {:?}", tool.name, example_run.args);
            // A call in an old envelope may be answered before anything runs.
            let answered = example_run.exit == 1;
            let state = example_run.sandbox.root().join("state");
            let filter = RunFilter {
                tool: Some(tool.name.clone()),
                limit: 10,
                ..RunFilter::default()
            };
            let rows = Runs::open(&state).and_then(|runs| runs.list(&filter)).unwrap();
            let refused = run.code == Some(2);
            if rows.is_empty() && (answered || refused) {
                continue;
            }
            let row = rows.first().unwrap_or_else(|| panic!("{name}: no row"));
            assert_eq!(row.exit_code.map(i32::from), run.code, "{name}");
            assert_eq!(row.version, d["version"].as_str().unwrap(), "{name}");
            assert!(row.finished_at.is_some_and(|end| end >= row.started_at), "{name}");
            assert_eq!(row.error_kind.is_some(), run.code != Some(0), "{name}: {row:?}");
            let text = std::fs::read_to_string(metrics.join(format!("onejob_{}.prom", tool.name))).unwrap();
            let result = row.error_kind.as_deref().unwrap_or("ok");
            let line = format!("onejob_runs_total{{tool=\"{}\",result=\"{result}\"}}", tool.name);
            assert!(text.contains(&line), "{name}: {text}");
        }
    });
}
