//! Measures the job manager and prints the figures as JSON: `cargo run --release -p job_manager --example bench_jobs`.
//!
//! Needs the example `contract_tool` beside it (`cargo build --release -p job_manager --examples`).

#![expect(
    clippy::disallowed_methods,
    reason = "a program of the tests, without the harness"
)]

use std::time::{Duration, Instant};

use app_core::contract::{ToolError, ToolResult};
use job_manager::{
    Close, JobEventBody, JobFilter, JobManager, ListRequest, Options, Role, Settings, StartRequest,
};
use rusqlite::Connection;
use serde_json::json;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match measure().await {
        Ok(figures) => {
            let mut out = std::io::stdout();
            drop(std::io::Write::write_all(
                &mut out,
                format!("{figures:#}\n").as_bytes(),
            ));
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            drop(std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("{error}\n").as_bytes(),
            ));
            std::process::ExitCode::from(error.kind.exit_code())
        }
    }
}

async fn measure() -> ToolResult<serde_json::Value> {
    let io = |e: std::io::Error| ToolError::internal(e.to_string());
    let dir = tempfile::tempdir().map_err(io)?;
    let tools = dir.path().join("tools");
    std::fs::create_dir(&tools).map_err(io)?;
    let exe = std::env::current_exe().map_err(io)?;
    std::fs::copy(exe.with_file_name("contract_tool"), tools.join("quick")).map_err(io)?;
    let open = |concurrency| {
        let mut settings = Settings::default();
        settings.jobs.concurrency = Some(concurrency);
        settings.jobs.keep_count = 0;
        let state_dir = dir.path().join("state");
        JobManager::open(Options {
            state_dir,
            tools_dir: tools.clone(),
            settings,
            role: Role::Worker,
            metrics_dir: None,
        })
    };

    // 1,000 trivial jobs at concurrency 2.
    let jobs = open(2)?;
    jobs.list_tools().await?;
    let begin = Instant::now();
    let mut ids = Vec::new();
    for n in 0..1000 {
        ids.push(jobs.start(trivial(n)).await?.id);
    }
    let mut succeeded = 0;
    for id in ids {
        succeeded += u32::from(jobs.wait(id).await?.state.name() == "succeeded");
    }
    let took = begin.elapsed();
    jobs.close(Close::Drain).await;

    // From `start` to the child running, on an idle manager.
    let jobs = open(2)?;
    let mut waits = Vec::new();
    for n in 0..200 {
        let begin = Instant::now();
        let id = jobs.start(trivial(n)).await?.id;
        let mut events = jobs.subscribe(id, 0).await?;
        while let Some(event) = events.next().await {
            if matches!(event.body, JobEventBody::Running { .. }) {
                waits.push(begin.elapsed());
            }
        }
    }
    waits.sort();

    // A history of 100,000.
    let db = Connection::open(dir.path().join("state/jobs.sqlite3"))
        .map_err(|e| ToolError::internal(e.to_string()))?;
    db.execute_batch(
        "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 98800)
         INSERT INTO jobs (tool, family, version, input, input_hash, mode, effects, policy, requested_by, priority, slots,
           state, queued_at, run_after, started_at, finished_at, attempt, route, output, progress)
         SELECT tool || (i % 40), family, version, input, input_hash, mode, effects, policy, requested_by, priority, slots,
           state, queued_at, run_after, started_at, finished_at, attempt, route, output, progress
         FROM n, (SELECT * FROM jobs WHERE id = 1); COMMIT",
    )
    .map_err(|e| ToolError::internal(e.to_string()))?;
    let (mut slowest, mut count, mut before) = (Duration::ZERO, 0, None);
    let begin_all = Instant::now();
    loop {
        let begin = Instant::now();
        let page = jobs
            .list(ListRequest {
                before,
                limit: 100,
                ..ListRequest::default()
            })
            .await?;
        slowest = slowest.max(begin.elapsed());
        count += page.jobs.len();
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let all = begin_all.elapsed();
    let begin = Instant::now();
    let filtered = ListRequest {
        filter: JobFilter {
            tools: vec!["quick7".to_owned()],
            states: vec!["succeeded".to_owned()],
            ..JobFilter::default()
        },
        ..ListRequest::default()
    };
    jobs.list(filtered).await?;
    let filtered = begin.elapsed();
    jobs.close(Close::Drain).await;

    let ms = |d: Duration| (d.as_secs_f64() * 1e5).round() / 100.0;
    Ok(json!({
        "trivial_jobs": 1000, "succeeded": succeeded, "jobs_per_s": (1000.0 / took.as_secs_f64()).round(),
        "start_to_running_median_ms": ms(waits[waits.len() / 2]), "start_to_running_p95_ms": ms(waits[waits.len() * 95 / 100]),
        "history": count, "page_of_100_slowest_ms": ms(slowest), "all_pages_ms": ms(all), "filtered_page_ms": ms(filtered),
    }))
}

fn trivial(n: u32) -> StartRequest {
    StartRequest {
        tool: "quick".to_owned(),
        input: json!({"echo": n}),
        requested_by: "bench".to_owned(),
        ..StartRequest::default()
    }
}
