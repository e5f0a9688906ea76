//! What each property of an input schema looks like on the command line.

use serde_json::{Map, Value};

use crate::contract::{Cli, schema::is_secret};

/// Largest file given as `@FILE`.
const LARGEST_FILE: u64 = 16 << 20;

/// One property as a flag or positional argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Argument {
    /// Property name in the JSON.
    pub(super) field: String,
    /// How its text becomes JSON.
    pub(super) shape: Shape,
    pub(super) required: bool,
    pub(super) help: String,
    pub(super) default: Option<Value>,
    pub(super) choices: Vec<String>,
    /// Whether it holds a secret.
    pub(super) secret: bool,
    pub(super) cli: Cli,
}

/// How the text on the command line becomes JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Text,
    Integer,
    Number,
    Boolean,
    /// A list of scalars, given by repeating the flag.
    List(Box<Shape>),
    /// An object of scalars, given as `key=value`.
    Map(Box<Shape>),
    /// Anything else, given as JSON or `@file`.
    Json,
}

/// The arguments of an object schema, positionals first by their number.
pub(super) fn arguments(schema: &Value, tag: Option<&str>) -> Vec<Argument> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut arguments: Vec<Argument> = properties
        .into_iter()
        .flatten()
        .filter(|(name, _)| Some(name.as_str()) != tag)
        .map(|(name, schema)| argument(name, schema, required.contains(&name.as_str())))
        .collect();
    arguments.sort_by_key(|argument| argument.cli.positional.unwrap_or(u64::MAX));
    arguments
}

fn argument(name: &str, schema: &Value, required: bool) -> Argument {
    let plain = without_null(schema);
    let (shape, choices) = shape(plain);
    Argument {
        field: name.to_owned(),
        shape,
        required,
        help: schema
            .get("description")
            .or(plain.get("description"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        default: schema.get("default").filter(|v| !v.is_null()).cloned(),
        choices,
        // A field's own `x-cli` replaces that of its type, so the type must be asked.
        secret: is_secret(schema) || is_secret(plain),
        cli: Cli::of(if schema.get("x-cli").is_some() {
            schema
        } else {
            plain
        })
        .unwrap_or_default(),
    }
}

/// `Option<T>` as `T`.
fn without_null(schema: &Value) -> &Value {
    let options = schema.get("anyOf").and_then(Value::as_array);
    match options.map(Vec::as_slice) {
        Some([one, null]) if null.get("type").is_some_and(|t| t == "null") => one,
        _ => schema,
    }
}

fn shape(schema: &Value) -> (Shape, Vec<String>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return (Shape::Text, values.iter().filter_map(text).collect());
    }
    // A unit enum with documented variants.
    if let Some(options) = schema.get("oneOf").and_then(Value::as_array) {
        let names: Option<Vec<String>> = options.iter().map(|o| o.get("const").and_then(text)).collect();
        return names.map_or((Shape::Json, Vec::new()), |names| (Shape::Text, names));
    }
    let shape = match type_name(schema) {
        Some("string") => Shape::Text,
        Some("integer") => Shape::Integer,
        Some("number") => Shape::Number,
        Some("boolean") => Shape::Boolean,
        Some("array") => {
            let (item, choices) = schema
                .get("items")
                .map_or((Shape::Json, Vec::new()), |items| shape(without_null(items)));
            return match item {
                Shape::List(_) | Shape::Map(_) => (Shape::List(Box::new(Shape::Json)), Vec::new()),
                item => (Shape::List(Box::new(item)), choices),
            };
        }
        Some("object") if schema.get("properties").is_none() => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => match shape(without_null(values)).0 {
                Shape::List(_) | Shape::Map(_) | Shape::Json => Shape::Json,
                scalar => Shape::Map(Box::new(scalar)),
            },
            _ => Shape::Json,
        },
        _ => Shape::Json,
    };
    (shape, Vec::new())
}

/// The one type beside `null`.
fn type_name(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => {
            let mut names = names.iter().filter_map(Value::as_str).filter(|n| *n != "null");
            let first = names.next();
            if names.next().is_some() { None } else { first }
        }
        _ => None,
    }
}

