//! kill -9 of the manager at random moments.

use std::{
    collections::HashMap,
    process::{Child, Command, Stdio},
    time::Duration,
};

use job_manager::{JobEventBody, ListRequest, Role, Settings};
use serde_json::{Value, json};

use crate::fixture::{Place, example, processes_with, request, until};

const KILLS: u32 = 200;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.jobs.concurrency = Some(4);
    settings.jobs.max_interruptions = 10_000;
    settings
}

/// xorshift64: any sequence will do, as long as its seed is told.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn input(dice: &mut Dice, journal: &str) -> Value {
    let mut input =
        json!({"journal": journal, "sleep_ms": dice.below(250), "steps": dice.below(3), "step_ms": 5});
    if dice.below(6) == 0 {
        input["grandchildren"] = json!(2);
        input["detached"] = json!(dice.below(2) == 0);
    }
    if dice.below(12) == 0 {
        input["ignore_term"] = json!(true);
    }
    input
}

fn start_worker(place: &Place, mark: (&str, &str)) -> Child {
    Command::new(example("crash_worker"))
        .env("CRASH_STATE", place.state())
        .env("CRASH_TOOLS", place.path("tools"))
        .env(mark.0, mark.1)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn runs_begun(journal: &str) -> usize {
    std::fs::read_to_string(journal)
        .unwrap_or_default()
        .matches("start ")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_died_can_be_cancelled_without_another() {
    let place = Place::new();
    let client = place.open(Role::Client);
    let mut worker = start_worker(&place, ("CRASH_MARK", "none"));
    let input = json!({"sleep_ms": 60_000, "ignore_term": true, "grandchildren": 2, "detached": true});
    let id = client.start(request("sender", input)).await.unwrap().id;
    until("the job runs", || place.processes(id).len() >= 5).await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(!place.processes(id).is_empty(), "its children outlive it");
    assert_eq!(client.get(id).await.unwrap().state.name(), "running");
    let report = client.cancel(id, "ana", false).await.unwrap();
    assert_eq!((report.state.as_str(), report.rerun_safe), ("cancelled", false));
    assert_eq!(place.processes(id), [0_u32; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_no_job_is_lost_and_none_runs_twice_at_once() {
    let mut place = Place::new();
    place.settings = settings();
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64
        | 1;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let journal = place.path("journal").to_str().unwrap().to_owned();
    let mark = format!("CRASH_MARK={}", place.dir.path().display());
    let client = place.open(Role::Client);

    for _ in 0..KILLS {
        let (name, value) = mark.split_once('=').unwrap();
        let before = runs_begun(&journal);
        let mut worker = start_worker(&place, (name, value));
        for _ in 0..=dice.below(4) {
            let tool = if dice.below(4) == 0 { "sender" } else { "quick" };
            client
                .start(request(tool, input(&mut dice, &journal)))
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(dice.below(20))).await;
        }
        // One in four is killed at any moment, perhaps before it does anything; the others once they run something.
        if dice.below(4) != 0 {
            until("a run begins", || runs_begun(&journal) > before).await;
        }
        tokio::time::sleep(Duration::from_millis(dice.below(250))).await;
        worker.kill().unwrap(); // SIGKILL
        worker.wait().unwrap();
    }

    // The last worker lives, and brings everything to its end.
    let worker = place.open(Role::Worker);
    let mut before = None;
    let mut interrupted = 0;
    let mut total = 0;
    let mut tools = HashMap::new();
    loop {
        let page = client
            .list(ListRequest {
                before,
                limit: 100,
                ..ListRequest::default()
            })
            .await
            .unwrap();
        for line in &page.jobs {
            let job = tokio::time::timeout(Duration::from_secs(60), client.wait(line.id))
                .await
                .unwrap()
                .unwrap();
            let events = client.events(line.id, 0).await.unwrap();
            let ends = events
                .iter()
                .filter(|e| matches!(e.body, JobEventBody::Ended { .. }))
                .count();
            assert_eq!(ends, 1, "job {} ended {ends} times: {events:#?}", line.id);
            match job.state.failure() {
                None => {}
                Some(error) => assert_eq!(
                    (error.code.as_str(), job.tool.as_str()),
                    ("interrupted", "sender")
                ),
            }
            interrupted += job.interruptions + u32::from(job.state.failure().is_some());
            total += 1;
            tools.insert(line.id.to_string(), job.tool);
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    worker.close(job_manager::Close::Drain).await;

    let mut starts: HashMap<String, u32> = HashMap::new();
    for line in std::fs::read_to_string(&journal).unwrap().lines() {
        let words: Vec<_> = line.split(' ').collect();
        assert_ne!(
            words[0], "overlap",
            "two runs of one job at the same time: {line}"
        );
        if words[0] == "start" {
            *starts.entry(words[1].to_owned()).or_default() += 1;
        }
    }
    let repeated = starts.values().filter(|n| **n > 1).count();
    println!("{total} jobs, {interrupted} runs cut off, {repeated} jobs ran again");
    assert!(
        interrupted > 100,
        "the kills must hit running jobs: {interrupted} of {total}"
    );
    for (id, count) in &starts {
        assert!(
            tools[id] != "sender" || *count == 1,
            "job {id} may have acted and was started {count} times"
        );
    }
    for (id, tool) in &tools {
        assert!(tool == "sender" || starts.contains_key(id), "job {id} never ran");
    }
    assert_eq!(processes_with(&[&mark]), [0_u32; 0], "nobody is left");
}
