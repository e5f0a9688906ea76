//! The input of a started tool from JSON and `key=value` pairs.

use std::{borrow::Cow, collections::BTreeSet, io::Read as _};

use app_core::{Definition, ToolError, ToolResult};
use serde_json::{Map, Value};

/// Puts the input together. A value is a text where the tool's schema wants one, else JSON if it can be read as such.
pub(crate) fn build(whole: Option<Value>, fields: &[String], definition: &Definition) -> ToolResult<Value> {
    let mut input = match whole {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        // `--input` of this tool may carry the JSON as a text.
        Some(_) => {
            return Err(ToolError::invalid(
                "tool_input",
                "the input of a tool is a JSON object",
            ));
        }
    };
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for field in fields {
        let (path, text) = field
            .split_once('=')
            .filter(|(path, _)| !path.is_empty())
            .ok_or_else(|| {
                ToolError::invalid("fields", format!("`{field}` is not key=value"))
                    .hint(format!("`{} --help` shows the fields", definition.name))
            })?;
        let names: Vec<&str> = path.split('.').collect();
        let wanted = wanted(
            definition.input_schema.as_value(),
            names.last().copied().unwrap_or(path),
        );
        let text = match text.strip_prefix('@') {
            Some(file) if !file.is_empty() && wanted.is_some_and(is_secret) => {
                Cow::Owned(file_text(path, file)?)
            }
            _ => Cow::Borrowed(text),
        };
        let value = value(&text, wanted);
        let again = !seen.insert(path);
        if again && !wanted.is_some_and(|schema| wants(schema, "array")) {
            return Err(ToolError::invalid(
                "fields",
                format!("`{path}` is given twice, and takes one value"),
            )
            .hint("only a list takes a field several times"));
        }
        set(&mut input, &names, value, field, again)?;
    }
    Ok(Value::Object(input))
}

/// Whether the field holds a secret: only there does `@FILE` stand for the text of a file. Elsewhere `@` begins the name of
/// a chat.
fn is_secret(schema: &Value) -> bool {
    let direct = schema.get("writeOnly") == Some(&Value::Bool(true))
        || schema.get("format").is_some_and(|format| format == "password");
    let inner = schema.get("anyOf").and_then(Value::as_array);
    direct || inner.is_some_and(|options| options.iter().any(is_secret))
}

/// The text of a file without its last line end.
fn file_text(field: &str, file: &str) -> ToolResult<String> {
    const LARGEST: u64 = 64 << 10;
    let path = std::path::Path::new(file);
    let fail = |e: std::io::Error| ToolError::file("read", path, &e).field(field);
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_string(&mut text))
        .map_err(fail)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn set(
    map: &mut Map<String, Value>,
    names: &[&str],
    value: Value,
    field: &str,
    again: bool,
) -> ToolResult<()> {
    match names {
        [] => Ok(()),
        [name] => {
            match (map.get_mut(*name), value) {
                (Some(Value::Array(items)), Value::Array(more)) if again => items.extend(more),
                (_, value) => drop(map.insert((*name).to_owned(), value)),
            }
            Ok(())
        }
        [name, rest @ ..] => {
            let inner = map.entry(*name).or_insert_with(|| Value::Object(Map::new()));
            match inner {
                Value::Object(inner) => set(inner, rest, value, field, again),
                _ => Err(ToolError::invalid(
                    "fields",
                    format!("`{field}` sets a field inside `{name}`, which has none"),
                )),
            }
        }
    }
}

fn value(text: &str, wanted: Option<&Value>) -> Value {
    // A stored secret, by its name.
    if text.starts_with("{\"$secret\"")
        && let Ok(named) = serde_json::from_str(text)
    {
        return named;
    }
    if wanted.is_some_and(|schema| wants(schema, "string") && !wants(schema, "array")) {
        return Value::String(text.to_owned());
    }
    let read = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    match wanted {
        // One item stands for a list of one.
        Some(schema) if wants(schema, "array") && !read.is_array() && !read.is_null() => {
            let item = schema.get("items").is_some_and(|items| wants(items, "string"));
            Value::Array(vec![if item {
                Value::String(text.to_owned())
            } else {
                read
            }])
        }
        _ => read,
    }
}

