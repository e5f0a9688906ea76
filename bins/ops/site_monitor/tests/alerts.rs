//! What is raised reaches somebody: a channel that was down, one that is choosy, one that is slow to take.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{fmt::Write as _, path::Path};

use serde_json::Value;
use testkit::{Finished, Reply, Route, Sandbox, Site};

const TOKEN: &str = "4242:secret-bot-token";

fn round(sandbox: &Sandbox) -> Finished {
    sandbox.run(
        Path::new(env!("CARGO_BIN_EXE_site_monitor")),
        &["check_all", "-c", "sites.yml"],
    )
}

fn statuses(codes: &[u16]) -> Vec<Reply> {
    let reply = |status| Reply {
        status: Some(status),
        ..Reply::default()
    };
    codes.iter().copied().map(reply).collect()
}

fn route(method: &str, path: &str, codes: &[u16]) -> Route {
    Route {
        method: method.into(),
        path: path.into(),
        query: None,
        responses: statuses(codes),
    }
}

fn sandbox() -> Sandbox {
    Sandbox::new().unwrap().env("TELEGRAM_BOT_TOKEN", TOKEN)
}

/// The bodies that came to an address, in order.
fn bodies(site: &Site, path: &str) -> Vec<Value> {
    site.requests()
        .iter()
        .filter(|r| r.path.ends_with(path))
        .map(|r| serde_json::from_slice(&r.body).unwrap())
        .collect()
}

