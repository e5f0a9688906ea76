//! Seeded faults: whatever is changed in what a tool did, the comparison must notice.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use parity::{
    case::{self, Class},
    compare::compare,
    observe, verdict,
};
use serde_json::{Value, json};
use testkit::tools;

/// Every leaf of the value, changed one at a time in a way that matters.
fn faults(value: &Value, path: &str, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let mut changed = Vec::new();
                faults(inner, &format!("{path}.{key}"), &mut changed);
                for (what, mutant) in changed {
                    let mut whole = map.clone();
                    whole.insert(key.clone(), mutant);
                    out.push((what, Value::Object(whole)));
                }
            }
            if !map.is_empty() {
                let mut fewer = map.clone();
                let key = map.keys().next().unwrap().clone();
                fewer.remove(&key);
                if !map[&key].is_null() {
                    out.push((format!("{path}: without `{key}`"), Value::Object(fewer)));
                }
            }
        }
        Value::Array(items) => {
            for index in 0..items.len().min(3) {
                let mut changed = Vec::new();
                faults(&items[index], &format!("{path}[{index}]"), &mut changed);
                for (what, mutant) in changed.into_iter().take(40) {
                    let mut whole = items.clone();
                    whole[index] = mutant;
                    out.push((what, Value::Array(whole)));
                }
            }
            if let Some(last) = items.last() {
                out.push((
                    format!("{path}: one more"),
                    items.iter().chain([last]).cloned().collect(),
                ));
                out.push((
                    format!("{path}: one less"),
                    items[..items.len() - 1].to_vec().into(),
                ));
            }
        }
        Value::String(text) => {
            let mut bytes: Vec<char> = text.chars().collect();
            if bytes.is_empty() {
                out.push((format!("{path}: text for nothing"), json!("x")));
            } else {
                let middle = bytes.len() / 2;
                bytes[middle] = if bytes[middle] == 'q' { 'z' } else { 'q' };
                out.push((
                    format!("{path}: changed character"),
                    json!(bytes.into_iter().collect::<String>()),
                ));
            }
            out.push((format!("{path}: nothing for text"), Value::Null));
        }
        Value::Number(n) => out.push((format!("{path}: number"), json!(n.as_f64().unwrap() + 40.0))),
        Value::Bool(flag) => out.push((format!("{path}: flag"), json!(!flag))),
        Value::Null => {}
    }
}

/// Leaves whose change the recordings declare free; everything else must be noticed.
fn declared_free(what: &str, class: Class) -> bool {
    let free = [
        "messages",
        ".stdout",
        ".mode",
        "alpha_min",
        ".format",
        "size_bytes",
        ".pages",
        "media_box",
        "headers_of_interest",
    ];
    free.iter()
        .any(|leaf| what.contains(leaf) || what.ends_with(&format!("`{}`", leaf.trim_start_matches('.'))))
        || class == Class::Semantic && (what.contains("rows_rgb") || what.contains(".rows"))
        || class != Class::Exact && (what.contains(".message") || what.contains(".error"))
        || what.contains(".error: changed")
}

#[test]
fn every_seeded_fault_is_noticed() {
    let folder = tools::workspace().join("fixtures/parity");
    let (mut seeded, mut cases) = (0, 0);
    for case in case::load(&folder, &[]).unwrap() {
        let recorded = observe::recorded(&case).unwrap();
        let mut mutants = Vec::new();
        faults(&recorded, "", &mut mutants);
        cases += 1;
        for (what, mutant) in mutants {
            if declared_free(&what, case.recorded.class) {
                continue;
            }
            let found = compare(&recorded, &mutant, case.recorded.class);
            assert!(
                !found.is_empty(),
                "{}/{}: not noticed: {what}",
                case.tool,
                case.name
            );
            seeded += 1;
        }
        assert!(
            compare(&recorded, &recorded, case.recorded.class).is_empty(),
            "{}/{}: differs from itself",
            case.tool,
            case.name
        );
    }
    assert!(cases >= 40 && seeded >= 500, "{cases} cases, {seeded} faults");
}

#[test]
fn a_stale_intended_difference_is_an_error() {
    let folder = tools::workspace().join("fixtures/parity");
    let mut case = case::load(&folder, &["generation_budget_manager".to_owned()])
        .unwrap()
        .swap_remove(0);
    case.intended
        .differences
        .insert("answer.nothing".into(), "a reason".into());
    let result = verdict::weigh(&case, &[], &json!({}));
    assert!(
        result.problems.iter().any(|p| p.contains("no longer different")),
        "{:?}",
        result.problems
    );
}

#[test]
fn a_recorded_defect_that_is_reproduced_is_an_error() {
    let folder = tools::workspace().join("fixtures/parity");
    let cases = case::load(&folder, &["css_analyzer".to_owned()]).unwrap();
    let mut case = cases.into_iter().find(|c| c.name == "page_error").unwrap();
    case.intended = case::Intended::default();
    let result = verdict::weigh(&case, &[], &json!({}));
    assert!(
        !result.passed && result.problems[0].contains("still there"),
        "{:?}",
        result.problems
    );
}
