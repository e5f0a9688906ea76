//! The budget across processes: races, dead callers, settling twice, limits, the old file.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::{Finished, Sandbox};

const NOON: &str = "2025-03-04T12:00:00Z";

fn tool() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_generation_budget_manager"))
}

/// A host whose clock stands at this time.
fn host(clock: &str) -> Sandbox {
    Sandbox::new().unwrap().env("ONEJOB_CLOCK", clock)
}

fn run(host: &Sandbox, args: &[&str]) -> Finished {
    host.run(&tool(), args)
}

/// Day, month and window as `status` shows them.
#[track_caller]
fn periods(host: &Sandbox) -> [Value; 3] {
    let status = run(host, &["status"]).expect_code(0).json();
    serde_json::from_value(status["periods"].clone()).unwrap()
}

#[track_caller]
fn used_today(host: &Sandbox) -> f64 {
    periods(host)[0]["used_usd"].as_f64().unwrap()
}

/// The error of a run with `--json`.
#[track_caller]
fn error(run: &Finished) -> Value {
    let line = run.stderr.lines().last().unwrap_or_default();
    serde_json::from_str::<Value>(line).unwrap()["error"].clone()
}

#[test]
fn racing_processes_never_pass_the_limit_together() {
    let host = host(NOON);
    let racers: Vec<_> = (0..32)
        .map(|n| {
            let name = format!("racer_{n}");
            host.start(&tool(), &["reserve", "0.09", "--json", "--tool", &name], b"")
        })
        .collect();
    let runs: Vec<Finished> = racers
        .into_iter()
        .map(testkit::sandbox::Started::finish)
        .collect();
    let (won, lost): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.code == Some(0));
    assert_eq!(won.len(), 22, "the day allows 2.00 / 0.09 = 22");
    for run in &lost {
        assert_eq!(run.code, Some(75), "{}", run.stderr);
        assert_eq!(error(run)["code"], "day_budget_exceeded");
    }
    let ids: std::collections::BTreeSet<_> = won.iter().map(|run| run.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 22, "ids are unique");
    assert_eq!(used_today(&host), 1.98);
    run(&host, &["reserve", "0.02"]).expect_code(0);
    run(&host, &["reserve", "0.001"]).expect_code(75);
}

#[test]
fn money_of_a_caller_that_was_killed_comes_back() {
    let host = host(NOON);
    let tool = tool().display().to_string();
    // A script that sets money aside, then works; it is killed before it can settle.
    let script = ["-c", "\"$@\" && exec sleep 60", "sh", &tool];
    let reserve = ["reserve", "2", "--expires-s", "30"];
    let caller = host.start(&PathBuf::from("/bin/sh"), &[&script[..], &reserve].concat(), b"");
    let begin = Instant::now();
    while used_today(&host) == 0.0 {
        assert!(begin.elapsed() < Duration::from_secs(10), "nothing is reserved");
    }
    caller.signal("KILL");
    let killed = caller.finish();
    assert_eq!(killed.code, None);
    let id = killed.json()["id"].as_str().unwrap().to_owned();

    let soon = host.env("ONEJOB_CLOCK", "2025-03-04T12:00:29Z");
    run(&soon, &["reserve", "1"]).expect_code(75);
    let later = soon.env("ONEJOB_CLOCK", "2025-03-04T12:00:30Z");
    assert_eq!(used_today(&later), 0.0);
    run(&later, &["reserve", "1"]).expect_code(0);
    // Money that was spent after all counts, also when it comes late; it can no longer be given back.
    run(&later, &["refund", &id]).expect_code(73);
    run(&later, &["commit", &id, "0.75"]).expect_code(0);
    assert_eq!(used_today(&later), 1.75);
}

#[test]
fn a_reservation_is_settled_once() {
    let host = host(NOON);
    let reserve = |usd: &str| {
        let reserved = run(&host, &["reserve", usd]).expect_code(0).json();
        reserved["id"].as_str().unwrap().to_owned()
    };
    let (spent, returned) = (reserve("0.5"), reserve("0.5"));
    assert_eq!(periods(&host)[0]["reserved_usd"], 1.0);
    run(&host, &["commit", &spent, "0.3"]).expect_code(0);
    run(&host, &["refund", &returned]).expect_code(0);
    for again in [
        vec!["commit", &spent, "0.3"],
        vec!["refund", &spent],
        vec!["commit", &returned, "0.3"],
        vec!["refund", &returned],
    ] {
        let mut args = again.clone();
        args.push("--json");
        let refused = run(&host, &args).expect_code(73);
        assert_eq!(error(&refused)["code"], "already_settled", "{again:?}");
    }
    assert_eq!(
        (used_today(&host), &periods(&host)[0]["reserved_usd"]),
        (0.3, &json!(0.0))
    );
    for unknown in [vec!["commit", "rsv_no", "0.1"], vec!["refund", "rsv_no"]] {
        let refused = run(&host, &unknown).expect_code(66);
        assert!(refused.stderr.contains("`rsv_no`"), "{}", refused.stderr);
    }
    let report = run(&host, &["report"]).expect_code(0).json();
    assert_eq!(report["spent_usd"], 0.3);
    assert_eq!(report["entries"].as_array().unwrap().len(), 2);
}

