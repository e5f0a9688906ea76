//! The decision whether a tool's binary or the script it replaces runs, and how the script is spoken to.

use app_core::contract::{CONTRACT, Definition, Effect, ErrorKind, Gate, Policy, ToolError, ToolResult};
use serde_json::{Value, json};

use crate::{
    settings::{Envelope, LegacySection, Settings},
    wire::Route,
};

/// Why a script runs instead of the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no binary (any more, or yet).
    BinaryMissing,
    /// `route = "legacy"` in the configuration.
    Switched,
}

impl Reason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BinaryMissing => "binary_missing",
            Self::Switched => "switched",
        }
    }
}

/// Who runs, decided from what is there and what is allowed.
pub(crate) fn decide(tool: &str, binary: bool, settings: &Settings) -> ToolResult<(Route, Option<Reason>)> {
    let switched = settings.tools.get(tool).is_some_and(|t| t.route == Route::Legacy);
    let reason = match (binary, switched) {
        (true, false) => return Ok((Route::Rust, None)),
        (_, true) => Reason::Switched,
        (false, false) => Reason::BinaryMissing,
    };
    let script = settings.legacy.contains_key(tool);
    let allowed = settings.fallback_enabled(tool);
    match (reason, script, allowed) {
        (_, true, true) => Ok((Route::Legacy, Some(reason))),
        (Reason::BinaryMissing, false, _) => Err(ToolError::not_found(format!("no tool `{tool}`"))
            .from_source("registry")
            .hint("`jobs list-tools` shows what there is; ONEJOB_TOOLS_DIR names the folder")),
        (Reason::BinaryMissing, true, false) => Err(ToolError::not_found(format!(
            "no binary of tool `{tool}`, and its script is switched off"
        ))
        .from_source("registry")
        .hint("install the binary, or set `python_fallback_enabled = true` in onejob.toml")),
        (Reason::Switched, false, _) => Err(ToolError::config(format!(
            "`{tool}` is switched to its script, but there is no `[legacy.{tool}]`"
        ))
        .hint("add the section to onejob.toml, or remove `route = \"legacy\"`")),
        (Reason::Switched, true, false) => Err(ToolError::config(format!(
            "`{tool}` is switched to its script, but `python_fallback_enabled` is off"
        ))
        .hint("switch one of the two in onejob.toml")),
    }
}

/// The definition of a replaced script, in the shape every tool has.
pub(crate) fn definition(name: &str, legacy: &LegacySection) -> Definition {
    let mut definition = Definition::new(name, "0.0.0", &legacy.summary, &legacy.family);
    CONTRACT.clone_into(&mut definition.contract);
    if definition.summary.is_empty() {
        definition.summary = format!("Replaced script {}", legacy.script.display());
    }
    // What a script does is not known unless somebody said so: then nothing is repeated by itself.
    definition.effects = legacy.effects.clone().unwrap_or_else(|| {
        [
            Effect::Reads,
            Effect::WritesFiles,
            Effect::Sends,
            Effect::ChangesRemote,
            Effect::Deletes,
        ]
        .into()
    });
    definition.gate = Gate::Direct;
    definition.policy = Policy::with_timeout(std::time::Duration::from_secs(3600));
    definition.replaces = vec![name.to_owned()];
    let input = legacy.input.clone().unwrap_or_else(|| json!({"type": "object"}));
    if let Ok(schema) = schemars::Schema::try_from(input) {
        definition.input_schema = schema;
    }
    definition
}

/// Arguments after the script's path, for this input.
pub fn arguments(name: &str, legacy: &LegacySection, input: &Value) -> Vec<String> {
    match legacy.envelope {
        Envelope::Dispatcher => {
            let call = legacy.call.clone().unwrap_or_else(|| name.to_owned());
            let wrapped = legacy.wrap && input.get("input_data").is_none();
            let payload = if wrapped {
                json!({"input_data": input})
            } else {
                input.clone()
            };
            vec![call, payload.to_string()]
        }
        Envelope::Argv => argv(&legacy.positional, input),
    }
}

