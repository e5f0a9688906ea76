//! `alerts` with channels on loopback.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};
use testkit::{Finished, Reply, Route, Sandbox, Site};

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_alerts")), args)
}

/// Two webhooks' worth of answers: one site, one path, statuses in order.
fn hook(codes: &[u16]) -> Site {
    let reply = |status| Reply {
        status: Some(status),
        ..Reply::default()
    };
    Site::routes(vec![Route {
        method: "POST".into(),
        path: "/services/SECRET".into(),
        query: None,
        responses: codes.iter().copied().map(reply).collect(),
    }])
    .unwrap()
}

fn with_hook(site: &Site) -> Sandbox {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file(
        "shared-config/onejob.toml",
        format!(
            "[providers.alerts]\nwebhook = \"{}/services/SECRET\"\n",
            site.url()
        ),
    );
    sandbox
}

fn told(site: &Site) -> Vec<String> {
    let text = |body: &[u8]| {
        let body: Value = serde_json::from_slice(body).unwrap();
        body["text"].as_str().unwrap().to_owned()
    };
    site.requests().iter().map(|r| text(&r.body)).collect()
}

#[test]
fn a_test_message_goes_over_every_channel_and_a_failure_is_said_and_kept() {
    let site = hook(&[503, 200]);
    let sandbox = with_hook(&site);
    let failed = run(&sandbox, &["test"]).expect_code(3);
    assert!(
        failed.stderr.contains("it answered 503 (1 waiting)"),
        "{}",
        failed.stderr
    );
    let listed = run(&sandbox, &["--text"]).expect_code(0);
    assert!(
        listed.stdout.contains("waiting to be told: 1")
            && listed.stdout.contains("tried once: it answered 503")
    );
    let sent = run(&sandbox, &["flush"]).expect_code(0).json();
    assert_eq!(
        (&sent["texts"], &sent["alerts"], &sent["troubles"]),
        (&json!(1), &json!(1), &json!([]))
    );
    assert_eq!(told(&site), ["ℹ️ test message of alerts"; 2]);
    assert_eq!(
        run(&sandbox, &["list"]).expect_code(0).json()["waiting"],
        json!([])
    );
    // What the address of the webhook hides is shown and kept nowhere.
    let state = fs::read(sandbox.root().join("state/outbox.sqlite3")).unwrap();
    assert!(!state.windows(6).any(|w| w == b"SECRET"));
    assert!(!format!("{}{}", failed.stdout, failed.stderr).contains("SECRET"));
}

#[test]
fn without_a_channel_there_is_nothing_to_test() {
    let sandbox = Sandbox::new().unwrap();
    let failed = run(&sandbox, &["test"]).expect_code(78);
    assert!(failed.stderr.contains("names no channel"), "{}", failed.stderr);
    sandbox.file("sites.yml", "sites: []\n");
    let failed = run(&sandbox, &["test", "-c", "sites.yml"]).expect_code(78);
    assert!(
        failed
            .stderr
            .contains("`sites.yml` names no channel under `alerts`"),
        "{}",
        failed.stderr
    );
}

#[test]
fn only_what_is_known_is_silenced_and_for_a_time_that_is_one() {
    let site = hook(&[200]);
    let sandbox = with_hook(&site);
    run(&sandbox, &["silence", "Shop", "--for", "2h"]).expect_code(66);
    run(&sandbox, &["test"]).expect_code(0);
    for wrong in ["soon", "-2h", "0s", "99999h"] {
        let failed = run(
            &sandbox,
            &["silence", "test message of alerts", &format!("--for={wrong}")],
        )
        .expect_code(2);
        let said = &failed.stderr;
        let named = said.contains("is not a length of time")
            || said.contains("must be more than nothing and at most 30 days");
        assert!(named, "{said}");
    }
    let listed = run(&sandbox, &["silence", "test message of alerts", "--for", "2h"])
        .expect_code(0)
        .json();
    assert_eq!(listed["silenced"][0]["key"], "test message of alerts");
    run(&sandbox, &["unsilence", "test message of alerts"]).expect_code(0);
    assert_eq!(run(&sandbox, &["list"]).json()["silenced"], json!([]));
    run(&sandbox, &["unsilence", "test message of alerts"]).expect_code(66);
}

#[test]
fn a_failed_unit_is_told_once_for_each_invocation_with_how_it_ended() {
    let site = hook(&[200]);
    let sandbox = with_hook(&site);
    let bin = sandbox.path("bin");
    fs::create_dir_all(&bin).unwrap();
    let systemctl = bin.join("systemctl");
    fs::write(
        &systemctl,
        "#!/bin/sh\n[ \"$4\" = n8n_backup.service ] || exit 1\nprintf 'Result=exit-code\\nExecMainStatus=69\\nInvocationID=abc\\n'\n",
    )
    .unwrap();
    fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let sandbox = sandbox.env("PATH", path);
    for _ in 0..2 {
        run(&sandbox, &["unit", "n8n_backup.service"]).expect_code(0);
    }
    assert_eq!(told(&site), ["🚨 n8n_backup.service failed: exit code 69"]);
    let unknown = run(&sandbox, &["unit", "other.service"]).expect_code(0);
    assert!(
        unknown.stderr.contains("systemd cannot be asked"),
        "{}",
        unknown.stderr
    );
    assert_eq!(told(&site)[1], "🚨 other.service failed: how is not known");
    run(&sandbox, &["unit", "a b; rm"]).expect_code(2);
}
