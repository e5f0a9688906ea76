//! What the end of a replaced script means in the contract. Pure.

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use serde_json::{Value, json};

use crate::settings::{Envelope, LegacySection};

/// Characters of stdout that the error of a failed script carries; all of it is in the job's log.
const KEPT: usize = 64 << 10;

/// Where an error keeps the exit code of the script.
pub(crate) const EXIT_CODE: &str = "exit_code";

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
            return Err(match exit {
                Some(code) => error.with(EXIT_CODE, code),
                None => error,
            });
        }
        // What it wrote before it failed is often the better half of the message.
        let kept: String = stdout.chars().take(KEPT).collect();
        return Err(bad_exit(exit, stderr_tail).with("stdout", kept));
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
    if let Some(code) = exit {
        error = error.with(EXIT_CODE, code);
    }
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

    use super::*;
    use crate::settings::Settings;

    fn section(toml: &str) -> LegacySection {
        let toml = format!("[legacy.t]\nscript='a.py'\n{toml}");
        Settings::parse(&toml, Path::new("/c/onejob.toml"))
            .unwrap()
            .legacy["t"]
            .clone()
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
