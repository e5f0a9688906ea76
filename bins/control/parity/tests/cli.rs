//! The commands as a user types them: whose result is returned, what is refused, what is recorded, what is logged.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use testkit::{Finished, Sandbox, tools};

fn parity(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_parity")), args)
}

/// Runs both sides of a tool that reads; differences count.
fn compared(sandbox: &Sandbox, control: &str, candidate: &str, more: &[&str]) -> Finished {
    let args = [
        "run",
        "demo",
        "--control",
        control,
        "--candidate",
        candidate,
        "--effects",
        "reads",
        "--strict",
    ];
    parity(sandbox, &[&args[..], more].concat())
}

/// The interpreter itself, not a launcher in front of it.
fn python() -> String {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn executable(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.file(name, text);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode).unwrap();
}

const OLD: &str = "printf 'one\\ntwo\\n'; echo working >&2; exit 4\n";
const NEW: &str = "printf 'one\\n2\\n'; echo working >&2; exit 4\n";

#[test]
fn the_controls_output_and_exit_code_are_the_ones_returned() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file("old.sh", OLD);
    sandbox.file("new.sh", NEW);
    let both = [
        "--control",
        "sh old.sh",
        "--candidate",
        "sh new.sh",
        "--effects",
        "reads",
    ];
    let plain = parity(&sandbox, &[&["run", "demo"], &both[..]].concat()).expect_code(4);
    assert_eq!(plain.stdout, "one\ntwo\n");
    assert!(
        plain.stderr.starts_with("working\nparity demo: 1 difference"),
        "{}",
        plain.stderr
    );
    assert!(
        plain
            .stderr
            .contains("stdout:2:1: word differs | control \"two\" | candidate \"2\""),
        "{}",
        plain.stderr
    );
    let strict = parity(
        &sandbox,
        &[&["run", "demo", "--strict", "--report", "r.json"], &both[..]].concat(),
    );
    assert_eq!(strict.expect_code(3).stdout, "one\ntwo\n");
    let report: Value = serde_json::from_slice(&std::fs::read(sandbox.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["differences"][0]["place"], "stdout:2:1");
    let json = parity(&sandbox, &[&["run", "demo", "--json"], &both[..]].concat()).expect_code(3);
    assert_eq!(json.json()["clean"], false);
    let same = [
        "run",
        "demo",
        "--control",
        "sh old.sh",
        "--candidate",
        "sh old.sh",
        "--effects",
        "reads",
        "--strict",
    ];
    assert!(
        parity(&sandbox, &same)
            .expect_code(4)
            .stderr
            .contains("parity demo: same")
    );
}

#[test]
fn a_candidate_that_hangs_or_is_missing_changes_nothing_for_the_caller() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file("old.sh", "echo done\n");
    sandbox.file("new.sh", "sleep 60 & sleep 60\n");
    let run = |candidate: &str| {
        let args = [
            "run",
            "demo",
            "--control",
            "sh old.sh",
            "--candidate",
            candidate,
            "--effects",
            "reads",
            "--time-limit-s",
            "0.5",
        ];
        parity(&sandbox, &args).expect_code(0)
    };
    let started = Instant::now();
    let hung = run("sh new.sh");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(hung.stdout, "done\n");
    assert!(hung.stderr.contains("killed after 0.5 s"), "{}", hung.stderr);
    let missing = run("no-such-program-here");
    assert_eq!(missing.stdout, "done\n");
    assert!(missing.stderr.contains("not started"), "{}", missing.stderr);
    // A control that hangs or is missing is an error, and says so.
    let args = [
        "run",
        "demo",
        "--control",
        "sh new.sh",
        "--candidate",
        "sh old.sh",
        "--effects",
        "reads",
        "--time-limit-s",
        "0.5",
    ];
    assert!(
        parity(&sandbox, &args)
            .expect_code(75)
            .stderr
            .contains("the control did not end within 0.5 s")
    );
    let args = [
        "run",
        "demo",
        "--control",
        "no-such-program-here",
        "--effects",
        "reads",
    ];
    assert!(
        parity(&sandbox, &args)
            .expect_code(78)
            .stderr
            .contains("is not installed")
    );
}

