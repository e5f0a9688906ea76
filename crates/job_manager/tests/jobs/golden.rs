//! Every wire type against its golden file: what is written must be what stands there, and what stands there must be
//! read. `UPDATE_GOLDEN=1` writes the files anew; review the difference.

use std::{fmt::Debug, path::PathBuf};

use app_core::contract::{
    Artifact, Definition, Effect, FieldMistake, Gate, LogLevel, Progress, StepChange, ToolError, Usd,
};
use jiff::Timestamp;
use job_manager::{
    ArtifactInfo, ArtifactState, CancelReport, FallbackCount, FamilySlots, Job, JobEvent, JobEventBody,
    JobFilter, JobId, JobLine, JobPage, JobState, KeyInUse, ListRequest, Load, LogLine, LogPage, LogRequest,
    Pruned, RetryRequest, Route, RunMode, Slots, StartRequest, Started, Status, Stream, ToolEntry, ToolList,
    ToolSummary, Validation, Waiting, WaitingFor, WaitingJob, WatchBody, WatchEvent, WatchRequest,
    WorkerStatus,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, golden, "{name} is written differently");
    assert_eq!(
        &serde_json::from_str::<T>(&golden).unwrap(),
        value,
        "{name} is read differently"
    );
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_735_787_045 + second).unwrap()
}

fn progress() -> Progress {
    Progress {
        stage: "encode".to_owned(),
        done: 3,
        total: Some(60),
        unit: "frames".to_owned(),
        message: String::new(),
    }
}

fn artifact() -> Artifact {
    Artifact {
        path: "out/a.gif".into(),
        media_type: "image/gif".to_owned(),
        bytes: 1234,
        sha256: "ab".repeat(32),
        role: "output".to_owned(),
        made_from: Vec::new(),
    }
}

fn job(state: JobState) -> Job {
    Job {
        id: JobId::from_number(42),
        tool: "gif_generator".to_owned(),
        family: "marketing".to_owned(),
        version: "0.1.0".to_owned(),
        input: json!({"frames": ["a.png"], "token": "***"}),
        input_hash: "cd".repeat(32),
        mode: RunMode::Apply,
        state,
        attempt: 2,
        attempts: 3,
        interruptions: 1,
        progress: Some(progress()),
        artifacts: vec![artifact()],
        cost_usd: Usd::from_cents(25),
        effects: [Effect::Reads, Effect::WritesFiles].into(),
        requested_by: "cli:ana".to_owned(),
        priority: 5,
        idempotency_key: Some("k1".to_owned()),
        concurrency_key: Some("telegram:main".to_owned()),
        route: Route::Rust,
        retry_of: Some(JobId::from_number(41)),
        plan_of: Some(JobId::from_number(40)),
        working_dir: Some("work".into()),
        waiting: None,
    }
}

#[test]
fn jobs_in_every_state() {
    let error = || Box::new(ToolError::not_found("no file `a.png`").hint("look again"));
    let (queued_at, started_at, finished_at) = (at(0), at(1), at(2));
    check(
        "job_queued",
        &job(JobState::Queued {
            queued_at,
            not_before: Some(at(9)),
        }),
    );
    check(
        "job_running",
        &job(JobState::Running {
            queued_at,
            started_at,
            pid: Some(4121),
            cancelling: true,
        }),
    );
    check(
        "job_succeeded",
        &job(JobState::Succeeded {
            queued_at,
            started_at,
            finished_at,
            output: json!({"frames": 60}),
        }),
    );
    let started = Some(started_at);
    check(
        "job_failed",
        &job(JobState::Failed {
            queued_at,
            started_at: started,
            finished_at,
            error: error(),
        }),
    );
    check(
        "job_cancelled",
        &job(JobState::Cancelled {
            queued_at,
            started_at: None,
            finished_at,
            forced: false,
        }),
    );
    check(
        "job_waiting",
        &job(JobState::Waiting {
            queued_at,
            started_at,
            finished_at,
            error: error(),
        }),
    );
    check(
        "job_timed_out",
        &job(JobState::TimedOut {
            queued_at,
            started_at,
            finished_at,
            error: error(),
        }),
    );
}

fn waiting() -> Waiting {
    Waiting {
        reason: WaitingFor::Key,
        detail: "job j7 has the key `telegram:main`".to_owned(),
    }
}

