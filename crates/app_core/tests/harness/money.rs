//! The ledger as tools use it: limits, and money that a killed run had set aside.

use serde_json::json;

use crate::{error_line, run, sandbox, start, wait_until};

#[test]
fn spending_stops_at_the_limit_with_the_time_to_come_back() {
    let sandbox = sandbox()
        .env("DAILY_BUDGET_USD", "1")
        .env("ONEJOB_CLOCK", "2025-03-04T23:00:00Z");
    run(&sandbox, &[json!({"do": "spend", "usd": 1.0})], &[]).expect_code(0);
    let refused = run(&sandbox, &[json!({"do": "spend", "usd": 0.01})], &["--json"]).expect_code(75);
    let error = error_line(&refused);
    assert_eq!(
        (&error["kind"], &error["code"], &error["retryable"]),
        (
            &json!("budget_exceeded"),
            &json!("day_budget_exceeded"),
            &json!(false)
        )
    );
    assert_eq!(error["retry_after_ms"], 3_600_000);
    let unclear = sandbox.env("DAILY_BUDGET_USD", "a lot");
    run(&unclear, &[json!({"do": "spend", "usd": 0.01})], &[]).expect_code(78);
}

#[test]
fn money_set_aside_by_a_killed_run_comes_back() {
    let now = "2025-03-04T05:00:00Z";
    let sandbox = sandbox().env("DAILY_BUDGET_USD", "1").env("ONEJOB_CLOCK", now);
    let taken = [
        json!({"do": "spend", "usd": 1.0, "commit": false}),
        json!({"do": "warn", "text": "money is set aside"}),
        json!({"do": "sleep", "how": "stubborn", "s": 30}),
    ];
    let started = start(&sandbox, &taken, &[]);
    wait_until("the reservation", || {
        started.events().iter().any(|event| event["kind"] == "log")
    });
    started.signal("KILL");
    let killed = started.finish();
    assert_eq!(killed.code, None);
    let again = [json!({"do": "spend", "usd": 0.5})];
    run(&sandbox, &again, &[]).expect_code(75);
    // The sample tool reserves for 60 s.
    let later = sandbox.env("ONEJOB_CLOCK", "2025-03-04T05:01:01Z");
    run(&later, &again, &[]).expect_code(0);
    let rows = crate::environment::runs(&later);
    assert_eq!(rows.iter().filter(|row| row.finished_at.is_none()).count(), 1);
}
