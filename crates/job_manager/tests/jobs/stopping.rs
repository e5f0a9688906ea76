//! Cancelling.

use std::time::{Duration, Instant};

use app_core::contract::ErrorKind;
use job_manager::{JobEventBody, JobId, JobManager, JobState, Role};
use serde_json::json;

use crate::fixture::{Place, request, until};

async fn running(jobs: &JobManager, id: JobId) {
    let mut events = jobs.subscribe(id, 0).await.unwrap();
    while let Some(event) = events.next().await {
        if matches!(event.body, JobEventBody::Running { .. }) {
            return;
        }
    }
    panic!("{id} never ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ignores_the_signal_is_ended_after_the_grace() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let input = json!({"ignore_term": true, "steps": 7, "sleep_ms": 60_000, "artifact": "half.txt"});
    let id = jobs.start(request("sender", input)).await.unwrap().id;
    let mut events = jobs.subscribe(id, 0).await.unwrap();
    while let Some(event) = events.next().await {
        if matches!(event.body, JobEventBody::Artifact(_)) {
            break;
        }
    }
    let begin = Instant::now();
    let report = jobs.cancel(id, "ana", false).await.unwrap();
    let took = begin.elapsed();
    assert!(
        (Duration::from_millis(400)..Duration::from_millis(1500)).contains(&took),
        "{took:?}"
    );
    assert_eq!(report.state, "cancelled");
    assert!(report.forced && report.had_started);
    assert_eq!(report.done.as_ref().map(|p| p.done), Some(7));
    assert_eq!(report.left, Some(0));
    assert_eq!(report.artifacts, [std::path::PathBuf::from("half.txt")]);
    assert!(
        !report.rerun_safe && report.rerun.contains("sent something"),
        "{report:?}"
    );
    assert_eq!(place.processes(id), [0_u32; 0]);
    let job = jobs.get(id).await.unwrap();
    assert_eq!(job.state.exit_code(), Some(ErrorKind::Cancelled.exit_code()));
}

#[tokio::test(flavor = "multi_thread")]
async fn grandchildren_end_too_even_those_that_left_the_group() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    for detached in [false, true] {
        let input = json!({"sleep_ms": 60_000, "grandchildren": 3, "detached": detached});
        let id = jobs.start(request("quick", input)).await.unwrap().id;
        until("the grandchildren", || place.processes(id).len() >= 7).await;
        let report = jobs.cancel(id, "ana", false).await.unwrap();
        assert_eq!(report.state, "cancelled");
        until("nobody left", || place.processes(id).is_empty()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grandchildren_do_not_outlive_a_job_that_ends_by_itself() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let begin = Instant::now();
    let id = jobs
        .start(request("quick", json!({"grandchildren": 2})))
        .await
        .unwrap()
        .id;
    assert_eq!(jobs.wait(id).await.unwrap().state.name(), "succeeded");
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "inherited pipes must not hold the job"
    );
    until("nobody left", || place.processes(id).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_cancel_kills_at_once() {
    let mut place = Place::new();
    let policy: toml::Table = toml::from_str("[tools.quick.policy]\ncancel_grace_s = 60.0").unwrap();
    place.settings.tools = policy["tools"].clone().try_into().unwrap();
    let jobs = place.open(Role::Foreground);
    let input = json!({"ignore_term": true, "sleep_ms": 60_000});
    let id = jobs.start(request("quick", input)).await.unwrap().id;
    running(&jobs, id).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    jobs.request_cancel(id, "ana", false).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(matches!(
        jobs.get(id).await.unwrap().state,
        JobState::Running { cancelling: true, .. }
    ));
    let begin = Instant::now();
    let report = jobs.cancel(id, "ana", false).await.unwrap();
    assert!(report.forced);
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_job_is_cancelled_without_a_process_and_a_finished_one_stays() {
    let mut place = Place::new();
    place.settings.jobs.concurrency = Some(1);
    let jobs = place.open(Role::Foreground);
    let long = jobs
        .start(request("quick", json!({"sleep_ms": 500})))
        .await
        .unwrap()
        .id;
    let waiting = jobs.start(request("sender", json!({}))).await.unwrap().id;
    let report = jobs.cancel(waiting, "ana", false).await.unwrap();
    assert_eq!(
        (report.state.as_str(), report.had_started, report.rerun_safe),
        ("cancelled", false, true)
    );
    assert_eq!(jobs.wait(long).await.unwrap().state.name(), "succeeded");
    assert_eq!(jobs.cancel(long, "ana", false).await.unwrap().state, "succeeded");
    let missing = jobs
        .cancel("j999".parse().unwrap(), "ana", false)
        .await
        .unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
}