#[test]
fn a_tool_that_acts_is_never_run_on_both_sides() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file("old.sh", "echo ran >> \"$MARK\"\n");
    let mark = sandbox.root().join("mark");
    let env = format!("MARK={}", mark.display());
    let base = [
        "run",
        "demo",
        "--control",
        "sh old.sh",
        "--candidate",
        "sh old.sh",
        "--env",
        &env,
        "--confine=false",
    ];
    let refused = parity(
        &sandbox,
        &[&base[..], &["--effects", "reads", "--effects", "sends"]].concat(),
    )
    .expect_code(2);
    assert!(
        refused
            .stderr
            .contains("`demo` has the effect `sends`: it is never run on both sides"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("hint: fake its other side"),
        "{}",
        refused.stderr
    );
    let unknown = parity(&sandbox, &base).expect_code(2);
    assert!(
        unknown
            .stderr
            .contains("what `demo` does to the world is not known"),
        "{}",
        unknown.stderr
    );
    assert!(!mark.exists());
    sandbox.file("routes.json", "[]");
    let faked = [
        &base[..],
        &[
            "--effects",
            "sends",
            "--far-side",
            "routes.json",
            "--calibrate",
            "0",
        ],
    ]
    .concat();
    parity(&sandbox, &faked).expect_code(0);
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "ran\nran\n");
    // A tool's own word counts more than the flag.
    let real = ["run", "dispatch", "--control", "sh old.sh", "--effects", "reads"];
    let tools = tools::target_dir().display().to_string();
    let refused = parity(&sandbox, &[&real[..], &["--tools-dir", &tools]].concat()).expect_code(2);
    assert!(refused.stderr.contains("`sends`"), "{}", refused.stderr);
}

#[test]
fn each_side_has_directories_and_an_environment_of_its_own() {
    let sandbox = Sandbox::new()
        .unwrap()
        .env("FROM_OUTSIDE", "1")
        .env("PASSED", "yes");
    sandbox.file("in.txt", "input");
    let absolute = sandbox.file("far/in.txt", "far");
    let script = "pwd; echo \"$HOME $TMPDIR $TZ [$FROM_OUTSIDE] [$PASSED] [${EMPTY-unset}]\"; cat in.txt \"$2\"; \
                  echo new > in.txt; echo new > \"$2\"; cat\n";
    sandbox.file("old.sh", script);
    let args = [
        "run",
        "demo",
        "--control",
        "sh old.sh",
        "--candidate",
        "sh old.sh",
        "--effects",
        "reads",
        "--env",
        "PASSED",
        "--env",
        "EMPTY=",
        "--stdin",
        "-",
        "--strict",
        "--",
        "in.txt",
        &absolute.display().to_string(),
    ];
    let run = sandbox
        .run_with(Path::new(env!("CARGO_BIN_EXE_parity")), &args, b"typed")
        .expect_code(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].ends_with("/work") && !lines[0].starts_with(&sandbox.work().display().to_string()));
    assert!(lines[1].ends_with(" UTC [] [yes] []"), "{}", lines[1]);
    assert!(
        lines[1].starts_with(lines[0].trim_end_matches("/work")),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2], "inputfartyped");
    // The caller's files are as they were.
    assert_eq!(std::fs::read_to_string(sandbox.path("in.txt")).unwrap(), "input");
    assert_eq!(std::fs::read_to_string(absolute).unwrap(), "far");
}