fn filter() -> JobFilter {
    JobFilter {
        states: vec!["failed".to_owned()],
        tools: vec!["t".to_owned()],
        families: vec!["marketing".to_owned()],
        requested_by: Some("campaign:".to_owned()),
        mode: Some(RunMode::Apply),
        effects: [Effect::Sends].into(),
        since: Some(at(0)),
        until: Some(at(9)),
        retry_of: Some(JobId::from_number(3)),
        has_artifacts: Some(true),
        text: Some("tired".to_owned()),
    }
}

fn line() -> JobLine {
    JobLine {
        id: JobId::from_number(42),
        tool: "gif_generator".to_owned(),
        state: "failed".to_owned(),
        attempt: 1,
        queued_at: at(0),
        started_at: Some(at(1)),
        finished_at: Some(at(2)),
        progress: Some(progress()),
        error: Some("no file `a.png`".to_owned()),
        requested_by: "cli:ana".to_owned(),
        family: "marketing".to_owned(),
        mode: RunMode::Apply,
        effects: [Effect::Reads, Effect::WritesFiles].into(),
        cost_usd: Usd::from_cents(25),
        route: Route::Rust,
        cancelling: false,
        artifacts: 2,
        retry_of: Some(JobId::from_number(41)),
        waiting: Some(waiting()),
    }
}

#[test]
fn status_files_and_the_feed() {
    check(
        "status",
        &Status {
            worker: Some(WorkerStatus {
                pid: 4121,
                since: at(0),
            }),
            slots: Slots {
                limit: 4,
                used: 3,
                free: 1,
            },
            families: vec![FamilySlots {
                family: "telegram".to_owned(),
                used: 1,
                limit: Some(1),
            }],
            keys: vec![KeyInUse {
                key: "telegram:main".to_owned(),
                job: JobId::from_number(7),
            }],
            queued: 1,
            running: 3,
            waiting: vec![WaitingJob {
                id: JobId::from_number(9),
                tool: "moderate".to_owned(),
                waiting: waiting(),
            }],
            store_version: 3,
            disk_left: 1_000_000,
            paused: Some("the disk is full: 0 bytes left".to_owned()),
        },
    );
    check(
        "artifact_info",
        &ArtifactInfo {
            job: JobId::from_number(42),
            number: 1,
            artifact: artifact(),
            state: ArtifactState::Changed,
            path: "/state/work/j42/out/a.gif".into(),
        },
    );
    check(
        "watch_request",
        &WatchRequest {
            filter: filter(),
            after: Some(76),
        },
    );
    let bodies = [
        WatchBody::Changed {
            job: Box::new(line()),
        },
        WatchBody::Lagged,
        WatchBody::Tools {
            revision: "0123456789abcdef".to_owned(),
        },
    ];
    let events: Vec<WatchEvent> = bodies
        .into_iter()
        .zip(77..)
        .map(|(body, position)| WatchEvent { v: 1, position, body })
        .collect();
    check("watch_events", &events);
    let summary = ToolSummary {
        name: "image_manipulation".to_owned(),
        family: "marketing".to_owned(),
        summary: "Changes pictures".to_owned(),
        effects: [Effect::Reads, Effect::WritesFiles].into(),
        gate: Gate::Direct,
        route: Route::Rust,
        actions: vec!["resize".to_owned()],
    };
    check(
        "tool_list",
        &ToolList {
            revision: "0123456789abcdef".to_owned(),
            tools: vec![summary],
        },
    );
}

#[test]
fn requests() {
    check(
        "start_request",
        &StartRequest {
            tool: "gif_generator".to_owned(),
            input: json!({"frames": ["a.png"]}),
            mode: RunMode::Plan,
            priority: -1,
            idempotency_key: Some("k1".to_owned()),
            requested_by: String::new(),
            working_dir: Some("work".into()),
            retry_of: Some(JobId::from_number(41)),
            plan_of: Some(JobId::from_number(40)),
        },
    );
    check(
        "retry_request",
        &RetryRequest {
            input: Some(json!({"frames": ["b.png"]})),
            mode: Some(RunMode::Apply),
            priority: Some(3),
            idempotency_key: Some("k2".to_owned()),
            requested_by: String::new(),
        },
    );
    let list = ListRequest {
        filter: filter(),
        before: Some(JobId::from_number(9)),
        after: None,
        counts: true,
        limit: 20,
    };
    check("list_request", &list);
    check(
        "log_request",
        &LogRequest {
            after: 10,
            tail: Some(5),
            stream: Some(Stream::Stderr),
            attempt: Some(2),
            limit: Some(100),
        },
    );
}

