//! `onejob` against real processes. The tool it runs is `onejob` itself, which keeps the contract like any other.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

struct Host {
    dir: tempfile::TempDir,
    /// The operator's own configuration, if there is one.
    config: Option<PathBuf>,
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tools")).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_onejob"), dir.path().join("tools/onejob")).unwrap();
        Self { dir, config: None }
    }

    fn onejob(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_onejob"))
            .args(args)
            .current_dir(self.dir.path())
            .env("ONEJOB_STATE_DIR", self.dir.path().join("state"))
            .env("ONEJOB_TOOLS_DIR", self.dir.path().join("tools"))
            .env("USER", "mallory")
            .env_remove("ONEJOB_CONFIG_DIR")
            .env_remove("ONEJOB_EVENTS_FD")
            .envs(self.config.iter().map(|dir| ("ONEJOB_CONFIG_DIR", dir)))
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.onejob(args);
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
    let job = host.json(&["run", "onejob", "action=runs", "limit=3"]);
    assert_eq!(job["state"], "succeeded");
    // Who it is, the kernel says: not a variable.
    let by = job["requested_by"].as_str().unwrap();
    assert!(by.starts_with("cli:") && by != "cli:mallory", "{by}");
    assert!(job["output"]["runs"].is_array());

    let output = host.onejob(&["run", "onejob", "action=runs", "limit=0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("limit"));
    assert_eq!(
        host.json(&["list"])["jobs"].as_array().unwrap().len(),
        1,
        "nothing was queued"
    );

    let output = host.onejob(&["run", "onejob", "action=get", "id=j99"]);
    assert_eq!(output.status.code(), Some(66));
    let job: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&job["state"], &job["error"]["kind"]),
        (&Value::from("failed"), &Value::from("not_found"))
    );
    let listed = host.json(&["list", "--state", "failed"]);
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(
        host.onejob(&["wait", "j2"]).status.code(),
        Some(66),
        "waiting ends like the job"
    );
    let table = host.onejob(&["list", "--text"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("JOB") && table.contains("succeeded"), "{table}");
}

#[test]
fn without_a_worker_a_started_job_waits_and_says_so() {
    let host = Host::new();
    let output = host.onejob(&[
        "start",
        "onejob",
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
    let again = host.json(&["start", "onejob", "action=fallbacks", "--idempotency-key", "k"]);
    assert_eq!(again["existing"], true);
    let other = host.onejob(&["start", "onejob", "action=runs", "--idempotency-key", "k"]);
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
        (&["run", "onejob", "action"][..], 2),
        (&["list", "--limit", "0"][..], 2),
    ] {
        let output = host.onejob(args);
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
fn with_script(host: &mut Host) {
    let config = host.dir.path().join("shared-config");
    std::fs::create_dir(&config).unwrap();
    host.config = Some(config.clone());
    let script = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--limit')\nprint('limit is', p.parse_args().limit)\n";
    std::fs::write(config.join("old.py"), script).unwrap();
    let toml = "# ours\n[legacy.onejob] # as it was\npath = 'old.py'\neffects = ['reads']\n\n[legacy.count]\npath = 'old.py'\neffects = ['reads']\nsummary = 'Counts'\n";
    std::fs::write(config.join("onejob.toml"), toml).unwrap();
}

#[test]
fn one_command_brings_the_script_back_and_another_the_tool() {
    let mut host = Host::new();
    with_script(&mut host);
    let file = host.dir.path().join("shared-config/onejob.toml");
    let before = std::fs::read_to_string(&file).unwrap();

    let planned = host.json(&["route", "onejob", "legacy", "--dry-run"]);
    assert_eq!(
        (&planned["written"], &planned["added"][1]),
        (&Value::from(false), &Value::from("route = \"legacy\""))
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);

    let text = host.onejob(&["route", "onejob", "legacy", "--text"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("+ route = \"legacy\"\n") && text.contains("onejob: rust -> legacy"),
        "{text}"
    );
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(
        after.starts_with(&before) && after.contains("# as it was"),
        "{after}"
    );

    let job = host.json(&["run", "onejob", "limit=3"]);
    assert_eq!(
        (&job["route"], &job["output"]["stdout"]),
        (&Value::from("legacy"), &Value::from("limit is 3\n"))
    );
    let runs = host.onejob(&["runs", "--text"]);
    let runs = String::from_utf8(runs.stdout).unwrap();
    assert!(runs.contains("replaced script: switched"), "{runs}");

    assert_eq!(host.json(&["route", "onejob", "rust"])["after"], "rust");
    assert_eq!(host.json(&["run", "onejob", "action=runs"])["route"], "rust");
    assert_eq!(host.json(&["route", "onejob"])["before"], "rust");
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
    let mut host = Host::new();
    let refused = |host: &Host, args: &[&str], code: i32, says: &str| {
        let output = host.onejob(args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?}: {stderr}");
    };
    refused(&host, &["route", "onejob", "legacy"], 78, "no onejob.toml");
    with_script(&mut host);
    let file = host.dir.path().join("shared-config/onejob.toml");
    let base = std::fs::read_to_string(&file).unwrap();
    refused(&host, &["route", "no_such", "legacy"], 66, "no tool `no_such`");
    refused(&host, &["route", "../tools/onejob", "legacy"], 66, "no tool");
    for (extra, code, says) in [
        ("[tools.onejob]\ncut_over = true\n", 73, "is cut over"),
        ("[jobs]\npython_fallback_enabled = false\n", 78, "is off"),
        ("[tools.onejob]\npython_fallback_enabled = false\n", 78, "is off"),
    ] {
        let text = format!("{base}{extra}");
        std::fs::write(&file, &text).unwrap();
        refused(&host, &["route", "onejob", "legacy"], code, says);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    std::fs::write(&file, base.replace("[legacy.onejob]", "[legacy.other]")).unwrap();
    refused(&host, &["route", "onejob", "legacy"], 78, "no `[legacy.onejob]`");
    std::fs::write(&file, base.replace("'old.py'", "'gone.py'")).unwrap();
    refused(&host, &["route", "onejob", "legacy"], 78, "gone.py");

    std::fs::write(
        &file,
        format!("{base}[tools.onejob]\ncut_over = true # since May\n"),
    )
    .unwrap();
    assert_eq!(
        host.json(&["route", "onejob", "legacy", "--force"])["written"],
        true
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("cut_over = false # since May") && text.contains("route = \"legacy\""),
        "{text}"
    );
}

#[test]
fn a_file_found_in_the_working_directory_names_no_programs() {
    let mut host = Host::new();
    with_script(&mut host);
    // The same file, but nobody said that it is his.
    host.config = None;
    let output = host.onejob(&["run", "count", "limit=4"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{stderr}");
    assert!(
        stderr.contains("[legacy.count]") && stderr.contains("export ONEJOB_CONFIG_DIR="),
        "{stderr}"
    );
    let checked = host.onejob(&["config", "check"]);
    assert_eq!(checked.status.code(), Some(78));
    // `.env` neither.
    std::fs::write(host.dir.path().join(".env"), "ONEJOB_TOOLS_DIR=./elsewhere\n").unwrap();
    let listed = Command::new(env!("CARGO_BIN_EXE_onejob"))
        .args(["list_tools", "--short"])
        .current_dir(host.dir.path())
        .env("ONEJOB_STATE_DIR", host.dir.path().join("state"))
        .env_remove("ONEJOB_TOOLS_DIR")
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
}

#[test]
fn a_script_keeps_its_exit_code_and_what_it_wrote() {
    let mut host = Host::new();
    with_script(&mut host);
    let config = host.config.clone().unwrap();
    let script = "import argparse, sys\np = argparse.ArgumentParser()\np.add_argument('--rc', type=int)\n\
                  sys.stdout.buffer.write(b'{ \"a\":  1 }\\xff\\n')\nsys.exit(p.parse_args().rc)\n";
    std::fs::write(config.join("rc.py"), script).unwrap();
    let toml = "[legacy.rc]\npath = 'rc.py'\neffects = ['reads']\n";
    std::fs::write(config.join("onejob.toml"), toml).unwrap();
    for code in [0, 1, 3, 5, 77] {
        let field = format!("rc={code}");
        let output = host.onejob(&["run", "rc", &field, "--text"]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.stdout, b"{ \"a\":  1 }\xff\n");
        assert!(
            !String::from_utf8_lossy(&output.stderr).contains("replaced script runs"),
            "it never had a tool"
        );
        let output = host.onejob(&["run", "rc", &field]);
        assert_eq!(output.status.code(), Some(code));
        let job: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(job["state"], if code == 0 { "succeeded" } else { "failed" });
    }
}

#[test]
fn a_secret_of_a_script_is_on_no_command_line_and_in_no_file() {
    let mut host = Host::new();
    with_script(&mut host);
    let config = host.config.clone().unwrap();
    let script = "import os, sys\nprint(len(os.environ['API_KEY']), sys.argv[1:])\n";
    std::fs::write(config.join("key.py"), script).unwrap();
    std::fs::write(
        config.join("onejob.toml"),
        "[legacy.keyed]\npath = 'key.py'\neffects = ['reads']\n",
    )
    .unwrap();
    let job = host.json(&["run", "keyed", "api_key=CANARY-4711", "n=1"]);
    assert_eq!(job["output"]["stdout"], "11 ['--n', '1']\n");
    assert_eq!(job["input"]["api_key"], "***");
    let found = Command::new("grep")
        .args(["-r", "CANARY-4711"])
        .arg(host.dir.path().join("state"))
        .output()
        .unwrap();
    assert!(
        found.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&found.stdout)
    );
}

#[test]
fn waiting_has_a_limit_and_the_job_goes_on() {
    let host = Host::new();
    assert!(
        host.onejob(&["start", "onejob", "action=fallbacks"])
            .status
            .success()
    );
    let output = host.onejob(&["wait", "j1", "--timeout", "0.3"]);
    assert_eq!(output.status.code(), Some(75));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("queued still"), "{stderr}");
    assert_eq!(host.json(&["get", "j1"])["waiting"]["reason"], "worker");
    assert_eq!(
        host.onejob(&["wait", "j1", "--timeout", "1e8", "--run-timeout", "1"])
            .status
            .code(),
        Some(75)
    );
}

#[test]
fn every_verb_is_reached() {
    let host = Host::new();
    host.json(&["run", "onejob", "action=runs", "limit=3"]);
    let short = host.json(&["list_tools", "--short"]);
    assert_eq!(
        (
            &short["tools"][0]["name"],
            short["revision"].as_str().unwrap().len()
        ),
        (&Value::from("onejob"), 16)
    );
    assert_eq!(host.json(&["validate", "onejob", "action=runs"])["valid"], true);
    let wrong = host.onejob(&["validate", "onejob", "action=runs", "limit=0", "tool=5"]);
    let told: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!(
        (wrong.status.code(), &told["fields"][0]["path"]),
        (Some(2), &Value::from("limit"))
    );
    let status = host.json(&["status"]);
    assert_eq!(
        (&status["running"], &status["worker"]),
        (&Value::from(0), &Value::Null)
    );
    let counted = host.json(&[
        "list",
        "--counts",
        "--by",
        "cli:",
        "--effect",
        "sends",
        "--text-in",
        "RUNS",
    ]);
    assert_eq!(counted["counts"]["succeeded"], 1);
    let seen = host.onejob(&["watch", "--after", "0", "--limit", "1"]);
    let line: Value = serde_json::from_slice(&seen.stdout).unwrap();
    assert_eq!(
        (&line["kind"], &line["job"]["id"]),
        (&Value::from("changed"), &Value::from("j1"))
    );
    let lines = host.onejob(&["logs", "j1", "--follow", "--text"]);
    assert!(lines.status.success() && !lines.stdout.is_empty());
    assert_eq!(host.onejob(&["artifact", "j1", "1"]).status.code(), Some(66));
    let again = host.json(&["retry", "j1", "--idempotency-key", "k"]);
    assert_eq!(
        host.json(&["retry", "j1", "--idempotency-key", "k"])["id"],
        again["id"]
    );
    let help = host.onejob(&["help", "onejob", "--text"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("completions"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = host.onejob(&["completions", shell, "--text"]);
        assert!(
            String::from_utf8_lossy(&script.stdout).contains("list_tools"),
            "{shell}"
        );
    }
    let pages = host.json(&["man", "pages"]);
    assert_eq!(pages["files"][0], "pages/onejob.1");
    let page = std::fs::read_to_string(host.dir.path().join("pages/onejob.1")).unwrap();
    assert!(page.starts_with(".ie") && page.contains(".TH onejob 1"), "{page}");
    assert_eq!(host.json(&["approvals"])["requests"], Value::Array(Vec::new()));
    assert_eq!(host.onejob(&["approve", "a1"]).status.code(), Some(66));
}

#[test]
fn the_doctor_names_what_is_wrong_with_the_line_that_mends_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = Host::new();
    host.json(&["status"]);
    let open = host.dir.path().join("state/jobs.sqlite3");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let session = host.dir.path().join("telegram_session.session");
    std::fs::write(&session, "x").unwrap();
    std::fs::set_permissions(&session, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = host.onejob(&["doctor"]);
    assert_eq!(output.status.code(), Some(3));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |what: &str| {
        let found = told["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["what"].as_str().unwrap().starts_with(what));
        found.unwrap_or(&Value::Null).clone()
    };
    assert!(
        of("file permissions")["mend"]
            .as_str()
            .unwrap()
            .starts_with("chmod -R go-rwx")
    );
    assert_eq!(of("session")["mend"], "chmod 600 ./telegram_session.session");
    assert_eq!(of("worker")["level"], "lacking");
    assert!(of("browser")["level"].is_string() && of("ffmpeg")["level"].is_string());
    let text = host.onejob(&["doctor", "--text"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("wrong    file permissions"));
}

#[test]
fn an_unknown_tool_in_the_configuration_is_named() {
    let mut host = Host::new();
    with_script(&mut host);
    let file = host.config.clone().unwrap().join("onejob.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        host.json(&["config", "check"])["problems"],
        Value::Array(Vec::new())
    );
    std::fs::write(&file, format!("{good}[tools.onejbo]\nroute = 'rust'\n")).unwrap();
    let output = host.onejob(&["config", "check", "--text"]);
    assert_eq!(output.status.code(), Some(78));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("[tools.onejbo]") && text.contains("did you mean `[tools.onejob]`?"),
        "{text}"
    );
}

#[test]
fn the_old_name_works_and_says_so() {
    let host = Host::new();
    let output = Command::new(env!("CARGO_BIN_EXE_jobs"))
        .arg("--version")
        .current_dir(host.dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("onejob "));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`jobs` is now `onejob`"));
}
