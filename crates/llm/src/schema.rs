//! The schema of an answer, as each dialect takes it.
//!
//! The dialects differ in silence: a keyword that one enforces another ignores and a third refuses. So each gets what it
//! is known to take, and what the answer really says is checked afterwards, against the whole schema.

use serde_json::{Map, Value, json};

/// For OpenAI, and whether it may be strict: every property required, an optional one nullable, nothing additional. An
/// object with free names cannot be said strictly.
pub(crate) fn for_openai(schema: &Value) -> (Value, bool) {
    let strict = !has_free_names(schema);
    (shaped(schema, &|object| openai(object, strict)), strict)
}

/// For Anthropic: no bounds of numbers and lengths, objects closed.
pub(crate) fn for_anthropic(schema: &Value) -> Value {
    shaped(schema, &|object| {
        any_of(object);
        drop_all(object, BOUNDS);
        drop_all(
            object,
            &[
                "minItems",
                "maxItems",
                "uniqueItems",
                "default",
                "examples",
                "title",
            ],
        );
        formats(object);
        if object.contains_key("properties") {
            object.insert("additionalProperties".to_owned(), false.into());
        }
    })
}

/// For Gemini: unions as `anyOf`, constants as a list of one; other unions are ignored there.
pub(crate) fn for_gemini(schema: &Value) -> Value {
    shaped(schema, &|object| {
        any_of(object);
        drop_all(
            object,
            &[
                "default",
                "examples",
                "minLength",
                "maxLength",
                "pattern",
                "uniqueItems",
            ],
        );
        drop_all(object, &["exclusiveMinimum", "exclusiveMaximum", "multipleOf"]);
        formats(object);
        if let Some(value) = object.remove("const") {
            object.insert("enum".to_owned(), json!([value]));
        }
    })
}

/// For Ollama, which makes a grammar of it.
pub(crate) fn for_ollama(schema: &Value) -> Value {
    shaped(schema, &|object| {
        drop_all(object, &["default", "examples", "title"]);
        formats(object);
    })
}

const BOUNDS: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minProperties",
    "maxProperties",
];

fn openai(object: &mut Map<String, Value>, strict: bool) {
    any_of(object);
    drop_all(
        object,
        &[
            "default",
            "examples",
            "title",
            "uniqueItems",
            "minLength",
            "maxLength",
        ],
    );
    formats(object);
    if !strict {
        return;
    }
    let required: Vec<String> = match object.get("required").and_then(Value::as_array) {
        Some(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        None => Vec::new(),
    };
    let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, schema) in properties.iter_mut() {
        if !required.contains(name) && !is_nullable(schema) {
            *schema = json!({"anyOf": [schema.take(), {"type": "null"}]});
        }
    }
    let all: Vec<Value> = properties.keys().cloned().map(Value::String).collect();
    object.insert("required".to_owned(), all.into());
    object.insert("additionalProperties".to_owned(), false.into());
}

/// Whether a value of this schema may be `null`.
pub(crate) fn is_nullable(schema: &Value) -> bool {
    let of_type = match schema.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        _ => false,
    };
    let listed = |key: &str| schema.get(key).and_then(Value::as_array);
    of_type
        || listed("enum").is_some_and(|values| values.contains(&Value::Null))
        || ["anyOf", "oneOf"]
            .iter()
            .filter_map(|key| listed(key))
            .any(|options| options.iter().any(is_nullable))
}

/// An object whose names are not listed: a map.
fn has_free_names(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => {
            let is_map = object.get("type").is_some_and(|kind| kind == "object")
                && !object.contains_key("properties")
                || object
                    .get("additionalProperties")
                    .is_some_and(|more| *more != false);
            is_map || subschemas(object).any(|(_, schema)| has_free_names(schema))
        }
        _ => false,
    }
}

