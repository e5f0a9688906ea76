//! The tool from outside: files in, answers out, nothing lost, nothing left of what was forgotten.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{Finished, Sandbox};

fn tool() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_memory_retrieval"))
}

fn host() -> Sandbox {
    Sandbox::new()
        .unwrap()
        .env("ONEJOB_CLOCK", "2026-05-01T12:00:00Z")
}

fn run(host: &Sandbox, args: &[&str]) -> Finished {
    host.run(&tool(), args)
}

/// The texts of the hits.
#[track_caller]
fn texts(host: &Sandbox, args: &[&str]) -> Vec<String> {
    let found = run(host, args).expect_code(0).json();
    let hits = found["hits"].as_array().unwrap().iter();
    hits.map(|hit| hit["document"]["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn files_of_every_kind_are_taken_and_what_cannot_be_is_named() {
    let host = host();
    host.file(
        "notes/a.jsonl",
        "{\"text\": \"green tea\"}\nnot json\n[1]\n\n{\"text\": \"black tea\"}\n{}\n",
    );
    host.file("notes/b.json", r#"[{"text": "white tea"}, {"text": "red tea"}]"#);
    host.file("notes/deep/c.md", "# Prices\n\n## Puer\ncosts nine tea coins\n");
    host.file("notes/d.txt", b"\xff\xfe broken".as_slice());
    host.file("notes/e.txt", "oolong tea");
    host.file("notes/.hidden.txt", "secret tea");
    host.file("notes/f.png", "no tea");
    std::os::unix::fs::symlink(host.path("notes/e.txt"), host.path("notes/g.txt")).unwrap();
    let large = format!(
        "{{\"text\": \"{}\"}}\n{{\"text\": \"tiny tea\"}}\n",
        "x".repeat(1 << 20)
    );
    host.file("large.jsonl", large);

    let stored = run(
        &host,
        &[
            "store",
            "-c",
            "t",
            "--set",
            "price=9",
            "--file",
            "notes",
            "large.jsonl",
            "--json",
        ],
    );
    let stored = stored.expect_code(3).json();
    assert_eq!(
        (&stored["new"], &stored["ignored"], &stored["skipped_total"]),
        (&json!(7), &json!(3), &json!(5))
    );
    let places: Vec<&str> = stored["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["place"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "notes/a.jsonl:2",
            "notes/a.jsonl:3",
            "notes/a.jsonl:6",
            "notes/d.txt",
            "large.jsonl:1"
        ]
    );
    assert_eq!(
        texts(&host, &["retrieve", "tea", "-c", "t", "--where", "price=9"]).len(),
        7
    );
    let puer = run(&host, &["retrieve", "puer price", "-c", "t"])
        .expect_code(0)
        .json();
    let hit = &puer["hits"][0];
    assert_eq!(
        hit["document"],
        json!({"title": "Prices > Puer", "text": "costs nine tea coins"})
    );
    assert_eq!(
        (&hit["path"], hit["sha256"].as_str().unwrap().len()),
        (&json!("notes/deep/c.md:3"), 64)
    );
    // Again: all known, nothing twice.
    let again = run(&host, &["store", "-c", "t", "--file", "notes", "--json"])
        .expect_code(3)
        .json();
    assert_eq!((&again["new"], &again["known"]), (&json!(0), &json!(6)));
    assert_eq!(
        run(&host, &["list", "-c", "t"]).expect_code(0).json()["matching"],
        7
    );
}

#[test]
fn a_dry_run_says_what_would_be_new_and_stores_nothing() {
    let host = host();
    host.file("a.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n");
    run(&host, &["store", "one", "-c", "t"]).expect_code(0);
    let dry = run(
        &host,
        &["store", "-c", "t", "--file", "a.jsonl", "--dry-run", "--json"],
    )
    .expect_code(0)
    .json();
    assert_eq!(
        (&dry["done"], &dry["new"], &dry["known"]),
        (&json!(false), &json!(1), &json!(1))
    );
    assert_eq!(dry["plan"]["actions"][0]["target"], "t/a.jsonl");
    assert_eq!(
        run(&host, &["list", "-c", "t"]).expect_code(0).json()["matching"],
        1
    );
}

#[test]
fn signs_are_text_and_syntax_is_asked_for() {
    let host = host();
    for text in ["green tea, loose", "green box of tea", "C++ label service"] {
        run(&host, &["store", text, "-c", "t"]).expect_code(0);
    }
    let ask = |args: &[&str]| texts(&host, &[&["retrieve", "-c", "t"], args].concat());
    assert_eq!(ask(&["--", "\"green tea"]).len(), 2);
    assert_eq!(ask(&["C++"]), ["C++ label service"]);
    assert_eq!(ask(&["--syntax", "\"green tea\""]), ["green tea, loose"]);
    assert_eq!(ask(&["--syntax", "--", "tea -box"]), ["green tea, loose"]);
    assert_eq!(ask(&["tea", "-k", "0"]), Vec::<String>::new());
    run(&host, &["retrieve", "*", "-c", "t"]).expect_code(2);
    run(&host, &["retrieve", "--syntax", "\"open", "-c", "t"]).expect_code(2);
    for (args, text) in [
        (vec!["retrieve", ""], "Query is required"),
        (vec!["store", " "], "Document is required"),
        (vec!["store"], "Document is required"),
    ] {
        let refused = run(&host, &args).expect_code(2);
        assert!(refused.stderr.contains(text), "{}", refused.stderr);
    }
    run(&host, &["retrieve", "tea", "--where", "nonsense"]).expect_code(2);
    run(&host, &["retrieve", "tea", "--as-of", "soon"]).expect_code(2);
}

#[test]
fn what_happened_and_what_was_known_are_two_times() {
    let host = host();
    run(
        &host,
        &["store", "tea arrived", "-c", "t", "--event-at", "2026-03-01"],
    )
    .expect_code(0);
    let later = host.env("ONEJOB_CLOCK", "2026-06-01T12:00:00Z");
    run(
        &later,
        &[
            "store",
            "tea sold",
            "-c",
            "t",
            "--event-at",
            "2026-02-01T10:00:00+03:00",
        ],
    )
    .expect_code(0);
    let ask = |args: &[&str]| texts(&later, &[&["retrieve", "tea", "-c", "t"], args].concat());
    assert_eq!(ask(&["--as-of", "2026-05-01"]), ["tea arrived"]);
    assert_eq!(ask(&["--where", "event_at<2026-03-01"]), ["tea sold"]);
    assert_eq!(ask(&["--where", "ingested_at>=2026-06-01"]), ["tea sold"]);
}

#[test]
fn forgetting_by_condition_is_planned_first_and_leaves_no_byte() {
    let host = host();
    run(
        &host,
        &[
            "store",
            "Quetzalmann lives in Zwiebelgasse",
            "-c",
            "t",
            "--set",
            "who=q",
        ],
    )
    .expect_code(0);
    run(&host, &["store", "another note about gardens", "-c", "t"]).expect_code(0);
    let id = run(&host, &["list", "-c", "t"]).expect_code(0).json()["documents"][1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let plan = run(&host, &["forget", "-c", "t", "--where", "who=q", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(
        (&plan["done"], &plan["plan"]["total"]),
        (&json!(false), &json!(1))
    );
    run(&host, &["verify", "Quetzalmann", "--json"]).expect_code(3);

    let done = run(
        &host,
        &["forget", "-c", "t", "--where", "who=q", "--apply", "--json"],
    )
    .expect_code(0)
    .json();
    assert_eq!(done["done"], true);
    assert!(done["proof"]["pieces"].as_u64().unwrap() > 0 && done["proof"]["bytes"].as_u64().unwrap() > 0);
    run(&host, &["verify", "Quetzalmann", "zwiebelgass"]).expect_code(0);
    let mut bytes = Vec::new();
    for file in ["memory.db", "memory.db-wal"] {
        bytes.extend(std::fs::read(host.root().join("state").join(file)).unwrap_or_default());
    }
    assert!(!bytes.windows(11).any(|window| window == b"Quetzalmann"));
    assert!(
        bytes.windows(7).any(|window| window == b"gardens"),
        "the right file was looked at"
    );

    // One by its id goes at once; one that is not there stops all.
    run(
        &host,
        &["forget", "-c", "t", &id, "ffffffffffffffffffffffffffffffff"],
    )
    .expect_code(66);
    run(&host, &["forget", "-c", "t", &id]).expect_code(0);
    assert_eq!(
        run(&host, &["collections"]).expect_code(0).json()["collections"],
        json!([])
    );
    run(&host, &["forget", "-c", "t"]).expect_code(2);
    run(&host, &["forget", &id, "--where", "a=b"]).expect_code(2);
}

#[test]
fn an_export_is_taken_back_as_it_was() {
    let host = host();
    let args = [
        "store",
        "tea",
        "-c",
        "t",
        "--metadata",
        r#"{"n": 1, "tags": ["a"]}"#,
        "--source",
        "crm",
        "--message-id",
        "m7",
    ];
    run(&host, &args).expect_code(0);
    run(&host, &args).expect_code(0);
    run(&host, &["store", "other", "-c", "t", "--event-at", "2026-01-02"]).expect_code(0);
    run(&host, &["export", "out.jsonl", "-c", "t"]).expect_code(0);
    let before = run(&host, &["list", "-c", "t"]).expect_code(0).json()["documents"].clone();
    let there = Sandbox::new()
        .unwrap()
        .env("ONEJOB_CLOCK", "2030-01-01T00:00:00Z");
    there.file("out.jsonl", std::fs::read(host.path("out.jsonl")).unwrap());
    run(&there, &["store", "-c", "t", "--file", "out.jsonl"]).expect_code(0);
    let mut after = run(&there, &["list", "-c", "t"]).expect_code(0).json()["documents"].clone();
    // What was not read from a file came from this one.
    for document in after.as_array_mut().unwrap() {
        let map = document.as_object_mut().unwrap();
        assert!(map.remove("path").is_some() && map.remove("sha256").is_some());
    }
    assert_eq!(before, after);
    assert_eq!(before[0]["seen"], 2);
}

#[test]
fn questions_with_known_answers_are_measured() {
    let host = host();
    let gold = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../fixtures/memory/gold"
    ));
    let (questions, documents) = (gold.join("questions.jsonl"), gold.join("documents.jsonl"));
    let (questions, documents) = (questions.to_str().unwrap(), documents.to_str().unwrap());
    let args = [
        "gold",
        questions,
        "--documents",
        documents,
        "--min-recall",
        "0.95",
        "--json",
    ];
    let measured = run(&host, &args).expect_code(0).json();
    assert!(
        measured["questions"].as_u64().unwrap() >= 60
            && measured["mean_reciprocal_rank"].as_f64().unwrap() > 0.9
    );
    assert!(
        !host.root().join("state/memory.db").exists(),
        "what is stored for a measurement is not kept"
    );
    // Against an empty collection nothing is found, and that is not fine.
    let nothing = run(&host, &["gold", questions, "--min-recall", "0.5", "--json"])
        .expect_code(3)
        .json();
    assert_eq!(nothing["recall"], 0.0);
    host.file("bad.jsonl", "{\"question\": \"x\"}\n");
    run(&host, &["gold", "bad.jsonl"]).expect_code(2);
}

#[test]
fn old_calls_find_parts_of_the_text_oldest_first() {
    let host = host();
    let old = |call: Value| host.run_with(&tool(), &["--legacy", "--quiet"], call.to_string().as_bytes());
    for text in ["Чёрный ЧАЙ", "чай и мёд"] {
        let stored = old(json!({"action": "store", "document": {"text": text}, "metadata": null}))
            .expect_code(0)
            .json();
        assert_eq!(
            (&stored["status"], &stored["message"]),
            (&json!("success"), &json!("Memory stored."))
        );
    }
    let ask = |call: Value| old(call).json()["results"].as_array().unwrap().len();
    assert_eq!(
        ask(json!({"action": "retrieve", "query": "ЧАЙ", "n_results": 9})),
        2
    );
    assert_eq!(ask(json!({"action": "retrieve", "query": "чай"})), 1);
    assert_eq!(
        ask(json!({"action": "retrieve", "query": "чай", "n_results": 0})),
        0
    );
    assert_eq!(
        ask(json!({"action": "retrieve", "query": "text", "n_results": 9})),
        0,
        "names of fields are no text"
    );
    let answer = old(json!({"input_data": {"action": "retrieve"}})).json();
    assert_eq!(answer["message"], "Query is required for 'retrieve' action.");
    let mut dry = old(json!({"action": "retrieve", "query": "чай"})).json();
    assert_eq!(dry["results"][0]["document"]["text"], "Чёрный ЧАЙ");
    dry = host
        .run_with(
            &tool(),
            &["--legacy", "--quiet", "--dry-run"],
            br#"{"action": "store", "document": {"a": "b"}}"#,
        )
        .json();
    assert_eq!(dry["message"], "Dry run: nothing was stored.");
}

#[test]
fn a_person_sees_what_was_found_and_nothing_acts_on_the_terminal() {
    let host = host();
    run(
        &host,
        &["store", "green\u{1b}[2J tea\u{202e} in boxes", "-c", "t"],
    )
    .expect_code(0);
    let shown = run(
        &host,
        &["retrieve", "box coffee", "-c", "t", "--text", "--explain"],
    )
    .expect_code(0)
    .stdout;
    assert!(
        shown.contains("green␛[2J tea<U+202E> in boxes") && shown.contains("no document has `coffee`"),
        "{shown}"
    );
    assert!(shown.contains("1 of 1 hit among 1 document\n"), "{shown}");
}