/// The schema of a field of this name, wherever it stands.
fn wanted<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    match schema {
        Value::Object(map) => {
            let here = map.get("properties").and_then(|p| p.get(name));
            here.or_else(|| map.values().find_map(|v| wanted(v, name)))
        }
        Value::Array(items) => items.iter().find_map(|v| wanted(v, name)),
        _ => None,
    }
}

fn wants(schema: &Value, kind: &str) -> bool {
    let named = match schema.get("type") {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.iter().any(|n| n == kind),
        _ => false,
    };
    let texts = kind == "string"
        && schema
            .get("enum")
            .is_some_and(|e| e.as_array().is_some_and(|v| v.iter().all(Value::is_string)));
    let option = schema
        .get("anyOf")
        .and_then(Value::as_array)
        .is_some_and(|v| v.iter().any(|s| wants(s, kind)));
    named || texts || option
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition() -> Definition {
        let mut definition = Definition::new("t", "1", "t", "f");
        if let Ok(schema) = schemars::Schema::try_from(json!({"properties": {
            "name": {"type": "string"}, "width": {"type": ["integer", "null"]},
            "frames": {"type": "array", "items": {"type": "string"}},
            "token": {"anyOf": [{"type": "string", "format": "password"}, {"type": "null"}]},
            "smtp": {"type": "object", "properties": {"port": {"type": "integer"}, "host": {"type": "string"}}},
        }})) {
            definition.input_schema = schema;
        }
        definition
    }

    fn read(fields: &[&str]) -> Value {
        let fields: Vec<String> = fields.iter().map(|&f| f.to_owned()).collect();
        build(Some(json!({"width": 1, "keep": true})), &fields, &definition()).unwrap()
    }

    #[test]
    fn pairs_become_what_the_schema_wants() {
        assert_eq!(
            read(&["name=5", "width=640"]),
            json!({"width": 640, "keep": true, "name": "5"})
        );
        assert_eq!(read(&["frames=a=b.png"])["frames"], json!(["a=b.png"]));
        assert_eq!(read(&["frames=[\"a\",\"b\"]"])["frames"], json!(["a", "b"]));
        assert_eq!(
            read(&["smtp.port=25", "smtp.host=1"])["smtp"],
            json!({"port": 25, "host": "1"})
        );
        assert_eq!(read(&["unknown=x y"])["unknown"], "x y");
    }

    #[test]
    fn a_list_takes_a_field_several_times_and_nothing_else_does() {
        let frames = read(&["frames=a.png", "frames=b.png", "frames=[\"c\", \"d\"]"])["frames"].clone();
        assert_eq!(frames, json!(["a.png", "b.png", "c", "d"]));
        // What is given by fields replaces what the whole input says.
        let input = build(
            Some(json!({"frames": ["x"]})),
            &["frames=a".to_owned()],
            &definition(),
        )
        .unwrap();
        assert_eq!(input["frames"], json!(["a"]));
        for twice in [
            ["width=1", "width=2"],
            ["unknown=1", "unknown=1"],
            ["smtp.port=1", "smtp.port=2"],
        ] {
            let error = build(None, &twice.map(str::to_owned), &definition()).unwrap_err();
            assert!(error.message.contains("given twice"), "{error}");
        }
    }

    #[test]
    fn a_secret_comes_from_a_file_or_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "hunter2\n").unwrap();
        let field = format!("token=@{}", file.display());
        assert_eq!(read(&[&field])["token"], "hunter2");
        assert_eq!(read(&["name=@book_club"])["name"], "@book_club");
        assert_eq!(
            read(&["token={\"$secret\": \"API_TOKEN\"}"])["token"],
            json!({"$secret": "API_TOKEN"})
        );
        assert!(build(None, &["token=@/no/such/file".to_owned()], &definition()).is_err());
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        let error = build(None, &["width".to_owned()], &definition()).unwrap_err();
        assert_eq!(error.field_paths, ["fields"]);
        assert!(build(Some(json!([])), &[], &definition()).is_err());
        assert!(build(Some(json!({"a": 1})), &["a.b=1".to_owned()], &definition()).is_err());
    }
}
