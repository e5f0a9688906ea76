//! The store on disk.

use app_core::contract::ErrorKind;
use job_manager::{JobState, ListRequest, Role};
use rusqlite::Connection;
use serde_json::json;

use crate::fixture::{Place, request};

/// A store that version 1 wrote, frozen: it must open for ever.
const V1: &str = include_str!("../fixtures/store_v1.sql");

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_version_1_opens_and_goes_on() {
    let place = Place::new();
    std::fs::create_dir(place.state()).unwrap();
    let old = Connection::open(place.state().join("jobs.sqlite3")).unwrap();
    old.execute_batch(V1).unwrap();
    drop(old);
    let mut place = place;
    place.settings.jobs.keep_days = 0; // the fixture gets older every day
    let jobs = place.open(Role::Worker);
    let states: Vec<_> = ["j1", "j2", "j3", "j4"]
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    let done = jobs.get(states[0]).await.unwrap();
    let JobState::Succeeded {
        output, started_at, ..
    } = &done.state
    else {
        panic!("{done:?}")
    };
    assert_eq!(output["echo"], "old");
    assert_eq!(started_at.to_string(), "2025-01-02T03:04:06Z");
    assert_eq!(done.artifacts.len(), 1);
    assert_eq!(jobs.events(states[0], 0).await.unwrap().len(), 2);
    let failed = jobs.get(states[1]).await.unwrap();
    assert_eq!(failed.state.failure().unwrap().kind, ErrorKind::Network);
    // What version 1 left in the queue and in the hands of a dead process is run.
    let queued = jobs.wait(states[2]).await.unwrap();
    let JobState::Succeeded { output, .. } = &queued.state else {
        panic!("{queued:?}")
    };
    assert_eq!(output["echo"], "waiting");
    let cut_off = jobs.wait(states[3]).await.unwrap();
    assert_eq!((cut_off.state.name(), cut_off.interruptions), ("succeeded", 1));
    assert_eq!(jobs.fallbacks().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_version_2_is_cleaned_of_its_secrets_when_it_opens() {
    let mut place = Place::new();
    std::fs::create_dir(place.state()).unwrap();
    let old = Connection::open(place.state().join("jobs.sqlite3")).unwrap();
    old.pragma_update(None, "journal_mode", "wal").unwrap();
    old.execute_batch(include_str!("../fixtures/store_v2.sql"))
        .unwrap();
    drop(old);
    assert!(
        crate::secrets::holds(&place.state(), "CANARY-DONE"),
        "the fixture holds what is to go"
    );
    place.settings.jobs.keep_days = 0;
    let client = place.open(Role::Client);
    for canary in ["CANARY-DONE", "CANARY-SCRIPT"] {
        assert!(!crate::secrets::holds(&place.state(), canary), "{canary} is left");
    }
    let done = client.get("j5".parse().unwrap()).await.unwrap();
    assert_eq!(done.input["token"], "***");
    // What was queued has its secret still, until it has run.
    let worker = place.open(Role::Worker);
    let JobState::Succeeded { output, .. } = client.wait("j6".parse().unwrap()).await.unwrap().state else {
        panic!("failed")
    };
    assert_eq!(
        (&output["echo"], &output["token"]),
        (&json!("kept"), &json!("13 letters, CANARY"))
    );
    worker.close(job_manager::Close::Drain).await;
    assert!(!crate::secrets::holds(&place.state(), "CANARY-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_beyond_time_itself_keep_everything() {
    let mut place = Place::new();
    place.settings.jobs.keep_days = u32::MAX;
    let jobs = place.open(Role::Foreground);
    let id = jobs.start(request("quick", json!({}))).await.unwrap().id;
    jobs.wait(id).await.unwrap();
    for days in [5_000_000, u32::MAX] {
        assert_eq!(jobs.prune(days, 0).await.unwrap().jobs, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_queued_while_the_clock_was_ahead_is_started() {
    let place = Place::new();
    let client = place.open(Role::Client);
    let ids = [
        client
            .start(request("quick", json!({"echo": 1})))
            .await
            .unwrap()
            .id,
        client
            .start(request("quick", json!({"echo": 2})))
            .await
            .unwrap()
            .id,
    ];
    let db = Connection::open(place.state().join("jobs.sqlite3")).unwrap();
    let ahead = "UPDATE jobs SET queued_at = queued_at + 441504000000, run_after = 2200000000000 WHERE id = ";
    db.execute_batch(&format!(
        "{ahead} 1; UPDATE jobs SET queued_at = queued_at + 441504000000 WHERE id = 2"
    ))
    .unwrap();
    let worker = place.open(Role::Worker);
    for id in ids {
        let wait = tokio::time::timeout(std::time::Duration::from_secs(10), client.wait(id));
        assert_eq!(wait.await.unwrap().unwrap().state.name(), "succeeded");
    }
    worker.close(job_manager::Close::Drain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_store_is_refused_and_garbage_is_not_overwritten() {
    let place = Place::new();
    drop(place.open(Role::Client));
    let path = place.state().join("jobs.sqlite3");
    let db = Connection::open(&path).unwrap();
    db.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'", [])
        .unwrap();
    drop(db);
    let error = place.try_open(Role::Client).map(drop).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("version 99"), "{error}");

    let other = Place::new();
    std::fs::create_dir(other.state()).unwrap();
    let path = other.state().join("jobs.sqlite3");
    std::fs::write(&path, "no database at all, but long enough to look like one").unwrap();
    let error = other.try_open(Role::Client).map(drop).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Io, "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("no database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_keeps_the_newest_and_what_is_not_over() {
    let mut place = Place::new();
    place.settings.jobs.concurrency = Some(1);
    let jobs = place.open(Role::Foreground);
    let mut last = None;
    for n in 0..6 {
        last = Some(
            jobs.start(request("quick", json!({"say": "x", "echo": n})))
                .await
                .unwrap()
                .id,
        );
    }
    jobs.wait(last.unwrap()).await.unwrap();
    let open = jobs
        .start(request("quick", json!({"sleep_ms": 60_000})))
        .await
        .unwrap()
        .id;
    assert_eq!(jobs.prune(0, 2).await.unwrap().jobs, 4);
    let left: Vec<_> = jobs
        .list(ListRequest::default())
        .await
        .unwrap()
        .jobs
        .iter()
        .map(|j| j.id.number())
        .collect();
    assert_eq!(left, [7, 6, 5]);
    let logs = std::fs::read_dir(place.state().join("logs")).unwrap().count();
    assert_eq!(logs, 2, "the logs go with the jobs");
    jobs.cancel(open, "test", true).await.unwrap();
}