#[test]
fn no_side_writes_where_it_was_not_told_to() {
    let sandbox = Sandbox::new().unwrap();
    let real = sandbox.file("real/out.txt", "precious");
    // The path stands in a file, not in an argument.
    sandbox.file("settings.txt", real.display().to_string());
    sandbox.file(
        "old.sh",
        "echo written > \"$(cat settings.txt)\"; echo $?; echo inside > inside.txt\n",
    );
    let args = [
        "run",
        "demo",
        "--control",
        "sh old.sh",
        "--candidate",
        "sh old.sh",
        "--effects",
        "writes_files",
        "--",
        "settings.txt",
    ];
    let run = parity(&sandbox, &args).expect_code(0);
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "precious");
    assert!(
        run.stdout != "0\n" && run.stderr.contains("same"),
        "{} {}",
        run.stdout,
        run.stderr
    );
    // A path in the JSON of a dispatcher's call gets a place of its own.
    sandbox.file(
        "call.sh",
        "path=$(echo \"$2\" | sed 's/.*:\"//; s/\".*//'); cat \"$path\"; echo new > \"$path\"; echo $?\n",
    );
    let call = serde_json::json!({"output_path": real}).to_string();
    let args = [
        "run",
        "demo",
        "--control",
        "sh call.sh",
        "--candidate",
        "sh call.sh",
        "--effects",
        "writes_files",
        "--",
        "demo",
        &call,
    ];
    assert_eq!(parity(&sandbox, &args).expect_code(0).stdout, "precious0\n");
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "precious");
}

/// Whether this kernel can keep a program from connecting (6.7 and later).
fn kernel_guards_connections() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 7)
}

