//! The profile folder of a browser: temporary, held by a lock, and removed even after a run that was killed.

use std::{
    fs::{self, File},
    path::Path,
    time::Duration,
};

use app_core::{ToolError, ToolResult};
use tempfile::TempDir;

/// How the folders are called.
const PREFIX: &str = "onejob-browser-";

/// The file that the owner holds locked as long as it lives.
const LOCK: &str = "owner.lock";

/// How long a folder without a lock may be one that is just being made.
const BEGINNING: Duration = Duration::from_secs(600);

/// A folder of this run. Dropped, it is removed.
#[derive(Debug)]
pub struct Profile {
    folder: Option<TempDir>,
    _lock: File,
}

impl Profile {
    /// Makes one, and removes those whose owner is gone.
    pub fn new() -> ToolResult<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let failed = |e: &std::io::Error| ToolError::file("create a folder in", &parent, e);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .map_err(|e| failed(&e))?;
        // Locked before it has its name, so that nobody finds it free.
        let early = folder.path().join("owner.new");
        let lock = File::create(&early).map_err(|e| failed(&e))?;
        lock.lock().map_err(|e| failed(&e))?;
        fs::rename(&early, folder.path().join(LOCK)).map_err(|e| failed(&e))?;
        Ok(Self {
            folder: Some(folder),
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), TempDir::path)
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take() {
            let path = folder.keep();
            remove(&path);
        }
    }
}

/// Processes that were just killed may still write a file or two while the folder is emptied.
fn remove(path: &Path) {
    for _ in 0..50 {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                std::thread::sleep(Duration::from_millis(20));
            }
            _ => return,
        }
    }
}

/// Removes profile folders of this user that nobody holds.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    let me = rustix::process::getuid().as_raw();
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let own = entry.metadata().is_ok_and(|found| {
            // Not through a link, which would lead elsewhere.
            found.is_dir() && std::os::unix::fs::MetadataExt::uid(&found) == me
        });
        if own && abandoned(&entry.path()) {
            // What cannot be removed now is tried again by the next run.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn abandoned(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => folder
            .metadata()
            .and_then(|found| found.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > BEGINNING)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_owner_is_gone_is_swept_and_no_other() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str, lock: bool| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("History"), "x").unwrap();
            lock.then(|| File::create(folder.join(LOCK)).unwrap())
        };
        let held = make("onejob-browser-held", true).unwrap();
        held.lock().unwrap();
        make("onejob-browser-left", true);
        make("onejob-browser-new", false);
        make("other", true);
        sweep(parent.path());
        let there = |name: &str| parent.path().join(name).exists();
        assert!(there("onejob-browser-held") && there("onejob-browser-new") && there("other"));
        assert!(!there("onejob-browser-left"));
        drop(held);
        sweep(parent.path());
        assert!(!there("onejob-browser-held"));
    }

    #[test]
    fn a_profile_is_locked_and_goes_with_its_owner() {
        let profile = Profile::new().unwrap();
        let path = profile.path().to_owned();
        assert!(path.is_dir() && !abandoned(&path));
        drop(profile);
        assert!(!path.exists());
    }
}