fn argv(positional: &[String], input: &Value) -> Vec<String> {
    let Value::Object(fields) = input else {
        return Vec::new();
    };
    let mut arguments = Vec::new();
    for (name, value) in fields {
        // `args` is the command line as it was.
        if name == "args" {
            push_values(value, &mut arguments);
        } else if !positional.contains(name) {
            let flag = format!("--{}", name.replace('_', "-"));
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

/// What a script's exit and stdout mean in the contract.
pub(crate) fn outcome(
    legacy: &LegacySection,
    exit: Option<i32>,
    stdout: &str,
    stderr_tail: &str,
) -> ToolResult<Value> {
    if exit != Some(0) {
        let how = exit.map_or_else(
            || "was ended by a signal".to_owned(),
            |c| format!("exited with {c}"),
        );
        let mut error = ToolError::new(ErrorKind::Internal, format!("replaced script {how}"))
            .code("legacy_failed")
            .from_source("legacy");
        error.causes.extend(stderr_tail.lines().last().map(str::to_owned));
        return Err(error.with("stderr", stderr_tail));
    }
    match legacy.envelope {
        Envelope::Argv => Ok(serde_json::from_str(stdout).unwrap_or_else(|_| json!({"stdout": stdout}))),
        Envelope::Dispatcher => envelope(stdout),
    }
}

/// The dispatcher's last line: `{"status": "success", "result": ...}` or `{"status": "error", "message": ...}`.
/// An error may also hide inside a success.
fn envelope(stdout: &str) -> ToolResult<Value> {
    let bad = || {
        ToolError::internal("replaced script did not answer with an envelope")
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
                .unwrap_or("replaced script failed");
            return Err(ToolError::new(ErrorKind::Internal, message)
                .code("legacy_failed")
                .from_source("legacy"));
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
    use super::*;

    fn settings(toml: &str) -> Settings {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn the_script_runs_only_when_it_may() {
        let on = settings("[legacy.a]\nscript='a.py'\n[tools.a]\nroute='legacy'\n[legacy.b]\nscript='b.py'");
        assert_eq!(
            decide("a", true, &on).unwrap(),
            (Route::Legacy, Some(Reason::Switched))
        );
        assert_eq!(decide("b", true, &on).unwrap(), (Route::Rust, None));
        assert_eq!(
            decide("b", false, &on).unwrap(),
            (Route::Legacy, Some(Reason::BinaryMissing))
        );
        assert_eq!(decide("c", false, &on).unwrap_err().kind, ErrorKind::NotFound);
        let off = settings(
            "[jobs]\npython_fallback_enabled=false\n[legacy.b]\nscript='b.py'\n[tools.d]\nroute='legacy'",
        );
        assert_eq!(decide("b", false, &off).unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(decide("d", true, &off).unwrap_err().kind, ErrorKind::Config);
        let own = settings(
            "[jobs]\npython_fallback_enabled=false\n[legacy.b]\nscript='b.py'\n[tools.b]\npython_fallback_enabled=true",
        );
        assert_eq!(decide("b", false, &own).unwrap().0, Route::Legacy);
    }

    #[test]
    fn fields_become_flags() {
        let input = json!({"dry_run": true, "limit": 5, "chat": "@a", "tags": ["x", "y"], "quiet": false});
        assert_eq!(
            argv(&["chat".to_owned()], &input),
            ["--dry-run", "--limit", "5", "--tags", "x", "y", "@a"]
        );
    }

    #[test]
    fn an_inner_error_is_an_error() {
        let text = "making...\n{\"status\": \"success\", \"result\": {\"status\": \"error\", \"message\": \"no frames\"}}\n";
        assert_eq!(envelope(text).unwrap_err().message, "no frames");
        assert_eq!(
            envelope("x\n{\"status\":\"success\",\"result\":7}").unwrap(),
            json!(7)
        );
        assert_eq!(envelope("done").unwrap_err().code, "legacy_envelope");
    }
}
