//! site_monitor against a site on loopback: health, alerts with memory between runs, a thousand sites at once.

use std::time::Duration;

use serde_json::Value;
use std::collections::BTreeMap;

use testkit::{Finished, Reply, Route, Sandbox, Site};

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(std::path::Path::new(env!("CARGO_BIN_EXE_site_monitor")), args)
}

#[test]
fn a_healthy_site_is_told_with_its_timings_and_an_unhealthy_one_exits_3() {
    let slow = Reply {
        delay_s: 0.2,
        body_text: Some("late".into()),
        ..Reply::default()
    };
    let site = Site::routes(vec![
        Route::text("/ok", "application/json", r#"{"status": "UP"}"#),
        Route {
            method: "GET".into(),
            path: "/slow".into(),
            query: None,
            responses: vec![slow],
        },
        Route::status("/broken", 503),
    ])
    .unwrap();
    let sandbox = Sandbox::new().unwrap();
    let url = |path: &str| format!("{}{path}", site.url());

    let ok = run(
        &sandbox,
        &["check", &url("/ok"), "--condition", "[BODY].status == UP"],
    )
    .expect_code(0)
    .json();
    assert_eq!(
        (&ok["is_healthy"], &ok["status"]),
        (&Value::Bool(true), &Value::from(200))
    );
    assert!(ok["timings"]["tcp_ms"].is_f64() && ok["timings"]["first_byte_ms"].is_f64());
    assert_eq!(ok["content_hash"].as_str().map(str::len), Some(64));

    let slow = run(
        &sandbox,
        &["check", &url("/slow"), "--condition", "[RESPONSE_TIME] < 100"],
    )
    .expect_code(3);
    assert!(
        slow.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("[RESPONSE_TIME] < 100 (is "),
        "{}",
        slow.stdout
    );

    let broken = run(&sandbox, &["check", "--text", &url("/broken")]).expect_code(3);
    assert!(
        broken
            .stdout
            .starts_with(&format!("❌ {} | HTTP 503 | ", url("/broken"))),
        "{}",
        broken.stdout
    );
    assert!(
        broken.stderr.contains("HTTP 503 Service Unavailable"),
        "{}",
        broken.stderr
    );

    let gone = run(&sandbox, &["check", "http://127.0.0.1:1/"])
        .expect_code(3)
        .json();
    assert_eq!(
        (&gone["cause"], &gone["status"]),
        (&Value::from("tcp"), &Value::Null)
    );
}

#[test]
fn alerts_wait_for_the_threshold_remember_between_runs_and_resolve() {
    let status = |code| Reply {
        status: Some(code),
        ..Reply::default()
    };
    let site = Site::routes(vec![
        Route {
            method: "GET".into(),
            path: "/".into(),
            query: None,
            responses: [200, 500, 500, 500, 500, 200, 200]
                .into_iter()
                .map(status)
                .collect(),
        },
        Route {
            method: "POST".into(),
            path: "/hook".into(),
            query: None,
            responses: vec![status(200)],
        },
    ])
    .unwrap();
    let sandbox = Sandbox::new().unwrap();
    let yaml = format!(
        "sites:\n- {{url: '{0}/', name: Shop}}\nfailure_threshold: 3\nsuccess_threshold: 2\nalerts: {{webhook: '{0}/hook'}}\n",
        site.url()
    );
    sandbox.file("sites.yml", yaml);
    let mut occasions = Vec::new();
    for _ in 0..7 {
        let round = run(&sandbox, &["check_all", "-c", "sites.yml"]).json();
        occasions.extend(
            round["alerts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|a| a["occasion"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(occasions, ["failing", "resolved"]);
    let hooks: Vec<_> = site
        .requests()
        .into_iter()
        .filter(|r| r.path == "/hook")
        .collect();
    assert_eq!(hooks.len(), 2);
    let first: Value = serde_json::from_slice(&hooks[0].body).unwrap();
    assert_eq!(
        first["text"],
        "🚨 Shop fails: reachable (HTTP 500 Internal Server Error)"
    );
}

#[test]
fn a_warning_is_told_apart_from_an_outage() {
    let site = Site::routes(vec![Route::text("/", "text/plain", "x")]).unwrap();
    let sandbox = Sandbox::new().unwrap();
    let yaml = format!(
        "sites:\n- url: '{}/'\n  conditions:\n  - {{when: '[BODY] == y', severity: warning}}\nfailure_threshold: 1\n",
        site.url()
    );
    sandbox.file("sites.yml", yaml);
    let round = run(&sandbox, &["check_all", "-c", "sites.yml", "-o", "r.json"])
        .expect_code(0)
        .json();
    assert_eq!(round["healthy"], 1);
    assert_eq!(round["alerts"][0]["severity"], "warning");
    let written: Value = serde_json::from_slice(&std::fs::read(sandbox.path("r.json")).unwrap()).unwrap();
    assert_eq!(written[0]["is_healthy"], true);
}

#[test]
fn a_faulty_file_is_refused_with_the_place_of_the_fault() {
    let sandbox = Sandbox::new().unwrap();
    for (yaml, named) in [
        ("sites: []\n", "sites"),
        ("sites:\n- {url: 'ftp://x'}\n", "sites[0].url"),
        (
            "sites:\n- {url: 'http://x', conditions: ['[STATUS]']}\n",
            "sites[0].conditions[0]",
        ),
        (
            "sites:\n- {url: 'http://x', timeout_secs: 0}\n",
            "sites[0].timeout_secs",
        ),
        ("sites: {", "sites.yml"),
    ] {
        sandbox.file("sites.yml", yaml);
        let refused = run(&sandbox, &["check_all", "-c", "sites.yml"]).expect_code(2);
        assert!(refused.stderr.contains(named), "{yaml}: {}", refused.stderr);
    }
    run(&sandbox, &["check_all", "-c", "absent.yml"]).expect_code(66);
    run(&sandbox, &["init_config", "-o", "sites.yml"]).expect_code(73);
}

#[test]
fn a_watch_stops_in_order_when_told_to() {
    let site = Site::routes(vec![Route::text("/", "text/plain", "x")]).unwrap();
    let sandbox = Sandbox::new().unwrap();
    sandbox.file("sites.yml", format!("sites:\n- url: '{}/'\n", site.url()));
    let args = [
        "watch",
        "-c",
        "sites.yml",
        "-i",
        "1",
        "--history",
        "h.ndjson",
        "--text",
    ];
    let watch = sandbox.start(
        std::path::Path::new(env!("CARGO_BIN_EXE_site_monitor")),
        &args,
        b"",
    );
    for _ in 0..400 {
        if site.requests().len() >= 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    watch.signal("TERM");
    let ended = watch.finish().expect_code(143);
    assert!(ended.took < Duration::from_secs(6), "{:?}", ended.took);
    assert!(
        ended.stdout.contains("📢 Изменения:") && ended.stdout.contains("добавлен в мониторинг"),
        "{}",
        ended.stdout
    );
    let history = std::fs::read_to_string(sandbox.path("h.ndjson")).unwrap();
    assert!(
        history
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    assert_eq!(ended.events.last().unwrap()["error"]["kind"], "cancelled");
}

#[test]
fn a_thousand_hanging_sites_take_one_timeout() {
    let hanging = Reply {
        delay_s: 60.0,
        ..Reply::default()
    };
    let site = Site::routes(vec![Route {
        method: "GET".into(),
        path: "/".into(),
        query: None,
        responses: vec![hanging],
    }])
    .unwrap();
    let sandbox = Sandbox::new().unwrap();
    let mut yaml = "sites:\n".to_owned();
    for n in 0..1000 {
        yaml.push_str(&format!(
            "- {{url: '{}/', name: s{n}, timeout_secs: 3}}\n",
            site.url()
        ));
    }
    sandbox.file("sites.yml", yaml);
    let round = run(&sandbox, &["check_all", "-c", "sites.yml"]).expect_code(3);
    assert!(round.took < Duration::from_secs(6), "took {:?}", round.took);
    assert_eq!(round.json()["total"], 1000);
    let sites = round.json()["sites"].as_array().unwrap().clone();
    assert!(
        sites.iter().all(|s| s["error"] == "no answer within 3 s"),
        "{:?}",
        sites.iter().find(|s| s["error"] != "no answer within 3 s")
    );
}

#[test]
fn a_page_built_to_stall_parsers_costs_no_more_than_its_timeout() {
    let bodies = ["<div></x>".repeat(150_000), "<b><p></x>".repeat(130_000)];
    let site = Site::routes(vec![
        Route::text("/0", "text/html", &bodies[0]),
        Route::text("/1", "text/html", &bodies[1]),
    ])
    .unwrap();
    let sandbox = Sandbox::new().unwrap();
    let mut config = "sites:\n".to_owned();
    for path in ["0", "1"] {
        let url = format!("{}/{path}", site.url());
        config.push_str(&format!(
            "- url: {url}\n  name: s{path}\n  timeout_secs: 3\n  content_selector: p\n"
        ));
    }
    sandbox.file("mon.yml", config);
    let finished = run(&sandbox, &["check_all", "-c", "mon.yml", "--json"]);
    assert!(finished.took < Duration::from_secs(8), "{:?}", finished.took);
    assert!(
        matches!(finished.code, Some(0 | 3)),
        "{:?} {}",
        finished.code,
        finished.stderr
    );
}

#[test]
fn credentials_stay_with_the_site_they_were_configured_for() {
    let elsewhere = Site::routes(vec![Route::text("/steal", "text/plain", "thanks")]).unwrap();
    let to = format!("http://localhost:{}/steal", elsewhere.address().port());
    let hop = |status: u16| Route {
        method: "POST".into(),
        responses: vec![Reply {
            status: Some(status),
            headers: BTreeMap::from([("location".to_owned(), to.clone())]),
            ..Reply::default()
        }],
        ..Route::status("/in", status)
    };
    for status in [301, 302, 303, 307, 308] {
        let site = Site::routes(vec![hop(status)]).unwrap();
        let sandbox = Sandbox::new().unwrap();
        sandbox.file(
            "mon.yml",
            format!(
                "sites:\n- url: {}/in\n  method: POST\n  headers: {{Authorization: CANARY-1, X-Api-Key: CANARY-2, Cookie: CANARY-3}}\n  body: CANARY-4\n",
                site.url()
            ),
        );
        let run = run(&sandbox, &["check_all", "-c", "mon.yml"]);
        // 307 and 308 want the body sent along: that is refused, and the site is down.
        assert_eq!(
            run.code,
            Some(if status < 304 { 0 } else { 3 }),
            "{status}: {}",
            run.stderr
        );
        let seen = format!("{:?}", elsewhere.requests());
        assert!(!seen.contains("CANARY"), "{status}: {seen}");
    }
    assert_eq!(elsewhere.requests().len(), 3);
    assert!(elsewhere.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn passwords_and_tokens_of_addresses_are_never_shown_or_kept() {
    let site = Site::routes(vec![Route::status("/x", 500)]).unwrap();
    let hook = Site::routes(vec![Route {
        method: "POST".into(),
        ..Route::status("/hook", 200)
    }])
    .unwrap();
    let sandbox = Sandbox::new().unwrap();
    let address = site.url().replace("http://", "http://bob:CANARY-PW@");
    sandbox.file(
        "mon.yml",
        format!(
            "alerts: {{webhook: {}/hook}}\nsites:\n- url: {address}/x?token=CANARY-TOK\n  failure_threshold: 1\n",
            hook.url()
        ),
    );
    let run = run(
        &sandbox,
        &["check_all", "-c", "mon.yml", "-o", "out.json", "--text"],
    )
    .expect_code(3);
    assert!(
        !format!("{}{}{:?}", run.stdout, run.stderr, run.events).contains("CANARY"),
        "{}",
        run.stdout
    );
    assert_eq!(hook.requests().len(), 1, "{}", run.stderr);
    assert!(!format!("{:?}", hook.requests()).contains("CANARY"));
    let grep = std::process::Command::new("grep")
        .args(["-rlF", "CANARY"])
        .arg(sandbox.root())
        .output()
        .unwrap();
    let hits = String::from_utf8_lossy(&grep.stdout).into_owned();
    assert!(hits.lines().all(|line| line.ends_with("mon.yml")), "{hits}");
}