#[test]
fn with_a_faked_far_side_nothing_else_is_reached() {
    let sandbox = Sandbox::new().unwrap();
    let real = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    real.set_nonblocking(true).unwrap();
    let port = real.local_addr().unwrap().port();
    sandbox.file("old.py", "import socket, sys\nfor port in sys.argv[1:]:\n    try:\n        socket.create_connection(('127.0.0.1', int(port)))\n        print('connected')\n    except OSError as error:\n        print(type(error).__name__)\n");
    sandbox.file("routes.json", "[]");
    let control = format!("{} old.py", python());
    let args = [
        "run",
        "demo",
        "--control",
        &control,
        "--candidate",
        &control,
        "--effects",
        "sends",
        "--far-side",
        "routes.json",
        "--",
        "{{SERVER_PORT}}",
        "{{SMTP_PORT}}",
        &port.to_string(),
    ];
    let run = parity(&sandbox, &args).expect_code(0);
    if kernel_guards_connections() {
        assert_eq!(run.stdout, "connected\nconnected\nPermissionError\n");
        assert_eq!(real.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// A server with a certificate for `localhost` that answers JSON to every request; its port and certificate.
fn tls_server() -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut tls =
                rustls::StreamOwned::new(rustls::ServerConnection::new(config.clone()).unwrap(), stream);
            let mut request = [0; 4096];
            if tls.read(&mut request).is_ok() {
                let body = "{\"access_token\": \"answer-445566\", \"n\": 1}";
                let length = body.len();
                let _ = write!(
                    tls,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: sid=abcdef123456\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    (port, certificate.pem())
}

const FETCH: &str = r#"
import json, os, sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + os.environ["API_TOKEN"]})
text = urllib.request.urlopen(request).read().decode()
print("asked", sys.argv[1], "got", len(text), "characters, n", json.loads(text)["n"])
open("answer.json", "w").write(text)
"#;

#[test]
fn a_recorded_case_replays_to_another_program_over_tls_without_secrets() {
    let (port, ca) = tls_server();
    let sandbox = Sandbox::new().unwrap();
    let ca = sandbox.file("ca.pem", ca);
    let sandbox = sandbox.env("SSL_CERT_FILE", ca.display().to_string());
    let fetch = sandbox.file("fetch.py", FETCH).display().to_string();
    let control = format!("{} fetch.py", python());
    let url = format!("https://localhost:{port}/v1/items?page=2&key=question-778899");
    let record = |extra: &[&str]| {
        let args = [
            "record",
            "fetch",
            "cases/fetch/tls",
            "--control",
            &control,
            "--effects",
            "reads",
            "--env",
            "API_TOKEN=header-112233",
        ];
        parity(&sandbox, &[&args[..], extra, &["--", &url]].concat())
    };
    let recorded = record(&[]).expect_code(0).json();
    assert_eq!(
        (recorded["requests"].as_u64(), recorded["files"].as_u64()),
        (Some(1), Some(1))
    );
    let read = |name: &str| std::fs::read_to_string(sandbox.path("cases/fetch/tls").join(name)).unwrap();
    let all = read("case.json") + &read("out/answer.json");
    for secret in [
        "question-778899",
        "header-112233",
        "answer-445566",
        "abcdef123456",
    ] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert!(all.contains("\"page\": \"2\""), "{all}");
    // A case that is there stays, unless it is meant to go.
    let kept = record(&[]).expect_code(73);
    assert!(kept.stderr.contains("holds a case already"), "{}", kept.stderr);
    sandbox.file("cases/fetch/tls/intended.json", "{}");
    record(&["--force"]).expect_code(0);
    assert!(sandbox.path("cases/fetch/tls/intended.json").is_file());
    assert_eq!(std::fs::read_dir(sandbox.path("cases/fetch")).unwrap().count(), 1);
    // The far side is gone; the recorded answers are what the tool gets.
    let check = |script: &str| {
        sandbox.file("new.py", script);
        executable(
            &sandbox,
            "tools/fetch",
            &format!(
                "#!/bin/sh\nexec {} {} \"$@\"\n",
                python(),
                fetch.replace("fetch.py", "new.py")
            ),
        );
        parity(
            &sandbox,
            &[
                "check",
                "fetch",
                "--cases",
                "cases",
                "--tools-dir",
                "tools",
                "--text",
            ],
        )
    };
    check(FETCH).expect_code(0);
    let evidence = sandbox.root().join("state/evidence/parity/fetch.json");
    let evidence = || -> Value { serde_json::from_slice(&std::fs::read(&evidence).unwrap()).unwrap() };
    assert_eq!(
        (evidence()["passed"].as_bool(), evidence()["summary"].as_str()),
        (Some(true), Some("1 of 1 cases"))
    );
    for (from, to, place) in [
        ("[\"n\"]", "[\"n\"] + 1", "stdout:1"),
        ("answer.json", "other.json", "file answer.json"),
        ("headers=", "unverifiable=", "http[0].headers.authorization"),
        (
            "sys.argv[1], h",
            "sys.argv[1].replace('page=2', 'page=3'), h",
            "http[0].query.page",
        ),
        (
            "text = url",
            "urllib.request.urlopen(sys.argv[1].replace('v1', 'v2'))\ntext = url",
            "http +GET https://localhost",
        ),
    ] {
        assert!(FETCH.contains(from));
        let found = check(&FETCH.replacen(from, to, 1)).expect_code(3);
        assert!(found.stdout.contains(place), "{to}: {}", found.stdout);
    }
    assert_eq!(evidence()["passed"], false);
}

#[test]
fn a_tool_of_this_workspace_trusts_the_proxy_of_a_run() {
    let sandbox = Sandbox::new().unwrap();
    let routes = r#"[{"method": "GET", "base": "https://shop.example", "path": "/",
        "responses": [{"headers": {"content-type": "text/html"}, "body_text": "<title>Shop</title>hi"}]}]"#;
    sandbox.file("routes.json", routes);
    let bundler = tools::binary("html_bundler").display().to_string();
    let words = format!("{bundler} --json");
    let args = [
        "run",
        "html_bundler",
        "--control",
        &words,
        "--candidate",
        &words,
        "--far-side",
        "routes.json",
        "--effects",
        "reads",
        "--json",
        "--",
        "https://shop.example/",
        "-o",
        "page.html",
    ];
    let run = parity(&sandbox, &args).expect_code(0).json();
    assert_eq!(run["control"]["requests"], 1, "{run}");
    assert_eq!(run["notes"].as_array().map(Vec::len), Some(0), "{run}");
}

