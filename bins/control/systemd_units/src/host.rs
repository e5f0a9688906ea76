//! The files of a host: those that are wanted beside those that are there.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::unit::MARK;

/// A file that is to lie on the host.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// What is to be done with one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FileChange {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// What is done.
    pub(crate) change: Change,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// It is new.
    Create,
    /// It says something else than before.
    Update,
    /// It stays as it is.
    Keep,
    /// Its entry is gone.
    Remove,
    /// Somebody changed it by hand, or it is not ours: it is left alone, and nothing else is written.
    Conflict,
}

/// The text of a file with the line that says who wrote it.
fn whole(text: &str) -> String {
    format!("{MARK}{}\n{text}", hex::encode(Sha256::digest(text.as_bytes())))
}

/// Whether a text is as this program wrote it.
fn untouched(text: &str) -> bool {
    text.strip_prefix(MARK)
        .and_then(|rest| rest.split_once('\n'))
        .is_some_and(|(hash, text)| hash == hex::encode(Sha256::digest(text.as_bytes())))
}

fn read(path: &Path) -> ToolResult<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ToolError::file("read", path, &error)),
    }
}

/// Compares what is wanted with what lies in the folder of the units.
pub(crate) fn changes(wanted: &[Wanted], units: &Path) -> ToolResult<Vec<FileChange>> {
    let mut changes = Vec::new();
    for one in wanted {
        let change = match read(&one.path)? {
            None => Change::Create,
            Some(text) if text == whole(&one.text) => Change::Keep,
            Some(text) if untouched(&text) => Change::Update,
            Some(_) => Change::Conflict,
        };
        changes.push(FileChange {
            path: one.path.clone(),
            change,
        });
    }
    let entries = match fs::read_dir(units) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(changes),
        Err(error) => return Err(ToolError::file("read", units, &error)),
    };
    let mut old = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with("onejob-"));
        if !ours || !path.is_file() || wanted.iter().any(|one| one.path == path) {
            continue;
        }
        // A unit of somebody else who likes the name is none of ours.
        let Some(text) = read(&path)?.filter(|text| text.starts_with(MARK)) else {
            continue;
        };
        let change = if untouched(&text) {
            Change::Remove
        } else {
            Change::Conflict
        };
        old.push(FileChange { path, change });
    }
    old.sort_by(|a, b| a.path.cmp(&b.path));
    changes.extend(old);
    Ok(changes)
}

/// Makes it so. Every new text lies beside its place before the first one is moved there.
pub(crate) fn apply(changes: &[FileChange], wanted: &[Wanted], ctx: &Context) -> ToolResult<()> {
    let conflicts: Vec<_> = changes
        .iter()
        .filter(|change| change.change == Change::Conflict)
        .map(|change| format!("`{}`", change.path.display()))
        .collect();
    if let Some(first) = changes.iter().find(|change| change.change == Change::Conflict) {
        let name = first.path.file_name().unwrap_or_default().to_string_lossy();
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!("changed by hand: {}; nothing was written", conflicts.join(", ")),
        )
        .hint(format!(
            "put your changes into a drop-in (`systemctl edit {name}`) and remove the file, or move it away"
        )));
    }
    let mut ready = Vec::new();
    for change in changes {
        let shown = change.path.display().to_string();
        match change.change {
            Change::Create | Change::Update => {
                if !ctx.may("write_file", &shown, "") {
                    continue;
                }
                let Some(one) = wanted.iter().find(|one| one.path == change.path) else {
                    continue;
                };
                let folder = change.path.parent().unwrap_or(Path::new("/"));
                fs::create_dir_all(folder).map_err(|e| ToolError::file("make", folder, &e))?;
                ready.push((beside(folder, &one.text)?, &change.path));
            }
            Change::Remove => {
                ctx.may("remove_file", &shown, "");
            }
            Change::Keep | Change::Conflict => {}
        }
    }
    for (file, path) in ready {
        file.persist(path)
            .map_err(|e| ToolError::file("write", path, &e.error))?;
    }
    if !ctx.dry_run() {
        for change in changes.iter().filter(|change| change.change == Change::Remove) {
            fs::remove_file(&change.path).map_err(|e| ToolError::file("remove", &change.path, &e))?;
        }
    }
    Ok(())
}

fn beside(folder: &Path, text: &str) -> ToolResult<tempfile::NamedTempFile> {
    let fail = |e: std::io::Error| ToolError::file("write into", folder, &e);
    let mut file = tempfile::Builder::new()
        .prefix(".onejob-")
        .tempfile_in(folder)
        .map_err(fail)?;
    file.write_all(whole(text).as_bytes()).map_err(fail)?;
    // systemd and people read them; there is no secret in them.
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))
        .map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    Ok(file)
}
