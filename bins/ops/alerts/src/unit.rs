//! A systemd unit that failed.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use alerting::{Alert, Severity};
use app_core::{Context, ToolError, ToolResult};
use tokio::process::Command;

use crate::input::Unit;

/// Properties that say how it ended.
const ASKED: &str = "--property=Result,ExecMainStatus,InvocationID,Description";

/// What is told of it. systemd is asked how it ended; where it cannot be asked, that is said.
pub(crate) async fn failed(input: &Unit, ctx: &Context) -> ToolResult<Alert> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ":_.\\@-".contains(c);
    if !input.name.chars().all(fits) || input.name.starts_with('-') {
        return Err(ToolError::invalid("name", "is not the name of a unit"));
    }
    let now = ctx.now();
    let known = match show(input).await {
        Ok(known) => known,
        Err(problem) => {
            ctx.warn(format!(
                "systemd cannot be asked about `{}`: {problem}",
                input.name
            ));
            BTreeMap::new()
        }
    };
    let value = |name: &str| known.get(name).map(String::as_str).filter(|v| !v.is_empty());
    // One invocation is told once, however often its failure is handled.
    let invocation = value("InvocationID").map_or_else(|| now.to_string(), str::to_owned);
    let mut alert = Alert::plain(
        &format!("unit {} {invocation}", input.name),
        &format!("{} failed", input.name),
        Severity::Critical,
        now,
    );
    let mut parts = Vec::new();
    match (value("Result"), value("ExecMainStatus")) {
        (Some("exit-code"), Some(code)) => parts.push(format!("exit code {code}")),
        (Some("success"), _) => parts.push("systemd says `success`".to_owned()),
        (Some(result), _) => parts.push(result.to_owned()),
        (None, _) => parts.push("how is not known".to_owned()),
    }
    alert.condition = parts.join(", ");
    alert.data = serde_json::json!({
        "unit": input.name, "occasion": "notice", "severity": "critical", "since": now,
        "result": value("Result"), "exit_status": value("ExecMainStatus"), "description": value("Description"),
    });
    Ok(alert)
}

async fn show(input: &Unit) -> Result<BTreeMap<String, String>, String> {
    let mut command = Command::new("systemctl");
    if input.user {
        command.arg("--user");
    }
    command
        .args(["show", ASKED, "--", &input.name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(Duration::from_secs(10), command.output()).await;
    let output = match ended {
        Ok(Ok(output)) if output.status.success() => output,
        Ok(Ok(output)) => return Err(format!("systemctl ended with {}", output.status)),
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("systemctl did not answer within 10 s".to_owned()),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}
