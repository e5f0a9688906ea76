//! Files that a run makes: whole or not at all, with a manifest, and honest when the disk says no.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{error_line, run, run_in_shell, sandbox, steps, terminal};

fn write(path: &str, bytes: usize) -> Value {
    json!({"do": "write", "path": path, "bytes": bytes})
}

#[test]
fn a_file_has_an_event_and_a_manifest_with_its_lineage() {
    let sandbox = sandbox().env("SAMPLE_TOKEN", "t0p-canary");
    let step = json!({"do": "write", "path": "out/a.bin", "bytes": 1000, "made_from": "b.txt"});
    let spend = json!({"do": "spend", "usd": 0.25});
    let run = run(&sandbox, &[step, spend], &[]).expect_code(0);
    assert_eq!(sandbox.files(), ["out/a.bin", "out/a.bin.manifest.json"]);
    let bytes = std::fs::read(sandbox.path("out/a.bin")).unwrap();
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let expected = json!({
        "path": "out/a.bin", "media_type": "application/octet-stream", "bytes": 1000, "sha256": sha256,
        "role": "output", "made_from": [{"name": "b.txt"}],
    });
    let event = run.events.iter().find(|e| e["kind"] == "artifact").unwrap();
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&event[key], value);
    }

    let text = std::fs::read_to_string(sandbox.path("out/a.bin.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["format"], "onejob.manifest.v1");
    assert_eq!(
        (&manifest["tool"], &manifest["version"]),
        (&json!("sample_tool"), &json!("1.2.3"))
    );
    assert_eq!(manifest["run_id"], run.events[0]["run_id"]);
    assert_eq!(manifest["artifacts"], json!([expected]));
    assert_eq!(manifest["cost_usd"], 0.25);
    assert_eq!(manifest["input"]["token"], "***");
    assert!(!text.contains("canary"), "{text}");
    let times = ["started_at", "finished_at"].map(|key| manifest[key].as_str().unwrap().to_owned());
    assert!(times[0] <= times[1] && times[0].ends_with('Z'), "{times:?}");
}

#[test]
fn equal_inputs_have_equal_hashes_however_they_were_given() {
    let sandbox = sandbox().env("ONEJOB_CLOCK", "2025-03-04T05:06:07Z");
    let hash = |args: &[&str], count: &str| {
        let mut all: Vec<&str> = vec!["--count", count, "--manifest", "m.json"];
        all.extend_from_slice(args);
        run(&sandbox, &[write("a", 1)], &all).expect_code(0);
        let manifest: Value =
            serde_json::from_slice(&std::fs::read(sandbox.path("m.json")).unwrap()).unwrap();
        assert_eq!(manifest["started_at"], "2025-03-04T05:06:07Z");
        manifest["input_hash"].as_str().unwrap().to_owned()
    };
    sandbox.file("in.json", "{\"labels\": {\"b\": 2, \"a\": 1}, \"shiny\": true}");
    let first = hash(&["--labels=a=1", "--labels=b=2"], "4");
    assert_eq!(first.len(), 64);
    assert_eq!(hash(&["--input", "in.json"], "4"), first);
    assert_ne!(hash(&["--input", "in.json"], "5"), first);
}

#[test]
fn the_manifest_goes_where_it_is_told_or_nowhere() {
    let sandbox = sandbox();
    run(&sandbox, &[write("a", 1)], &["--manifest", "none"]).expect_code(0);
    assert_eq!(sandbox.files(), ["a"]);
    run(&sandbox, &[write("a", 1)], &["--manifest", "m/x.json"]).expect_code(0);
    assert_eq!(sandbox.files(), ["a", "m/x.json"]);
    // Lineage that cannot be written fails the run, after its output was made.
    let failed = run(&sandbox, &[write("a", 1)], &["--manifest", "a/x.json", "--json"]).expect_code(74);
    assert_eq!(failed.json()["done"], 1);
    terminal(&failed);
}

#[test]
fn a_dry_run_leaves_nothing() {
    let sandbox = sandbox();
    let run = run(
        &sandbox,
        &[write("new/folder/a", 10), json!({"do": "begin", "path": "b"})],
        &["--dry-run"],
    )
    .expect_code(0);
    assert_eq!(run.json()["done"], 2);
    assert!(run.events.iter().all(|event| event["kind"] != "artifact"));
    assert!(!sandbox.path("new").exists());
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(sandbox.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn deleting_is_planned_until_apply_is_given() {
    for gate in ["by input", "plan first"] {
        let mut sandbox = sandbox();
        if gate == "plan first" {
            sandbox = sandbox.env("SAMPLE_PLAN_FIRST", "1");
        }
        sandbox.file("victim", "x");
        let delete = [json!({"do": "delete", "path": "victim"})];
        let planned = run(&sandbox, &delete, &[]).expect_code(0);
        assert_eq!(planned.json()["plan"]["actions"][0]["target"], "victim", "{gate}");
        assert!(planned.stderr.contains("`--apply`"), "{gate}: {}", planned.stderr);
        assert_eq!(sandbox.files(), ["victim"], "{gate}");
        let both = run(&sandbox, &delete, &["--apply", "--dry-run"]).expect_code(0);
        assert!(!both.stderr.contains("`--apply`"), "{gate}: {}", both.stderr);
        assert_eq!(sandbox.files(), ["victim"], "{gate}");
        run(&sandbox, &delete, &["--apply"]).expect_code(0);
        assert!(sandbox.files().is_empty(), "{gate}");
        // What is no deletion acts at once, unless every run plans first.
        run(&sandbox, &[write("a", 1)], &["--manifest", "none"]).expect_code(0);
        assert_eq!(sandbox.files().len(), usize::from(gate == "by input"), "{gate}");
        let planned = crate::environment::runs(&sandbox)
            .iter()
            .filter(|run| run.planned)
            .count();
        assert_eq!(planned, if gate == "by input" { 2 } else { 3 }, "{gate}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told_by_name_and_changes_nothing() {
    let sandbox = sandbox();
    sandbox.file("plain", "old");
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    for (path, kind, code) in [
        ("folder", "invalid_input", 2),
        ("plain/below", "io", 74),
        ("plain/further/below", "io", 74),
        ("/proc/x", "io", 74),
        ("/proc/x/y", "io", 74),
        ("..", "invalid_input", 2),
        ("", "invalid_input", 2),
    ] {
        let refused = run(&sandbox, &[write(path, 10)], &["--json"]).expect_code(code);
        let error = error_line(&refused);
        assert_eq!(error["kind"], kind, "{path}: {error}");
        assert_eq!(refused.stdout, "");
        terminal(&refused);
        assert_eq!(sandbox.files(), ["plain"], "{path}");
    }
    assert_eq!(std::fs::read(sandbox.path("plain")).unwrap(), b"old");
}

#[test]
fn a_pipe_or_socket_is_never_replaced_by_a_file() {
    use std::os::unix::fs::FileTypeExt as _;

    // A pipe and a socket of our own stand for devices: a failure of this test must not harm the host's.
    let sandbox = sandbox();
    let made = std::process::Command::new("mkfifo")
        .arg(sandbox.path("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(sandbox.path("socket")).unwrap();
    for name in ["pipe", "socket"] {
        let refused = run(&sandbox, &[write(name, 10)], &["--json"]).expect_code(2);
        assert_eq!(error_line(&refused)["kind"], "invalid_input", "{name}");
        run(&sandbox, &[write(name, 10)], &["--dry-run"]).expect_code(2);
    }
    let kind = |name: &str| std::fs::symlink_metadata(sandbox.path(name)).unwrap().file_type();
    assert!(kind("pipe").is_fifo() && kind("socket").is_socket());
    assert_eq!(sandbox.files(), ["pipe", "socket"]);
}

#[test]
fn a_write_that_fails_midway_leaves_the_old_file_alone() {
    let sandbox = sandbox();
    sandbox.file("a.bin", "old");
    // A file size limit stands for a full disk: writing fails midway. The state files are far smaller.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$@\"";
    let mut args = steps(&[write("a.bin", 4 << 20)]);
    let failed = run_in_shell(&sandbox, script, &args).expect_code(74);
    assert_eq!(failed.stderr, "error: cannot write `a.bin`: file too large\n");
    assert_eq!(terminal(&failed)["error"]["kind"], "io");
    assert_eq!(sandbox.files(), ["a.bin"]);
    assert_eq!(std::fs::read(sandbox.path("a.bin")).unwrap(), b"old");
    args.push("--dry-run".to_owned());
    run_in_shell(&sandbox, script, &args).expect_code(74);
    assert_eq!(std::fs::read_dir(sandbox.root().join("tmp")).unwrap().count(), 0);
}
