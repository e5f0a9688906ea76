//! Finds the binary for an old or new tool name. A name is never taken as a path.

use std::path::{Path, PathBuf};

use app_core::{Definition, ErrorKind, ToolError, ToolResult};

/// The binary for `name`, in `ONEJOB_TOOLS_DIR` or beside this program.
pub(crate) async fn binary(name: &str) -> ToolResult<PathBuf> {
    let missing = || ToolError::new(ErrorKind::NotFound, format!("Tool '{name}' not found."));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(missing());
    }
    let dir = tools_dir()?;
    // Most old names are the new one with `_tool` behind it.
    for guess in [name, name.trim_end_matches("_tool")] {
        let path = dir.join(guess);
        if describe(&path).await.is_some_and(|d| is_meant(&d, name)) {
            return Ok(path);
        }
    }
    let entries = std::fs::read_dir(&dir).map_err(|e| ToolError::file("list", &dir, &e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if describe(&path).await.is_some_and(|d| is_meant(&d, name)) {
            return Ok(path);
        }
    }
    Err(missing())
}

fn is_meant(definition: &Definition, name: &str) -> bool {
    definition.name != env!("CARGO_PKG_NAME")
        && (definition.name == name || definition.replaces.iter().any(|old| old == name))
}

fn tools_dir() -> ToolResult<PathBuf> {
    if let Some(dir) = std::env::var_os("ONEJOB_TOOLS_DIR").filter(|dir| !dir.is_empty()) {
        return Ok(dir.into());
    }
    let exe = std::env::current_exe()
        .map_err(|e| ToolError::config(format!("cannot tell where this program is: {e}")))?;
    Ok(exe.parent().unwrap_or(Path::new(".")).to_owned())
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