#[test]
fn a_shadowed_script_runs_as_it_always_did_whatever_the_tool_does() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file(
        "old.sh",
        "cat in.txt; echo note >&2; echo \"$OUTSIDE\" > out.txt; echo changed > in.txt; exit 4\n",
    );
    let sandbox = sandbox.env("OUTSIDE", "seen");
    let log = sandbox.root().join("state/parity/shadow.jsonl");
    let shadow = |candidate: &str, extra: &[&str]| {
        sandbox.file("in.txt", "input\n");
        let _ = std::fs::remove_file(sandbox.path("out.txt"));
        let args = [
            "shadow",
            "demo",
            "--control",
            "sh old.sh",
            "--candidate",
            candidate,
            "--files",
            "in.txt",
            "--time-limit-s",
            "1",
        ];
        let run = parity(&sandbox, &[&args[..], extra].concat()).expect_code(4);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("input\n", "note\n"));
        // What it wrote is where it always was.
        assert_eq!(
            std::fs::read_to_string(sandbox.path("out.txt")).unwrap(),
            "seen\n"
        );
        assert_eq!(
            std::fs::read_to_string(sandbox.path("in.txt")).unwrap(),
            "changed\n"
        );
        let text = std::fs::read_to_string(&log).unwrap();
        serde_json::from_str::<Value>(text.lines().last().unwrap()).unwrap()
    };
    let reads = ["--effects", "reads", "--env", "OUTSIDE"];
    let clean = shadow("sh old.sh", &reads);
    assert_eq!(
        (
            clean["v"].as_u64(),
            clean["clean"].as_bool(),
            clean["tool"].as_str()
        ),
        (Some(1), Some(true), Some("demo")),
        "{clean}"
    );
    assert_eq!(clean["input_sha256"].as_str().map(str::len), Some(64));
    sandbox.file(
        "new.sh",
        "cat in.txt; echo note >&2; echo seen > out.txt; echo other > in.txt; exit 5\n",
    );
    let differs = shadow("sh new.sh", &reads);
    assert_eq!(differs["clean"], false);
    let told = differs["differences"].to_string();
    assert!(
        told.contains("exit: ") && told.contains("file in.txt:1:1: ") && !told.contains("out.txt"),
        "{told}"
    );
    for candidate in ["no-such-program-here", "sleep 60", "sh -c 'kill -SEGV $$'"] {
        assert_eq!(shadow(candidate, &reads)["clean"], false, "{candidate}");
    }
    let refused = shadow("sh old.sh", &["--effects", "sends"]);
    assert!(
        refused["differences"][0]
            .as_str()
            .unwrap()
            .starts_with("not compared: `demo` has the effect `sends`")
    );
    let unknown = shadow("sh old.sh", &[]);
    assert!(
        unknown["differences"][0]
            .as_str()
            .unwrap()
            .starts_with("not compared: "),
        "{unknown}"
    );
}

#[test]
fn a_shadowed_script_that_is_told_to_stop_stops_in_its_own_way() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file(
        "old.sh",
        "trap 'echo stopped; exit 7' TERM\necho begun\ntouch begun\nwhile :; do sleep 0.05; done\n",
    );
    let args = [
        "shadow",
        "demo",
        "--control",
        "sh old.sh",
        "--candidate",
        "sh old.sh",
        "--effects",
        "reads",
    ];
    let running = sandbox.start(Path::new(env!("CARGO_BIN_EXE_parity")), &args, b"");
    while !sandbox.path("begun").exists() {
        thread::sleep(Duration::from_millis(10));
    }
    running.signal("TERM");
    assert_eq!(running.finish().expect_code(7).stdout, "begun\nstopped\n");
    assert!(!sandbox.root().join("state/parity/shadow.jsonl").exists());
}

