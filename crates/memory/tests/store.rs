//! What the store promises: one entry a document, times apart, filters, forgetting for good, an index that can be trusted.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{path::Path, time::Duration};

use app_core::ErrorKind;
use jiff::Timestamp;
use memory::{Condition, Memory, NewDocument, Origin, Question, Span, Wanted};
use rusqlite::Connection;
use serde_json::{Value, json};

const SHOP: &str = "shop";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn new(document: Value, metadata: Value) -> NewDocument {
    NewDocument {
        document: document.as_object().unwrap().clone(),
        metadata: metadata.as_object().unwrap().clone(),
        ..NewDocument::default()
    }
}

fn wanted(limit: usize, conditions: &[Condition]) -> Wanted<'_> {
    Wanted {
        collection: SHOP,
        limit,
        conditions,
        as_of: None,
        explain: false,
    }
}

/// What each document found says in its field `n`.
fn found(memory: &Memory, question: &str, wanted: &Wanted<'_>) -> Vec<i64> {
    let found = memory
        .search(&Question::words(question).unwrap(), wanted)
        .unwrap();
    found
        .hits
        .iter()
        .map(|hit| hit.document.document["n"].as_i64().unwrap())
        .collect()
}

/// Something that no tool does to the file.
fn sql(dir: &Path, statements: &str) {
    Connection::open(dir.join("memory.db"))
        .unwrap()
        .execute_batch(statements)
        .unwrap();
}

fn filled(dir: &Path) -> Memory {
    let mut memory = Memory::open(dir).unwrap();
    let documents = [
        new(
            json!({"n": 1, "text": "Green tea in a box", "date": "2026-03-01"}),
            json!({"lang": "en", "price": 9}),
        ),
        new(
            json!({"n": 2, "text": "Зелёный чай в коробке"}),
            json!({"lang": "ru", "price": 12}),
        ),
        new(
            json!({"n": 3, "text": "Black tea, no box"}),
            json!({"lang": "en", "price": 15}),
        ),
    ];
    memory
        .store(SHOP, &documents[..2], at("2026-04-01T10:00:00Z"))
        .unwrap();
    memory
        .store(SHOP, &documents[2..], at("2026-04-02T10:00:00Z"))
        .unwrap();
    memory
}

#[test]
fn a_document_stored_twice_is_one_that_was_seen_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = filled(dir.path());
    let again = new(
        json!({"n": 1, "text": "Green tea in a box", "date": "2026-03-01"}),
        json!({"price": 10, "new": true}),
    );
    let stored = memory
        .store(SHOP, &[again.clone(), again], at("2026-05-01T00:00:00Z"))
        .unwrap();
    assert_eq!((stored[0].new, stored[0].seen, stored[1].seen), (false, 2, 3));
    let document = memory.get(SHOP, &stored[0].id).unwrap();
    assert_eq!(
        Value::Object(document.metadata),
        json!({"lang": "en", "price": 10, "new": true})
    );
    assert_eq!(document.ingested_at, at("2026-04-01T10:00:00Z"));
    assert_eq!(document.event_at, Some(at("2026-03-01T00:00:00Z")));
    assert_eq!(memory.collection(SHOP).unwrap().documents, 3);
    assert_eq!(found(&memory, "green", &wanted(5, &[])), [1]);
    assert_eq!(memory.verify(&[]).unwrap().problems, Vec::<String>::new());
}

#[test]
fn nothing_of_a_batch_is_stored_when_one_of_it_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = Memory::open(dir.path()).unwrap();
    let large = "x".repeat(memory::LARGEST);
    for bad in [json!({}), json!({"text": large})] {
        let batch = [new(json!({"text": "fine"}), json!({})), new(bad, json!({}))];
        let error = memory
            .store(SHOP, &batch, at("2026-01-01T00:00:00Z"))
            .unwrap_err();
        assert_eq!(
            (error.kind, error.field_paths),
            (ErrorKind::InvalidInput, vec!["document".to_owned()])
        );
    }
    assert!(memory.store("", &[], at("2026-01-01T00:00:00Z")).is_err());
    assert_eq!(memory.collections().unwrap(), []);
}

