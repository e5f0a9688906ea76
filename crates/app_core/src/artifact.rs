//! Files that a run makes: whole or not at all, and never in the place of one that it read.

use std::{
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{
    context::Context,
    contract::{Artifact, ErrorKind, EventBody, Source, ToolError, ToolResult},
    files::{FileId, create_folder, hash_file, unwritable},
    mutex::lock,
};

/// Role of the list of written files: it says what was done, and so is no part of any plan.
pub(crate) const MANIFEST: &str = "manifest";

/// A file in the making. Dropped without [`commit`](Self::commit), it leaves nothing behind.
#[derive(Debug)]
pub struct PendingArtifact {
    context: Context,
    temporary: NamedTempFile,
    target: PathBuf,
    media_type: String,
    role: String,
    made_from: Vec<Source>,
    over_input: bool,
}

impl Context {
    /// Starts a file that appears at `path` whole, on commit, or not at all.
    pub fn create(
        &self,
        path: impl AsRef<Path>,
        media_type: &str,
        role: &str,
    ) -> ToolResult<PendingArtifact> {
        PendingArtifact::create(self.clone(), path.as_ref(), media_type, role)
    }

    /// Writes a whole file in one go.
    pub fn write(
        &self,
        path: impl AsRef<Path>,
        media_type: &str,
        role: &str,
        bytes: &[u8],
    ) -> ToolResult<Artifact> {
        let path = path.as_ref();
        let mut pending = self.create(path, media_type, role)?;
        std::io::Write::write_all(&mut pending, bytes).map_err(|e| ToolError::file("write", path, &e))?;
        pending.commit()
    }

    /// Like [`create`](Self::create), for a tool whose work it is to replace a file that it read.
    pub fn create_over(
        &self,
        path: impl AsRef<Path>,
        media_type: &str,
        role: &str,
    ) -> ToolResult<PendingArtifact> {
        let mut pending = PendingArtifact::begin(self.clone(), path.as_ref(), media_type, role)?;
        pending.over_input = true;
        Ok(pending)
    }

    /// Says that this file is a source of the run, for files that are not read through [`read`](Self::read): no
    /// output may take its place. A path that does not exist is no source.
    pub fn reads(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        if let Some(id) = FileId::of(path) {
            let mut inputs = lock(&self.inner().inputs);
            if !inputs.iter().any(|(known, _)| *known == id) {
                inputs.push((id, path.to_owned()));
            }
        }
    }

    /// Whether a path lies in the state directory: a run's own notes, which no plan names and nobody else may read.
    fn keeps(&self, path: &Path) -> bool {
        self.inner()
            .state_dir
            .as_deref()
            .is_some_and(|state| path.starts_with(state))
    }

    /// Reads a whole file of at most `max_bytes`.
    pub fn read(&self, path: impl AsRef<Path>, max_bytes: u64) -> ToolResult<Vec<u8>> {
        let bytes = crate::files::read_limited(path.as_ref(), max_bytes)?;
        self.reads(path);
        Ok(bytes)
    }
}

impl PendingArtifact {
    fn create(context: Context, target: &Path, media_type: &str, role: &str) -> ToolResult<Self> {
        not_an_input(&context, target)?;
        Self::begin(context, target, media_type, role)
    }

    fn begin(context: Context, target: &Path, media_type: &str, role: &str) -> ToolResult<Self> {
        let kept = context.keeps(target);
        // Planning notes it on commit: files are begun side by side, but put in place in the order of the inputs.
        if !context.dry_run()
            && !kept
            && role != MANIFEST
            && !context.may("write_file", &target.display().to_string(), "")
        {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!(
                    "`{}` is not in the plan that this run is held to",
                    target.display()
                ),
            )
            .code("not_planned"));
        }
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
        if kept {
            crate::state::folder(folder)?;
        } else if !context.dry_run() {
            create_folder("create the folder", folder)?;
        }
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{}.", name.to_string_lossy().chars().take(60).collect::<String>()))
            .suffix(".part")
            // The umask still applies.
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(if kept { 0o600 } else { 0o666 }))
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
            over_input: false,
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
        if !self.over_input {
            // Asked again: the run may have read it since, or somebody may have put a link there.
            not_an_input(&self.context, &target)?;
        }
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
        if self.context.dry_run() {
            if !self.context.keeps(&self.target) && artifact.role != MANIFEST {
                self.context.may(
                    "write_file",
                    &self.target.display().to_string(),
                    &artifact.media_type,
                );
            }
        } else {
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

/// An output in the place of a source would destroy what the user wanted worked on, also through a link or another
/// spelling of the path: what counts is the file itself.
fn not_an_input(context: &Context, target: &Path) -> ToolResult<()> {
    let Some(id) = FileId::of(target) else {
        return Ok(());
    };
    let inputs = lock(&context.inner().inputs);
    match inputs.iter().find(|(known, _)| *known == id) {
        None => Ok(()),
        Some((_, source)) => Err(ToolError::new(
            ErrorKind::Conflict,
            format!(
                "the output `{}` is the input `{}`",
                target.display(),
                source.display()
            ),
        )
        .code("output_is_input")
        .from_source("file")
        .hint("name another file for the output")),
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
    fn an_output_never_takes_the_place_of_an_input() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = context(dir.path());
        let source = dir.path().join("a.txt");
        std::fs::write(&source, "precious").unwrap();
        let (soft, hard) = (dir.path().join("soft.txt"), dir.path().join("hard.txt"));
        std::os::unix::fs::symlink(&source, &soft).unwrap();
        std::fs::hard_link(&source, &hard).unwrap();
        let early = ctx.create(&source, "text/plain", "output").unwrap();
        ctx.read(&source, 100).unwrap();
        for target in [
            &source,
            &soft,
            &hard,
            &dir.path().join("sub/../a.txt"),
            &dir.path().join("./a.txt"),
        ] {
            std::fs::create_dir_all(dir.path().join("sub")).unwrap();
            let error = ctx.write(target, "text/plain", "output", b"x").unwrap_err();
            assert_eq!(error.code, "output_is_input", "{}", target.display());
        }
        assert_eq!(
            early.commit().unwrap_err().code,
            "output_is_input",
            "read after it was begun"
        );
        assert_eq!(std::fs::read(&source).unwrap(), b"precious");
        ctx.create_over(&source, "text/plain", "output")
            .unwrap()
            .commit()
            .unwrap();
    }
}
