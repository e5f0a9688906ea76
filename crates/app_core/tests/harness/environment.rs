//! What a run leaves for the operator: run log, metrics; and what it takes from the host: policy, state.

use std::collections::BTreeMap;

use app_core::{
    Usd,
    state::{RunFilter, RunRecord, Runs},
};
use serde_json::{Value, json};
use testkit::Sandbox;

use crate::{error_line, run, sandbox, terminal, tool};

/// Rows of the run log, newest first.
#[track_caller]
pub(crate) fn runs(sandbox: &Sandbox) -> Vec<RunRecord> {
    let filter = RunFilter {
        limit: 100,
        ..RunFilter::default()
    };
    Runs::open(&sandbox.root().join("state"))
        .unwrap()
        .list(&filter)
        .unwrap()
}

fn spend(usd: f64) -> Value {
    json!({"do": "spend", "usd": usd})
}

#[test]
fn every_run_is_a_row_in_the_run_log() {
    let sandbox = sandbox();
    let first = run(&sandbox, &[spend(0.25)], &[]).expect_code(0);
    run(
        &sandbox,
        &[spend(0.5), json!({"do": "fail", "kind": "network"})],
        &[],
    )
    .expect_code(75);
    let rows = runs(&sandbox);
    assert_eq!(rows.len(), 2);
    let (failed, done) = (&rows[0], &rows[1]);
    assert_eq!(Value::from(done.run_id.clone()), first.events[0]["run_id"]);
    assert_eq!(Value::from(done.pid), first.events[0]["pid"]);
    assert_eq!(
        (done.tool.as_str(), done.version.as_str()),
        ("sample_tool", "1.2.3")
    );
    assert_eq!((done.exit_code, done.error_kind.as_deref()), (Some(0), None));
    assert_eq!(done.cost_usd, Usd::from_cents(25));
    assert!(done.finished_at.unwrap() >= done.started_at);
    assert_eq!(
        (failed.exit_code, failed.error_kind.as_deref()),
        (Some(75), Some("network"))
    );
    assert_eq!(
        failed.cost_usd,
        Usd::from_cents(50),
        "money of a failed run counts"
    );
    assert_ne!(failed.input_hash, done.input_hash);
    let cost = first.events.iter().find(|e| e["kind"] == "cost").unwrap();
    assert_eq!(cost["usd"], 0.25);
}

/// The samples of a textfile; fails on anything that is not exposition format.
fn samples(sandbox: &Sandbox) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(sandbox.path("metrics/onejob_sample_tool.prom")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with("# HELP ") && !line.starts_with("# TYPE "))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn metrics_are_a_textfile_whose_counters_grow() {
    let sandbox = sandbox().env("ONEJOB_METRICS_DIR", "metrics");
    std::fs::create_dir(sandbox.path("metrics")).unwrap();
    let write = json!({"do": "write", "path": "a", "bytes": 100});
    run(&sandbox, &[write.clone(), spend(0.25)], &["--manifest", "none"]).expect_code(0);
    let first = samples(&sandbox);
    let ok = "onejob_runs_total{tool=\"sample_tool\",result=\"ok\"}";
    let tool = |name: &str| format!("onejob_{name}{{tool=\"sample_tool\"}}");
    assert_eq!(first[ok], 1.0);
    assert_eq!(first[&tool("items_total")], 2.0);
    assert_eq!(first[&tool("written_bytes_total")], 100.0);
    assert_eq!(first[&tool("cost_usd_total")], 0.25);
    assert!(first[&tool("last_success_timestamp_seconds")] > 1.7e9);

    run(&sandbox, &[write, spend(0.5)], &["--manifest", "none"]).expect_code(0);
    run(&sandbox, &[json!({"do": "fail", "kind": "locked"})], &[]).expect_code(75);
    let second = samples(&sandbox);
    assert_eq!(second[ok], 2.0);
    assert_eq!(
        second["onejob_runs_total{tool=\"sample_tool\",result=\"locked\"}"],
        1.0
    );
    assert_eq!(second[&tool("cost_usd_total")], 0.75);
    assert_eq!(second[&tool("written_bytes_total")], 200.0);
    assert!(second[&tool("run_seconds_total")] >= first[&tool("run_seconds_total")]);
    assert_eq!(sandbox.files(), ["a", "metrics/onejob_sample_tool.prom"]);
}

#[test]
fn metrics_that_cannot_be_written_are_a_warning() {
    let sandbox = sandbox().env("ONEJOB_METRICS_DIR", "absent");
    let run = run(&sandbox, &[], &[]).expect_code(0);
    assert!(
        run.stderr.contains("absent/onejob_sample_tool.prom"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_policy_is_overridden_in_onejob_toml_and_then_by_flag() {
    let sandbox = sandbox();
    let config = |text: &str| {
        sandbox.file(
            "shared-config/onejob.toml",
            format!("[tools.sample_tool.policy]\n{text}"),
        );
    };
    let sleep = json!({"do": "sleep", "how": "plain", "s": 30});
    config("timeout_s = 1\n");
    let run_with = |more: &[&str]| run(&sandbox, std::slice::from_ref(&sleep), more);
    let late = run_with(&["--json"]).expect_code(75);
    assert_eq!(error_line(&late)["message"], "not finished within 1 s");
    config("timeout_s = 40\nretry = { attempts = 2 }\n");
    let late = run_with(&["--json", "--run-timeout", "1"]).expect_code(75);
    assert_eq!(error_line(&late)["kind"], "timeout");

    for (text, named) in [
        ("timeout_s = \"soon\"\n", "soon"),
        ("timeout = 5\n", "policy.timeout`"),
        ("retry = { attempt = 2 }\n", "policy.retry.attempt`"),
    ] {
        config(text);
        let refused = sandbox.run(&tool(), &["x"]).expect_code(78);
        assert!(
            refused.stderr.contains("tools.sample_tool.policy") && refused.stderr.contains(named),
            "{text}: {}",
            refused.stderr
        );
        terminal(&refused);
    }
}

#[test]
fn without_a_state_directory_reading_works_and_spending_does_not() {
    for place in ["/proc/x", "file/state"] {
        let sandbox = sandbox();
        let folder = sandbox.path(place);
        let sandbox = sandbox.env("ONEJOB_STATE_DIR", folder.display().to_string());
        sandbox.file("file", "in the way");
        let read = run(&sandbox, &[json!({"do": "warn", "text": "reading"})], &[]).expect_code(0);
        assert_eq!(read.json()["done"], 1);
        assert!(
            read.stderr.contains("not in the run log") && read.stderr.contains(place),
            "{}",
            read.stderr
        );
        terminal(&read);
        let refused = run(&sandbox, &[spend(0.01)], &["--json"]).expect_code(74);
        let error = error_line(&refused);
        assert_eq!(error["kind"], "io");
        assert!(error["message"].as_str().unwrap().contains(place), "{error}");
    }
    // A relative one would be another folder in every working directory.
    let relative = sandbox().env("ONEJOB_STATE_DIR", "state");
    let refused = run(&relative, &[], &["--json"]).expect_code(78);
    assert_eq!(error_line(&refused)["code"], "relative_state_dir");
    assert!(relative.files().is_empty(), "{:?}", relative.files());
    let homeless = sandbox().env("ONEJOB_STATE_DIR", "").env("HOME", "");
    let refused = run(&homeless, &[spend(0.01)], &["--json"]).expect_code(78);
    assert_eq!(error_line(&refused)["kind"], "config");
    run(&homeless, &[], &[]).expect_code(0);
}
