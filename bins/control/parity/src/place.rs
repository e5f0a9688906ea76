//! The directories of one side, and the names that stand for them when both sides are compared.

use std::{
    collections::BTreeMap,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use app_core::{ErrorKind, ToolError, ToolResult, contract::MANIFEST_FORMAT};
use serde_json::Value;
use sha2::Digest as _;
use tempfile::TempDir;

use crate::{
    far_side::FarSide,
    seen::{Entry, Kind},
};

/// Files above this size are compared by their hash, in bytes.
const KEPT: u64 = 8 << 20;

/// Bytes of inputs that are copied at most.
const MAX_INPUTS: u64 = 1 << 30;

/// A working directory, HOME, TMPDIR and state of its own. Removed when dropped.
#[derive(Debug)]
pub struct Place {
    root: TempDir,
}

impl Place {
    /// Fresh directories. Both sides' paths have the same length, so that padded output agrees.
    pub fn new() -> ToolResult<Self> {
        let io = |e: std::io::Error| ToolError::new(ErrorKind::Io, format!("cannot make a sandbox: {e}"));
        let root = tempfile::Builder::new().prefix("parity-").tempdir().map_err(io)?;
        for folder in ["work", "home", "tmp", "state", "outside"] {
            std::fs::create_dir(root.path().join(folder)).map_err(io)?;
        }
        Ok(Self { root })
    }

    /// The folder that holds all others.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The working directory.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// One of `home`, `tmp`, `state`.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Where an absolute path of the host lies on this side.
    pub fn outside(&self, path: &Path) -> PathBuf {
        let inner = path.strip_prefix("/").unwrap_or(path);
        self.root.path().join("outside").join(inner)
    }

    /// Copies a file or folder of the host in.
    pub fn copy_in(&self, from: &Path, to: &Path) -> ToolResult<()> {
        copied(from, to)
    }

    /// Placeholders of the recording format, filled for this side.
    pub fn fill(&self, text: &str, far: &FarSide) -> String {
        if !text.contains("{{") {
            return text.to_owned();
        }
        let (http, smtp) = (far.http(), far.smtp());
        let mut filled = text.to_owned();
        for (name, value) in [
            ("{{SERVER}}", far.url()),
            ("{{SERVER_HOST}}", http.ip().to_string()),
            ("{{SERVER_PORT}}", http.port().to_string()),
            ("{{SMTP_HOST}}", smtp.ip().to_string()),
            ("{{SMTP_PORT}}", smtp.port().to_string()),
            ("{{CWD}}", self.work().display().to_string()),
            ("{{HOME}}", self.folder("home").display().to_string()),
            ("{{TMP}}", self.folder("tmp").display().to_string()),
        ] {
            filled = filled.replace(name, &value);
        }
        filled
    }

    /// Addresses of the far side that stand as placeholders in inputs (a configuration file names its server).
    pub fn fill_inputs(&self, far: &FarSide) {
        let tree = self.tree();
        let files = tree.iter().filter(|(name, _)| !name.starts_with(['~', '/']));
        for (name, entry) in files {
            if let Kind::File(bytes) = &entry.kind
                && let Ok(text) = std::str::from_utf8(bytes)
                && (text.contains("{{SERVER") || text.contains("{{SMTP_"))
            {
                // A read-only file keeps its placeholder, which its reader will then name.
                let _ = std::fs::write(self.work().join(name), self.fill(text, far));
            }
        }
    }

    /// The opposite of [`Place::fill`]: what belongs to this side alone gets the name both sides share.
    pub fn names(&self, far: &FarSide) -> Names {
        let path = |name: &str| self.folder(name).display().to_string();
        let mut pairs = vec![
            (path("work"), "{{CWD}}"),
            (path("home"), "{{HOME}}"),
            (path("tmp"), "{{TMP}}"),
            (path("state"), "{{STATE}}"),
            (path("outside"), ""),
            (self.root.path().display().to_string(), "{{ROOT}}"),
        ];
        let encoded: Vec<_> = pairs
            .iter()
            .map(|(path, name)| (path.replace('/', "%2F"), *name))
            .collect();
        pairs.extend(encoded);
        pairs.push((far.url(), "{{SERVER}}"));
        pairs.push((far.http().to_string(), "{{SERVER_HOST}}:{{SERVER_PORT}}"));
        pairs.push((far.smtp().to_string(), "{{SMTP_HOST}}:{{SMTP_PORT}}"));
        Names(
            pairs
                .into_iter()
                .map(|(from, to)| (from, to.to_owned()))
                .collect(),
        )
    }

    /// Everything below the working directory, HOME (`~/`) and the host's paths (`/`).
    pub fn tree(&self) -> BTreeMap<String, Entry> {
        let mut found = BTreeMap::new();
        for (folder, prefix) in [("work", ""), ("home", "~/"), ("outside", "/")] {
            walk(&self.folder(folder), prefix, &mut found);
        }
        found
    }
}

/// Everything below a folder.
pub(crate) fn tree_of(folder: &Path) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    walk(folder, "", &mut found);
    found
}

