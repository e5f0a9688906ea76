//! Finds the binary for an old or new tool name. A name is never taken as a path.

use std::path::{Path, PathBuf};

use app_core::{Definition, ErrorKind, ToolError, ToolResult};

/// A tool and its binary.
pub(crate) struct Found {
    pub name: String,
    pub path: PathBuf,
}

/// The tool of that name in this folder, if there is one. A name that cannot be one is not found.
pub(crate) async fn binary(name: &str, dir: &Path) -> ToolResult<Option<Found>> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(missing(name));
    }
    // Most old names are the new one with `_tool` behind it.
    for guess in [name, name.trim_end_matches("_tool")] {
        if let Some(found) = meant(dir.join(guess), name).await {
            return Ok(Some(found));
        }
    }
    let entries = std::fs::read_dir(dir).map_err(|e| ToolError::file("list", dir, &e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if let Some(found) = meant(path, name).await {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What the old dispatcher said.
pub(crate) fn missing(name: &str) -> ToolError {
    ToolError::new(ErrorKind::NotFound, format!("Tool '{name}' not found."))
}

async fn meant(path: PathBuf, name: &str) -> Option<Found> {
    let definition = describe(&path).await.filter(|d| is_meant(d, name))?;
    Some(Found {
        name: definition.name,
        path,
    })
}

fn is_meant(definition: &Definition, name: &str) -> bool {
    definition.name != env!("CARGO_PKG_NAME")
        && (definition.name == name || definition.replaces.iter().any(|old| old == name))
}

/// What an executable says of itself; `None` for anything that does not keep the contract.
async fn describe(path: &Path) -> Option<Definition> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 || path.extension().is_some() {
        return None;
    }
    let mut command = tokio::process::Command::new(path);
    command
        .arg("--describe")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(std::time::Duration::from_secs(2), command.output())
        .await
        .ok()?
        .ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