#[test]
fn an_import_can_be_repeated_and_grows_with_the_file() {
    let host = host(NOON);
    let record = |hour: u32, cost: f64| json!({"timestamp": format!("2025-03-04T{hour:02}:00:00"), "tool": "a", "cost": cost});
    let write = |spend: f64, records: &[Value]| {
        let file = json!({"daily_spend": spend, "daily_resets_on": "2025-03-05", "generations": records});
        host.file("old.json", file.to_string());
    };
    // Two equal records are two spendings.
    let mut records = vec![record(1, 0.25), record(1, 0.25), record(2, 0.125)];
    write(0.625, &records);
    let import = || {
        let done = run(&host, &["import", "old.json"]).expect_code(0).json();
        (
            done["imported"].as_u64().unwrap(),
            done["known"].as_u64().unwrap(),
        )
    };
    assert_eq!(import(), (3, 0));
    assert_eq!(import(), (0, 3));
    assert_eq!(used_today(&host), 0.625);
    records.push(record(3, 0.5));
    write(1.125, &records);
    assert_eq!(import(), (1, 3));
    assert_eq!(used_today(&host), 1.125);
    run(&host, &["reserve", "1"]).expect_code(75);

    host.file("broken.json", "{\"daily_spend\": 1.0,");
    let refused = run(&host, &["import", "broken.json"]).expect_code(73);
    assert!(refused.stderr.contains("`broken.json`"), "{}", refused.stderr);
    run(&host, &["import", "absent.json"]).expect_code(66);
    assert_eq!(used_today(&host), 1.125);
}

#[test]
fn an_unknown_model_is_refused_with_the_known_ones() {
    let host = host(NOON);
    let refused = run(&host, &["estimate", "no-such-model", "--images", "1"]).expect_code(2);
    assert!(
        refused.stderr.contains("`no-such-model`") && refused.stderr.contains("gemini-2.5-pro"),
        "{}",
        refused.stderr
    );
    host.file(
        "shared-config/prices.toml",
        "[[models.\"house-model\"]]\nfrom = \"2025-01-01\"\nper_image = 0.5\n",
    );
    let estimate = |images: &str| {
        run(&host, &["estimate", "house-model", "--images", images])
            .expect_code(0)
            .json()
    };
    assert_eq!(estimate("4")["cost_usd"], 2.0);
    assert_eq!(
        (&estimate("4")["allowed"], &estimate("5")["allowed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(used_today(&host), 0.0, "an estimate reserves nothing");
    let refused = run(&host, &["estimate", "gemini-2.5-pro", "--images", "1"]).expect_code(2);
    assert!(refused.stderr.contains("house-model"), "{}", refused.stderr);
}

#[test]
fn limits_of_day_month_and_window_come_from_onejob_toml() {
    let mut host = host("2025-03-04T12:00:00Z").env("ONEJOB_CONFIG_DIR", "conf");
    host.file(
        "conf/onejob.toml",
        "[budget]\ndaily_usd = 3\nmonthly_usd = 5\nwindow_usd = 2\nwindow_hours = 2\n",
    );
    let mut at = |clock: &str, amount: &str, refused_by: Option<(&str, u64)>| {
        host = std::mem::replace(&mut host, Sandbox::new().unwrap()).env("ONEJOB_CLOCK", clock);
        let done = run(&host, &["record", amount, "t", "--json"]);
        match refused_by {
            None => drop(done.expect_code(0)),
            Some((code, wait_s)) => {
                let error = error(&done.expect_code(75));
                assert_eq!(
                    (&error["code"], &error["retry_after_ms"]),
                    (&json!(code), &json!(wait_s * 1000)),
                    "{clock}"
                );
            }
        }
    };
    at("2025-03-04T12:00:00Z", "2", None);
    at(
        "2025-03-04T13:00:00Z",
        "0.5",
        Some(("window_budget_exceeded", 3600)),
    );
    at("2025-03-04T14:00:01Z", "1", None);
    at(
        "2025-03-04T20:00:00Z",
        "0.5",
        Some(("day_budget_exceeded", 4 * 3600)),
    );
    at("2025-03-05T00:00:00Z", "2", None);
    at(
        "2025-03-31T23:00:00Z",
        "0.5",
        Some(("month_budget_exceeded", 3600)),
    );
    at("2025-04-01T00:00:00Z", "2", None);

    let stricter = host.env("DAILY_BUDGET_USD", "2.25");
    assert_eq!(
        periods(&stricter)[0]["limit_usd"],
        2.25,
        "the variable wins over the file"
    );
    stricter.file("conf/onejob.toml", "[budget]\ndaily = 3\n");
    let refused = run(&stricter, &["status"]).expect_code(78);
    assert!(
        refused
            .stderr
            .contains("onejob.toml`, line 2: `budget.daily` is not a field"),
        "{}",
        refused.stderr
    );
}

#[test]
fn absurd_amounts_are_refused_and_a_clock_that_ran_ahead_counts_only_in_its_own_time() {
    let ahead = host("2036-01-01T00:00:00Z");
    run(&ahead, &["record", "1.5", "early"]).expect_code(0);
    let host = ahead.env("ONEJOB_CLOCK", NOON);
    for amount in ["8e9", "1000001", "9.2e18"] {
        let refused = run(&host, &["record", amount, "slip", "--json"]).expect_code(2);
        assert!(refused.stderr.contains("amount"), "{amount}: {}", refused.stderr);
    }
    assert_eq!(
        periods(&host).map(|period| period["used_usd"].clone()),
        [json!(0.0), json!(0.0), json!(0.0)]
    );

    // Only planned without `--apply`, and the plan names the exact entry.
    let planned = run(&host, &["repair"]).expect_code(0).json();
    assert_eq!(
        (
            &planned["taken_out"],
            planned["entries"].as_array().unwrap().len()
        ),
        (&json!(0), 1)
    );
    assert_eq!(
        planned["plan"]["actions"][0]["target"],
        planned["entries"][0]["id"]
    );
    let done = run(&host, &["repair", "--apply"]).expect_code(0).json();
    assert_eq!(done["taken_out"], 1);
    assert_eq!(
        run(&host, &["repair", "--apply"]).expect_code(0).json()["taken_out"],
        0
    );
}
