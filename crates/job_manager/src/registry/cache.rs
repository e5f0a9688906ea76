//! What `--describe` answered, kept by path, size and time of the file.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use app_core::contract::{Definition, ToolError, ToolResult};
use serde::{Deserialize, Serialize};

/// Which file was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Stamp {
    size: u64,
    mtime_ns: i128,
    inode: u64,
}

impl Stamp {
    /// `None` unless it is an executable file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        let executable = meta.is_file() && meta.permissions().mode() & 0o111 != 0;
        executable.then(|| Self::from_metadata(&meta))
    }

    fn from_metadata(meta: &std::fs::Metadata) -> Self {
        Self {
            size: meta.len(),
            mtime_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
            inode: meta.ino(),
        }
    }
}

/// Which state of a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(Stamp);

impl Version {
    /// `None` if there is no such file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path)
            .ok()
            .map(|meta| Self(Stamp::from_metadata(&meta)))
    }
}

#[derive(Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    /// `None`: it is no tool.
    definition: Option<Definition>,
}

#[derive(Serialize, Deserialize)]
struct OnDisk {
    v: u32,
    entries: BTreeMap<PathBuf, Entry>,
    /// Names of tools that were ever found.
    #[serde(default)]
    seen: BTreeSet<String>,
}

pub(super) struct Cache {
    file: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
    seen: BTreeSet<String>,
    dirty: bool,
}

impl Cache {
    /// Reads the file; one that is missing or not understood is an empty cache.
    pub(super) fn load(file: PathBuf) -> Self {
        let read = std::fs::read(&file)
            .ok()
            .and_then(|b| serde_json::from_slice::<OnDisk>(&b).ok());
        let read = read.filter(|c| c.v == 1);
        let (entries, mut seen) = read.map(|c| (c.entries, c.seen)).unwrap_or_default();
        // A cache of before names were noted knows those that are there.
        seen.extend(
            entries
                .values()
                .filter_map(|e| Some(e.definition.as_ref()?.name.clone())),
        );
        Self {
            file,
            entries,
            seen,
            dirty: false,
        }
    }

    /// The answer of this very file: `None` unknown, `Some(None)` no tool.
    pub(super) fn get(&self, path: &Path, stamp: Stamp) -> Option<&Option<Definition>> {
        self.entries
            .get(path)
            .filter(|e| e.stamp == stamp)
            .map(|e| &e.definition)
    }

    pub(super) fn put(&mut self, path: PathBuf, stamp: Stamp, definition: Option<Definition>) {
        self.seen.extend(definition.as_ref().map(|d| d.name.clone()));
        self.entries.insert(path, Entry { stamp, definition });
        self.dirty = true;
    }

    /// Whether there ever was a tool of this name.
    pub(super) fn was_there(&self, name: &str) -> bool {
        self.seen.contains(name)
    }

    /// Forgets files of this folder that are gone.
    pub(super) fn keep_only(&mut self, dir: &Path, present: &[(PathBuf, Stamp)]) {
        let before = self.entries.len();
        self.entries.retain(|path, _| {
            path.parent() != Some(dir) || present.binary_search_by(|(p, _)| p.cmp(path)).is_ok()
        });
        self.dirty |= before != self.entries.len();
    }

    /// Writes the file if anything changed; replaces it whole, since several processes share it.
    pub(super) fn save(&mut self) -> ToolResult<()> {
        if !std::mem::take(&mut self.dirty) {
            return Ok(());
        }
        let on_disk = OnDisk {
            v: 1,
            entries: std::mem::take(&mut self.entries),
            seen: std::mem::take(&mut self.seen),
        };
        let bytes = serde_json::to_vec(&on_disk).map_err(|e| ToolError::internal(e.to_string()))?;
        (self.entries, self.seen) = (on_disk.entries, on_disk.seen);
        // A name of its own: several managers of one process may save at the same time.
        let folder = self.file.parent().unwrap_or(Path::new("."));
        tempfile::NamedTempFile::new_in(folder)
            .and_then(|mut temporary| {
                temporary.write_all(&bytes)?;
                temporary.persist(&self.file).map(drop).map_err(|e| e.error)
            })
            .map_err(|e| ToolError::file("write", &self.file, &e))
    }
}
