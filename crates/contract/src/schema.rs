//! Checks a JSON value against the part of JSON Schema that Rust types produce, and names every bad field.
//!
//! serde stops at the first mistake; a person with a form or a file wants all of them. Patterns and cross-field
//! rules are left to garde, which runs after decoding.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// One mistake: the path of the field (`frames[2].delay`, empty for the whole) and what is wrong.
pub type Mistake = (String, String);

/// The schema of a type that is read, with everything in place (no `$ref`), so that [`check`] can follow it.
pub fn of<T: JsonSchema>() -> Schema {
    with::<T>(SchemaSettings::draft2020_12())
}

/// Like [`of`], for a type that is written.
pub fn of_output<T: JsonSchema>() -> Schema {
    with::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn with<T: JsonSchema>(settings: SchemaSettings) -> Schema {
    let settings = settings.with(|s| s.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}

/// Whether this is the schema of a [`Secret`](crate::Secret).
pub fn is_secret(schema: &Value) -> bool {
    schema.get("format").is_some_and(|format| format == "password")
}

/// All mistakes of `value` under `schema`, in the order of the value.
pub fn check(schema: &Value, value: &Value) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    walk(schema, value, "", &mut mistakes);
    mistakes
}

fn walk(whole: &Value, value: &Value, path: &str, mistakes: &mut Vec<Mistake>) {
    let Some(schema) = whole.as_object() else { return };
    for key in ["anyOf", "oneOf"] {
        if let Some(options) = schema.get(key).and_then(Value::as_array) {
            return alternatives(schema, options, value, path, mistakes);
        }
    }
    if let Some(allowed) = schema.get("const") {
        if allowed != value {
            mistakes.push((path.to_owned(), format!("must be {allowed}")));
        }
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
        if !allowed.contains(value) {
            let names: Vec<_> = allowed.iter().filter(|v| !v.is_null()).map(plain).collect();
            mistakes.push((
                path.to_owned(),
                format!("must be one of {}, not {}", names.join(", "), short(value)),
            ));
        }
        return;
    }
    if !type_fits(schema, value) {
        let names = type_names(schema).join(" or ");
        let given = if is_secret(whole) {
            "what was given".to_owned()
        } else {
            short(value)
        };
        mistakes.push((path.to_owned(), format!("must be {names}, not {given}")));
        return;
    }
    match value {
        Value::Object(object) => object_rules(schema, object, path, mistakes),
        Value::Array(items) => {
            length_rules(
                schema,
                "minItems",
                "maxItems",
                items.len(),
                "entries",
                path,
                mistakes,
            );
            if let Some(item_schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    walk(item_schema, item, &format!("{path}[{index}]"), mistakes);
                }
            }
        }
        Value::String(text) => {
            length_rules(
                schema,
                "minLength",
                "maxLength",
                text.chars().count(),
                "characters",
                path,
                mistakes,
            );
        }
        Value::Number(number) => number_rules(schema, number, path, mistakes),
        Value::Null | Value::Bool(_) => {}
    }
}

fn object_rules(
    schema: &Map<String, Value>,
    object: &Map<String, Value>,
    path: &str,
    mistakes: &mut Vec<Mistake>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, value) in object {
        let inner = join(path, name);
        match (
            properties.and_then(|p| p.get(name)),
            schema.get("additionalProperties"),
        ) {
            (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => {
                walk(schema, value, &inner, mistakes);
            }
            (None, Some(Value::Bool(true))) => {}
            // A struct that lists its fields takes no others, whether or not it says so.
            (None, _) if properties.is_some() => mistakes.push((inner, unknown_field(name, properties))),
            (None, _) => {}
        }
    }
    for name in schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !object.contains_key(name) {
            mistakes.push((join(path, name), "is required".to_owned()));
        }
    }
}

