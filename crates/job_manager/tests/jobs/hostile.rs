//! Programs and names that mean no good.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use app_core::contract::ErrorKind;
use job_manager::{Role, describe_all};
use serde_json::json;

use crate::fixture::{Place, processes_with, request};

fn program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_leaves_a_daemon_when_asked_stops_nobody() {
    let place = Place::new();
    // With the contract's mark; the daemon holds the pipe. One is silent, one answers first.
    program(
        &place.path("tools/daemon"),
        "#!/bin/sh\n# ONEJOB_EVENTS_FD\nsetsid sleep 4711 &\nexit 0\n",
    );
    let answer = place.path("answer.json");
    let own = std::process::Command::new(place.path("tools/quick"))
        .arg("--describe")
        .output()
        .unwrap();
    std::fs::write(
        &answer,
        String::from_utf8(own.stdout)
            .unwrap()
            .replace("\"quick\"", "\"talker\""),
    )
    .unwrap();
    program(
        &place.path("tools/talker"),
        &format!(
            "#!/bin/sh\n# ONEJOB_EVENTS_FD\ncat {}\nsetsid sleep 4712 &\n",
            answer.display()
        ),
    );
    let begin = Instant::now();
    let jobs = place.open(Role::Foreground);
    let tools = jobs.list_tools().await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    let names: Vec<_> = tools.iter().map(|t| t.definition.name.as_str()).collect();
    assert!(
        names.contains(&"talker") && !names.contains(&"daemon"),
        "{names:?}"
    );
    let mark = format!("ONEJOB_DESCRIBE={}-", std::process::id());
    assert_eq!(
        processes_with(&[&mark]),
        [0_u32; 0],
        "what it left behind is ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_a_name() {
    let place = Place::new();
    let outside = place.path("evil");
    std::fs::create_dir(&outside).unwrap();
    std::fs::copy(crate::fixture::contract_tool(), outside.join("pwn")).unwrap();
    let jobs = place.open(Role::Foreground);
    let absolute = outside.join("pwn").display().to_string();
    for name in [
        "../evil/pwn",
        &absolute,
        "./quick",
        "quick/",
        "",
        ".",
        "..",
        "Quick",
        "quick\n",
    ] {
        let error = jobs.start(request(name, json!({}))).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{name}");
        assert_eq!(
            jobs.tool(name).await.unwrap_err().kind,
            ErrorKind::NotFound,
            "{name}"
        );
    }
    let page = jobs.list(job_manager::ListRequest::default()).await.unwrap();
    assert_eq!(page.jobs.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_marked_programs_of_a_folder_are_started() {
    let place = Place::new();
    let ran = place.path("ran");
    program(
        &place.path("tools/bystander"),
        &format!("#!/bin/sh\ntouch {}\n", ran.display()),
    );
    let found = describe_all(&place.path("tools")).unwrap();
    assert_eq!(found.len(), 7);
    assert!(!ran.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_no_clock_can_hold_are_no_limits() {
    let mut place = Place::new();
    let with = |place: &mut Place, timeout_s: i64| {
        let section = place.settings.tools.entry("quick".to_owned()).or_default();
        section.policy = json!({"timeout_s": timeout_s}).as_object().unwrap().clone();
    };
    with(&mut place, i64::MAX);
    let jobs = place.open(Role::Foreground);
    let refused = jobs.start(request("quick", json!({}))).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Config, "{refused}");
    jobs.close(job_manager::Close::Drain).await;
    with(&mut place, 315_576_000);
    let jobs = place.open(Role::Foreground);
    let id = jobs.start(request("quick", json!({"echo": 1}))).await.unwrap().id;
    assert_eq!(jobs.wait(id).await.unwrap().state.name(), "succeeded");
    let stopped = jobs
        .start(request("quick", json!({"sleep_ms": 60_000})))
        .await
        .unwrap()
        .id;
    crate::fixture::until("it runs", || !place.processes(stopped).is_empty()).await;
    jobs.cancel(stopped, "test", false).await.unwrap();
    let failing =
        json!({"fail": {"kind": "network", "retryable": true, "retry_after_ms": u64::MAX, "exit": 75}});
    let id = jobs.start(request("quick", failing)).await.unwrap().id;
    crate::fixture::until("it waits", || {
        std::fs::metadata(place.state().join(format!("logs/{id}.ndjson"))).is_ok()
            || place.processes(id).is_empty()
    })
    .await;
    let status = jobs.status().await.unwrap();
    drop(status);
    jobs.cancel(id, "test", true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_left_in_a_session_of_its_own_is_ended_after_success_too() {
    let place = Place::new();
    let jobs = place.open(Role::Foreground);
    let id = jobs
        .start(request(
            "quick",
            json!({"grandchildren": 2, "detached": true, "sleep_ms": 200}),
        ))
        .await
        .unwrap()
        .id;
    assert_eq!(jobs.wait(id).await.unwrap().state.name(), "succeeded");
    assert_eq!(place.processes(id), [0_u32; 0]);
}
