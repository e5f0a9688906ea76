//! Compares what was recorded with what is observed, under the few rules the recording declares.
//!
//! Everything counts unless a rule here frees it: error wording in normalised cases (its names and numbers still
//! count), progress notes, rounding, and resampling within the declared levels.

use serde_json::Value;

use crate::case::Class;

/// One difference: where, what was recorded, what is observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub path: String,
    pub recorded: Value,
    pub observed: Value,
}

/// All differences, in the order of the recording.
pub fn compare(recorded: &Value, observed: &Value, class: Class) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(recorded, observed, "", class, &mut found);
    found
}

fn walk(recorded: &Value, observed: &Value, path: &str, class: Class, found: &mut Vec<Difference>) {
    if free(path) {
        return;
    }
    if leaf_of(path) == "rows_rgb" || leaf_of(path) == "rows" {
        // Random noise from another generator: only the means are compared.
        if class != Class::Semantic {
            pixels(recorded, observed, path, found);
        }
        return;
    }
    match (recorded, observed) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let inner = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(value, b.get(key).unwrap_or(&Value::Null), &inner, class, found);
            }
            for (key, value) in b
                .iter()
                .filter(|(key, value)| !a.contains_key(*key) && !value.is_null())
            {
                let inner = format!("{path}.{key}");
                if !free(&inner) {
                    found.push(Difference {
                        path: inner,
                        recorded: Value::Null,
                        observed: value.clone(),
                    });
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (x, y)) in a.iter().zip(b).enumerate() {
                walk(x, y, &format!("{path}[{index}]"), class, found);
            }
        }
        (a, b) if same(a, b, path, class) => {}
        (a, b) => found.push(Difference {
            path: path.to_owned(),
            recorded: a.clone(),
            observed: b.clone(),
        }),
    }
}

/// Notes and names of exceptions, whose wording the recordings declare free. Presence of an error still counts:
/// its sibling `ok` is then missing.
fn free(path: &str) -> bool {
    let leaf = leaf_of(path);
    matches!(
        leaf,
        "messages" | "stdout" | "mode" | "alpha_min" | "format" | "size_bytes" | "media_box" | "pages"
    ) || leaf == "state_file_exists" && path.contains("error")
}

fn same(a: &Value, b: &Value, path: &str, class: Class) -> bool {
    let leaf = leaf_of(path);
    if let (Some(x), Some(y)) = (a.as_f64(), b.as_f64()) {
        return (x - y).abs() <= tolerance(path, class);
    }
    if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
        let error_text = leaf == "message" || leaf == "error";
        let free = match class {
            Class::Exact => leaf == "error",
            Class::Normalised => leaf == "error" || names_agree(x, y),
            Class::Semantic => true,
        };
        return x == y || error_text && free && !y.is_empty();
    }
    a == b
}

fn tolerance(path: &str, class: Class) -> f64 {
    match class {
        Class::Exact => 0.0,
        _ if path.contains("mean_rgb") => 1.0,
        // Another resampling filter, or another palette: the level the recordings allow.
        _ if path.contains(".rgba[") || path.contains("centre_rgb") => 12.0,
        _ => 1e-9,
    }
}

/// The wording of an error is free; file names, codes and numbers in it are not.
fn names_agree(recorded: &str, observed: &str) -> bool {
    let words = recorded
        .split_whitespace()
        .map(|word| word.trim_matches(['`', '\'', '"', '.', ',', ':', '(', ')', '{', '}']));
    let mut names = words
        .filter(|word| word.contains('.') && !word.ends_with('.') || word.contains('_') && word.len() > 3);
    names.all(|name| observed.contains(name))
}

/// Pixel rows, exact within one level; border and interior are told apart, because only the border is meant to change.
fn pixels(recorded: &Value, observed: &Value, path: &str, found: &mut Vec<Difference>) {
    let size = |rows: &Value| {
        (
            rows.as_array().map_or(0, Vec::len),
            rows[0].as_array().map_or(0, Vec::len),
        )
    };
    if recorded.is_null() && leaf_of(path) != "rows" {
        return;
    }
    if size(recorded) != size(observed) {
        found.push(Difference {
            path: path.to_owned(),
            recorded: Value::from(format!("{:?}", size(recorded))),
            observed: Value::from(format!("{:?}", size(observed))),
        });
        return;
    }
    let (height, width) = size(recorded);
    let mut worst: [Option<Difference>; 2] = [None, None];
    for y in 0..height {
        for x in 0..width {
            let (a, b) = (&recorded[y][x], &observed[y][x]);
            let lengths = |value: &Value| value.as_array().map(Vec::len);
            let off = lengths(a) != lengths(b)
                || lengths(&recorded[y]) != lengths(&observed[y])
                || (0..3).any(|c| (a[c].as_i64().unwrap_or(-9) - b[c].as_i64().unwrap_or(-99)).abs() > 1);
            let border = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            if off && worst[usize::from(border)].is_none() {
                let part = if border { "border" } else { "interior" };
                worst[usize::from(border)] = Some(Difference {
                    path: format!("{path}.{part}"),
                    recorded: a.clone(),
                    observed: b.clone(),
                });
            }
        }
    }
    found.extend(worst.into_iter().flatten());
}

/// What of `wanted` does not hold in `value`: every key given must match, numbers within the usual tolerance.
pub fn missing(wanted: &Value, value: &Value, path: &str) -> Vec<String> {
    match (wanted, value) {
        (Value::Object(a), _) => a
            .iter()
            .flat_map(|(key, inner)| match key.as_str() {
                "$contains" | "$lacks" => text_rules(key, inner, value, path),
                _ => missing(
                    inner,
                    value.get(key).unwrap_or(&Value::Null),
                    &format!("{path}.{key}"),
                ),
            })
            .collect(),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .flat_map(|(i, (x, y))| missing(x, y, &format!("{path}[{i}]")))
            .collect(),
        (a, b) if same(a, b, path, Class::Normalised) && a.is_null() == b.is_null() => Vec::new(),
        (a, b) => vec![format!("{} should be {a}, is {b}", path.trim_start_matches('.'))],
    }
}

/// `{"$contains": [...], "$lacks": [...]}` on a text or a list of texts.
fn text_rules(rule: &str, wanted: &Value, value: &Value, path: &str) -> Vec<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join("\n"),
        other => other.to_string(),
    };
    let texts = wanted.as_array().into_iter().flatten().filter_map(Value::as_str);
    let broken = texts.filter(|part| text.contains(part) != (rule == "$contains"));
    broken
        .map(|part| {
            format!(
                "{} {} `{part}`",
                path.trim_start_matches('.'),
                if rule == "$contains" { "lacks" } else { "has" }
            )
        })
        .collect()
}

/// The last name of a path.
fn leaf_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}
