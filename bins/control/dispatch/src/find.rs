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
    let (name, dir) = (name.to_owned(), dir.to_owned());
    tokio::task::spawn_blocking(move || look(&name, &dir))
        .await
        .map_err(|e| ToolError::internal(format!("cannot look for the tool: {e}")))?
}

/// Only programs that carry the contract's mark are asked what they are: the folder may be anybody's `bin`.
fn look(name: &str, dir: &Path) -> ToolResult<Option<Found>> {
    // Most old names are the new one with `_tool` behind it.
    for guess in [name, name.trim_end_matches("_tool")] {
        let path = dir.join(guess);
        if let Some(found) = job_manager::describe(&path).and_then(|d| meant(d, path, name)) {
            return Ok(Some(found));
        }
    }
    let described = job_manager::describe_all(dir).map_err(|e| ToolError::file("list", dir, &e))?;
    Ok(described
        .into_iter()
        .find_map(|(path, definition)| meant(definition, path, name)))
}

/// What the old dispatcher said.
pub(crate) fn missing(name: &str) -> ToolError {
    ToolError::new(ErrorKind::NotFound, format!("Tool '{name}' not found."))
}

fn meant(definition: Definition, path: PathBuf, name: &str) -> Option<Found> {
    is_meant(&definition, name).then_some(Found {
        name: definition.name,
        path,
    })
}

fn is_meant(definition: &Definition, name: &str) -> bool {
    definition.name != env!("CARGO_PKG_NAME")
        && (definition.name == name || definition.replaces.iter().any(|old| old == name))
}
