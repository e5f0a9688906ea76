//! Order, limits, keys.

use app_core::contract::ErrorKind;
use jiff::Timestamp;
use job_manager::{
    JobFilter, JobId, JobManager, JobState, ListRequest, RetryRequest, Role, RunMode, StartRequest,
};
use serde_json::json;

use crate::fixture::{Place, request};

/// Start and end of a finished job.
async fn span(jobs: &JobManager, id: JobId) -> (Timestamp, Timestamp) {
    match jobs.wait(id).await.unwrap().state {
        JobState::Succeeded {
            started_at,
            finished_at,
            ..
        } => (started_at, finished_at),
        other => panic!("{id}: {other:?}"),
    }
}

/// The largest number of spans that overlap.
fn most_at_once(spans: &[(Timestamp, Timestamp)]) -> usize {
    spans
        .iter()
        .map(|(at, _)| {
            spans
                .iter()
                .filter(|(start, end)| start <= at && at < end)
                .count()
        })
        .max()
        .unwrap_or(0)
}

async fn run_many(
    jobs: &JobManager,
    tool: &str,
    inputs: impl Iterator<Item = serde_json::Value>,
) -> Vec<(Timestamp, Timestamp)> {
    let mut ids = Vec::new();
    for input in inputs {
        ids.push(jobs.start(request(tool, input)).await.unwrap().id);
    }
    let mut spans = Vec::new();
    for id in ids {
        spans.push(span(jobs, id).await);
    }
    spans
}

