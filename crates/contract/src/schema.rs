//! Checks a JSON value against the part of JSON Schema that Rust types produce, and names every bad field.
//!
//! serde stops at the first mistake; a person with a form or a file wants all of them. Patterns and cross-field
//! rules are left to garde, which runs after decoding.

mod branch;
mod rules;
mod words;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value};

use branch::alternatives;
use rules::{length_rules, number_rules, type_fits, type_names};
use words::{join, plain, short, unknown_field};

pub use branch::tagged;
pub use words::is_slip;

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