#[test]
fn lines_of_parallel_shadows_stay_whole() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file("old.sh", "echo hi\n");
    let log = sandbox.root().join("state/parity");
    std::fs::create_dir_all(&log).unwrap();
    // The line of a run that was cut off.
    std::fs::write(log.join("shadow.jsonl"), "{\"v\":1,\"at\":\"20").unwrap();
    let args = [
        "shadow",
        "demo",
        "--control",
        "sh old.sh",
        "--candidate",
        "sh old.sh",
        "--effects",
        "reads",
    ];
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| drop(parity(&sandbox, &args).expect_code(0))));
        }
    });
    let text = std::fs::read_to_string(log.join("shadow.jsonl")).unwrap();
    let whole = text
        .lines()
        .filter(|line| serde_json::from_str::<Value>(line).is_ok());
    assert_eq!(
        (whole.count(), text.lines().count(), text.ends_with('\n')),
        (20, 21, true)
    );
}

/// A dispatcher that prints what it does before its answer, against the tool's bare answer.
#[test]
fn of_a_dispatcher_only_the_envelope_counts_and_of_stderr_only_errors() {
    let sandbox = Sandbox::new().unwrap();
    let config = sandbox.path("shared-config").display().to_string();
    let sandbox = sandbox.env("ONEJOB_CONFIG_DIR", config);
    std::fs::create_dir(sandbox.path("shared-config")).unwrap();
    let answer = r#"{"status": "success", "result": {"n": 1, "name": "caf\u00e9"}}"#;
    sandbox.file(
        "old.py",
        format!("import sys\nprint('loading', file=sys.stderr)\nprint('step 1')\nprint('step 2\\n')\nprint(r'''{answer}''')\n"),
    );
    sandbox.file(
        "shared-config/onejob.toml",
        format!(
            "[legacy.demo]\nscript = \"{}\"\ninterpreter = \"{}\"\nenvelope = \"dispatcher\"\neffects = [\"reads\"]\n",
            sandbox.path("old.py").display(),
            python()
        ),
    );
    sandbox.file("call.json", "{}");
    let dispatch = |stdout: &str| {
        executable(
            &sandbox,
            "tools/dispatch",
            &format!("#!/bin/sh\ncat <<'X'\n{stdout}\nX\n"),
        );
    };
    let call = |command: &[&str]| {
        let sides = ["--tool-input", "call.json", "--tools-dir", "tools"];
        parity(&sandbox, &[command, &sides].concat())
    };
    let same = r#"{"result":{"name":"café","n":1},"status":"success"}"#;
    dispatch(same);
    let run = call(&["run", "demo", "--strict"]).expect_code(0);
    assert!(
        run.stdout.starts_with("step 1\nstep 2\n\n{\"status\""),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("parity demo: same") && run.stderr.contains("note: only the envelope"),
        "{}",
        run.stderr
    );
    call(&["record", "demo", "cases/demo/one"]).expect_code(0);
    let check = || {
        parity(
            &sandbox,
            &["check", "--cases", "cases", "--tools-dir", "tools", "--text"],
        )
    };
    executable(&sandbox, "tools/demo", "#!/bin/sh\nexit 1\n");
    check().expect_code(0);
    call(&["shadow", "demo"]).expect_code(0);
    let log = std::fs::read_to_string(sandbox.root().join("state/parity/shadow.jsonl")).unwrap();
    assert!(log.contains("\"clean\":true"), "{log}");
    for (wrong, place) in [
        (same.replace('1', "2"), "stdout$.result.n: "),
        (same.replace('1', "1.0"), "stdout$.result.n: "),
        (format!("{same}\ndone"), "stdout: "),
        (String::new(), "stdout: "),
    ] {
        dispatch(&wrong);
        let run = call(&["run", "demo", "--strict"]).expect_code(3);
        assert!(run.stderr.contains(place), "{wrong}: {}", run.stderr);
        check().expect_code(3);
    }
}