impl Argument {
    /// `frame_rate` -> `frame-rate`.
    pub(super) fn flag(&self) -> String {
        self.field.replace('_', "-")
    }

    /// Names it by what the user typed.
    pub(super) fn spoken(&self) -> String {
        if self.cli.positional.is_some() {
            self.field.to_uppercase()
        } else {
            format!("--{}", self.flag())
        }
    }

    /// Texts of the command line (or the environment) as JSON. The error says what is wrong with which text.
    pub(super) fn parse(&self, texts: &[String]) -> Result<Value, String> {
        match &self.shape {
            Shape::List(item) => texts
                .iter()
                .map(|text| scalar(item, text))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Shape::Map(item) => {
                let mut map = Map::new();
                for text in texts {
                    if text.trim_start().starts_with('{') {
                        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
                            return Err("is not a JSON object".to_owned());
                        };
                        map.extend(object);
                        continue;
                    }
                    let (key, value) = text.split_once('=').ok_or("must be given as key=value")?;
                    map.insert(key.to_owned(), scalar(item, value)?);
                }
                Ok(Value::Object(map))
            }
            shape => scalar(shape, texts.last().map_or("", String::as_str)),
        }
    }
}

fn scalar(shape: &Shape, text: &str) -> Result<Value, String> {
    match shape {
        Shape::Text => Ok(Value::String(text.to_owned())),
        Shape::Integer => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<u64>().map(Value::from))
            .map_err(|_| format!("`{text}` is not a whole number")),
        Shape::Number => text
            .parse::<f64>()
            .ok()
            .and_then(|n| {
                text.parse::<i64>()
                    .map(serde_json::Number::from)
                    .ok()
                    .or_else(|| serde_json::Number::from_f64(n))
            })
            .map(Value::Number)
            .ok_or_else(|| format!("`{text}` is not a number")),
        Shape::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::Bool(true)),
            "false" | "0" | "no" | "off" => Ok(Value::Bool(false)),
            _ => Err(format!("`{text}` is not true or false")),
        },
        Shape::Json => {
            let read = match text.strip_prefix('@') {
                Some(path) => {
                    let bytes = crate::files::read_limited(std::path::Path::new(path), LARGEST_FILE);
                    let bytes = bytes.map_err(|e| e.message)?;
                    String::from_utf8(bytes).map_err(|_| format!("`{path}` is not UTF-8"))?
                }
                None => text.to_owned(),
            };
            serde_json::from_str(&read).map_err(|e| format!("is not JSON: {e}"))
        }
        Shape::List(_) | Shape::Map(_) => Err("is nested too deeply for a flag; use --input".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schema_types_become_shapes_and_texts_become_json() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string", "x-cli": {"positional": 1}},
            "n": {"type": ["integer", "null"]},
            "list": {"type": "array", "items": {"type": "number"}},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
            "nested": {"type": "object", "properties": {"x": {"type": "integer"}}},
            "choice": {"anyOf": [{"oneOf": [{"const": "x"}, {"const": "y"}]}, {"type": "null"}]},
        }});
        let arguments = arguments(&schema, None);
        let by = |name: &str| arguments.iter().find(|a| a.field == name).unwrap();
        let parse = |name: &str, texts: &[&str]| {
            by(name).parse(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>())
        };
        assert!(by("a").required && by("a").cli.positional == Some(1));
        assert_eq!(parse("n", &["-3"]).unwrap(), json!(-3));
        assert_eq!(parse("list", &["1", "2.5"]).unwrap(), json!([1, 2.5]));
        assert_eq!(parse("map", &["k=1", "l=2"]).unwrap(), json!({"k": 1, "l": 2}));
        assert_eq!(parse("nested", &["{\"x\": 1}"]).unwrap(), json!({"x": 1}));
        assert_eq!(by("choice").choices, ["x", "y"]);
        assert!(parse("n", &["1.5"]).is_err());
        assert!(parse("map", &["k"]).is_err());
    }
}
