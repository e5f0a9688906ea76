//! How a replaced script is called. Pure.

use app_core::contract::{Definition, ErrorKind, Gate, ToolError, ToolResult};
use serde_json::{Map, Value, json};

use crate::{
    settings::{Envelope, LegacySection, SecretsBy},
    wire::RunMode,
};

/// The fields of the input. Both shapes of the old dispatcher are taken: the fields themselves, and
/// `{"input_data": {...}}`.
fn unwrapped(input: &Value) -> Map<String, Value> {
    let inner = match input.as_object() {
        Some(outer) if outer.len() == 1 => outer.get("input_data").and_then(Value::as_object),
        _ => None,
    };
    inner.or(input.as_object()).cloned().unwrap_or_default()
}

/// The fields under the script's own names. Two fields that mean the same one of the script are refused: which of them
/// holds would be a matter of luck.
fn own_fields(legacy: &LegacySection, input: &Value) -> ToolResult<Map<String, Value>> {
    let mut own = Map::new();
    for (name, value) in unwrapped(input) {
        if name.starts_with('-') || name.contains(['=', '\0', '\n']) || name.is_empty() {
            return Err(refused(&name, "is not the name of a field"));
        }
        let own_name = legacy.fields.get(&name).cloned().unwrap_or_else(|| name.clone());
        if own.insert(own_name, value).is_some() {
            return Err(refused(
                &name,
                "means the same field of the script as another one",
            ));
        }
    }
    Ok(own)
}

fn refused(field: &str, what: &str) -> ToolError {
    ToolError::new(
        ErrorKind::InvalidInput,
        format!("`{}` {what}", field.escape_debug()),
    )
    .field(field)
    .from_source("legacy")
}

/// Refuses what the section's schema does not allow.
pub(crate) fn check(legacy: &LegacySection, input: &Value) -> ToolResult<()> {
    let Some(schema) = &legacy.input else {
        return Ok(());
    };
    let mistakes = app_core::contract::schema::check(
        &Value::Object(schema.clone()),
        &Value::Object(own_fields(legacy, input)?),
    );
    let Some((path, what)) = mistakes.first() else {
        return Ok(());
    };
    let message = if path.is_empty() {
        what.clone()
    } else {
        format!("`{path}` {what}")
    };
    let mut error = ToolError::new(ErrorKind::InvalidInput, message).from_source("legacy");
    error = error.mistakes(mistakes);
    // Where there is a binary, `onejob list_tools` shows the fields of the binary.
    Err(error.hint("the replaced script runs, and its fields are those of `input` in its `[legacy]` section of onejob.toml"))
}

/// How a script is called.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Call {
    /// Arguments after the script's path.
    pub arguments: Vec<String>,
    /// Secrets, by the name of the variable.
    pub environment: Vec<(String, String)>,
    /// What it reads on its standard input: secrets, where its section says so.
    pub stdin: Vec<u8>,
}

/// Arguments after the script's path, with every field on the command line. For comparisons of a script with its tool;
/// a job is started with its secrets apart.
///
/// Fails on fields that cannot be given as what they are: a value that would be read as a flag, for example.
pub fn arguments(name: &str, legacy: &LegacySection, input: &Value) -> ToolResult<Vec<String>> {
    put_together(name, legacy, own_fields(legacy, input)?)
}

