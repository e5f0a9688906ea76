//! A login code that was asked for, kept between two runs where nobody can be asked within one.
//!
//! It holds the telephone number, so it lies in a file of its own that only the owner may read, and goes with the login.

use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use app_core::{Context, ToolError, ToolResult};
use telegram::Settings;
use telegram::auth::CodeSent;

/// Age from which no code is good any more.
const GOOD_FOR: Duration = Duration::from_secs(24 * 3600);

fn file(ctx: &Context, settings: &Settings) -> ToolResult<PathBuf> {
    let folder = ctx.state_dir()?.join("telegram");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|e| ToolError::file("create", &folder, &e))?;
    let name = settings.session.file_stem().unwrap_or_default().to_string_lossy();
    Ok(folder.join(format!("login-{name}.json")))
}

/// Keeps what belongs to the code.
///
/// # Errors
/// `io` when it cannot be written.
pub fn keep(ctx: &Context, settings: &Settings, sent: &CodeSent) -> ToolResult<()> {
    forget(ctx, settings)?;
    let path = file(ctx, settings)?;
    let text = serde_json::to_vec(sent).map_err(|e| ToolError::internal(e.to_string()))?;
    File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(&text))
        .map_err(|e| ToolError::file("write", &path, &e))
}

/// What was kept, unless it is too old.
///
/// # Errors
/// `io` when it cannot be read.
pub fn recall(ctx: &Context, settings: &Settings) -> ToolResult<Option<CodeSent>> {
    let path = file(ctx, settings)?;
    let Ok(there) = std::fs::metadata(&path) else {
        return Ok(None);
    };
    let age = there.modified().ok().and_then(|at| at.elapsed().ok());
    if age.is_some_and(|age| age > GOOD_FOR) {
        forget(ctx, settings)?;
        return Ok(None);
    }
    let text = std::fs::read(&path).map_err(|e| ToolError::file("read", &path, &e))?;
    Ok(serde_json::from_slice(&text).ok())
}

/// Takes it away, and what earlier versions kept elsewhere.
///
/// # Errors
/// `io` when it cannot be deleted.
pub fn forget(ctx: &Context, settings: &Settings) -> ToolResult<()> {
    let path = file(ctx, settings)?;
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(ToolError::file("delete", &path, &e)),
        _ => ctx.checkpoint("login")?.clear(),
    }
}
