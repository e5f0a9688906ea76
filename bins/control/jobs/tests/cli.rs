//! `jobs` against real processes. The tool it runs is `jobs` itself, which keeps the contract like any other.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::process::{Command, Output};

use serde_json::Value;

struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tools")).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_jobs"), dir.path().join("tools/jobs")).unwrap();
        Self { dir }
    }

    fn jobs(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_jobs"))
            .args(args)
            .current_dir(self.dir.path())
            .env("ONEJOB_STATE_DIR", self.dir.path().join("state"))
            .env("ONEJOB_TOOLS_DIR", self.dir.path().join("tools"))
            .env("USER", "ana")
            .env_remove("ONEJOB_EVENTS_FD")
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.jobs(args);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn a_tool_runs_in_the_foreground_and_its_end_is_ours() {
    let host = Host::new();
    let job = host.json(&["run", "jobs", "action=runs", "limit=3"]);
    assert_eq!(job["state"], "succeeded");
    assert_eq!(job["requested_by"], "cli:ana");
    assert!(job["output"]["runs"].is_array());

    let output = host.jobs(&["run", "jobs", "action=runs", "limit=0"]);
    assert_eq!(output.status.code(), Some(2));
    let job: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(job["state"], "failed");
    let fields = job["error"]["field_paths"].to_string();
    assert!(fields.contains("limit"), "{fields}");

    let listed = host.json(&["list", "--state", "failed"]);
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(
        host.jobs(&["wait", "j2"]).status.code(),
        Some(2),
        "waiting ends like the job"
    );
    let table = host.jobs(&["list", "--text"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("JOB") && table.contains("succeeded"), "{table}");
}

#[test]
fn without_a_worker_a_started_job_waits_and_says_so() {
    let host = Host::new();
    let output = host.jobs(&[
        "start",
        "jobs",
        "--tool-input",
        r#"{"action": "fallbacks"}"#,
        "--idempotency-key",
        "k",
    ]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no worker runs"));
    let started: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&started["id"], &started["attended"]),
        (&Value::from("j1"), &Value::from(false))
    );
    let again = host.json(&["start", "jobs", "action=fallbacks", "--idempotency-key", "k"]);
    assert_eq!(again["existing"], true);
    let other = host.jobs(&["start", "jobs", "action=runs", "--idempotency-key", "k"]);
    assert_eq!(other.status.code(), Some(73));
    assert_eq!(host.json(&["get", "1"])["state"], "queued");
    let report = host.json(&["cancel", "j1"]);
    assert_eq!(
        (&report["state"], &report["rerun_safe"]),
        (&Value::from("cancelled"), &Value::from(true))
    );
}

#[test]
fn wrong_requests_have_their_exit_codes() {
    let host = Host::new();
    for (args, code) in [
        (&["run", "nothing"][..], 66),
        (&["get", "j7"][..], 66),
        (&["get", "seven"][..], 2),
        (&["run", "jobs", "action"][..], 2),
        (&["list", "--limit", "0"][..], 2),
    ] {
        let output = host.jobs(args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stdout.is_empty());
    }
}
