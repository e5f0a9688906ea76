//! Several processes on one store. Here they are handles of one process, which share nothing but the files.

use std::time::{Duration, Instant};

use app_core::contract::ErrorKind;
use job_manager::{Close, JobEventBody, JobState, Role};
use serde_json::json;

use crate::fixture::{Place, request, until};

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_worker() {
    let place = Place::new();
    let worker = place.open(Role::Worker);
    let error = place.try_open(Role::Worker).map(drop).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(error.message.contains(&std::process::id().to_string()), "{error}");
    worker.close(Close::Drain).await;
    place.open(Role::Worker).close(Close::Drain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_starts_follows_and_cancels_what_the_worker_runs() {
    let place = Place::new();
    let client = place.open(Role::Client);
    let early = client.start(request("quick", json!({"echo": 1}))).await.unwrap();
    assert!(!early.attended);
    assert_eq!(client.get(early.id).await.unwrap().state.name(), "queued");
    let worker = place.open(Role::Worker);
    assert_eq!(client.wait(early.id).await.unwrap().state.name(), "succeeded");

    let begin = Instant::now();
    let long = client
        .start(request("quick", json!({"steps": 20, "step_ms": 100})))
        .await
        .unwrap();
    assert!(long.attended);
    let mut events = client.subscribe(long.id, 0).await.unwrap();
    let mut ran = None;
    let mut progress = 0;
    while let Some(event) = events.next().await {
        match event.body {
            JobEventBody::Running { .. } => ran = Some(begin.elapsed()),
            JobEventBody::Progress(p) => {
                progress = p.done;
                break;
            }
            _ => {}
        }
    }
    // Both are poked.
    assert!(ran.unwrap() < Duration::from_millis(400), "{ran:?}");
    assert!(progress > 0);
    let report = client.cancel(long.id, "ana", false).await.unwrap();
    assert_eq!((report.state.as_str(), report.rerun_safe), ("cancelled", true));
    worker.close(Close::Stop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_process_keeps_its_jobs_and_limits_are_shared() {
    let mut place = Place::new();
    place.settings.jobs.concurrency = Some(1);
    let a = place.open(Role::Foreground);
    let b = place.open(Role::Foreground);
    let first = a
        .start(request("quick", json!({"sleep_ms": 300})))
        .await
        .unwrap()
        .id;
    until("the first runs", || !place.processes(first).is_empty()).await;
    let second = b.start(request("quick", json!({}))).await.unwrap().id;
    let (first, second) = (a.wait(first).await.unwrap(), b.wait(second).await.unwrap());
    let (JobState::Succeeded { finished_at, .. }, JobState::Succeeded { started_at, .. }) =
        (first.state, second.state)
    else {
        panic!("failed")
    };
    assert!(started_at >= finished_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_gives_back_what_may_be_repeated() {
    let place = Place::new();
    let worker = place.open(Role::Worker);
    let client = place.open(Role::Client);
    let reads = client
        .start(request("quick", json!({"sleep_ms": 700})))
        .await
        .unwrap()
        .id;
    let sends = client
        .start(request("sender", json!({"sleep_ms": 60_000})))
        .await
        .unwrap()
        .id;
    for id in [reads, sends] {
        until("it runs", || !place.processes(id).is_empty()).await;
    }
    worker.close(Close::Stop).await;
    assert_eq!(client.get(reads).await.unwrap().state.name(), "queued");
    let error = client.wait(sends).await.unwrap().state.failure().unwrap();
    assert_eq!(error.code, "interrupted");
    assert!(error.hint.unwrap().contains("onejob retry"));
    let worker = place.open(Role::Worker);
    let job = client.wait(reads).await.unwrap();
    assert_eq!(
        (job.state.name(), job.attempt, job.interruptions),
        ("succeeded", 2, 1)
    );
    worker.close(Close::Drain).await;
}
