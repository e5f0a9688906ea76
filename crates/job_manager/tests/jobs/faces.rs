//! What a face asks for beyond running a job: mistakes at their fields, pages, the feed, plans, files, status.

use std::time::{Duration, Instant};

use app_core::contract::{Effect, ErrorKind};
use job_manager::{
    ArtifactState, JobEventBody, JobFilter, JobManager, ListRequest, Role, RunMode, StartRequest, WaitingFor,
    WatchBody, WatchRequest,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::fixture::{Place, request};

#[tokio::test(flavor = "multi_thread")]
async fn an_input_is_checked_before_it_is_queued_and_every_mistake_is_at_its_field() {
    let place = Place::new();
    let jobs = place.open(Role::Client);
    let wrong = request("quick", json!({"rate": 1000, "account": 5, "token": "s"}));
    let error = jobs.start(wrong.clone()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    let at: Vec<_> = error.fields.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(at, ["rate", "account"]);
    assert!(
        error.fields[0].message.starts_with("must be at most 100"),
        "{:?}",
        error.fields
    );
    assert_eq!(error.field_paths, ["rate", "account"]);
    let told = jobs.validate(&wrong).await.unwrap();
    assert_eq!((told.valid, &told.fields), (false, &error.fields));
    assert_eq!(told.input["token"], "***");
    assert!(
        jobs.validate(&request("quick", json!({"rate": 5, "account": null})))
            .await
            .unwrap()
            .valid
    );
    let large = request("quick", json!({"echo": "x".repeat(9 << 20)}));
    assert_eq!(jobs.start(large).await.unwrap_err().kind, ErrorKind::InvalidInput);
    assert_eq!(
        jobs.list(ListRequest::default()).await.unwrap().jobs.len(),
        0,
        "nothing was queued"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_names_himself_in_a_payload() {
    let given = json!({"tool": "quick", "requested_by": "cli:root"});
    let error = serde_json::from_value::<StartRequest>(given)
        .unwrap_err()
        .to_string();
    assert!(error.contains("unknown field `requested_by`"), "{error}");
}

/// Six jobs that are over: three of a tool that reads and three of one that sends, the second failed, the last a plan.
async fn history(jobs: &JobManager) {
    for n in 0..6 {
        let by = if n % 2 == 0 { "campaign:c1" } else { "cli:ana" };
        let mut start = request(
            if n < 3 { "quick" } else { "sender" },
            json!({"echo": format!("Number {n}")}),
        );
        start.requested_by = by.to_owned();
        start.mode = if n == 5 { RunMode::Plan } else { RunMode::Default };
        if n == 1 {
            start.input["fail"] = json!({"kind": "internal", "message": "The disk is TIRED", "exit": 70});
        }
        let id = jobs.start(start).await.unwrap().id;
        jobs.wait(id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_filtered() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    history(&jobs).await;
    let with = async |filter: JobFilter| {
        let page = jobs
            .list(ListRequest {
                filter,
                ..ListRequest::default()
            })
            .await
            .unwrap();
        page.jobs.iter().map(|j| j.id.number()).collect::<Vec<_>>()
    };
    let none = JobFilter::default;
    let text = |t: &str| JobFilter {
        text: Some(t.to_owned()),
        ..none()
    };
    assert_eq!(
        with(JobFilter {
            requested_by: Some("campaign:".to_owned()),
            ..none()
        })
        .await,
        [5, 3, 1]
    );
    assert_eq!(
        with(JobFilter {
            effects: [Effect::Sends].into(),
            ..none()
        })
        .await,
        [6, 5, 4]
    );
    assert_eq!(
        with(JobFilter {
            mode: Some(RunMode::Plan),
            ..none()
        })
        .await,
        [6]
    );
    assert_eq!(
        with(JobFilter {
            states: vec!["failed".to_owned()],
            ..none()
        })
        .await,
        [2]
    );
    assert_eq!(with(text("tired")).await, [2]);
    assert_eq!(with(text("number 4")).await, [5]);
    assert_eq!(with(text("j3")).await, [3]);
    assert_eq!(
        with(JobFilter {
            families: vec!["beta".to_owned()],
            ..none()
        })
        .await,
        [0_i64; 0]
    );
    let third = jobs.get("j3".parse().unwrap()).await.unwrap();
    let job_manager::JobState::Succeeded { queued_at, .. } = third.state else {
        panic!("failed")
    };
    assert_eq!(
        with(JobFilter {
            since: Some(queued_at),
            ..none()
        })
        .await,
        [6, 5, 4, 3]
    );
    assert_eq!(
        with(JobFilter {
            until: Some(queued_at),
            ..none()
        })
        .await,
        [2, 1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_history_is_counted_and_read_both_ways() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    history(&jobs).await;
    let page = |before, after| ListRequest {
        before,
        after,
        limit: 2,
        counts: true,
        ..ListRequest::default()
    };
    let first = jobs.list(page(None, None)).await.unwrap();
    assert_eq!(
        (first.previous, first.next.map(job_manager::JobId::number)),
        (None, Some(5))
    );
    let counts = first.counts.unwrap();
    assert_eq!((counts["succeeded"], counts["failed"]), (5, 1));
    let second = jobs.list(page(first.next, None)).await.unwrap();
    let back = jobs.list(page(None, second.previous)).await.unwrap();
    assert_eq!(back.jobs, first.jobs);
    let line = &second.jobs[0];
    assert_eq!(
        (line.family.as_str(), line.route),
        ("alpha", job_manager::Route::Rust)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_feed_tells_of_all_jobs_and_goes_on_where_it_was_left() {
    let place = Place::new();
    let client = place.open(Role::Client);
    let worker = place.open(Role::Worker);
    let all = WatchRequest {
        filter: JobFilter::default(),
        after: Some(0),
    };
    let mut watch = client.watch(all.clone()).await.unwrap();
    let ids = [
        client
            .start(request("quick", json!({"steps": 3, "step_ms": 300})))
            .await
            .unwrap()
            .id,
        client.start(request("quick_b", json!({}))).await.unwrap().id,
    ];
    let (mut over, mut progress, mut positions) = (0, 0, Vec::new());
    while over < 2 {
        let event = tokio::time::timeout(Duration::from_secs(20), watch.next())
            .await
            .unwrap()
            .unwrap();
        positions.push(event.position);
        let WatchBody::Changed { job } = event.body else {
            continue;
        };
        assert!(ids.contains(&job.id));
        over += u32::from(job.state == "succeeded");
        progress += u32::from(job.state == "running" && job.progress.is_some());
    }
    assert!(positions.windows(2).all(|p| p[0] <= p[1]), "{positions:?}");
    assert!(progress >= 2, "progress is in the feed");
    // From the start again: each job once, as it is now.
    let mut again = client.watch(all).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let WatchBody::Changed { job } = again.next().await.unwrap().body else {
            panic!("no change")
        };
        seen.push((job.id, job.state.clone()));
    }
    seen.sort();
    assert_eq!(seen, ids.map(|id| (id, "succeeded".to_owned())));
    let beta = JobFilter {
        families: vec!["beta".to_owned()],
        ..JobFilter::default()
    };
    let mut filtered = client
        .watch(WatchRequest {
            filter: beta,
            after: Some(0),
        })
        .await
        .unwrap();
    let WatchBody::Changed { job } = filtered.next().await.unwrap().body else {
        panic!("no change")
    };
    assert_eq!(job.id, ids[1]);
    worker.close(job_manager::Close::Drain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_too_slow_is_told_and_one_of_a_wrong_position_too() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let far = WatchRequest {
        filter: JobFilter::default(),
        after: Some(1_000_000),
    };
    let mut watch = jobs.watch(far).await.unwrap();
    let event = tokio::time::timeout(Duration::from_secs(5), watch.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.body, WatchBody::Lagged);
    let id = jobs.start(request("quick", json!({}))).await.unwrap().id;
    let event = tokio::time::timeout(Duration::from_secs(5), watch.next())
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(event.body, WatchBody::Changed { job } if job.id == id));
}

#[tokio::test(flavor = "multi_thread")]
async fn following_another_process_is_as_live_as_ones_own() {
    let place = Place::new();
    let worker = place.open(Role::Worker);
    let client = place.open(Role::Client);
    let id = client
        .start(request("quick", json!({"steps": 200, "step_ms": 10})))
        .await
        .unwrap()
        .id;
    let mut events = client.subscribe(id, 0).await.unwrap();
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        if matches!(event.body, JobEventBody::Progress(_)) {
            told.push(Instant::now());
        }
    }
    // Two seconds of work: at least four a second.
    assert!(told.len() >= 7, "{} times", told.len());
    let longest = told.windows(2).map(|t| t[1] - t[0]).max().unwrap();
    assert!(longest < Duration::from_millis(900), "{longest:?}");
    worker.close(job_manager::Close::Drain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_misses_nothing_and_a_cut_log_says_so() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let id = jobs
        .start(request("quick", json!({"logs": 3000})))
        .await
        .unwrap()
        .id;
    let mut events = jobs.subscribe(id, 0).await.unwrap();
    // It reads nothing until the job is over: the channel is full long before.
    jobs.wait(id).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        if !matches!(event.body, JobEventBody::Progress(_)) {
            seen.push(event);
        }
    }
    let stored = jobs.events(id, 0).await.unwrap();
    assert_eq!(seen.len(), stored.len());
    // What came from memory has finer times than what came from the store.
    assert!(
        seen.iter()
            .zip(&stored)
            .all(|(a, b)| (a.seq, &a.body) == (b.seq, &b.body))
    );
    let cut = stored
        .iter()
        .filter(|e| matches!(e.body, JobEventBody::LogCut { passed_on: 1000 }))
        .count();
    assert_eq!(cut, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_carried_out_once_on_its_own_targets() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let input = json!({"targets": ["a", "b"]});
    let planned = StartRequest {
        mode: RunMode::Plan,
        ..request("sender", input.clone())
    };
    let plan = jobs.start(planned).await.unwrap().id;
    jobs.wait(plan).await.unwrap();
    let apply = |input| StartRequest {
        mode: RunMode::Apply,
        plan_of: Some(plan),
        ..request("sender", input)
    };
    let code = async |request: StartRequest| jobs.start(request).await.unwrap_err().code;
    assert_eq!(
        code(apply(json!({"targets": ["a", "b", "c"]}))).await,
        "plan_of_another"
    );
    assert_eq!(
        code(StartRequest {
            tool: "short_sender".to_owned(),
            ..apply(json!({}))
        })
        .await,
        "plan_of_another"
    );
    assert_eq!(
        code(StartRequest {
            mode: RunMode::Default,
            ..apply(json!({}))
        })
        .await,
        "invalid_input"
    );
    let id = jobs.start(apply(json!({}))).await.unwrap().id;
    let job = jobs.wait(id).await.unwrap();
    let job_manager::JobState::Succeeded { output, .. } = job.state else {
        panic!("{job:?}")
    };
    assert_eq!(
        (output["acted_on"].clone(), job.input, job.plan_of),
        (json!(["a", "b"]), input, Some(plan))
    );
    assert_eq!(code(apply(json!({}))).await, "plan_used");
    let no_plan = jobs.start(request("quick", json!({}))).await.unwrap().id;
    jobs.wait(no_plan).await.unwrap();
    let of_nothing = StartRequest {
        mode: RunMode::Apply,
        plan_of: Some(no_plan),
        ..request("quick", json!({}))
    };
    assert_eq!(code(of_nothing).await, "plan_not_there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_plan_is_refused() {
    let mut place = Place::new();
    place.settings.jobs.plan_max_age_s = 0;
    let jobs = place.open(Role::Foreground);
    let planned = StartRequest {
        mode: RunMode::Plan,
        ..request("sender", json!({"targets": ["a"]}))
    };
    let plan = jobs.start(planned).await.unwrap().id;
    jobs.wait(plan).await.unwrap();
    let apply = StartRequest {
        mode: RunMode::Apply,
        plan_of: Some(plan),
        ..request("sender", json!({}))
    };
    assert_eq!(jobs.start(apply).await.unwrap_err().code, "plan_too_old");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_opened_by_its_number_from_the_folder_of_its_job() {
    let place = Place::new();
    let client = place.open(Role::Client);
    let worker = place.open(Role::Worker);
    let sha256 = hex::encode(Sha256::digest("abc"));
    let id = client
        .start(request("quick", json!({"write": "abc", "sha256": sha256})))
        .await
        .unwrap()
        .id;
    let job = client.wait(id).await.unwrap();
    let dir = job.working_dir.clone().unwrap();
    assert!(dir.ends_with(format!("work/{id}")) && dir.is_absolute());
    let opened = client.artifact(id, 1).await.unwrap();
    assert_eq!(opened.info.state, ArtifactState::Intact);
    assert_eq!(std::io::read_to_string(opened.file.unwrap()).unwrap(), "abc");
    assert_eq!(opened.info.path, dir.join("made.txt"));
    std::fs::write(dir.join("made.txt"), "abd").unwrap();
    let changed = client.artifact(id, 1).await.unwrap();
    assert!(changed.info.state == ArtifactState::Changed && changed.file.is_none());
    std::fs::remove_file(dir.join("made.txt")).unwrap();
    assert_eq!(
        client.artifact(id, 1).await.unwrap().info.state,
        ArtifactState::Gone
    );
    for number in [0, 2] {
        assert_eq!(
            client.artifact(id, number).await.unwrap_err().kind,
            ErrorKind::NotFound
        );
    }
    client.prune(0, 1).await.unwrap();
    let second = client.start(request("quick", json!({}))).await.unwrap().id;
    client.wait(second).await.unwrap();
    client.prune(0, 1).await.unwrap();
    assert!(!dir.exists(), "the folder goes with its job");
    worker.close(job_manager::Close::Drain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_who_works_and_why_each_job_waits() {
    let mut place = Place::new();
    place.settings.jobs.concurrency = Some(1);
    let client = place.open(Role::Client);
    let long = client
        .start(request("keyed", json!({"sleep_ms": 60_000})))
        .await
        .unwrap()
        .id;
    let status = client.status().await.unwrap();
    assert_eq!((status.worker, status.queued, status.running), (None, 1, 0));
    assert_eq!(status.waiting[0].waiting.reason, WaitingFor::Worker);
    let worker = place.open(Role::Worker);
    crate::fixture::until("it runs", || !place.processes(long).is_empty()).await;
    let same_key = client.start(request("keyed", json!({}))).await.unwrap().id;
    let slot = client.start(request("quick", json!({}))).await.unwrap().id;
    let status = client.status().await.unwrap();
    let alive = status.worker.unwrap();
    assert_eq!(
        (alive.pid, status.slots.used, status.slots.free),
        (std::process::id(), 1, 0)
    );
    assert_eq!(status.keys[0].job, long);
    assert!(status.disk_left > 0 && status.store_version >= 3);
    let why = |id| status.waiting.iter().find(|w| w.id == id).unwrap().waiting.reason;
    assert_eq!((why(same_key), why(slot)), (WaitingFor::Key, WaitingFor::Slot));
    assert_eq!(
        client.get(slot).await.unwrap().waiting.unwrap().reason,
        WaitingFor::Slot
    );
    let page = client.list(ListRequest::default()).await.unwrap();
    assert_eq!(page.jobs[0].waiting.as_ref().unwrap().reason, WaitingFor::Slot);
    client.cancel(long, "test", true).await.unwrap();
    worker.close(job_manager::Close::Stop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_short_list_of_tools_has_a_revision_and_no_paths() {
    let place = Place::new();
    let jobs = place.open(Role::Client);
    let (list, again) = (jobs.tool_list().await.unwrap(), jobs.tool_list().await.unwrap());
    assert_eq!((list.revision.len(), &list), (16, &again));
    assert!(
        !serde_json::to_string(&list)
            .unwrap()
            .contains(place.dir.path().to_str().unwrap())
    );
    std::fs::copy(crate::fixture::contract_tool(), place.path("tools/newcomer")).unwrap();
    let more = jobs.tool_list().await.unwrap();
    assert!(more.revision != list.revision && more.tools.len() == list.tools.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_an_approval_has_not_failed() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let waiting = json!({"fail": {"kind": "partial", "code": "waiting_for_approval", "exit": 3}});
    let id = jobs.start(request("quick", waiting)).await.unwrap().id;
    let job = jobs.wait(id).await.unwrap();
    assert_eq!((job.state.name(), job.state.exit_code()), ("waiting", Some(3)));
    let filter = JobFilter {
        states: vec!["waiting".to_owned()],
        ..JobFilter::default()
    };
    assert_eq!(
        jobs.list(ListRequest {
            filter,
            ..ListRequest::default()
        })
        .await
        .unwrap()
        .jobs
        .len(),
        1
    );
}
