//! What systemd itself says of the units.

use std::{path::Path, process::Stdio, time::Duration};

use app_core::{ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::unit::Unit;

/// Highest exposure that passes; systemd counts from 0 (none) to 10.
const MOST: f64 = 2.0;

/// What systemd says of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Judgement {
    /// Its name.
    pub(crate) unit: String,
    /// What `systemd-analyze verify` complains of.
    pub(crate) complaints: Vec<String>,
    /// How exposed a service is, from 0 to 10, by `systemd-analyze security`.
    pub(crate) exposure: Option<f64>,
}

impl Judgement {
    pub(crate) fn passes(&self) -> bool {
        self.complaints.is_empty() && self.exposure.is_none_or(|exposure| exposure <= MOST)
    }
}

/// Writes the units into a folder of their own, beside programs of the right names, and has them judged.
///
/// Fails with kind `config` where systemd-analyze is not installed.
pub(crate) async fn judge(units: &[Unit], bin_dir: &Path, user: bool) -> ToolResult<Vec<Judgement>> {
    let fail =
        |e: std::io::Error| ToolError::new(ErrorKind::Io, format!("cannot make a folder for the check: {e}"));
    let folder = tempfile::tempdir().map_err(fail)?;
    let program = folder.path().join("program");
    std::fs::write(&program, "").map_err(fail)?;
    std::os::unix::fs::symlink("/bin/true", folder.path().join("true")).map_err(fail)?;
    let real = format!("ExecStart={}/", bin_dir.display());
    for unit in units {
        // Programs that are not installed yet are no mistake of the unit.
        let text: String = unit
            .text
            .lines()
            .map(|line| match line.strip_prefix(&real) {
                Some(rest) => {
                    let args = rest.split_once(' ').map_or("", |(_, args)| args);
                    format!("ExecStart=/bin/true {args}\n")
                }
                None => format!("{line}\n"),
            })
            .collect();
        std::fs::write(folder.path().join(&unit.name), text).map_err(fail)?;
    }
    let mut judgements = Vec::new();
    for unit in units {
        let path = folder.path().join(&unit.name);
        let said = analyze(&["verify", "--man=no"], &path, folder.path(), user).await?;
        let complaints = said
            .lines()
            // Other units of this host are not what is judged.
            .filter(|line| line.contains(&unit.name) || line.contains(&*path.to_string_lossy()))
            .map(|line| line.replace(&format!("{}/", folder.path().display()), ""))
            .collect();
        let exposure = if unit.name.ends_with(".service") && !user && !unit.name.contains('@') {
            let said = analyze(
                &["security", "--offline=true", "--no-pager"],
                &path,
                folder.path(),
                user,
            )
            .await?;
            said.lines()
                .find(|line| line.contains("Overall exposure level"))
                .and_then(|line| line.rsplit_once(": ")?.1.split(' ').next()?.parse().ok())
        } else {
            None
        };
        judgements.push(Judgement {
            unit: unit.name.clone(),
            complaints,
            exposure,
        });
    }
    Ok(judgements)
}

async fn analyze(words: &[&str], path: &Path, folder: &Path, user: bool) -> ToolResult<String> {
    let mut command = Command::new("systemd-analyze");
    if user {
        command.arg("--user");
    }
    command
        .args(words)
        .arg(path)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()))
        .env("SYSTEMD_LOG_LEVEL", "warning")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(60), command.output())
        .await
        .map_err(|_| ToolError::new(ErrorKind::Timeout, "systemd-analyze did not end within 60 s"))?
        .map_err(|error| {
            ToolError::config(format!("systemd-analyze cannot be run: {error}"))
                .hint("Debian: apt install systemd")
        })?;
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(said)
}