/// What belongs to one side alone, and the name both sides share for it.
#[derive(Clone, Debug)]
pub struct Names(Vec<(String, String)>);

impl Names {
    /// Of a real directory instead of a sandbox.
    pub fn of_directory(path: &Path) -> Self {
        Self(vec![(path.display().to_string(), "{{CWD}}".to_owned())])
    }

    /// The text with shared names.
    pub fn text(&self, text: &str) -> String {
        let mut named = text.to_owned();
        for (from, to) in &self.0 {
            if named.contains(from.as_str()) {
                named = named.replace(from.as_str(), to);
            }
        }
        named
    }

    /// The same for bytes; what is no UTF-8 stays as it is.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        std::str::from_utf8(bytes).map_or_else(|_| bytes.to_vec(), |text| self.text(text).into_bytes())
    }

    /// The same for every text of a value.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => map
                .into_iter()
                .map(|(key, item)| (key, self.value(item)))
                .collect(),
            other => other,
        }
    }
}

/// Copies a file or folder; other kinds of entries are left out.
///
/// Fails when it cannot be read or written, or is larger than inputs may be.
pub(crate) fn copied(from: &Path, to: &Path) -> ToolResult<()> {
    let mut left = MAX_INPUTS;
    copy(from, to, &mut left)
}

fn copy(from: &Path, to: &Path, left: &mut u64) -> ToolResult<()> {
    let failed = |e: &std::io::Error| ToolError::file("copy", from, e);
    let metadata = std::fs::metadata(from).map_err(|e| failed(&e))?;
    if metadata.is_dir() {
        std::fs::create_dir_all(to).map_err(|e| failed(&e))?;
        for entry in std::fs::read_dir(from).map_err(|e| failed(&e))? {
            let entry = entry.map_err(|e| failed(&e))?;
            copy(&entry.path(), &to.join(entry.file_name()), left)?;
        }
        return Ok(());
    }
    if !metadata.is_file() {
        return Ok(());
    }
    *left = left.checked_sub(metadata.len()).ok_or_else(|| {
        ToolError::invalid("files", "the inputs are larger than 1 GiB")
            .hint("name only the files that the tool needs")
    })?;
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    }
    std::fs::copy(from, to).map_err(|e| failed(&e))?;
    // A recorded input may be read-only; a program may want to replace it. Time stamps are kept: some programs look.
    let mode = std::fs::Permissions::from_mode(metadata.mode() & 0o777 | 0o600);
    std::fs::set_permissions(to, mode).map_err(|e| failed(&e))?;
    if let (Ok(modified), Ok(file)) = (metadata.modified(), std::fs::File::options().write(true).open(to)) {
        let _ = file.set_modified(modified);
    }
    Ok(())
}

/// One entry of the tree; `None` when it went away meanwhile.
pub(crate) fn entry(path: &Path) -> Option<Entry> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    let kind = if metadata.is_dir() {
        Kind::Folder
    } else if metadata.is_symlink() {
        Kind::Link(std::fs::read_link(path).ok()?.display().to_string())
    } else if metadata.len() > KEPT {
        Kind::Large(metadata.len(), hash(path).ok()?)
    } else if metadata.is_file() {
        Kind::File(std::fs::read(path).ok()?)
    } else {
        return None;
    };
    Some(Entry {
        kind,
        mode: metadata.mode() & 0o777,
    })
}

fn hash(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut sha = sha2::Sha256::new();
    std::io::copy(&mut file, &mut sha)?;
    Ok(hex::encode(sha.finalize()))
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Entry>) {
    for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = item.file_name().to_string_lossy().into_owned();
        let Some(entry) = entry(&item.path()).filter(|entry| !is_own(&name, entry)) else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if entry.kind == Kind::Folder {
            walk(&item.path(), &format!("{path}/"), found);
        }
        found.insert(path, entry);
    }
}

/// Files of the languages themselves: compiled Python, and the manifest every tool writes beside its files.
pub(crate) fn is_own(name: &str, entry: &Entry) -> bool {
    match &entry.kind {
        Kind::Folder => name == "__pycache__",
        Kind::File(bytes) if name.ends_with("manifest.json") => {
            serde_json::from_slice::<Value>(bytes).is_ok_and(|v| v["format"] == MANIFEST_FORMAT)
        }
        _ => false,
    }
}
