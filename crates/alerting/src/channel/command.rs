//! A program that gets the alerts as JSON on its standard input.

use std::{process::Stdio, time::Duration};

use app_core::{ErrorKind, ToolError, ToolResult, process::ChildGroup, state::Delivery};
use tokio::io::AsyncWriteExt as _;

use super::{data, not_sent};
use crate::Alert;

const LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn send(line: &[String], alerts: &[&Alert]) -> ToolResult<Delivery> {
    let Some((program, args)) = line.split_first() else {
        return Err(ToolError::config("`command` is empty"));
    };
    let mut command = tokio::process::Command::new(program);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut group = ChildGroup::spawn(command)?;
    let text = serde_json::to_vec(&data(alerts)).unwrap_or_default();
    let pipe = group.child().stdin.take();
    let told = async {
        if let Some(mut pipe) = pipe {
            // A program that does not read it is fine.
            let _ = pipe.write_all(&text).await;
        }
        group.wait().await
    };
    Ok(match tokio::time::timeout(LIMIT, told).await {
        Ok(Ok(status)) if status.success() => Delivery::Sent(String::new()),
        Ok(Ok(status)) => not_sent(ToolError::new(
            ErrorKind::ProviderRejected,
            format!("it ended with {status}"),
        )),
        Ok(Err(error)) => Delivery::Undecided(Box::new(ToolError::new(ErrorKind::Io, error.to_string()))),
        Err(_) => Delivery::Undecided(Box::new(ToolError::new(
            ErrorKind::Timeout,
            format!("it did not end within {} s", LIMIT.as_secs()),
        ))),
    })
}
