//! Replaced scripts as jobs: real Python behind the same verbs.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use app_core::{
    contract::{Effect, ErrorKind},
    state::{RunFilter, RunRecord, Runs},
};
use job_manager::{
    Job, JobEventBody, JobManager, JobState, LogRequest, Role, Route, RunMode, Settings, StartRequest,
};
use serde_json::{Value, json};

use crate::fixture::{Place, request};

/// In the style of the field: argparse, a little work, print.
const COUNT: &str = r#"
import argparse, json, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("path")
parser.add_argument("--sleep", type=float, default=0)
parser.add_argument("--fail", action="store_true")
parser.add_argument("--dry-run", action="store_true")
args = parser.parse_args()
print("counting", file=sys.stdout if args.sleep else sys.stderr)
time.sleep(args.sleep)
if args.fail:
    raise RuntimeError("the disk is tired")
print(json.dumps({"path": args.path, "dry_run": args.dry_run}))
"#;

const CONFIG: &str = "
[legacy.count_words]
path = 'count.py'
positional = ['path']
effects = ['reads', 'writes_files']
summary = 'Counts words'
timeout_s = 2
input = { type = 'object', required = ['path'], properties = { path = { type = 'string' }, sleep = { type = 'number' }, fail = { type = 'boolean' } } }

[legacy.planner]
path = 'count.py'
positional = ['path']
effects = ['deletes']
dry_run = 'dry_run'

[legacy.lost]
path = 'gone.py'

[legacy.quick]
path = 'count.py'
positional = ['path']
effects = ['reads']
";

struct Scripts {
    place: Place,
    jobs: JobManager,
}

impl Scripts {
    fn new() -> Self {
        let mut place = Place::new();
        let config = place.path("config");
        std::fs::create_dir(&config).unwrap();
        std::fs::write(config.join("count.py"), COUNT).unwrap();
        std::fs::write(config.join("onejob.toml"), CONFIG).unwrap();
        place.settings = Settings::load(&config).unwrap();
        let jobs = place.open(Role::Foreground);
        Self { place, jobs }
    }

    async fn run(&self, request: StartRequest) -> Job {
        let id = self.jobs.start(request).await.unwrap().id;
        self.jobs.wait(id).await.unwrap()
    }

    fn recorded(&self, tool: &str) -> Vec<RunRecord> {
        let filter = RunFilter {
            tool: Some(tool.to_owned()),
            limit: 10,
            ..RunFilter::default()
        };
        Runs::open(&self.place.state()).unwrap().list(&filter).unwrap()
    }

    async fn log(&self, job: &Job) -> String {
        let page = self.jobs.logs(job.id, LogRequest::default()).await.unwrap();
        let lines: Vec<_> = page.lines.into_iter().map(|line| line.text).collect();
        lines.join("\n")
    }
}

