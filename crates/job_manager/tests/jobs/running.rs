//! What runs end in.

use std::time::{Duration, Instant};

use app_core::contract::ErrorKind;
use job_manager::{JobEventBody, JobState, LogRequest, Role, RunMode, StartRequest};
use serde_json::json;

use crate::fixture::{Place, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_succeeds_with_output_events_files_cost_and_log() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let input = json!({"echo": "hi", "steps": 3, "artifact": "a.txt", "say": "a word", "token": "s3cret"});
    let request = StartRequest {
        mode: RunMode::Apply,
        working_dir: Some(place.path("tools")),
        ..request("quick", input)
    };
    let id = jobs.start(request).await.unwrap().id;
    let mut events = jobs.subscribe(id, 0).await.unwrap();
    let mut kinds = Vec::new();
    let mut last = 0;
    while let Some(event) = events.next().await {
        assert!(event.seq >= last);
        last = event.seq;
        kinds.push(
            serde_json::to_value(&event.body).unwrap()["kind"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    kinds.dedup();
    assert_eq!(
        kinds,
        ["queued", "running", "progress", "artifact", "cost", "ended"]
    );
    let job = jobs.get(id).await.unwrap();
    let JobState::Succeeded {
        output,
        queued_at,
        started_at,
        finished_at,
    } = &job.state
    else {
        panic!("{job:?}")
    };
    assert!(queued_at <= started_at && started_at <= finished_at);
    assert_eq!(output["echo"], "hi");
    assert_eq!(output["dir"], json!(place.path("tools")));
    assert!(output["args"].as_array().unwrap().contains(&json!("--apply")));
    assert_eq!(job.input["token"], "***", "secrets are not shown");
    assert_eq!(job.artifacts[0].path.to_str(), Some("a.txt"));
    assert_eq!(job.cost_usd.to_string(), "$0.2500");
    assert_eq!(job.progress.unwrap().done, 3);
    let log = jobs.logs(id, LogRequest::default()).await.unwrap();
    assert!(log.lines.iter().any(|l| l.text == "a word"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_contract_is_internal_and_told_apart() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    for (input, code, cause) in [
        (
            json!({"end": "silent", "say": "last words"}),
            "no_terminal_event",
            Some("last words"),
        ),
        (json!({"end": "garbage"}), "bad_events", None),
        (json!({"end": "twice"}), "bad_events", None),
        (json!({"panic": true}), "no_terminal_event", Some("panic")),
    ] {
        let id = jobs.start(request("quick", input.clone())).await.unwrap().id;
        let job = jobs.wait(id).await.unwrap();
        let error = job.state.failure().unwrap_or_else(|| panic!("{input}: {job:?}"));
        assert_eq!(
            (error.kind, error.code.as_str()),
            (ErrorKind::Internal, code),
            "{input}"
        );
        assert_eq!(job.attempt, 1, "a bug is not retried");
        if let Some(cause) = cause {
            assert!(
                error.context["stderr"].as_str().unwrap().contains(cause),
                "{error:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_on_stdout_does_not_block_the_job_and_is_bounded() {
    let mut place = Place::new();
    place.settings.jobs.log_bytes = 100_000;
    let jobs = place.open(Role::Foreground);
    let id = jobs
        .start(request("quick", json!({"flood": 20_000_000})))
        .await
        .unwrap()
        .id;
    assert_eq!(jobs.wait(id).await.unwrap().state.name(), "succeeded");
    let size = std::fs::metadata(place.state().join(format!("logs/{id}.ndjson")))
        .unwrap()
        .len();
    assert!((100_000..200_000).contains(&size), "{size}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retryable_failure_is_tried_again_with_growing_waits() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let counter = place.path("counter");
    let fail = json!({"kind": "network", "retryable": true, "exit": 75});
    let input = json!({"fail": fail, "fail_times": 2, "counter": counter});
    let begin = Instant::now();
    let id = jobs.start(request("quick", input.clone())).await.unwrap().id;
    let job = jobs.wait(id).await.unwrap();
    assert_eq!((job.state.name(), job.attempt), ("succeeded", 3));
    assert!(
        begin.elapsed() >= Duration::from_millis(20 + 40),
        "waits of 50 to 100 % of 40 and 80 ms"
    );
    let retries = jobs.events(id, 0).await.unwrap();
    assert_eq!(
        retries
            .iter()
            .filter(|e| matches!(e.body, JobEventBody::Retrying { .. }))
            .count(),
        2
    );

    // One attempt only, and kinds that are not retryable.
    let fail = json!({"fail": {"kind": "network", "retryable": true, "exit": 75}});
    let once = jobs.start(request("once", fail)).await.unwrap().id;
    let job = jobs.wait(once).await.unwrap();
    assert_eq!(
        (job.state.name(), job.attempt, job.state.exit_code()),
        ("failed", 1, Some(75))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_far_side_says_when_to_come_back() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let fail = json!({"kind": "rate_limited", "retryable": true, "retry_after_ms": 700, "exit": 75});
    let input = json!({"fail": fail, "fail_times": 1, "counter": place.path("counter")});
    let begin = Instant::now();
    let id = jobs.start(request("quick", input)).await.unwrap().id;
    assert_eq!(jobs.wait(id).await.unwrap().state.name(), "succeeded");
    let took = begin.elapsed();
    assert!(
        (Duration::from_millis(700)..Duration::from_secs(3)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_the_job_and_only_repeats_what_may_be_repeated() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let input = json!({"sleep_ms": 30_000, "ignore_term": true, "grandchildren": 1});
    let reads = jobs.start(request("short", input.clone())).await.unwrap().id;
    let sends = jobs.start(request("short_sender", input)).await.unwrap().id;
    let job = jobs.wait(sends).await.unwrap();
    assert_eq!(
        (job.state.name(), job.attempt, job.state.exit_code()),
        ("timed_out", 1, Some(75))
    );
    let job = jobs.wait(reads).await.unwrap();
    assert_eq!((job.state.name(), job.attempt), ("timed_out", 3));
    for id in [reads, sends] {
        assert_eq!(place.processes(id), [0_u32; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_script_stands_in_and_is_counted() {
    let mut place = Place::new();
    let script = place.path("old.sh");
    std::fs::write(
        &script,
        "echo working\necho \"{\\\"status\\\": \\\"success\\\", \\\"result\\\": [\\\"$1\\\", $2]}\"\n",
    )
    .unwrap();
    let toml = format!(
        "[legacy.old_tool]\nscript='{}'\ninterpreter='sh'\nenvelope='dispatcher'\ncall='old'\neffects=['reads']\n\
         [legacy.quick]\nscript='{}'\ninterpreter='sh'\nenvelope='dispatcher'\n[tools.quick]\nroute='legacy'",
        script.display(),
        script.display()
    );
    std::fs::create_dir(place.path("config")).unwrap();
    std::fs::write(place.path("config/onejob.toml"), toml).unwrap();
    place.settings = job_manager::Settings::load(&place.path("config")).unwrap();
    let jobs = place.open(Role::Foreground);
    let names: Vec<_> = jobs
        .list_tools()
        .await
        .unwrap()
        .into_iter()
        .map(|t| (t.definition.name, t.route))
        .collect();
    assert!(names.contains(&("old_tool".to_owned(), job_manager::Route::Legacy)));
    assert!(names.contains(&("quick".to_owned(), job_manager::Route::Legacy)));
    assert!(names.contains(&("once".to_owned(), job_manager::Route::Rust)));
    for (tool, call) in [("old_tool", "old"), ("quick", "quick")] {
        let id = jobs.start(request(tool, json!({"a": 1}))).await.unwrap().id;
        let job = jobs.wait(id).await.unwrap();
        let JobState::Succeeded { output, .. } = &job.state else {
            panic!("{job:?}")
        };
        assert_eq!(*output, json!([call, {"input_data": {"a": 1}}]));
        assert_eq!(job.route, job_manager::Route::Legacy);
    }
    let counts = jobs.fallbacks().await.unwrap();
    let counts: Vec<_> = counts
        .iter()
        .map(|c| (c.tool.as_str(), c.reason.as_str(), c.runs))
        .collect();
    assert_eq!(
        counts,
        [("old_tool", "binary_missing", 1), ("quick", "switched", 1)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tool_is_not_found_and_foreign_executables_are_left_alone() {
    let place = Place::new();
    let trap = place.path("tools/foreign");
    let ran = place.path("ran");
    std::fs::write(&trap, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
    std::process::Command::new("chmod")
        .arg("+x")
        .arg(&trap)
        .status()
        .unwrap();
    let jobs = place.open(Role::Foreground);
    let tools = jobs.list_tools().await.unwrap();
    assert_eq!(tools.len(), 7);
    assert!(
        !ran.exists(),
        "an executable that never names the contract must not be run"
    );
    assert_eq!(
        jobs.start(request("foreign", json!({}))).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    assert_eq!(
        jobs.start(request("quick", json!([1]))).await.unwrap_err().kind,
        ErrorKind::InvalidInput
    );
}