fn texts(site: &Site) -> Vec<String> {
    bodies(site, "/sendMessage")
        .iter()
        .map(|body| body["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Field case `undelivered_alert_is_kept`.
#[test]
fn an_alert_that_a_channel_did_not_take_is_kept_and_told_once_it_does() {
    let bot = format!("/bot{TOKEN}/sendMessage");
    let api = Site::routes(vec![
        route("POST", &bot, &[500, 200]),
        route("POST", "/hook", &[200]),
    ])
    .unwrap();
    let sandbox = sandbox();
    let yaml = format!(
        "sites: [{{url: 'http://127.0.0.1:1/', name: One, timeout_secs: 1}}]\nfailure_threshold: 1\n\
         alerts: {{telegram_chat: 5, telegram_api: '{0}', webhook: '{0}/hook'}}\n",
        api.url()
    );
    sandbox.file("sites.yml", yaml);
    let first = round(&sandbox).expect_code(3).json();
    assert_eq!(
        first["undelivered"],
        serde_json::json!(["telegram 5: the Bot API answered 500 (1 waiting)"])
    );
    for _ in 0..3 {
        let later = round(&sandbox).expect_code(3).json();
        assert_eq!(later["undelivered"], serde_json::json!([]));
        assert_eq!(later["alerts"], serde_json::json!([]));
    }
    let since = first["alerts"][0]["since"].as_str().unwrap();
    let told = texts(&api);
    assert_eq!(told.len(), 2, "one that was refused, one that arrived: {told:?}");
    assert!(told[0].starts_with("🚨 One fails: reachable (") && told[0].ends_with("[stage: tcp]"));
    let minute = format!(" since {} {} UTC", &since[..10], &since[11..16]);
    assert_eq!(told[1], format!("{}{minute}", told[0]));
    // The other channel took it at once and is not told again.
    assert_eq!(bodies(&api, "/hook").len(), 1);
}

/// Field case `sixty_sites_down_at_once`.
#[test]
fn sixty_sites_down_at_once_are_all_told_in_texts_that_the_service_takes() {
    let bot = format!("/bot{TOKEN}/sendMessage");
    let api = Site::routes(vec![route("POST", &bot, &[200])]).unwrap();
    let sandbox = sandbox();
    let mut yaml = format!(
        "failure_threshold: 1\nalerts: {{telegram_chat: 5, telegram_api: '{}', max_per_hour: 3}}\nsites:\n",
        api.url()
    );
    for n in 0..60 {
        writeln!(
            yaml,
            "- {{url: 'http://127.0.0.1:1/p{n}', name: 'Site number {n} of a long list with a rather long name', timeout_secs: 1}}"
        )
        .unwrap();
    }
    sandbox.file("sites.yml", yaml);
    let summary = round(&sandbox).expect_code(3).json();
    assert_eq!(summary["undelivered"], serde_json::json!([]));
    let told = texts(&api);
    assert!(told.iter().all(|text| text.encode_utf16().count() <= 4096));
    assert!(told[0].starts_with("🚨 60 fail: reachable ("), "{}", told[0]);
    let all = told.concat();
    for n in 0..60 {
        assert_eq!(all.matches(&format!("Site number {n} of")).count(), 1, "{n}");
    }
    assert_eq!(told.len(), 1, "one cause, one text");
}

#[test]
fn what_is_over_the_rate_waits_and_comes_together() {
    let site = Site::routes(vec![
        route("GET", "/a", &[500]),
        route("GET", "/b", &[200, 500]),
        route("GET", "/c", &[200, 200, 500]),
        route("POST", "/hook", &[200]),
    ])
    .unwrap();
    let sandbox = sandbox();
    let yaml = |per_hour: u32| {
        format!(
            "failure_threshold: 1\nalerts: {{webhook: '{0}/hook', max_per_hour: {per_hour}}}\nsites:\n\
             - {{url: '{0}/a', name: A}}\n- {{url: '{0}/b', name: B}}\n- {{url: '{0}/c', name: C}}\n",
            site.url()
        )
    };
    sandbox.file("sites.yml", yaml(1));
    let undelivered: Vec<Value> = (0..3)
        .map(|_| round(&sandbox).expect_code(3).json()["undelivered"].clone())
        .collect();
    assert_eq!(undelivered[0], serde_json::json!([]));
    let waits = undelivered[2][0].as_str().unwrap();
    assert!(waits.contains("(2 waiting)"), "{waits}");
    assert_eq!(bodies(&site, "/hook").len(), 1);
}

/// A refusal for good is not repeated for ever; it is said, and its end is not told to somebody who never heard of it.
#[test]
fn what_a_channel_will_never_take_is_given_up_and_said() {
    let site = Site::routes(vec![
        route("GET", "/", &[500, 200, 200]),
        route("POST", "/hook", &[410]),
    ])
    .unwrap();
    let sandbox = sandbox();
    sandbox.file(
        "sites.yml",
        format!(
            "failure_threshold: 1\nsuccess_threshold: 1\nalerts: {{webhook: '{0}/hook'}}\nsites: [{{url: '{0}/', name: Shop}}]\n",
            site.url()
        ),
    );
    let first = round(&sandbox).expect_code(3).json();
    let line = first["undelivered"][0].as_str().unwrap();
    assert!(
        line.starts_with("webhook 127.0.0.1:") && line.ends_with(": it answered 410 (1 given up)"),
        "{line}"
    );
    let second = round(&sandbox).expect_code(0).json();
    assert_eq!(second["alerts"][0]["occasion"], "resolved");
    assert_eq!(bodies(&site, "/hook").len(), 1);
}

/// The sender dies between sending and noting it: told once more, marked, and never a third time.
#[test]
fn a_killed_sender_tells_once_more_and_says_so() {
    let site = Site::routes(vec![
        route("GET", "/", &[500]),
        Route {
            method: "POST".into(),
            path: "/hook".into(),
            query: None,
            responses: vec![
                Reply {
                    delay_s: 600.0,
                    ..Reply::default()
                },
                Reply::default(),
            ],
        },
    ])
    .unwrap();
    let sandbox = sandbox();
    sandbox.file(
        "sites.yml",
        format!(
            "failure_threshold: 1\nalerts: {{webhook: '{0}/hook'}}\nsites: [{{url: '{0}/', name: Shop}}]\n",
            site.url()
        ),
    );
    let killed = sandbox.start(
        Path::new(env!("CARGO_BIN_EXE_site_monitor")),
        &["check_all", "-c", "sites.yml"],
        b"",
    );
    while bodies(&site, "/hook").is_empty() {
        std::thread::yield_now();
    }
    killed.signal("KILL");
    killed.finish();
    for _ in 0..2 {
        round(&sandbox).expect_code(3);
    }
    let told = bodies(&site, "/hook");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1]["text"]
            .as_str()
            .unwrap()
            .ends_with(" (perhaps told before)")
    );
}

/// With no channel in the file, those of `onejob.toml` are used.
#[test]
fn the_channels_of_the_host_stand_in_for_those_of_the_file() {
    let site = Site::routes(vec![route("GET", "/", &[500]), route("POST", "/hook", &[200])]).unwrap();
    let sandbox = sandbox();
    sandbox.file(
        "sites.yml",
        format!("failure_threshold: 1\nsites: [{{url: '{}/'}}]\n", site.url()),
    );
    sandbox.file(
        "shared-config/onejob.toml",
        format!("[providers.alerts]\nwebhook = \"{}/hook\"\n", site.url()),
    );
    round(&sandbox).expect_code(3);
    assert_eq!(bodies(&site, "/hook").len(), 1);
}
