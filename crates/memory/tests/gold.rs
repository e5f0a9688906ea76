//! The gold set: questions in sixteen languages, asked in other words and forms than the documents have, beside documents
//! that share words with the right ones. What is reached may not fall.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use memory::{GoldQuestion, Measured, Memory, NewDocument};

const DOCUMENTS: &str = include_str!("../../../fixtures/memory/gold/documents.jsonl");
const QUESTIONS: &str = include_str!("../../../fixtures/memory/gold/questions.jsonl");

fn measured(limit: usize) -> Measured {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = Memory::open(dir.path()).unwrap();
    let documents: Vec<_> = DOCUMENTS
        .lines()
        .map(|line| NewDocument {
            document: serde_json::from_str(line).unwrap(),
            ..NewDocument::default()
        })
        .collect();
    memory
        .store("gold", &documents, "2026-01-01T00:00:00Z".parse().unwrap())
        .unwrap();
    let questions: Vec<GoldQuestion> = QUESTIONS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    memory.measure("gold", &questions, limit).unwrap()
}

#[test]
fn recall_and_rank_do_not_fall() {
    let measured = measured(5);
    println!("{measured:#?}");
    assert!(measured.questions >= 60, "{}", measured.questions);
    assert!(measured.recall >= 0.95, "{measured:#?}");
    assert!(measured.mean_reciprocal_rank >= 0.95, "{measured:#?}");
}

#[test]
fn what_is_not_found_is_named() {
    let measured = measured(0);
    assert_eq!((measured.recall, measured.mean_reciprocal_rank), (0.0, 0.0));
    assert_eq!(measured.misses.len(), measured.questions);
    assert_eq!(measured.misses[0].missing, ["ru1"]);
}
