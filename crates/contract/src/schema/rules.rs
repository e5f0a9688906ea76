//! Types, numbers and lengths.

use serde_json::{Map, Number, Value};

use super::{Mistake, words::plain};

pub(super) fn number_rules(
    schema: &Map<String, Value>,
    number: &Number,
    path: &str,
    mistakes: &mut Vec<Mistake>,
) {
    let Some(value) = number.as_f64() else { return };
    for (key, words) in [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("exclusiveMinimum", "above"),
        ("exclusiveMaximum", "below"),
    ] {
        let Some(limit) = schema.get(key).and_then(Value::as_f64) else {
            continue;
        };
        let holds = match key {
            "minimum" => value >= limit,
            "maximum" => value <= limit,
            "exclusiveMinimum" => value > limit,
            _ => value < limit,
        };
        if !holds {
            mistakes.push((
                path.to_owned(),
                format!("must be {words} {}, not {number}", plain(&schema[key])),
            ));
        }
    }
}

pub(super) fn length_rules(
    schema: &Map<String, Value>,
    low: &str,
    high: &str,
    length: usize,
    unit: &str,
    path: &str,
    mistakes: &mut Vec<Mistake>,
) {
    if let Some(limit) = schema.get(low).and_then(Value::as_u64)
        && (length as u64) < limit
    {
        let text = if limit == 1 {
            "must not be empty".to_owned()
        } else {
            format!("needs at least {limit} {unit}")
        };
        mistakes.push((path.to_owned(), text));
    }
    if let Some(limit) = schema.get(high).and_then(Value::as_u64)
        && (length as u64) > limit
    {
        mistakes.push((
            path.to_owned(),
            format!("has {length} {unit}; at most {limit} are allowed"),
        ));
    }
}

pub(super) fn type_fits(schema: &Map<String, Value>, value: &Value) -> bool {
    let fits = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => {
            (value.is_i64() || value.is_u64()) && !(unsigned(schema) && value.as_i64().is_some_and(|n| n < 0))
        }
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    match schema.get("type") {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(fits),
        None | Some(_) => true,
    }
}

fn unsigned(schema: &Map<String, Value>) -> bool {
    schema
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|f| f.starts_with("uint"))
}

pub(super) fn type_names(schema: &Map<String, Value>) -> Vec<String> {
    let name = |name: &str| {
        match name {
            "boolean" => "true or false",
            "string" => "a text",
            "integer" if unsigned(schema) => "a whole number of 0 or more",
            "integer" => "a whole number",
            "number" => "a number",
            "array" => "a list",
            "object" => "an object",
            other => other,
        }
        .to_owned()
    };
    match schema.get("type") {
        Some(Value::String(one)) => vec![name(one)],
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .filter(|n| *n != "null")
            .map(name)
            .collect(),
        _ => vec!["something else".to_owned()],
    }
}