/// Whatever is wrong around it, the script runs as if it stood on the line alone.
#[test]
fn a_shadowed_script_runs_whatever_is_broken_around_it() {
    type Breaks = fn(&Sandbox);
    let breakages: [(&str, Breaks); 9] = [
        ("settings that are no TOML", |s| {
            drop(s.file("shared-config/onejob.toml", "[[[ no toml"));
        }),
        ("settings in Latin-1", |s| {
            drop(s.file("shared-config/onejob.toml", b"[jobs]\nname = \"caf\xe9\"\n"));
        }),
        ("an unknown section", |s| {
            drop(s.file("shared-config/onejob.toml", "[budgets]\ndaily_usd = 1\n"));
        }),
        (".env without =", |s| drop(s.file(".env", "just words\n"))),
        (".env in Latin-1 with BOM", |s| {
            drop(s.file(".env", b"\xef\xbb\xbfA=caf\xe9\n"));
        }),
        (".env is a folder", |s| {
            std::fs::create_dir(s.path(".env")).unwrap();
        }),
        ("a state directory that is a file", |s| {
            std::fs::remove_dir(s.root().join("state")).unwrap();
            std::fs::write(s.root().join("state"), "x").unwrap();
        }),
        ("a temporary directory that is not there", |s| {
            std::fs::remove_dir(s.root().join("tmp")).unwrap();
        }),
        ("a working directory with a FIFO", |s| {
            let made = Command::new("mkfifo")
                .arg(s.path("onejob.toml"))
                .status()
                .unwrap();
            assert!(made.success());
        }),
    ];
    for (what, breaks) in breakages {
        let sandbox = Sandbox::new().unwrap();
        sandbox.file("old.sh", "cat; echo note >&2; exit 4\n");
        breaks(&sandbox);
        let args = [
            "shadow",
            "demo",
            "--control",
            "sh old.sh",
            "--candidate",
            "sh old.sh",
            "--effects",
            "reads",
            "--time-limit-s",
            "5",
        ];
        let run = sandbox.run_with(Path::new(env!("CARGO_BIN_EXE_parity")), &args, b"hello\n");
        assert_eq!(run.code, Some(4), "{what}: {}", run.stderr);
        assert_eq!(run.stdout, "hello\n", "{what}");
        let mut said = run.stderr.lines();
        assert_eq!(said.next(), Some("note"), "{what}: {}", run.stderr);
        assert!(
            said.all(|line| line.starts_with("parity: warning: ")),
            "{what}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_shadowed_script_of_the_settings_runs_though_the_rest_of_them_is_broken() {
    let sandbox = Sandbox::new().unwrap();
    let script = sandbox.file("old.sh", "echo \"$1\"; exit 3\n");
    sandbox.file(
        "conf/onejob.toml",
        format!(
            "[budgets]\nwrong = 1\n[legacy.demo]\nscript = \"{}\"\ninterpreter = \"sh\"\neffects = [\"reads\"]\n[[[\n",
            script.display()
        ),
    );
    let config = sandbox.path("conf").display().to_string();
    let sandbox = sandbox.env("ONEJOB_CONFIG_DIR", config);
    let run = parity(&sandbox, &["shadow", "demo", "--", "hi"]).expect_code(3);
    assert_eq!(run.stdout, "hi\n");
    assert!(
        run.stderr
            .starts_with("parity: warning: the run of `demo` was not compared: "),
        "{}",
        run.stderr
    );
}

#[test]
fn all_that_a_script_prints_is_passed_on_and_compared() {
    let sandbox = Sandbox::new().unwrap();
    // 17 MiB; the difference lies behind the part that is held in memory.
    sandbox.file("old.sh", "head -c 17825792 /dev/zero | tr '\\0' x; echo end\n");
    sandbox.file("new.sh", "head -c 17825792 /dev/zero | tr '\\0' x; echo END\n");
    let run = |candidate: &str| compared(&sandbox, "sh old.sh", candidate, &[]);
    let same = run("sh old.sh").expect_code(0);
    assert_eq!(same.stdout.len(), 17_825_796);
    let other = run("sh new.sh").expect_code(3);
    assert!(
        other.stderr.contains("stdout beyond the first 16 MiB"),
        "{}",
        other.stderr
    );
}

/// `clean` means that everything was compared, freshly written, and nothing escaped.
#[test]
fn what_escapes_or_is_not_compared_is_no_clean_run() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.file("old.sh", "echo hi; echo same > out.txt\n");
    let compare = |name: &str, candidate: &str, more: &[&str]| -> Value {
        sandbox.file("new.sh", candidate);
        let _ = std::fs::remove_file(sandbox.path("report.json"));
        let more = [&["--report", "report.json"], more].concat();
        let run = compared(&sandbox, "sh old.sh", "sh new.sh", &more);
        let report: Value =
            serde_json::from_slice(&std::fs::read(sandbox.path("report.json")).unwrap()).unwrap();
        assert_eq!(
            run.code,
            Some(if report["clean"] == true { 0 } else { 3 }),
            "{name}: {}",
            run.stderr
        );
        report
    };
    let same = "echo hi; echo same > out.txt\n";
    assert_eq!(compare("the same", same, &[])["clean"], true);
    // Yesterday's file lies there and is named by the arguments: writing nothing leaves it as it should be.
    sandbox.file("out.txt", "same\n");
    let stale = compare("nothing written", "echo hi\n", &["--", "out.txt"]);
    assert_eq!(
        stale["differences"][0]["what"], "written by one side only",
        "{stale}"
    );
    assert_eq!(compare("written anew", same, &["--", "out.txt"])["clean"], true);
    let daemon = compare(
        "a daemon",
        "echo hi; echo same > out.txt; setsid sleep 30 >/dev/null 2>&1 </dev/null &\nsleep 0.1\n",
        &[],
    );
    assert!(
        daemon["not_compared"]
            .to_string()
            .contains("left a process running: `sleep`"),
        "{daemon}"
    );
    let slow = compare(
        "slow",
        "sleep 1.6; echo hi; echo same > out.txt\n",
        &["--max-slowdown", "2"],
    );
    assert_eq!(slow["differences"][0]["place"], "time", "{slow}");
    std::fs::remove_file(sandbox.path("out.txt")).unwrap();
    let missing = compared(&sandbox, "sh old.sh", "no-such-program-here", &[]).expect_code(3);
    assert!(
        missing.stderr.contains("not compared: the candidate: "),
        "{}",
        missing.stderr
    );
    assert!(
        !missing.stderr.contains("x;"),
        "no ratio of what did not run: {}",
        missing.stderr
    );
}

/// A server that answers everything with 200 and counts the requests.
fn counting_server() -> (u16, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            // A connection is looked for every few milliseconds; this one lasts for many looks, on a busy machine too.
            thread::sleep(Duration::from_millis(500));
        }
    });
    (port, count)
}