#[test]
fn the_nearest_is_found_where_nothing_says_all_and_only_full_matches_where_something_does() {
    let dir = tempfile::tempdir().unwrap();
    let memory = filled(dir.path());
    assert_eq!(found(&memory, "green tea", &wanted(5, &[])), [1]);
    assert_eq!(found(&memory, "tea box", &wanted(5, &[])), [3, 1]);
    assert_eq!(found(&memory, "tea box", &wanted(1, &[])), [3]);
    assert_eq!(found(&memory, "tea", &wanted(0, &[])), Vec::<i64>::new());
    assert_eq!(found(&memory, "зеленые ЧАЙ", &wanted(5, &[])), [2]);
    let question = Question::words("green coffees").unwrap();
    let answer = memory
        .search(
            &question,
            &Wanted {
                explain: true,
                ..wanted(5, &[])
            },
        )
        .unwrap();
    assert_eq!(
        (answer.unknown, answer.searched, answer.matching),
        (vec!["coffees".to_owned()], 3, 1)
    );
    assert_eq!(answer.hits[0].missing, ["coffees"]);
    let shares = &answer.hits[0].explain;
    assert_eq!((shares.len(), shares[0].documents, shares[0].count), (1, 1, 1));
    assert!((shares[0].score - answer.hits[0].score).abs() < 1e-9 && shares[0].score > 0.0);
}

#[test]
fn conditions_and_times_choose_among_what_matches() {
    let dir = tempfile::tempdir().unwrap();
    let memory = filled(dir.path());
    let only = |text: &str| [Condition::parse(text).unwrap()];
    assert_eq!(found(&memory, "tea", &wanted(5, &only("price>9"))), [3]);
    assert_eq!(
        found(&memory, "tea", &wanted(5, &only("event_at<=2026-03-01"))),
        [1]
    );
    // The better document is left out, so the other is the best there is.
    assert_eq!(found(&memory, "green tea", &wanted(5, &only("price=15"))), [3]);
    let known = |day: &str| Wanted {
        as_of: Span::parse(day),
        ..wanted(5, &[])
    };
    assert_eq!(found(&memory, "tea", &known("2026-04-01")), [1]);
    assert_eq!(found(&memory, "tea", &known("2026-04-02")), [3, 1]);
    assert_eq!(found(&memory, "tea", &known("2026-03-31")), Vec::<i64>::new());
}

#[test]
fn collections_know_nothing_of_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = filled(dir.path());
    memory
        .store(
            "other",
            &[new(json!({"n": 9, "text": "green tea"}), json!({}))],
            at("2026-01-01T00:00:00Z"),
        )
        .unwrap();
    let other = Wanted {
        collection: "other",
        ..wanted(5, &[])
    };
    assert_eq!(found(&memory, "green tea", &other), [9]);
    assert_eq!(found(&memory, "green tea", &wanted(5, &[])), [1]);
    assert_eq!(
        found(
            &memory,
            "tea",
            &Wanted {
                collection: "none",
                ..wanted(5, &[])
            }
        ),
        Vec::<i64>::new()
    );
    let names: Vec<_> = memory
        .collections()
        .unwrap()
        .into_iter()
        .map(|c| (c.name, c.documents))
        .collect();
    assert_eq!(names, [("other".to_owned(), 1), (SHOP.to_owned(), 3)]);
}

#[test]
fn what_is_forgotten_is_in_no_byte_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = Memory::open(dir.path()).unwrap();
    let word = |n: u64| format!("w{}x", n * 7919 % 3001);
    let mut documents: Vec<_> = (0..600_u64)
        .map(|n| {
            new(
                json!({"n": n, "text": (0..80).map(|i| word(n * 80 + i)).collect::<Vec<_>>().join(" ")}),
                json!({}),
            )
        })
        .collect();
    let secret = "Xylophonia Quetzalmann, Zwiebelgasse 17";
    documents.insert(
        300,
        new(
            json!({"n": 9999, "text": format!("{secret} {}", word(5))}),
            json!({"who": "quetzalmann@example.org"}),
        ),
    );
    documents[300].origin = Origin {
        source: Some("letter".to_owned()),
        ..Origin::default()
    };
    let now = at("2026-01-01T00:00:00Z");
    let ids: Vec<String> = documents
        .chunks(50)
        .flat_map(|part| memory.store(SHOP, part, now).unwrap())
        .map(|s| s.id)
        .collect();
    let sought = [
        "Quetzalmann".to_owned(),
        "quetzalmann@example.org".to_owned(),
        "zwiebelgass".to_owned(),
    ];
    let before = memory.verify(&sought).unwrap();
    assert!(
        before.problems.is_empty() && before.sought.iter().all(|s| s.found > 0),
        "{before:?}"
    );

    let unknown = memory
        .forget(SHOP, &[ids[300].clone(), "00".repeat(16)])
        .unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::NotFound);
    assert_eq!(memory.collection(SHOP).unwrap().documents, 601, "all or none");

    let forgotten = memory.forget(SHOP, &[ids[300].clone()]).unwrap();
    assert!(
        forgotten.proof.pieces > 2 && forgotten.proof.bytes > 10_000,
        "{forgotten:?}"
    );
    let after = memory.verify(&sought).unwrap();
    assert_eq!(after.problems, Vec::<String>::new());
    assert!(after.sought.iter().all(|s| s.found == 0), "{after:?}");
    assert!(found(&memory, "Quetzalmann", &wanted(5, &[])).is_empty());
    // Half of the rest, so that lists lose blocks, first and last documents.
    let half: Vec<String> = ids
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != 300 && n % 2 == 0)
        .map(|(_, id)| id.clone())
        .collect();
    memory.forget(SHOP, &half).unwrap();
    let rest = memory.verify(&[]).unwrap();
    assert_eq!(
        (rest.documents, rest.problems),
        (601 - 1 - half.len() as u64, Vec::new())
    );
}

