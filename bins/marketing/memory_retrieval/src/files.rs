//! Which files of a folder are read, and how.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult};

use crate::import::PassedOver;

/// Deepest folder below the one that was named.
const DEEPEST: usize = 32;
/// Most files of one run.
const MOST_FILES: usize = 100_000;

/// The files behind a path: itself, or in a folder all of a kind that is read, in order of their names.
pub(crate) fn behind(path: &Path, passed: &mut PassedOver, ctx: &Context) -> ToolResult<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    walk(path, 0, &mut files, passed, ctx)?;
    Ok(files)
}

fn walk(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    passed: &mut PassedOver,
    ctx: &Context,
) -> ToolResult<()> {
    ctx.check_cancelled()?;
    let listed = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => {
            passed.add(
                folder.display().to_string(),
                ToolError::file("list", folder, &error).message,
            );
            return Ok(());
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !hidden && depth < DEEPEST => {
                walk(&path, depth + 1, files, passed, ctx)?;
            }
            Ok(kind) if kind.is_dir() && !hidden => {
                passed.add(
                    path.display().to_string(),
                    format!("lies deeper than {DEEPEST} folders"),
                );
            }
            Ok(kind) if kind.is_file() && !hidden && Kind::of(&path).is_some() => {
                if files.len() >= MOST_FILES {
                    return Err(ToolError::invalid(
                        "file",
                        format!("more than {MOST_FILES} files in one run"),
                    ));
                }
                files.push(path);
            }
            _ => passed.ignored += 1,
        }
    }
    Ok(())
}

/// How a file is read.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Lines,
    Json,
    Markdown,
    Text,
}

impl Kind {
    /// By the end of the name; `None` for what is not read.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" => Some(Self::Lines),
            "json" => Some(Self::Json),
            "md" | "markdown" => Some(Self::Markdown),
            "txt" | "text" => Some(Self::Text),
            _ => None,
        }
    }
}
