//! Files that appear whole or not at all, and bounded reading.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::{
    context::{Context, lock},
    contract::{Artifact, ErrorKind, EventBody, Source, ToolError, ToolResult},
};

/// A file in the making. Dropped without [`commit`](Self::commit), it leaves nothing behind.
#[derive(Debug)]
pub struct PendingArtifact {
    context: Context,
    temporary: NamedTempFile,
    target: PathBuf,
    media_type: String,
    role: String,
    made_from: Vec<Source>,
}

impl PendingArtifact {
    pub(crate) fn create(context: Context, target: &Path, media_type: &str, role: &str) -> ToolResult<Self> {
        let name = target.file_name().ok_or_else(|| {
            ToolError::new(
                ErrorKind::InvalidInput,
                format!("`{}` does not name a file", target.display()),
            )
        })?;
        if target.is_dir() {
            return Err(ToolError::new(
                ErrorKind::InvalidInput,
                format!("`{}` is a directory", target.display()),
            )
            .hint("name a file in it"));
        }
        // A rename would put a file in the place of a device, a pipe or a socket.
        if std::fs::metadata(target).is_ok_and(|m| !m.is_file()) {
            return Err(ToolError::new(
                ErrorKind::InvalidInput,
                format!("`{}` is not a regular file", target.display()),
            )
            .hint("name a file; the result also goes to standard output with --json"));
        }
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // A dry run works in the temporary directory, so that not even a folder is made at the target.
        let scratch = std::env::temp_dir();
        let place = if context.dry_run() { &scratch } else { folder };
        if !context.dry_run() {
            create_folder("create the folder", folder)?;
        }
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{}.", name.to_string_lossy().chars().take(60).collect::<String>()))
            .suffix(".part")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)) // the umask still applies
            .tempfile_in(place)
            .map_err(|e| unwritable("write", target, &e))?;
        lock(&context.inner().pending).push(temporary.path().to_owned());
        Ok(Self {
            context,
            temporary,
            target: target.to_owned(),
            media_type: media_type.to_owned(),
            role: role.to_owned(),
            made_from: Vec::new(),
        })
    }

    /// The temporary file, for a child process to write to.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Where it will appear.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Notes what it was made from.
    pub fn made_from(mut self, source: Source) -> Self {
        self.made_from.push(source);
        self
    }

    /// Hashes the file, puts it in place and reports it. In a dry run the file is dropped instead.
    pub fn commit(mut self) -> ToolResult<Artifact> {
        let target = self.target.clone();
        let failed = |e: &std::io::Error| unwritable("write", &target, e);
        self.temporary.flush().map_err(|e| failed(&e))?;
        // A child may have replaced the file; open it by name.
        let (sha256, bytes) = hash_file(self.temporary.path()).map_err(|e| failed(&e))?;
        let artifact = Artifact {
            path: self.target.clone(),
            media_type: std::mem::take(&mut self.media_type),
            bytes,
            sha256,
            role: std::mem::take(&mut self.role),
            made_from: std::mem::take(&mut self.made_from),
        };
        let inner = self.context.inner();
        let temporary = self.temporary.path().to_owned();
        if !self.context.dry_run() {
            self.temporary
                .persist(&self.target)
                .map_err(|e| failed(&e.error))?;
            lock(&inner.artifacts).push(artifact.clone());
            inner.emitter.emit(EventBody::Artifact(artifact.clone()));
        }
        lock(&inner.pending).retain(|path| *path != temporary);
        Ok(artifact)
    }
}

impl Write for PendingArtifact {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.temporary.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.temporary.flush()
    }
}

impl Seek for PendingArtifact {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.temporary.seek(position)
    }
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(action: &str, folder: &Path) -> ToolResult<()> {
    std::fs::create_dir_all(folder).map_err(|e| unwritable(action, folder, &e))
}

/// A failure to write is always kind `io`: that a part of the path is missing or in the way says nothing about the
/// thing the run was asked for.
fn unwritable(action: &str, path: &Path, cause: &std::io::Error) -> ToolError {
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
pub(crate) fn hash_file(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let bytes = std::io::copy(&mut file, &mut hasher)?;
    Ok((hex::encode(hasher.finalize()), bytes))
}

/// SHA-256 of bytes, lower-case hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Reads a file of at most `max_bytes`.
pub(crate) fn read_limited(path: &Path, max_bytes: u64) -> ToolResult<Vec<u8>> {
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

    fn context(dir: &Path) -> Context {
        Context::detached(crate::Definition::new("t", "0", "test", "control"), dir).unwrap()
    }

    #[test]
    fn nothing_is_left_unless_committed() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = context(dir.path());
        let target = dir.path().join("sub/a.txt");
        let mut pending = ctx.create(&target, "text/plain", "output").unwrap();
        pending.write_all(b"half").unwrap();
        drop(pending);
        assert_eq!(std::fs::read_dir(dir.path().join("sub")).unwrap().count(), 0);
        let artifact = ctx.write(&target, "text/plain", "output", b"abc").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"abc");
        assert_eq!(
            artifact.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(ctx.artifacts(), [artifact]);
    }

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
