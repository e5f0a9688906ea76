//! Calls of the replaced tool: `{to, subject, body}`, answered in its words.
//!
//! Without `"send": true` they only plan: the server is asked whether it answers and takes the login, and nothing is sent.

use app_core::ToolError;
use migration::python_true;
use serde_json::{Value, json};

use crate::output::Output;

/// Turns an old call into this tool's input.
pub(crate) fn from_legacy(call: &Value) -> Value {
    let text = |name: &str| call.get(name).filter(|value| !value.is_null()).cloned();
    let sends = call.get("send") == Some(&Value::Bool(true));
    let mut input = json!({
        "action": if sends { "send" } else { "plan" },
        "subject": text("subject").unwrap_or_else(|| Value::from("No Subject")),
        "body": text("body").unwrap_or_else(|| Value::from("")),
        "literal": true,
        "check_server": !sends,
    });
    if let Some(to) = text("to").filter(python_true) {
        input["to"] = to;
    }
    if let Some(key) = text("key") {
        input["key"] = key;
    }
    input
}

/// The old answer to an old call.
pub(crate) fn to_legacy(outcome: Result<&Output, &ToolError>) -> Value {
    let failed = |message: String| json!({"status": "error", "message": message});
    match outcome {
        Ok(Output::Send(report)) if !report.planned => {
            json!({"status": "success", "message": "Email sent successfully."})
        }
        Ok(Output::Send(_) | Output::Plan(_)) => json!({
            "status": "success",
            "message": "Dry run: nothing was sent. Sending needs \"send\": true and a recipient whom the settings allow.",
        }),
        Ok(other) => serde_json::to_value(other).unwrap_or_default(),
        Err(error) => match error.code.as_str() {
            "recipient_required" => failed(error.message.clone()),
            "smtp_not_configured" => failed("SMTP configuration not complete.".to_owned()),
            _ => failed(format!("Failed to send email: {}", error.message)),
        },
    }
}
