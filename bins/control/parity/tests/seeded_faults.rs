//! Seeded faults side by side: a script and its replacement that makes one mistake. Each mistake is found, at its place,
//! in every class that is meant to see it; fifty faultless replacements show none.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parity::{
    case::Class,
    diff::{self, Divergence, Rules},
    seen::Seen,
    side::{self, Given},
};

/// Fault, the weakest class that finds it, where, and what is said.
const FAULTS: [(&str, Class, &str, &str); 46] = [
    ("changed_byte", S, "file out/summary.json", ""),
    ("missing_header", S, "http[0].headers.x-client", "missing header"),
    ("changed_header", S, "http[0].headers.x-client", "header differs"),
    (
        "other_token",
        S,
        "http[0].headers.authorization",
        "header differs",
    ),
    ("query_key", S, "http[0].query.api_key", "query parameter differs"),
    ("exit_code", S, "exit", "ended differently"),
    ("signal", S, "exit", "ended differently"),
    ("key_order", E, "stdout:1", ""),
    ("dropped_key", S, "stdout:1", ""),
    ("time_zone", S, "stdout:1", ""),
    ("float_format", N, "stdout:1", ""),
    ("escaping", E, "stdout:1", ""),
    ("line_ends", N, "stdout:1", "line differs"),
    ("no_last_newline", N, "stdout", "line ends"),
    ("stderr_for_stdout", S, "stdout", "line ends"),
    ("traceback", S, "stderr", "speaks differently"),
    ("error_line", S, "stderr", "speaks differently"),
    ("empty_variable", S, "stdout:1", ""),
    ("bytes_for_characters", S, "file out/summary.json", ""),
    ("null_for_missing", S, "file out/summary.json", ""),
    ("empty_body", S, "http[1].body", "empty body on one side"),
    ("empty_answer", S, "exit", "ended differently"),
    (
        "content_type",
        S,
        "http[1].headers.content-type",
        "header differs",
    ),
    ("number_as_text", S, "http[1].body", ""),
    ("method", S, "http +PUT /push", "extra request"),
    ("query_order", N, "http[0].query", "query order differs"),
    ("query_encoding", N, "http[0].query", "query written differently"),
    ("query_value", S, "http[0].query.page", "query parameter differs"),
    ("extra_request", S, "http +GET /health", "extra request"),
    ("missing_request", S, "http -GET /orders", "missing request"),
    ("duplicate_request", S, "http +POST /push", "extra request"),
    ("request_order", S, "http +", "extra request"),
    ("missing_row", S, "sql orders.db:orders[2]", "missing row"),
    ("changed_row", S, "sql orders.db:orders[2].name", "value differs"),
    ("extra_row", S, "sql orders.db:log.rows", "extra row"),
    ("duplicate_send", S, "smtp +mail to", "extra message"),
    ("missing_send", S, "smtp -mail to", "missing message"),
    ("mail_text", S, "smtp[0].text[0]:2", "word differs"),
    ("mail_subject", S, "smtp[0].headers.subject", "value differs"),
    ("mail_recipient", S, "smtp +mail to", "extra message"),
    ("missing_file", S, "file out/summary.json", "missing file"),
    ("extra_file", S, "file out/debug.log", "extra file"),
    ("deleted_input", S, "file orders.csv", "missing file"),
    ("file_mode", N, "file out/summary.json.mode", "permissions differ"),
    (
        "executable",
        S,
        "file out/summary.json.mode",
        "permissions differ",
    ),
    ("trailing_newline", E, "file out/summary.json", "line ends"),
];

use Class::{Exact as E, Normalised as N, Semantic as S};

/// The interpreter itself, not a launcher in front of it.
fn python() -> String {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

struct Bench {
    orders: PathBuf,
    python: String,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let orders = dir.path().join("orders.csv");
        std::fs::write(&orders, "1;Tee;2.50\n2;Kaffee;3.00\n3;Crème brûlée;4.25\n").unwrap();
        Self {
            orders,
            python: python(),
            _dir: dir,
        }
    }

    fn side(&self, fault: &str, limit: Duration) -> Seen {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report.py");
        let words = [
            &self.python,
            "-S",
            &script.display().to_string(),
            "--fault",
            fault,
            "orders.csv",
            "--server",
            "{{SERVER_HOST}}:{{SERVER_PORT}}",
            "--smtp",
            "{{SMTP_HOST}}:{{SMTP_PORT}}",
        ];
        let routes = r#"[{"method": "GET", "path": "/orders", "responses": [{"body_json": []}]},
            {"method": "GET", "path": "/health", "responses": [{"status": 204}]},
            {"method": "PUT", "path": "/push", "responses": [{"status": 200}]},
            {"method": "POST", "path": "/push", "responses": [{"status": 200}]}]"#;
        let given = Given {
            stdin: Vec::new(),
            env: [("LIMIT".to_owned(), String::new())].into(),
            inputs: vec![(self.orders.clone(), "orders.csv".into())],
            outside: Vec::new(),
            routes: Some(serde_json::from_str(routes).unwrap()),
            capture: false,
            faked: true,
            sqlite: vec!["orders.db".to_owned()],
            limit,
            confine: None,
            tz: Some("UTC".to_owned()),
            tools: PathBuf::new(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(side::run(&words.map(str::to_owned), &given))
            .unwrap()
            .seen
    }
}

const LONG: Duration = Duration::from_secs(120);

fn differences(control: &Seen, candidate: &Seen, again: &Seen, class: Class) -> Vec<Divergence> {
    let rules = Rules {
        class,
        normalise: Vec::new(),
        any_order: false,
        envelope: false,
        max_slowdown: 10.0,
    };
    let noise = diff::compare(control, again, &rules);
    diff::without_noise(diff::compare(control, candidate, &rules), &noise).0
}

/// Runs the work on as many threads as there are cores.
fn in_parallel(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores.min(4) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    work(index);
                }
            });
        }
    });
}