fn subschemas(object: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    object.iter().flat_map(|(key, value)| {
        let inner: Vec<&Value> = match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(named)) => named.values().collect(),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(listed)) => listed.iter().collect(),
            ("items" | "additionalProperties", value) => vec![value],
            _ => Vec::new(),
        };
        inner.into_iter().map(move |schema| (key.as_str(), schema))
    })
}

/// The schema with `change` made to every schema in it, the innermost first. A property may have any name, so the names
/// of properties are never taken for keywords.
fn shaped(schema: &Value, change: &dyn Fn(&mut Map<String, Value>)) -> Value {
    let Value::Object(object) = schema else {
        return schema.clone();
    };
    let mut result = Map::new();
    for (key, value) in object {
        let value = match (key.as_str(), value) {
            ("$schema", _) => continue,
            ("properties" | "$defs", Value::Object(named)) => {
                let inner = named
                    .iter()
                    .map(|(name, schema)| (name.clone(), shaped(schema, change)));
                Value::Object(inner.collect())
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(listed)) => {
                listed.iter().map(|schema| shaped(schema, change)).collect()
            }
            ("items" | "additionalProperties", value) => shaped(value, change),
            (_, value) => value.clone(),
        };
        result.insert(key.clone(), value);
    }
    change(&mut result);
    Value::Object(result)
}

fn any_of(object: &mut Map<String, Value>) {
    if let Some(options) = object.remove("oneOf") {
        object.insert("anyOf".to_owned(), options);
    }
}

fn drop_all(object: &mut Map<String, Value>, keys: &[&str]) {
    for key in keys {
        object.shift_remove(*key);
    }
}

/// Rust's own formats (`uint32`, `double`) are refused by name; those of JSON Schema stay.
fn formats(object: &mut Map<String, Value>) {
    const KNOWN: [&str; 8] = [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "uuid",
    ];
    let known = object
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|name| KNOWN.contains(&name));
    if !known {
        object.shift_remove("format");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Claims", "type": "object",
            "properties": {
                "format": {"type": "string", "minLength": 1, "maxLength": 80},
                "count": {"type": "integer", "format": "uint32", "minimum": 0, "maximum": 9, "default": 0},
                "kind": {"oneOf": [{"const": "a"}, {"type": "string", "enum": ["b"]}]},
                "note": {"type": ["string", "null"]},
                "cites": {"type": "array", "minItems": 2, "items": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}},
            },
            "required": ["format", "cites"],
        })
    }

    #[test]
    fn openai_gets_every_field_required_and_optional_ones_nullable() {
        let (schema, strict) = for_openai(&sample());
        assert!(strict);
        assert_eq!(
            schema["required"],
            json!(["format", "count", "kind", "note", "cites"])
        );
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["format"], json!({"type": "string"}));
        assert_eq!(
            schema["properties"]["count"],
            json!({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]})
        );
        assert_eq!(schema["properties"]["note"], json!({"type": ["string", "null"]}));
        assert_eq!(
            schema["properties"]["cites"]["items"]["additionalProperties"],
            false
        );
        assert!(!schema.to_string().contains("oneOf"));
        let (loose, strict) =
            for_openai(&json!({"type": "object", "additionalProperties": {"type": "string"}}));
        assert!(!strict);
        assert_eq!(loose["additionalProperties"], json!({"type": "string"}));
    }

    #[test]
    fn others_get_what_they_take() {
        let anthropic = for_anthropic(&sample());
        assert_eq!(anthropic["properties"]["count"], json!({"type": "integer"}));
        assert_eq!(anthropic["required"], json!(["format", "cites"]));
        assert_eq!(
            anthropic["properties"]["cites"]["items"]["additionalProperties"],
            false
        );
        let gemini = for_gemini(&sample());
        assert_eq!(
            gemini["properties"]["kind"],
            json!({"anyOf": [{"enum": ["a"]}, {"type": "string", "enum": ["b"]}]})
        );
        assert_eq!(gemini["properties"]["count"]["maximum"], 9);
        assert_eq!(for_ollama(&sample())["properties"]["format"]["maxLength"], 80);
    }
}