#[test]
fn a_script_said_to_read_that_posts_is_run_once() {
    let sandbox = Sandbox::new().unwrap();
    let (port, count) = counting_server();
    sandbox.file(
        "old.py",
        format!("import urllib.request\nurllib.request.urlopen(urllib.request.Request('http://127.0.0.1:{port}/order', data=b'x')).read()\nprint('ordered')\n"),
    );
    let control = format!("{} old.py", python());
    let run = compared(&sandbox, &control, &control, &[]).expect_code(3);
    assert_eq!(run.stdout, "ordered\n");
    assert_eq!(
        count.load(std::sync::atomic::Ordering::SeqCst),
        1,
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("it was not run again"), "{}", run.stderr);
}

#[test]
fn a_connection_past_the_proxy_is_seen() {
    let sandbox = Sandbox::new().unwrap();
    let (port, _) = counting_server();
    sandbox.file(
        "old.py",
        format!("import socket\ns = socket.create_connection(('127.0.0.1', {port}))\ns.sendall(b'hello')\nwhile s.recv(100): pass\nprint('done')\n"),
    );
    let control = format!("{} old.py", python());
    let run = compared(&sandbox, &control, &control, &[]).expect_code(3);
    assert!(
        run.stderr
            .contains(&format!("a connection to 127.0.0.1:{port}, past the proxy")),
        "{}",
        run.stderr
    );
}
