//! `validate`: what `start` would say of an input, with nothing queued.

use app_core::contract::{Definition, ErrorKind, ToolError, ToolResult};
use serde_json::{Map, Value};

use crate::{
    fallback,
    manager::JobManager,
    redact::{self, HIDDEN, SecretFields},
    registry::Resolved,
    wire::{StartRequest, Validation},
};

/// Largest input, as JSON. A picture belongs into a file.
const LARGEST: usize = 8 << 20;

/// An input that was looked at.
pub(super) struct Checked {
    /// With `***` in the place of every secret that was given.
    pub shown: Value,
    /// Those secrets, by their paths.
    pub secrets: Map<String, Value>,
}

impl JobManager {
    /// Checks an input against the tool's schema: all mistakes at once, each at its field.
    pub async fn validate(&self, request: &StartRequest) -> ToolResult<Validation> {
        let tool = self.registry().resolve(&request.tool).await?;
        let shown = redact::redacted(&secret_fields(&tool), &request.input);
        match check(&tool, &request.input) {
            Ok(_) => Ok(Validation {
                valid: true,
                fields: Vec::new(),
                input: shown,
            }),
            Err(error) if error.kind == ErrorKind::InvalidInput => Ok(Validation {
                valid: false,
                fields: error.fields,
                input: shown,
            }),
            Err(error) => Err(error),
        }
    }
}

/// Which fields of a tool are secrets.
pub(super) fn secret_fields(tool: &Resolved) -> SecretFields {
    match &tool.legacy {
        None => SecretFields::of(&tool.definition),
        Some((script, _)) => SecretFields::of_script(&tool.definition, script),
    }
}

/// Refuses what the tool would refuse as far as its schema tells, and takes the secrets out.
pub(super) fn check(tool: &Resolved, input: &Value) -> ToolResult<Checked> {
    let size = input.to_string().len();
    if size > LARGEST {
        return Err(mistakes(
            vec![(
                String::new(),
                format!("has {size} bytes; at most {LARGEST} are taken"),
            )],
            &tool.definition,
        )
        .hint("put large content into a file, and give its path"));
    }
    let mut found = Vec::new();
    if !input.is_object() {
        found.push((String::new(), "must be a JSON object".to_owned()));
    }
    let fields = secret_fields(tool);
    let given = fields.paths(input);
    for (path, value) in &given {
        if value == HIDDEN {
            let again = "is shown as `***` and was not kept: enter it again, or name a stored one with {\"$secret\": \"NAME\"}";
            found.push((path.clone(), again.to_owned()));
        }
    }
    for (path, name) in redact::named(input) {
        if !given.iter().any(|(secret, _)| *secret == path) {
            found.push((path, "names a secret, and is no secret field".to_owned()));
        } else if !is_variable(&name) {
            found.push((
                path,
                "names a secret by letters, digits and underscores, as a variable is named".to_owned(),
            ));
        }
    }
    if tool.legacy.is_none() {
        found.extend(against_schema(&tool.definition, input, &given));
    }
    if !found.is_empty() {
        return Err(mistakes(found, &tool.definition));
    }
    if let Some((script, _)) = &tool.legacy {
        fallback::check(script, input)?;
    }
    let mut shown = input.clone();
    let secrets = fields.take_out(&mut shown).into_iter().collect();
    Ok(Checked { shown, secrets })
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn against_schema(
    definition: &Definition,
    input: &Value,
    secrets: &[(String, Value)],
) -> Vec<(String, String)> {
    let schema = definition.input_schema.as_value();
    // A field that was left out and one that is null are the same to a tool.
    let plain = match input {
        Value::Object(map) => {
            let given = map.iter().filter(|(_, v)| !v.is_null());
            Value::Object(given.map(|(k, v)| (k.clone(), v.clone())).collect())
        }
        other => other.clone(),
    };
    let mut mistakes = app_core::contract::schema::check(schema, &plain);
    mistakes.retain(|(path, _)| {
        // A secret that is named has the shape of an object; whether its value fits, the tool says.
        let secret = secrets.iter().any(|(secret, _)| secret == path);
        let elsewhere = at(&plain, path).is_none() && comes_from_surroundings(schema, path);
        !secret && !elsewhere
    });
    mistakes
}

fn at<'v>(input: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(input, |value, name| value.get(name))
}

/// Whether a field that is missing may come from the environment or the configuration of whoever runs the tool.
fn comes_from_surroundings(schema: &Value, path: &str) -> bool {
    match schema {
        Value::Object(map) => {
            let here = map.get("properties").and_then(|p| p.get(path));
            let marked = here.is_some_and(|property| {
                let cli = |p: &Value| {
                    p.get("x-cli")
                        .is_some_and(|c| c.get("env").is_some() || c.get("config").is_some())
                };
                let inner = property
                    .get("anyOf")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten();
                cli(property) || inner.into_iter().any(cli)
            });
            marked || map.values().any(|v| comes_from_surroundings(v, path))
        }
        Value::Array(items) => items.iter().any(|v| comes_from_surroundings(v, path)),
        _ => false,
    }
}

/// One error for all mistakes.
fn mistakes(found: Vec<(String, String)>, definition: &Definition) -> ToolError {
    let words: Vec<String> = found
        .iter()
        .take(8)
        .map(|(path, what)| match path.as_str() {
            "" => format!("the input {what}"),
            path => format!("`{path}` {what}"),
        })
        .collect();
    let mut message = words.join("; ");
    if found.len() > words.len() {
        message.push_str(&format!("; and {} more", found.len() - words.len()));
    }
    ToolError::new(ErrorKind::InvalidInput, message)
        .from_source("input")
        .mistakes(found)
        .hint(format!("`onejob help {}` shows the fields", definition.name))
}