/// How the script is called for this input. Where only a plan is wanted, the field that makes it plan stands last,
/// after the fields were given the script's own names: nothing that the caller sends takes it back.
pub(crate) fn call(
    definition: &Definition,
    legacy: &LegacySection,
    input: &Value,
    mode: RunMode,
) -> ToolResult<Call> {
    let mut fields = own_fields(legacy, input)?;
    if plans(definition, mode) {
        let Some(field) = &legacy.dry_run else {
            return Err(cannot_plan(definition, mode));
        };
        if let Some(raw) = fields.get("args").filter(|_| legacy.envelope == Envelope::Argv) {
            let mut words = Vec::new();
            push_values("args", raw, true, &mut words)?;
            if words.iter().any(|word| word.starts_with('-')) {
                return Err(
                    refused("args", "holds flags, which may undo the planning that is wanted")
                        .code("legacy_cannot_plan")
                        .hint("give the flags as fields, or start it with `--mode apply` to have it act"),
                );
            }
        }
        let own = legacy.fields.get(field).unwrap_or(field);
        fields.remove(own);
        fields.insert(own.clone(), Value::Bool(true));
    }
    let mut secrets = Map::new();
    let named: Vec<String> = fields
        .keys()
        .filter(|name| legacy.is_secret(name))
        .cloned()
        .collect();
    for name in named {
        if let Some(value @ Value::String(_)) = fields.get(&name) {
            secrets.insert(name.clone(), value.clone());
            fields.remove(&name);
        }
    }
    let mut call = Call {
        arguments: put_together(&definition.name, legacy, fields)?,
        ..Call::default()
    };
    match legacy.secrets {
        _ if secrets.is_empty() => {}
        SecretsBy::Stdin => call.stdin = format!("{}\n", Value::Object(secrets)).into_bytes(),
        SecretsBy::Environment => {
            for (name, value) in secrets {
                let value = value.as_str().unwrap_or_default().to_owned();
                call.environment.push((variable(&name), value));
            }
        }
    }
    Ok(call)
}

/// The variable in which a script finds a secret field: its name in capitals.
fn variable(field: &str) -> String {
    let capital = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    field.trim_start_matches('-').chars().map(capital).collect()
}

fn put_together(name: &str, legacy: &LegacySection, fields: Map<String, Value>) -> ToolResult<Vec<String>> {
    match legacy.envelope {
        Envelope::Dispatcher => {
            let call = legacy.call.clone().unwrap_or_else(|| name.to_owned());
            let payload = if legacy.wrap {
                json!({"input_data": fields})
            } else {
                Value::Object(fields)
            };
            Ok(vec![call, payload.to_string()])
        }
        Envelope::Argv => argv(legacy, &fields),
    }
}

/// Whether the tool itself would only plan. What depends on its input counts as planning: a script that acts where
/// the tool would have planned is the worse mistake.
fn plans(definition: &Definition, mode: RunMode) -> bool {
    let wanted = match mode {
        RunMode::Plan => true,
        RunMode::Default => definition.gate != Gate::Direct,
        RunMode::Apply => false,
    };
    wanted && definition.has_effects()
}

fn cannot_plan(definition: &Definition, mode: RunMode) -> ToolError {
    let error = ToolError::config(format!(
        "the replaced script of `{}` cannot plan without acting",
        definition.name
    ))
    .code("legacy_cannot_plan")
    .from_source("legacy");
    match mode {
        RunMode::Plan => {
            error.hint("name the field that makes it plan with `dry_run = \"...\"` in its `[legacy]` section")
        }
        _ => error.hint("start it with `--mode apply` to have it act"),
    }
}

fn argv(legacy: &LegacySection, fields: &Map<String, Value>) -> ToolResult<Vec<String>> {
    let mut arguments = Vec::new();
    for (name, value) in fields {
        // `args` is the command line as it was.
        if name == "args" {
            push_values(name, value, true, &mut arguments)?;
        } else if !legacy.positional.contains(name) {
            // Only the section can have given a field such a name.
            let flag = if name.starts_with('-') {
                name.clone()
            } else {
                format!("--{}", name.replace('_', "-"))
            };
            match value {
                Value::Null | Value::Bool(false) => {}
                Value::Bool(true) => arguments.push(flag),
                Value::Array(items) if items.is_empty() => {}
                // Written so, a value cannot be taken for a flag.
                Value::String(text) if looks_like_a_flag(text) && flag.starts_with("--") => {
                    arguments.push(format!("{flag}={text}"));
                }
                other => {
                    arguments.push(flag);
                    push_values(name, other, legacy.dash_values.contains(name), &mut arguments)?;
                }
            }
        }
    }
    for name in &legacy.positional {
        let value = fields.get(name).unwrap_or(&Value::Null);
        push_values(name, value, legacy.dash_values.contains(name), &mut arguments)?;
    }
    Ok(arguments)
}

