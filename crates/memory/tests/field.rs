//! Questions that search programs stumble over, from the field: scripts without blanks, spelling variants, and signs
//! that are operators elsewhere.

use memory::{Memory, NewDocument, Question, Wanted};

const DOCUMENTS: &str = include_str!("../../../fixtures/memory/scripts-and-operators/documents.jsonl");
const QUERIES: &str = include_str!("../../../fixtures/memory/scripts-and-operators/queries.tsv");

#[test]
fn every_question_finds_what_it_must_and_nothing_it_must_not() {
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
        .store("field", &documents, "2026-01-01T00:00:00Z".parse().unwrap())
        .unwrap();
    let wanted = Wanted {
        collection: "field",
        limit: 20,
        conditions: &[],
        as_of: None,
        explain: false,
    };
    let mut asked = 0;
    for line in QUERIES.lines().skip(1) {
        let mut columns = line.split('\t').map(str::to_owned);
        let mut column = || columns.next().unwrap_or_default();
        let (query, must, must_not) = (column(), column(), column());
        let hits = match Question::words(&query) {
            Ok(question) => memory.search(&question, &wanted).unwrap().hits,
            Err(error) => {
                assert_eq!((query.as_str(), error.code.as_str()), ("*", "no_words"));
                Vec::new()
            }
        };
        let ids: Vec<_> = hits
            .iter()
            .map(|hit| hit.document.document["id"].as_str().unwrap())
            .collect();
        let listed = |text: &str| {
            text.split([' ', ','])
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for id in listed(&must) {
            assert!(ids.contains(&id.as_str()), "{query}: {ids:?} lacks {id}");
        }
        for id in listed(&must_not) {
            assert!(!ids.contains(&id.as_str()), "{query}: {ids:?} has {id}");
        }
        asked += 1;
    }
    assert_eq!(asked, 24);
}
