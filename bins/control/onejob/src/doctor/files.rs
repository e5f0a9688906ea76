//! Folders and files: whose they are, and who else may read or write them.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use app_core::Context;

use super::{Finding, Level};

pub(super) fn state_folder(state: &Path) -> Finding {
    let Ok(meta) = std::fs::metadata(state) else {
        return Finding::ok(
            "state folder",
            format!("`{}` is made with the first run", state.display()),
        );
    };
    if !state.is_absolute() {
        let here = format!("export ONEJOB_STATE_DIR=$PWD/{}", state.display());
        return Finding::bad(
            Level::Wrong,
            "state folder",
            "is relative: it is another one in each folder",
            here,
        );
    }
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        let found = format!(
            "`{}` belongs to user {}, this is user {me}",
            state.display(),
            meta.uid()
        );
        return Finding::bad(
            Level::Wrong,
            "state folder",
            found,
            format!("sudo chown -R {me} {}", state.display()),
        );
    }
    Finding::ok("state folder", format!("`{}`", state.display()))
}

/// Files below the state folder that others may read or write.
pub(super) fn too_open(state: &Path) -> Vec<Finding> {
    let mut open: Vec<PathBuf> = Vec::new();
    let mut folders = vec![(state.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let others = |path: &Path| {
            std::fs::symlink_metadata(path).is_ok_and(|m| !m.is_symlink() && m.mode() & 0o077 != 0)
        };
        if others(&folder) {
            open.push(folder.clone());
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                if depth < 4 {
                    folders.push((path, depth + 1));
                }
            } else if entry.file_type().is_ok_and(|t| t.is_file()) && others(&path) {
                open.push(path);
            }
        }
    }
    if open.is_empty() {
        return Vec::new();
    }
    let first = open
        .iter()
        .map(|p| p.display().to_string())
        .min()
        .unwrap_or_default();
    let found = format!(
        "{} files or folders can be read by others, for example `{first}`",
        open.len()
    );
    vec![Finding::bad(
        Level::Wrong,
        "file permissions",
        found,
        format!("chmod -R go-rwx {}", state.display()),
    )]
}

pub(super) fn tools_folder(dir: &Path) -> Finding {
    match std::fs::metadata(dir) {
        Err(e) => {
            let found = format!("`{}`: {e}", dir.display());
            Finding::bad(Level::Wrong, "tools", found, "export ONEJOB_TOOLS_DIR=FOLDER")
        }
        // Whoever may write there decides what runs here.
        Ok(meta) if meta.mode() & 0o002 != 0 => Finding::bad(
            Level::Wrong,
            "tools",
            format!("anybody may write into `{}`", dir.display()),
            format!("chmod o-w {}", dir.display()),
        ),
        Ok(_) => Finding::ok("tools", format!("in `{}`", dir.display())),
    }
}

/// Telegram sessions in the usual places: readable by others, or signed in so long ago that they may have lapsed.
pub(super) fn sessions(ctx: &Context) -> Vec<Finding> {
    let mut folders = vec![PathBuf::from(".")];
    folders.extend(ctx.env("TELEGRAM_SESSION_DIR").map(PathBuf::from));
    let mut findings = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "session") {
                continue;
            }
            let what = format!("session {}", path.display());
            let Ok(meta) = entry.metadata() else { continue };
            let age = meta
                .modified()
                .ok()
                .and_then(|at| at.elapsed().ok())
                .unwrap_or_default();
            let days = age.as_secs() / 86400;
            findings.push(if meta.mode() & 0o077 != 0 {
                Finding::bad(
                    Level::Wrong,
                    what,
                    "can be read by others: it is a login",
                    format!("chmod 600 {}", path.display()),
                )
            } else if days > 150 {
                let found =
                    format!("was not used for {days} days; Telegram ends sessions after about half a year");
                Finding::bad(Level::Lacking, what, found, "init_session")
            } else {
                Finding::ok(&what, format!("used {days} days ago"))
            });
        }
    }
    findings
}