#[test]
fn every_seeded_fault_is_found_where_it_is() {
    let bench = Bench::new();
    let (control, again) = (bench.side("", LONG), bench.side("", LONG));
    let wrong = Mutex::new(Vec::new());
    in_parallel(FAULTS.len(), |index| {
        let (fault, weakest, place, what) = FAULTS[index];
        let candidate = bench.side(fault, LONG);
        for class in [E, N, S] {
            let found = differences(&control, &candidate, &again, class);
            let hit = found
                .iter()
                .any(|d| d.place.starts_with(place) && d.what.contains(what));
            // What differs in a secret is told without it.
            let told = format!("{found:?}");
            assert!(
                !told.contains("geheim") && !told.contains("tok-"),
                "{fault}: {told}"
            );
            let meant = class as u8 <= weakest as u8;
            if meant && !hit || !meant && !found.is_empty() {
                wrong
                    .lock()
                    .unwrap()
                    .push(format!("{fault} in {class:?}: {found:#?}"));
            }
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_script_that_tells_what_it_does_is_clean() {
    let bench = Bench::new();
    let (control, again) = (bench.side("", LONG), bench.side("", LONG));
    let (chatty, again_chatty) = (bench.side("chatter", LONG), bench.side("chatter", LONG));
    assert!(control.stderr.is_empty() && chatty.stderr.split(|byte| *byte == b'\n').count() > 3);
    for class in [E, N, S] {
        assert_eq!(differences(&control, &chatty, &again, class), []);
        assert_eq!(differences(&chatty, &control, &again_chatty, class), []);
    }
}

#[test]
fn requests_may_be_declared_to_come_in_any_order() {
    let bench = Bench::new();
    let (control, again) = (bench.side("", LONG), bench.side("", LONG));
    let found = |fault: &str| {
        let rules = Rules {
            class: E,
            normalise: Vec::new(),
            any_order: true,
            envelope: false,
            max_slowdown: 10.0,
        };
        let noise = diff::compare(&control, &again, &rules);
        let candidate = bench.side(fault, LONG);
        diff::without_noise(diff::compare(&control, &candidate, &rules), &noise).0
    };
    assert_eq!(found("request_order"), []);
    for fault in [
        "missing_request",
        "duplicate_request",
        "query_value",
        "missing_header",
    ] {
        assert!(!found(fault).is_empty(), "{fault}");
    }
}

#[test]
fn fifty_clean_repetitions_show_nothing() {
    let bench = Bench::new();
    let (control, again) = (bench.side("", LONG), bench.side("", LONG));
    assert_eq!(control.requests.len(), 2);
    assert_eq!(control.mails.len(), 1);
    assert_eq!(control.tables.len(), 2);
    assert!(
        control.files.contains_key("out/summary.json"),
        "{:?}",
        control.files.keys()
    );
    let wrong = Mutex::new(Vec::new());
    in_parallel(50, |index| {
        let candidate = bench.side("", LONG);
        let found = differences(&control, &candidate, &again, E);
        if !found.is_empty() {
            wrong.lock().unwrap().push(format!("{index}: {found:#?}"));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_candidate_that_hangs_is_killed_with_all_it_started() {
    let bench = Bench::new();
    let control = bench.side("", LONG);
    let started = Instant::now();
    let candidate = bench.side("hangs", Duration::from_secs(1));
    assert!(started.elapsed() < Duration::from_secs(5));
    let found = differences(&control, &candidate, &control, S);
    assert!(
        found
            .iter()
            .any(|d| d.place == "exit" && d.candidate == "killed after 1 s"),
        "{found:#?}"
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/report.py")
        .display()
        .to_string();
    let alive = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter_map(|p| std::fs::read(p.path().join("cmdline")).ok())
            .filter(|line| {
                let line = String::from_utf8_lossy(line);
                line.contains(&script) && line.contains("\0hangs\0")
            })
            .count()
    };
    let until = Instant::now() + Duration::from_secs(5);
    while alive() > 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(alive(), 0);
}
