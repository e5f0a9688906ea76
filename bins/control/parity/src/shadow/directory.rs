//! The working directory before and after the script: what it made or changed.

use std::{collections::BTreeMap, os::unix::fs::MetadataExt as _, path::Path};

use crate::{
    place,
    seen::{Entry, Table},
    side::{self, Given},
    sqlite,
};

/// Entries of the working directory that are looked at for files the script made.
pub(super) const MAX_ENTRIES: usize = 20_000;

/// What changes when an entry is written: time, size, inode, mode.
pub type Stamp = (i64, i64, u64, u64, u32);

/// Every entry of the directory with what changes when it is written; `None` when there are too many.
pub fn snapshot(cwd: &Path) -> Option<BTreeMap<String, Stamp>> {
    let mut found = BTreeMap::new();
    walk(cwd, "", &mut found).then_some(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Stamp>) -> bool {
    for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = item.metadata() else { continue };
        let name = format!("{prefix}{}", item.file_name().to_string_lossy());
        // A folder changes whenever something in it does.
        let time = if metadata.is_dir() {
            (0, 0)
        } else {
            (metadata.mtime(), metadata.mtime_nsec())
        };
        let size = if metadata.is_dir() { 0 } else { metadata.len() };
        let stamp = (time.0, time.1, size, metadata.ino(), metadata.mode());
        let inner = !metadata.is_dir() || walk(&item.path(), &format!("{name}/"), found);
        found.insert(name, stamp);
        if !inner || found.len() > MAX_ENTRIES {
            return false;
        }
    }
    true
}

/// What the script made or changed.
pub(super) fn made(
    cwd: &Path,
    before: Option<&BTreeMap<String, Stamp>>,
    given: &Given,
) -> BTreeMap<String, Entry> {
    let (Some(before), Some(after)) = (before, snapshot(cwd)) else {
        return BTreeMap::new();
    };
    let ours = app_core::state::state_dir().unwrap_or_default();
    let changed = after
        .into_iter()
        .filter(|(name, stamp)| before.get(name) != Some(stamp));
    let mut files = BTreeMap::new();
    for (name, _) in changed {
        let path = cwd.join(&name);
        let own = path.starts_with(&ours) || name.split('/').any(|part| part == "__pycache__");
        if own || given.sqlite.iter().any(|file| side::is_database(&name, file)) {
            continue;
        }
        if let Some(entry) = place::entry(&path).filter(|entry| !place::is_own(&name, entry)) {
            files.insert(name, entry);
        }
    }
    files
}

pub(super) fn tables(cwd: &Path, given: &Given) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for file in &given.sqlite {
        for (name, table) in sqlite::tables(&cwd.join(file)).unwrap_or_default() {
            tables.insert(format!("{file}:{name}"), table);
        }
    }
    tables
}