#[test]
fn answers() {
    let mistake = FieldMistake {
        path: "frames[2].delay".to_owned(),
        message: "must be at least 1, not 0".to_owned(),
    };
    check(
        "validation",
        &Validation {
            valid: false,
            fields: vec![mistake],
            input: json!({"frames": ["a.png"], "token": "***"}),
        },
    );
    check(
        "started",
        &Started {
            id: JobId::from_number(42),
            existing: false,
            attended: true,
        },
    );
    check(
        "job_page",
        &JobPage {
            jobs: vec![line()],
            next: Some(JobId::from_number(42)),
            previous: Some(JobId::from_number(42)),
            counts: Some([("failed".to_owned(), 1)].into()),
            position: 77,
        },
    );
    check(
        "cancel_report",
        &CancelReport {
            id: JobId::from_number(42),
            state: "cancelled".to_owned(),
            had_started: true,
            forced: true,
            done: Some(progress()),
            left: Some(57),
            artifacts: vec!["out/a.gif".into()],
            rerun_safe: true,
            rerun: "it reads and writes files only; running it again does nothing twice".to_owned(),
        },
    );
    let line = LogLine {
        ts: at(0),
        attempt: 1,
        stream: Stream::Stderr,
        text: "a word".to_owned(),
    };
    check(
        "log_page",
        &LogPage {
            lines: vec![line],
            next: 99,
        },
    );
    check(
        "load",
        &Load {
            queued: 3,
            running: 2,
        },
    );
    check("pruned", &Pruned { jobs: 7 });
    let count = FallbackCount {
        tool: "t".to_owned(),
        reason: "switched".to_owned(),
        runs: 3,
        last_at: at(0),
    };
    check("fallback_count", &count);
    let definition = Definition::new("gif_generator", "0.1.0", "Makes GIFs", "marketing");
    check(
        "tool_entry",
        &ToolEntry {
            definition,
            route: Route::Legacy,
            path: "tools/gif_generator".into(),
        },
    );
}

#[test]
fn events() {
    let bodies = vec![
        JobEventBody::Queued { tool: "t".to_owned() },
        JobEventBody::Running {
            route: Route::Rust,
            pid: 4121,
        },
        JobEventBody::Progress(progress()),
        JobEventBody::Artifact(artifact()),
        JobEventBody::Cost {
            usd: Usd::from_cents(1),
            what: "image".to_owned(),
        },
        JobEventBody::Log {
            level: LogLevel::Warn,
            message: "slow".to_owned(),
        },
        JobEventBody::Step(StepChange {
            step: "look".to_owned(),
            status: "waiting_for_approval".to_owned(),
            job: None,
            request: Some("a3".to_owned()),
            message: "Post it?".to_owned(),
        }),
        JobEventBody::LogCut { passed_on: 1000 },
        JobEventBody::Retrying {
            error: Box::new(ToolError::not_found("x")),
            not_before: at(3),
        },
        JobEventBody::Requeued {
            reason: "the job manager died".to_owned(),
        },
        JobEventBody::Cancelling {
            by: "ana".to_owned(),
            force: true,
        },
        JobEventBody::Ended {
            state: "succeeded".to_owned(),
            error: None,
        },
    ];
    let events: Vec<JobEvent> = bodies
        .into_iter()
        .zip(1..)
        .map(|(body, seq)| JobEvent {
            v: 1,
            job: JobId::from_number(42),
            seq,
            ts: at(seq),
            attempt: 1,
            body,
        })
        .collect();
    check("events", &events);
    let newer: JobEvent = serde_json::from_value(
        json!({"v": 1, "job": "j1", "seq": 1, "ts": at(0), "attempt": 1, "kind": "paused", "by": "x"}),
    )
    .unwrap();
    assert_eq!(
        newer.body,
        JobEventBody::Unknown,
        "readers ignore what they do not know"
    );
}
