//! How a replaced script is spoken to, and what its end means. Pure.

use app_core::contract::{Definition, ErrorKind, Gate, ToolError, ToolResult};
use serde_json::{Map, Value, json};

use crate::{
    settings::{Envelope, LegacySection},
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

/// The fields under the script's own names.
fn own_fields(legacy: &LegacySection, input: &Value) -> Map<String, Value> {
    let own_name = |name: String| legacy.fields.get(&name).cloned().unwrap_or(name);
    let fields = unwrapped(input).into_iter();
    fields.map(|(name, value)| (own_name(name), value)).collect()
}

/// Refuses what the section's schema does not allow.
pub(crate) fn check(legacy: &LegacySection, input: &Value) -> ToolResult<()> {
    let Some(schema) = &legacy.input else {
        return Ok(());
    };
    let mistakes = app_core::contract::schema::check(
        &Value::Object(schema.clone()),
        &Value::Object(own_fields(legacy, input)),
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
    error.field_paths = mistakes.into_iter().map(|(path, _)| path).collect();
    // Where there is a binary, `jobs list_tools` shows the fields of the binary.
    Err(error.hint("the replaced script runs, and its fields are those of `input` in its `[legacy]` section of onejob.toml"))
}

/// Arguments after the script's path.
pub fn arguments(name: &str, legacy: &LegacySection, input: &Value) -> Vec<String> {
    let fields = own_fields(legacy, input);
    match legacy.envelope {
        Envelope::Dispatcher => {
            let call = legacy.call.clone().unwrap_or_else(|| name.to_owned());
            let payload = if legacy.wrap {
                json!({"input_data": fields})
            } else {
                Value::Object(fields)
            };
            vec![call, payload.to_string()]
        }
        Envelope::Argv => argv(&legacy.positional, &fields),
    }
}

/// The input, with the field that makes the script plan where only a plan is wanted. Fails when it cannot plan.
pub(crate) fn planned(
    definition: &Definition,
    legacy: &LegacySection,
    input: &Value,
    mode: RunMode,
) -> ToolResult<Value> {
    let mut fields = unwrapped(input);
    if plans(definition, mode) {
        match &legacy.dry_run {
            Some(field) => drop(fields.insert(field.clone(), Value::Bool(true))),
            None => return Err(cannot_plan(definition, mode)),
        }
    }
    Ok(Value::Object(fields))
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

fn argv(positional: &[String], fields: &Map<String, Value>) -> Vec<String> {
    let mut arguments = Vec::new();
    for (name, value) in fields {
        // `args` is the command line as it was.
        if name == "args" {
            push_values(value, &mut arguments);
        } else if !positional.contains(name) {
            let flag = if name.starts_with('-') {
                name.clone()
            } else {
                format!("--{}", name.replace('_', "-"))
            };
            match value {
                Value::Null | Value::Bool(false) => {}
                Value::Bool(true) => arguments.push(flag),
                Value::Array(items) if items.is_empty() => {}
                other => {
                    arguments.push(flag);
                    push_values(other, &mut arguments);
                }
            }
        }
    }
    for name in positional {
        push_values(fields.get(name).unwrap_or(&Value::Null), &mut arguments);
    }
    arguments
}

fn push_values(value: &Value, arguments: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::String(text) => arguments.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|v| push_values(v, arguments)),
        other => arguments.push(other.to_string()),
    }
}

/// What a script's exit and stdout mean in the contract. `whole`: nothing of stdout is missing.
pub(crate) fn outcome(
    legacy: &LegacySection,
    exit: Option<i32>,
    stdout: &str,
    whole: bool,
    stderr_tail: &str,
) -> ToolResult<Value> {
    if exit != Some(0) {
        // Whoever kept the envelope says more than the exit code.
        if legacy.envelope == Envelope::Dispatcher
            && let Err(error) = envelope(stdout)
            && error.code == "legacy_failed"
        {
            return Err(error);
        }
        return Err(bad_exit(exit, stderr_tail));
    }
    if !whole {
        return Err(
            ToolError::internal("the replaced script wrote more to stdout than is kept")
                .code("legacy_envelope")
                .from_source("legacy"),
        );
    }
    match legacy.envelope {
        Envelope::Argv => Ok(serde_json::from_str(stdout).unwrap_or_else(|_| json!({"stdout": stdout}))),
        Envelope::Dispatcher => envelope(stdout),
    }
}

fn bad_exit(exit: Option<i32>, stderr_tail: &str) -> ToolError {
    let (kind, message) = match exit {
        // argparse, optparse and click all say so about a command line they do not understand.
        Some(2) => (
            ErrorKind::InvalidInput,
            "the replaced script refused its arguments (exit code 2)".to_owned(),
        ),
        Some(code) => (
            ErrorKind::Internal,
            format!("the replaced script ended with exit code {code}"),
        ),
        None => (
            ErrorKind::Internal,
            "the replaced script was ended by a signal".to_owned(),
        ),
    };
    let mut error = ToolError::new(kind, message)
        .code("legacy_failed")
        .from_source("legacy");
    let last = stderr_tail.lines().rev().find(|line| !line.trim().is_empty());
    error.causes.extend(last.map(str::to_owned));
    error.with("stderr", stderr_tail)
}

/// The dispatcher's last line: `{"status": "success", "result": ...}` or `{"status": "error", "message": ...}`.
/// An error may also hide inside a success. The error carries the line as it was.
fn envelope(stdout: &str) -> ToolResult<Value> {
    let bad = || {
        ToolError::internal("the replaced script did not answer with an envelope")
            .code("legacy_envelope")
            .from_source("legacy")
    };
    let last = stdout
        .lines()
        .rev()
        .find(|l| !l.trim().is_empty())
        .ok_or_else(bad)?;
    let answer: Value = serde_json::from_str(last).map_err(|_| bad())?;
    let failed = |v: &Value| v.get("status").is_some_and(|s| s == "error");
    let result = answer.get("result").cloned().unwrap_or(Value::Null);
    for level in [&answer, &result] {
        if failed(level) {
            let message = level
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or("the replaced script failed");
            return Err(ToolError::new(ErrorKind::Internal, message)
                .code("legacy_failed")
                .from_source("legacy")
                .with("answer", last));
        }
    }
    if answer.get("status").is_some_and(|s| s == "success") {
        Ok(result)
    } else {
        Err(bad())
    }
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
            arguments("t", &legacy, &input),
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
                let arguments = arguments("t", &legacy, input);
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
            planned(definition, legacy, &json!({}), mode)
                .map(|input| arguments("t", legacy, &input))
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

    #[test]
    fn an_inner_error_is_an_error() {
        let text = "making...\n{\"status\": \"success\", \"result\": {\"status\": \"error\", \"message\": \"no frames\"}}\n";
        let error = envelope(text).unwrap_err();
        assert_eq!(error.message, "no frames");
        assert!(
            error.context["answer"]
                .as_str()
                .unwrap()
                .starts_with("{\"status\": \"success\"")
        );
        assert_eq!(
            envelope("x\n{\"status\":\"success\",\"result\":7}").unwrap(),
            json!(7)
        );
        assert_eq!(envelope("done").unwrap_err().code, "legacy_envelope");
    }

    #[test]
    fn an_exit_code_is_believed() {
        let (argv, dispatcher) = (section(""), section("envelope='dispatcher'"));
        let kind = |legacy, exit, stdout| {
            outcome(legacy, exit, stdout, true, "usage: a\na: error: b\n").unwrap_err()
        };
        let refused = kind(&argv, Some(2), "");
        assert_eq!(
            (refused.kind, refused.causes),
            (ErrorKind::InvalidInput, vec!["a: error: b".to_owned()])
        );
        assert_eq!(kind(&argv, Some(1), "{}").kind, ErrorKind::Internal);
        assert_eq!(kind(&argv, None, "{}").kind, ErrorKind::Internal);
        let told = kind(
            &dispatcher,
            Some(1),
            "{\"status\": \"error\", \"message\": \"no chat\"}",
        );
        assert_eq!(told.message, "no chat");
        assert_eq!(
            outcome(&argv, Some(0), "half", false, "").unwrap_err().code,
            "legacy_envelope"
        );
        assert_eq!(
            outcome(&argv, Some(0), "done\n", true, "").unwrap(),
            json!({"stdout": "done\n"})
        );
    }
}
