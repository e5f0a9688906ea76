//! Secrets of inputs: where they may be, and until when.

use std::path::Path;

use app_core::contract::ErrorKind;
use job_manager::{Close, JobId, JobManager, JobState, RetryRequest, Role};
use serde_json::{Value, json};

use crate::fixture::{Place, request};

/// Whether any file below a folder holds the text.
pub fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        if entry.file_type().unwrap().is_dir() {
            return holds(&entry.path(), text);
        }
        // Sockets cannot be read.
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

async fn output(jobs: &JobManager, id: JobId) -> Value {
    match jobs.wait(id).await.unwrap().state {
        JobState::Succeeded { output, .. } => output,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_the_tool_and_is_nowhere_once_the_job_is_over() {
    let place = Place::new();
    let client = place.open(Role::Client);
    let input = json!({"token": "CANARY-4711", "echo": 1});
    let queued = client.start(request("quick", input.clone())).await.unwrap().id;
    let cancelled = client.start(request("quick", input.clone())).await.unwrap().id;
    assert!(
        !std::fs::read(place.state().join("jobs.sqlite3"))
            .unwrap()
            .windows(11)
            .any(|w| w == b"CANARY-4711")
    );
    client.cancel(cancelled, "test", false).await.unwrap();
    let shown = client.get(queued).await.unwrap();
    assert_eq!(shown.input, json!({"token": "***", "echo": 1}));
    let worker = place.open(Role::Worker);
    let out = output(&client, queued).await;
    assert_eq!(out["token"], "11 letters, CANARY");
    let failing = json!({"token": "CANARY-4711", "fail": {"kind": "network", "retryable": true, "exit": 75}});
    let failing = client.start(request("quick", failing)).await.unwrap().id;
    let job = client.wait(failing).await.unwrap();
    assert_eq!(
        (job.state.name(), job.attempt),
        ("failed", 3),
        "each attempt had it"
    );
    worker.close(Close::Drain).await;
    assert!(!holds(&place.state(), "CANARY-4711"));
    assert!(!holds(&place.path("metrics"), "CANARY-4711"));
    // The hash is over what is shown: it tells nothing of the secret.
    let other = client
        .start(request("quick", json!({"token": "another", "echo": 1})))
        .await
        .unwrap()
        .id;
    assert_eq!(client.get(other).await.unwrap().input_hash, shown.input_hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shown_secret_is_not_taken_for_one() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let first = jobs
        .start(request("quick", json!({"token": "CANARY-1", "n": 1})))
        .await
        .unwrap()
        .id;
    let shown = jobs.wait(first).await.unwrap().input;
    let error = jobs.start(request("quick", shown.clone())).await.unwrap_err();
    assert_eq!(
        (error.kind, error.field_paths),
        (ErrorKind::InvalidInput, vec!["token".to_owned()])
    );
    assert!(
        error.fields[0].message.contains("enter it again"),
        "{:?}",
        error.fields
    );
    for input in [None, Some(shown)] {
        let again = RetryRequest {
            input,
            ..RetryRequest::default()
        };
        let error = jobs.retry(first, again).await.unwrap_err();
        assert_eq!(
            (error.kind, error.field_paths),
            (ErrorKind::InvalidInput, vec!["token".to_owned()])
        );
    }
    // `***` elsewhere is a text like any other.
    jobs.start(request("quick", json!({"echo": "***"})))
        .await
        .unwrap();
    let again = RetryRequest {
        input: Some(json!({"token": "CANARY-2"})),
        ..RetryRequest::default()
    };
    let again = jobs.retry(first, again).await.unwrap().id;
    assert_eq!(output(&jobs, again).await["token"], "8 letters, CANARY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_secret_is_resolved_by_whoever_runs_the_job() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    // Any variable of this process will do; a test must not set one while others run.
    let length = std::env::var("PATH").unwrap().len();
    let named = json!({"token": {"$secret": "PATH"}});
    let id = jobs.start(request("quick", named.clone())).await.unwrap().id;
    let out = output(&jobs, id).await;
    assert!(
        out["token"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{length} letters")),
        "{out}"
    );
    assert_eq!(jobs.get(id).await.unwrap().input, named);
    let again = jobs.retry(id, RetryRequest::default()).await.unwrap().id;
    assert_eq!(
        output(&jobs, again).await,
        out["token"]
            .as_str()
            .map(|t| json!({"token": t}))
            .map_or(Value::Null, |mut o| {
                o["echo"] = Value::Null;
                o["args"] = out["args"].clone();
                o["dir"] = json!(
                    place
                        .state()
                        .canonicalize()
                        .unwrap()
                        .join(format!("work/{again}"))
                );
                o
            })
    );
    let missing = jobs
        .start(request(
            "quick",
            json!({"token": {"$secret": "ONEJOB_NO_SUCH_SECRET"}}),
        ))
        .await
        .unwrap()
        .id;
    let error = jobs.wait(missing).await.unwrap().state.failure().unwrap();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Config, "missing_secret")
    );
    // Only where a secret is wanted.
    let error = jobs
        .start(request("quick", json!({"echo": {"$secret": "PATH"}})))
        .await
        .unwrap_err();
    assert_eq!(error.field_paths, ["echo"]);
    let error = jobs
        .start(request("quick", json!({"token": {"$secret": "../x"}})))
        .await
        .unwrap_err();
    assert_eq!(error.field_paths, ["token"]);
}
