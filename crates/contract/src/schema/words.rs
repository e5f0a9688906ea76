//! Paths, values and near misses as mistakes name them.

use serde_json::{Map, Value};

pub(super) fn unknown_field(name: &str, properties: Option<&Map<String, Value>>) -> String {
    let near = properties
        .into_iter()
        .flat_map(Map::keys)
        .filter(|known| alike(known, name))
        .min();
    match near {
        Some(near) => format!("is not a field; did you mean `{near}`?"),
        None => "is not a field".to_owned(),
    }
}

/// Alike enough to be meant: equal up to two edits, or one contains the other.
fn alike(known: &str, given: &str) -> bool {
    given.chars().count() >= 3 && (known.contains(given) || given.contains(known)) || is_slip(known, given)
}

/// Whether `given` is `known` up to two edits (a third of it at most).
pub fn is_slip(known: &str, given: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (known.chars().collect(), given.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()] <= 2.min(a.len() / 2)
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => other.to_string(),
    }
}

/// A value as an error message shows it: by kind when long, so that nothing private is repeated at length.
pub(super) fn short(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a long text".to_owned(),
        other => plain(other),
    }
}
