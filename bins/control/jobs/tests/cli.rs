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

/// A script in the style of the field, and the configuration that names it.
fn with_script(host: &Host) {
    let config = host.dir.path().join("shared-config");
    std::fs::create_dir(&config).unwrap();
    let script = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--limit')\nprint('limit is', p.parse_args().limit)\n";
    std::fs::write(config.join("old.py"), script).unwrap();
    let toml = "# ours\n[legacy.jobs] # as it was\npath = 'old.py'\neffects = ['reads']\n\n[legacy.count]\npath = 'old.py'\neffects = ['reads']\nsummary = 'Counts'\n";
    std::fs::write(config.join("onejob.toml"), toml).unwrap();
}

#[test]
fn one_command_brings_the_script_back_and_another_the_tool() {
    let host = Host::new();
    with_script(&host);
    let file = host.dir.path().join("shared-config/onejob.toml");
    let before = std::fs::read_to_string(&file).unwrap();

    let planned = host.json(&["route", "jobs", "legacy", "--dry-run"]);
    assert_eq!(
        (&planned["written"], &planned["added"][1]),
        (&Value::from(false), &Value::from("route = \"legacy\""))
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);

    let text = host.jobs(&["route", "jobs", "legacy", "--text"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("+ route = \"legacy\"\n") && text.contains("jobs: rust -> legacy"),
        "{text}"
    );
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(
        after.starts_with(&before) && after.contains("# as it was"),
        "{after}"
    );

    let job = host.json(&["run", "jobs", "limit=3"]);
    assert_eq!(
        (&job["route"], &job["output"]["stdout"]),
        (&Value::from("legacy"), &Value::from("limit is 3\n"))
    );
    let runs = host.jobs(&["runs", "--text"]);
    let runs = String::from_utf8(runs.stdout).unwrap();
    assert!(runs.contains("replaced script: switched"), "{runs}");

    assert_eq!(host.json(&["route", "jobs", "rust"])["after"], "rust");
    assert_eq!(host.json(&["run", "jobs", "action=runs"])["route"], "rust");
    assert_eq!(host.json(&["route", "jobs"])["before"], "rust");
    // A script without a tool is a tool like any other.
    assert_eq!(
        host.json(&["run", "count", "limit=4"])["output"]["stdout"],
        "limit is 4\n"
    );
    let counted = host.json(&["fallbacks"]);
    assert_eq!(counted["fallbacks"].as_array().unwrap().len(), 2, "{counted}");
}

#[test]
fn a_switch_that_cannot_hold_is_refused_and_changes_nothing() {
    let host = Host::new();
    let refused = |args: &[&str], code: i32, says: &str| {
        let output = host.jobs(args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?}: {stderr}");
    };
    refused(&["route", "jobs", "legacy"], 78, "no onejob.toml");
    with_script(&host);
    let file = host.dir.path().join("shared-config/onejob.toml");
    let base = std::fs::read_to_string(&file).unwrap();
    refused(&["route", "no_such", "legacy"], 66, "no tool `no_such`");
    refused(&["route", "../tools/jobs", "legacy"], 66, "no tool");
    for (extra, code, says) in [
        ("[tools.jobs]\ncut_over = true\n", 73, "is cut over"),
        ("[jobs]\npython_fallback_enabled = false\n", 78, "is off"),
        ("[tools.jobs]\npython_fallback_enabled = false\n", 78, "is off"),
    ] {
        let text = format!("{base}{extra}");
        std::fs::write(&file, &text).unwrap();
        refused(&["route", "jobs", "legacy"], code, says);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    std::fs::write(&file, base.replace("[legacy.jobs]", "[legacy.other]")).unwrap();
    refused(&["route", "jobs", "legacy"], 78, "no `[legacy.jobs]`");
    std::fs::write(&file, base.replace("'old.py'", "'gone.py'")).unwrap();
    refused(&["route", "jobs", "legacy"], 78, "gone.py");

    std::fs::write(
        &file,
        format!("{base}[tools.jobs]\ncut_over = true # since May\n"),
    )
    .unwrap();
    assert_eq!(
        host.json(&["route", "jobs", "legacy", "--force"])["written"],
        true
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("cut_over = false # since May") && text.contains("route = \"legacy\""),
        "{text}"
    );
}