#[test]
fn a_reader_that_holds_the_old_file_is_named_and_cleaning_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = filled(dir.path());
    let reader = Connection::open(dir.path().join("memory.db")).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM documents;")
        .unwrap();
    memory.wait_for_others(Duration::from_millis(50)).unwrap();
    let error = memory
        .forget(
            SHOP,
            &[memory::id(
                json!({"n": 2, "text": "Зелёный чай в коробке"})
                    .as_object()
                    .unwrap(),
            )],
        )
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(memory.is_unclean().unwrap());
    assert_eq!(memory.verify(&[]).unwrap().problems.len(), 1);
    drop(reader);
    memory.clean().unwrap();
    let verified = memory.verify(&["Зелёный".to_owned()]).unwrap();
    assert_eq!(
        (verified.problems, verified.sought[0].found, verified.documents),
        (Vec::new(), 0, 2)
    );
}

#[test]
fn a_damaged_index_is_found_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = filled(dir.path());
    for damage in [
        "DELETE FROM postings WHERE term = 'tea'",
        "UPDATE postings SET data = x'000101' WHERE term = 'box'",
        "UPDATE collections SET terms = 1",
        "UPDATE documents SET document = '{\"n\": 1, \"text\": \"other\"}' WHERE number = 1",
    ] {
        sql(dir.path(), damage);
        assert_ne!(
            memory.verify(&[]).unwrap().problems,
            Vec::<String>::new(),
            "{damage}"
        );
        memory.reindex(|_| Ok(())).unwrap();
        let left = memory.verify(&[]).unwrap().problems;
        assert!(
            left.is_empty() || damage.contains("document =") && left[0].contains("is not what its id says"),
            "{left:?}"
        );
    }
}

#[test]
fn older_rules_are_indexed_anew_and_newer_ones_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let memory = filled(dir.path());
    sql(
        dir.path(),
        "DELETE FROM postings; UPDATE meta SET value = '0' WHERE key = 'analysis'",
    );
    drop(memory);
    let memory = Memory::open(dir.path()).unwrap();
    assert_eq!(found(&memory, "green tea", &wanted(5, &[])), [1]);
    sql(dir.path(), "UPDATE meta SET value = '99' WHERE key = 'analysis'");
    drop(memory);
    assert_eq!(Memory::open(dir.path()).unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn a_stopped_reindex_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = filled(dir.path());
    let stopped = memory
        .reindex(|_| Err(app_core::ToolError::cancelled()))
        .unwrap_err();
    assert_eq!(stopped.kind, ErrorKind::Cancelled);
    assert_eq!(memory.verify(&[]).unwrap().problems, Vec::<String>::new());
    assert_eq!(found(&memory, "green tea", &wanted(5, &[])), [1]);
}

#[test]
fn many_may_store_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let dir = dir.path();
            scope.spawn(move || {
                let mut memory = Memory::open(dir).unwrap();
                for n in 0..25 {
                    let document = new(json!({"n": thread * 100 + n, "text": "tea for all"}), json!({}));
                    memory
                        .store(SHOP, &[document], at("2026-01-01T00:00:00Z"))
                        .unwrap();
                }
            });
        }
    });
    let memory = Memory::open(dir.path()).unwrap();
    assert_eq!(found(&memory, "tea", &wanted(500, &[])).len(), 100);
    assert_eq!(memory.verify(&[]).unwrap().problems, Vec::<String>::new());
}