fn unknown_field(name: &str, properties: Option<&Map<String, Value>>) -> String {
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

fn alternatives(
    schema: &Map<String, Value>,
    options: &[Value],
    value: &Value,
    path: &str,
    mistakes: &mut Vec<Mistake>,
) {
    // A tagged enum: the tag picks the branch, so that its mistakes can be told.
    if let Some((tag, branches)) = tagged(options) {
        let given = value.get(tag);
        let names: Vec<_> = branches.iter().map(|(name, _)| *name).collect();
        match given
            .and_then(Value::as_str)
            .and_then(|given| branches.iter().find(|(name, _)| *name == given))
        {
            Some((_, branch)) => walk(branch, value, path, mistakes),
            None if !value.is_object() => {
                mistakes.push((
                    path.to_owned(),
                    format!("must be an object, not {}", short(value)),
                ));
            }
            None => {
                let text = match given {
                    None => format!("is required: one of {}", names.join(", ")),
                    Some(other) => format!("must be one of {}, not {}", names.join(", "), short(other)),
                };
                mistakes.push((join(path, tag), text));
            }
        }
        return;
    }
    let mut tries: Vec<Vec<Mistake>> = Vec::new();
    for option in options {
        let mut found = Vec::new();
        walk(option, value, path, &mut found);
        if found.is_empty() {
            return;
        }
        tries.push(found);
    }
    // `Option<T>` and unit enums: tell what the fitting kind of branch complains about.
    let of_type = options.iter().zip(&tries).filter(|(option, _)| {
        option.as_object().is_some_and(|o| type_fits(o, value)) && option.get("const").is_none()
    });
    if let Some((_, found)) = of_type.min_by_key(|(_, found)| found.len()) {
        mistakes.extend(found.iter().cloned());
        return;
    }
    let mut names: Vec<String> = Vec::new();
    for option in options.iter().filter_map(Value::as_object) {
        if let Some(value) = option.get("const") {
            names.push(plain(value));
        } else {
            names.extend(
                option
                    .get("enum")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .map(plain),
            );
            if option.get("enum").is_none() {
                names.extend(type_names(option));
            }
        }
    }
    names.retain(|name| name != "null");
    let _ = schema;
    mistakes.push((
        path.to_owned(),
        format!("must be {}, not {}", one_of(&names), short(value)),
    ));
}

fn one_of(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        many => format!("one of {}", many.join(", ")),
    }
}

/// The tag's name and each branch by its tag value, if every option is an object with one `const` property in common.
pub fn tagged(options: &[Value]) -> Option<(&str, Vec<(&str, &Value)>)> {
    let first = options.first()?.get("properties")?.as_object()?;
    let (tag, _) = first
        .iter()
        .find(|(_, schema)| schema.get("const").is_some_and(Value::is_string))?;
    let branches: Option<Vec<_>> = options
        .iter()
        .map(|option| {
            Some((
                option.get("properties")?.get(tag)?.get("const")?.as_str()?,
                option,
            ))
        })
        .collect();
    Some((tag, branches?))
}

fn number_rules(
    schema: &Map<String, Value>,
    number: &serde_json::Number,
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

fn length_rules(
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

fn type_fits(schema: &Map<String, Value>, value: &Value) -> bool {
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

fn type_names(schema: &Map<String, Value>) -> Vec<String> {
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

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => other.to_string(),
    }
}

/// A value as an error message shows it: by kind when long, so that nothing private is repeated at length.
fn short(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a long text".to_owned(),
        other => plain(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_mistake_is_named_with_its_path() {
        let schema = json!({
            "type": "object",
            "properties": {
                "rate": {"type": "integer", "format": "uint32", "minimum": 1, "maximum": 100},
                "name": {"type": ["string", "null"], "minLength": 1},
                "frames": {"type": "array", "minItems": 1, "items": {"type": "object", "properties": {"delay": {"type": "number"}}, "required": ["delay"]}},
                "fit": {"enum": ["cover", "contain"]},
                "mode": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
                "free": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["frames"],
        });
        let value = json!({"rate": 0, "name": "", "frames": [{"delay": "x"}, {}], "fit": "fill", "fits": 1, "mode": "c", "free": {"k": 1}});
        let mistakes = check(&schema, &value);
        let paths: Vec<_> = mistakes.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "rate",
                "name",
                "frames[0].delay",
                "frames[1].delay",
                "fit",
                "fits",
                "mode",
                "free.k"
            ]
        );
        assert_eq!(mistakes[5].1, "is not a field; did you mean `fit`?");
        assert_eq!(mistakes[6].1, "must be one of `a`, `b`, not `c`");
        assert_eq!(
            check(&schema, &json!({})),
            [("frames".to_owned(), "is required".to_owned())]
        );
        assert!(
            check(
                &schema,
                &json!({"frames": [{"delay": 1}], "name": null, "mode": null})
            )
            .is_empty()
        );
    }

    #[test]
    fn the_tag_picks_the_branch() {
        let branch = |name: &str, field: &str| json!({"type": "object", "properties": {"action": {"const": name}, field: {"type": "integer"}}, "required": ["action", field]});
        let schema = json!({"oneOf": [branch("resize", "width"), branch("crop", "x")]});
        assert!(check(&schema, &json!({"action": "crop", "x": 1})).is_empty());
        assert_eq!(check(&schema, &json!({"action": "crop"}))[0].0, "x");
        assert_eq!(check(&schema, &json!({}))[0].0, "action");
        assert_eq!(
            check(&schema, &json!({"action": "melt"}))[0].1,
            "must be one of resize, crop, not `melt`"
        );
        assert!(!check(&schema, &json!([1])).is_empty());
    }
}