/// Whether a script may take a value for a flag. A negative number is none: chats have such numbers.
fn looks_like_a_flag(text: &str) -> bool {
    text.starts_with('-') && text.parse::<f64>().is_err()
}

fn push_values(field: &str, value: &Value, flags: bool, arguments: &mut Vec<String>) -> ToolResult<()> {
    match value {
        Value::Null => {}
        Value::String(text) if !flags && looks_like_a_flag(text) => {
            return Err(refused(field, "begins with `-`, and would be read as a flag")
                .hint("if the script takes such values there, name the field in `dash_values` of its `[legacy]` section"));
        }
        Value::String(text) if text.contains('\0') => {
            return Err(refused(field, "holds a zero byte"));
        }
        Value::String(text) => arguments.push(text.clone()),
        Value::Array(items) => {
            for item in items {
                push_values(field, item, flags, arguments)?;
            }
        }
        other => arguments.push(other.to_string()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use app_core::contract::Effect;

    use super::*;
    use crate::settings::Settings;

    fn section(toml: &str) -> LegacySection {
        let toml = format!("[legacy.t]\nscript='a.py'\n{toml}");
        Settings::parse(&toml, Path::new("/c/onejob.toml"))
            .unwrap()
            .legacy["t"]
            .clone()
    }

    fn tool(effects: &[Effect], gate: Gate) -> Definition {
        Definition::new("t", "1", "t", "f").effects(effects).gate(gate)
    }

    #[test]
    fn fields_become_flags() {
        let input = json!({"dry_run": true, "limit": 5, "chat": "@a", "tags": ["x", "y"], "quiet": false, "out": "o"});
        let legacy = section("positional=['chat']\nfields={out='-o'}");
        assert_eq!(
            arguments("t", &legacy, &input).unwrap(),
            ["--dry-run", "--limit", "5", "--tags", "x", "y", "-o", "o", "@a"]
        );
    }

    #[test]
    fn both_shapes_reach_a_dispatcher_as_it_wants_them() {
        let plain = json!({"images": ["a.png"], "fps": 2});
        let wrapped = json!({"input_data": plain});
        for (toml, payload) in [
            (
                "wrap=true",
                json!({"input_data": {"input_images": ["a.png"], "fps": 2}}),
            ),
            ("wrap=false", json!({"input_images": ["a.png"], "fps": 2})),
        ] {
            let legacy = section(&format!(
                "envelope='dispatcher'\ncall='old_t'\nfields={{images='input_images'}}\n{toml}"
            ));
            for input in [&plain, &wrapped] {
                let arguments = arguments("t", &legacy, input).unwrap();
                assert_eq!(arguments[0], "old_t");
                assert_eq!(serde_json::from_str::<Value>(&arguments[1]).unwrap(), payload);
            }
        }
    }

    #[test]
    fn a_script_never_acts_where_a_plan_is_wanted() {
        let deletes = tool(&[Effect::Deletes], Gate::PlanFirst);
        let writes = tool(&[Effect::WritesFiles], Gate::Direct);
        let reads = tool(&[Effect::Reads], Gate::Direct);
        let (bare, planner) = (section(""), section("dry_run='dry_run'"));
        let call = |definition: &Definition, legacy: &LegacySection, mode| {
            super::call(definition, legacy, &json!({}), mode)
                .map(|call| call.arguments)
                .map_err(|e| e.code)
        };
        let refused = Err("legacy_cannot_plan".to_owned());
        assert_eq!(call(&deletes, &bare, RunMode::Default), refused);
        assert_eq!(call(&writes, &bare, RunMode::Plan), refused);
        assert_eq!(call(&deletes, &bare, RunMode::Apply), Ok(Vec::new()));
        assert_eq!(call(&writes, &bare, RunMode::Default), Ok(Vec::new()));
        assert_eq!(call(&reads, &bare, RunMode::Plan), Ok(Vec::new()));
        assert_eq!(
            call(&deletes, &planner, RunMode::Default),
            Ok(vec!["--dry-run".to_owned()])
        );
    }

    #[test]
    fn nothing_the_caller_sends_takes_the_plan_back() {
        let sender = tool(&[Effect::Sends], Gate::Direct);
        let aliased = section("dry_run='dry_run'\nfields={plan='dry_run'}\npositional=['chat']");
        let plan = |input: Value| super::call(&sender, &aliased, &input, RunMode::Plan).map(|c| c.arguments);
        assert_eq!(
            plan(json!({"plan": false, "chat": "c"})).unwrap(),
            ["--dry-run", "c"]
        );
        assert_eq!(
            plan(json!({"dry_run": false, "no_dry_run": true})).unwrap(),
            ["--no-dry-run", "--dry-run"]
        );
        for input in [
            json!({"dry_run": true, "plan": false}),
            json!({"args": ["--no-dry-run"]}),
            json!({"args": "-y"}),
            json!({"--exec": "rm"}),
            json!({"chat": "--delete-all"}),
            json!({"tags": ["a", "-rf"]}),
        ] {
            assert_eq!(
                plan(input.clone()).unwrap_err().kind,
                ErrorKind::InvalidInput,
                "{input}"
            );
        }
    }

    #[test]
    fn a_value_is_never_a_flag() {
        let legacy = section("positional=['chat']");
        let given = |input: Value| arguments("t", &legacy, &input);
        assert_eq!(given(json!({"chat": "-1001234"})).unwrap(), ["-1001234"]);
        assert_eq!(given(json!({"title": "--x"})).unwrap(), ["--title=--x"]);
        assert_eq!(given(json!({"args": ["-v", "x"]})).unwrap(), ["-v", "x"]);
        assert!(given(json!({"chat": "-x"})).is_err());
        let declared = section("positional=['chat']\ndash_values=['chat']");
        assert_eq!(arguments("t", &declared, &json!({"chat": "-x"})).unwrap(), ["-x"]);
    }

    #[test]
    fn a_secret_is_not_on_the_command_line() {
        let reads = tool(&[Effect::Reads], Gate::Direct);
        let input = json!({"api_key": "CANARY-1", "smtpPassword": "CANARY-2", "max_tokens": 5, "keyword": "k", "sort_key": "s"});
        for (toml, stdin) in [
            ("", false),
            ("secrets='stdin'", true),
            ("envelope='dispatcher'", false),
        ] {
            let legacy = section(&format!("not_secret=['sort_key']\n{toml}"));
            let call = super::call(&reads, &legacy, &input, RunMode::Default).unwrap();
            let line = call.arguments.join(" ");
            assert!(!line.contains("CANARY") && line.contains("sort"), "{line}");
            assert!(line.contains('5') && line.contains('k'));
            if stdin {
                let given: Value = serde_json::from_slice(&call.stdin).unwrap();
                assert_eq!(given, json!({"api_key": "CANARY-1", "smtpPassword": "CANARY-2"}));
            } else {
                assert_eq!(
                    call.environment,
                    [
                        ("API_KEY".to_owned(), "CANARY-1".to_owned()),
                        ("SMTPPASSWORD".to_owned(), "CANARY-2".to_owned())
                    ]
                );
            }
        }
    }

    #[test]
    fn what_the_schema_does_not_allow_is_refused_with_its_path() {
        let legacy = section(
            "fields={page='url'}\ninput={type='object', required=['url'], properties={url={type='string'}}}",
        );
        assert!(check(&legacy, &json!({"page": "x"})).is_ok());
        assert!(check(&legacy, &json!({"input_data": {"url": "x"}})).is_ok());
        let error = check(&legacy, &json!({"page": 7})).unwrap_err();
        assert_eq!(
            (error.kind, error.field_paths),
            (ErrorKind::InvalidInput, vec!["url".to_owned()])
        );
        assert!(check(&legacy, &json!({})).is_err());
    }
}