#[tokio::test(flavor = "multi_thread")]
async fn the_global_limit_holds_and_is_used() {
    let mut place = Place::new();
    place.settings.jobs.concurrency = Some(3);
    let jobs = place.open(Role::Foreground);
    let spans = run_many(&jobs, "quick", (0..9).map(|_| json!({"sleep_ms": 80}))).await;
    assert_eq!(most_at_once(&spans), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_limit_leaves_other_families_alone() {
    let mut place = Place::new();
    place
        .settings
        .jobs
        .families
        .insert("beta".to_owned(), app_core::contract::settings::PositiveCount(1));
    let jobs = place.open(Role::Foreground);
    let beta = run_many(&jobs, "quick_b", (0..4).map(|_| json!({"sleep_ms": 60}))).await;
    assert_eq!(most_at_once(&beta), 1);
    let alpha = run_many(&jobs, "quick", (0..4).map(|_| json!({"sleep_ms": 150}))).await;
    assert!(most_at_once(&alpha) > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_one_key_never_overlap_and_others_pass_them() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let accounts = ["a", "a", "a", "b", "b"];
    let spans = run_many(
        &jobs,
        "keyed",
        accounts.iter().map(|a| json!({"account": a, "sleep_ms": 80})),
    )
    .await;
    assert_eq!(most_at_once(&spans[..3]), 1);
    assert_eq!(most_at_once(&spans[3..]), 1);
    assert_eq!(most_at_once(&spans), 2);
    let defaulted = jobs.start(request("keyed", json!({}))).await.unwrap().id;
    assert_eq!(
        jobs.get(defaulted).await.unwrap().concurrency_key.as_deref(),
        Some("acct:main")
    );
    jobs.wait(defaulted).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn higher_priority_runs_first() {
    let mut place = Place::new();
    place.settings.jobs.concurrency = Some(1);
    let jobs = place.open(Role::Foreground);
    let mut ids = vec![
        jobs.start(request("quick", json!({"sleep_ms": 200})))
            .await
            .unwrap()
            .id,
    ];
    for priority in [0, 5, -1] {
        ids.push(
            jobs.start(StartRequest {
                priority,
                ..request("quick", json!({}))
            })
            .await
            .unwrap()
            .id,
        );
    }
    let mut starts = Vec::new();
    for id in ids {
        starts.push(span(&jobs, id).await.0);
    }
    assert!(starts[2] <= starts[1] && starts[1] <= starts[3], "{starts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_names_one_job() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let with_key = |input| StartRequest {
        idempotency_key: Some("k1".to_owned()),
        ..request("quick", input)
    };
    let first = jobs.start(with_key(json!({"a": 1, "b": 2}))).await.unwrap();
    let second = jobs.start(with_key(json!({"b": 2, "a": 1}))).await.unwrap();
    assert_eq!(
        (second.id, first.existing, second.existing),
        (first.id, false, true)
    );
    let error = jobs.start(with_key(json!({"a": 2}))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert_eq!(error.field_paths, ["idempotency_key"]);
    jobs.wait(first.id).await.unwrap();
    assert_eq!(jobs.list(ListRequest::default()).await.unwrap().jobs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_names_a_job_of_its_mode_folder_and_principal() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let plan = StartRequest {
        idempotency_key: Some("k1".to_owned()),
        mode: RunMode::Plan,
        ..request("quick", json!({"a": 1}))
    };
    let first = jobs.start(plan.clone()).await.unwrap();
    assert_eq!(jobs.start(plan.clone()).await.unwrap().id, first.id);
    let conflict = async |request: StartRequest| {
        let error = jobs.start(request).await.unwrap_err();
        assert_eq!(
            (error.kind, error.field_paths),
            (ErrorKind::Conflict, vec!["idempotency_key".to_owned()])
        );
        error.message
    };
    let apply = StartRequest {
        mode: RunMode::Apply,
        ..plan.clone()
    };
    assert!(conflict(apply).await.contains("another mode"));
    let elsewhere = StartRequest {
        working_dir: Some(place.path("tools")),
        ..plan.clone()
    };
    assert!(conflict(elsewhere).await.contains("another working folder"));
    let of_another_tool = StartRequest {
        tool: "once".to_owned(),
        ..plan.clone()
    };
    assert!(conflict(of_another_tool).await.contains("another tool"));
    let other_person = StartRequest {
        requested_by: "cli:bob".to_owned(),
        ..plan
    };
    let other = jobs.start(other_person).await.unwrap();
    assert!(
        !other.existing && other.id != first.id,
        "a key is its giver's own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_a_new_job_and_takes_key_mode_input_and_priority() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let id = jobs
        .start(StartRequest {
            mode: RunMode::Plan,
            ..request("quick", json!({"echo": 1, "sleep_ms": 100}))
        })
        .await
        .unwrap()
        .id;
    let again = RetryRequest {
        requested_by: "cli:ana".to_owned(),
        ..RetryRequest::default()
    };
    assert_eq!(
        jobs.retry(id, again.clone()).await.unwrap_err().kind,
        ErrorKind::Conflict
    );
    let first = jobs.wait(id).await.unwrap();
    let second = jobs.retry(id, again.clone()).await.unwrap().id;
    let second = jobs.wait(second).await.unwrap();
    assert_eq!(
        (second.retry_of, &second.input_hash),
        (Some(id), &first.input_hash)
    );
    assert_eq!(
        (second.mode, second.requested_by.as_str()),
        (RunMode::Plan, "cli:ana")
    );
    assert_ne!(second.working_dir, first.working_dir, "a folder of its own");
    let other = RetryRequest {
        input: Some(json!({"echo": 2})),
        mode: Some(RunMode::Apply),
        priority: Some(7),
        idempotency_key: Some("click".to_owned()),
        ..again
    };
    let third = jobs.retry(id, other.clone()).await.unwrap();
    assert_eq!(
        jobs.retry(id, other).await.unwrap().id,
        third.id,
        "two clicks are one job"
    );
    let third = jobs.wait(third.id).await.unwrap();
    assert_eq!((third.mode, third.priority), (RunMode::Apply, 7));
    let JobState::Succeeded { output, .. } = third.state else {
        panic!("failed")
    };
    assert_eq!(output["echo"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_every_job_once() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    for n in 0..25 {
        jobs.start(request(
            if n % 5 == 0 { "quick_b" } else { "quick" },
            json!({"echo": n}),
        ))
        .await
        .unwrap();
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = jobs
            .list(ListRequest {
                before,
                limit: 7,
                ..ListRequest::default()
            })
            .await
            .unwrap();
        seen.extend(page.jobs.iter().map(|j| j.id.number()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
    let of_tool = ListRequest {
        filter: JobFilter {
            tools: vec!["quick_b".to_owned()],
            ..JobFilter::default()
        },
        ..ListRequest::default()
    };
    assert_eq!(jobs.list(of_tool).await.unwrap().jobs.len(), 5);
    let wrong = ListRequest {
        filter: JobFilter {
            states: vec!["done".to_owned()],
            ..JobFilter::default()
        },
        ..ListRequest::default()
    };
    assert_eq!(jobs.list(wrong).await.unwrap_err().kind, ErrorKind::InvalidInput);
}