fn output(job: &Job) -> &Value {
    match &job.state {
        JobState::Succeeded { output, .. } => output,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_listed_with_effects_schema_and_timeout() {
    let scripts = Scripts::new();
    let tools = scripts.jobs.list_tools().await.unwrap();
    let entry = tools.iter().find(|t| t.definition.name == "count_words").unwrap();
    let definition = &entry.definition;
    assert_eq!(entry.route, Route::Legacy);
    assert!(entry.path.ends_with("config/count.py"));
    assert_eq!(definition.effects, [Effect::Reads, Effect::WritesFiles].into());
    assert_eq!(definition.summary, "Counts words");
    assert_eq!(definition.policy.timeout_s, 2);
    assert_eq!(definition.input_schema.as_value()["required"], json!(["path"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_leaves_a_log_a_run_record_and_metrics() {
    let scripts = Scripts::new();
    let job = scripts.run(request("count_words", json!({"path": "a b"}))).await;
    assert_eq!(output(&job), &json!({"path": "a b", "dry_run": false}));
    let log = scripts.log(&job).await;
    assert!(log.contains("the replaced script runs: binary_missing"), "{log}");
    assert!(log.contains("counting"), "{log}");
    let [run] = &scripts.recorded("count_words")[..] else {
        panic!("one run is one row")
    };
    assert_eq!(
        (run.exit_code, run.fallback.as_deref()),
        (Some(0), Some("binary_missing"))
    );
    assert!(run.version.starts_with("script-") && run.run_id.starts_with(&job.id.to_string()));
    let metrics = scripts.place.path("metrics/onejob_count_words.prom");
    let text = std::fs::read_to_string(metrics).unwrap();
    assert!(
        text.contains("onejob_fallback_runs_total{tool=\"count_words\",reason=\"binary_missing\"} 1\n"),
        "{text}"
    );
    assert!(
        text.contains("onejob_runs_total{tool=\"count_words\",result=\"ok\"} 1\n"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_takes_too_long_is_ended() {
    let scripts = Scripts::new();
    let begin = Instant::now();
    let job = scripts
        .run(request("count_words", json!({"path": "a", "sleep": 60})))
        .await;
    assert_eq!(job.state.name(), "timed_out");
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    assert_eq!(scripts.place.processes(job.id), [0_u32; 0]);
    let runs = scripts.recorded("count_words");
    assert_eq!(runs.len(), 1, "a script is not tried again by itself");
    assert_eq!(
        (runs[0].exit_code, runs[0].error_kind.as_deref()),
        (Some(75), Some("timeout"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_can_be_cancelled_and_its_words_are_kept() {
    let scripts = Scripts::new();
    let id = scripts
        .jobs
        .start(request("count_words", json!({"path": "a", "sleep": 60})))
        .await
        .unwrap()
        .id;
    // Its words come while it runs.
    let begin = Instant::now();
    loop {
        let page = scripts.jobs.logs(id, LogRequest::default()).await.unwrap();
        if page.lines.iter().any(|line| line.text == "counting") {
            break;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "nothing in the log: {page:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let report = scripts.jobs.cancel(id, "ana", false).await.unwrap();
    assert_eq!((report.state.as_str(), report.forced), ("cancelled", false));
    assert_eq!(scripts.place.processes(id), [0_u32; 0]);
    let runs = scripts.recorded("count_words");
    assert_eq!(
        (runs[0].exit_code, runs[0].error_kind.as_deref()),
        (Some(143), Some("cancelled"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_fails_fails_the_job_with_its_own_words() {
    let scripts = Scripts::new();
    let broken = scripts
        .run(request("count_words", json!({"path": "a", "fail": true})))
        .await;
    let error = broken.state.failure().unwrap();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Internal, "legacy_failed")
    );
    assert_eq!(error.causes, ["RuntimeError: the disk is tired"]);
    assert!(scripts.log(&broken).await.contains("Traceback"));
    assert_eq!(
        scripts.recorded("count_words")[0].error_code.as_deref(),
        Some("legacy_failed")
    );

    let refused = scripts
        .run(request("planner", json!({"path": "a", "colour": "red"})))
        .await;
    let error = refused.state.failure().unwrap();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert!(error.causes[0].contains("--colour"), "{error:?}");

    let unfit = scripts
        .jobs
        .start(request("count_words", json!({"path": 7})))
        .await
        .unwrap_err();
    assert_eq!(
        (unfit.kind, unfit.field_paths),
        (ErrorKind::InvalidInput, vec!["path".to_owned()])
    );

    let lost = scripts.run(request("lost", json!({}))).await;
    let error = lost.state.failure().unwrap();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("gone.py"), "{error:?}");
    assert!(scripts.recorded("lost").is_empty(), "what never ran is no run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_never_acts() {
    let scripts = Scripts::new();
    let plan = |tool| StartRequest {
        mode: RunMode::Plan,
        ..request(tool, json!({"path": "a"}))
    };
    let job = scripts.run(plan("count_words")).await;
    assert_eq!(job.state.failure().unwrap().code, "legacy_cannot_plan");
    let job = scripts.run(plan("planner")).await;
    assert_eq!(output(&job)["dry_run"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_holds_from_the_next_job_on() {
    let scripts = Scripts::new();
    let file = scripts.place.path("config/onejob.toml");
    let input = json!({"path": "a"});
    for (extra, route) in [
        ("", Route::Rust),
        ("[tools.quick]\nroute = 'legacy'\n", Route::Legacy),
        // Half an edit changes nothing.
        ("[tools.quick\n", Route::Legacy),
        ("[tools.quick]\nroute = 'rust'\n", Route::Rust),
    ] {
        write_whole(&file, &format!("{CONFIG}{extra}"));
        let id = scripts
            .jobs
            .start(request("quick", input.clone()))
            .await
            .unwrap()
            .id;
        scripts.jobs.wait(id).await.unwrap();
        let events = scripts.jobs.events(id, 0).await.unwrap();
        let ran = events.iter().find_map(|event| match event.body {
            JobEventBody::Running { route, .. } => Some(route),
            _ => None,
        });
        assert_eq!(ran, Some(route), "{extra}");
    }
    let reasons: Vec<_> = scripts
        .recorded("quick")
        .into_iter()
        .map(|run| run.fallback)
        .collect();
    assert_eq!(
        reasons,
        [Some("switched".to_owned()), Some("switched".to_owned())]
    );
}

/// As editors do.
fn write_whole(path: &Path, text: &str) {
    let half = path.with_extension("new");
    std::fs::write(&half, text).unwrap();
    std::fs::rename(half, path).unwrap();
}
