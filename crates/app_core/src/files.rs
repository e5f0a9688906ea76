//! Bounded reading, hashing, and folders.

use std::{fs::File, io::Read, os::unix::fs::MetadataExt as _, path::Path};

use sha2::{Digest, Sha256};

use crate::contract::{ErrorKind, ToolError, ToolResult};

/// Which file a path leads to, whatever the path is called: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(u64, u64);

impl FileId {
    /// Of the regular file there, through links; `None` when there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Self(metadata.dev(), metadata.ino()))
    }
}

/// Creates a folder and those above it. Fails with `io`; `action` says what for, `create the folder`.
pub fn create_folder(action: &str, folder: &Path) -> ToolResult<()> {
    std::fs::create_dir_all(folder).map_err(|e| unwritable(action, folder, &e))
}

/// A failure to write is always kind `io`: that a part of the path is missing or in the way says nothing about the
/// thing the run was asked for.
pub(crate) fn unwritable(action: &str, path: &Path, cause: &std::io::Error) -> ToolError {
    let mut error = match cause.kind() {
        // `create_dir_all` says so when a file stands where a folder should be.
        std::io::ErrorKind::AlreadyExists => {
            ToolError::file(action, path, &std::io::ErrorKind::NotADirectory.into())
        }
        _ => ToolError::file(action, path, cause),
    };
    error.kind = ErrorKind::Io;
    error.code(ErrorKind::Io.as_str())
}

/// SHA-256 (lower-case hex) and size of a file.
pub fn hash_file(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let bytes = std::io::copy(&mut file, &mut hasher)?;
    Ok((hex::encode(hasher.finalize()), bytes))
}

/// SHA-256 of bytes, lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The SHA-256 of a file, lower-case hex. Fails as reading it fails.
pub fn sha256_of(path: &Path) -> ToolResult<String> {
    hash_file(path)
        .map(|(sha256, _)| sha256)
        .map_err(|e| ToolError::file("read", path, &e))
}

/// Reads a file of at most `max_bytes`.
pub fn read_limited(path: &Path, max_bytes: u64) -> ToolResult<Vec<u8>> {
    let failed = |e: &std::io::Error| ToolError::file("read", path, e);
    let file = File::open(path).map_err(|e| failed(&e))?;
    let size = file.metadata().map_err(|e| failed(&e))?.len();
    let mut bytes = Vec::with_capacity(size.min(max_bytes) as usize);
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| failed(&e))?;
    if bytes.len() as u64 > max_bytes {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}` is larger than {max_bytes} bytes", path.display()),
        )
        .code("file_too_large")
        .from_source("file"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_at_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, [0; 11]).unwrap();
        assert_eq!(read_limited(&path, 11).unwrap().len(), 11);
        assert_eq!(read_limited(&path, 10).unwrap_err().code, "file_too_large");
        assert_eq!(
            read_limited(&dir.path().join("no"), 10).unwrap_err().kind,
            ErrorKind::NotFound
        );
    }
}
