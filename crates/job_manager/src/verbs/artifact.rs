//! `artifact`: a file of a job, opened by its number.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Seek as _},
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

use app_core::contract::{ToolError, ToolResult};
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
};
use sha2::{Digest as _, Sha256};

use crate::{
    id::JobId,
    manager::JobManager,
    wire::{ArtifactInfo, ArtifactState},
};

/// A file of a job.
#[derive(Debug)]
pub struct OpenArtifact {
    /// What it is, and whether it is still what the job made.
    pub info: ArtifactInfo,
    /// The file, at its beginning; only when it is intact.
    pub file: Option<File>,
}

impl JobManager {
    /// Opens file `number` (from 1) of a job. The path comes from the job alone, no step of it may be a link, and size and
    /// SHA-256 are compared: what is handed out is what the job made.
    ///
    /// Fails with kind `not_found` when the job has no file of that number.
    pub async fn artifact(&self, id: JobId, number: u32) -> ToolResult<OpenArtifact> {
        let job = self.get(id).await?;
        let index = number.checked_sub(1).and_then(|n| usize::try_from(n).ok());
        let artifact = index.and_then(|n| job.artifacts.get(n)).cloned().ok_or_else(|| {
            ToolError::not_found(format!("job `{id}` has no file {number}"))
                .field("number")
                .hint(format!(
                    "it has {}; `onejob get {id}` shows them",
                    job.artifacts.len()
                ))
        })?;
        let path = match &job.working_dir {
            Some(dir) => dir.join(&artifact.path),
            None if artifact.path.is_absolute() => artifact.path.clone(),
            None => {
                return Err(ToolError::not_found(format!(
                    "job `{id}` is of an older version, which did not note where `{}` lies",
                    artifact.path.display()
                )));
            }
        };
        let (bytes, sha256) = (artifact.bytes, artifact.sha256.clone());
        let asked = path.clone();
        let (state, file) = tokio::task::spawn_blocking(move || look(&asked, bytes, &sha256))
            .await
            .map_err(|e| ToolError::internal(format!("cannot read the file: {e}")))??;
        Ok(OpenArtifact {
            info: ArtifactInfo {
                job: id,
                number,
                artifact,
                state,
                path,
            },
            file,
        })
    }
}

fn look(path: &Path, bytes: u64, sha256: &str) -> ToolResult<(ArtifactState, Option<File>)> {
    let fail = |e: &std::io::Error| ToolError::file("read", path, e);
    let mut file = match open_without_links(path) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok((ArtifactState::Gone, None)),
        // A link where there was a file.
        Err(Errno::LOOP) => return Ok((ArtifactState::Changed, None)),
        Err(e) => return Err(fail(&e.into())),
    };
    let meta = file.metadata().map_err(|e| fail(&e))?;
    if !meta.is_file() || meta.len() != bytes {
        return Ok((ArtifactState::Changed, None));
    }
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 256 << 10];
    loop {
        match file.read(&mut chunk).map_err(|e| fail(&e))? {
            0 => break,
            read => hash.update(&chunk[..read]),
        }
    }
    if hex::encode(hash.finalize()) != sha256 {
        return Ok((ArtifactState::Changed, None));
    }
    file.rewind().map_err(|e| fail(&e))?;
    Ok((ArtifactState::Intact, Some(file)))
}

/// Opens a path step by step; [`Errno::LOOP`] when one is a link.
fn open_without_links(path: &Path) -> Result<OwnedFd, Errno> {
    let folder = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Without waiting: somebody may have put a pipe there.
    let last = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let steps: Vec<&OsStr> = path
        .components()
        .filter(|step| !matches!(step, Component::CurDir))
        .map(Component::as_os_str)
        .collect();
    let Some((name, folders)) = steps.split_last() else {
        return Err(Errno::NOENT);
    };
    let mut at: Option<OwnedFd> = None;
    for step in folders {
        let next = match &at {
            None => openat(CWD, PathBuf::from(step), folder, Mode::empty()),
            Some(dir) => openat(dir, PathBuf::from(step), folder, Mode::empty()),
        };
        // `O_DIRECTORY` on a link that is not followed says that it is no folder.
        at = Some(next.map_err(|e| {
            if e == Errno::NOTDIR {
                link_or(at.as_ref(), step)
            } else {
                e
            }
        })?);
    }
    match &at {
        None => openat(CWD, PathBuf::from(name), last, Mode::empty()),
        Some(dir) => openat(dir, PathBuf::from(name), last, Mode::empty()),
    }
}

fn link_or(dir: Option<&OwnedFd>, step: &OsStr) -> Errno {
    let read = match dir {
        None => rustix::fs::readlinkat(CWD, PathBuf::from(step), Vec::new()),
        Some(dir) => rustix::fs::readlinkat(dir, PathBuf::from(step), Vec::new()),
    };
    if read.is_ok() { Errno::LOOP } else { Errno::NOTDIR }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_the_file_itself_is_handed_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(dir.path()).unwrap();
        let sha256 = hex::encode(Sha256::digest("abc"));
        std::fs::create_dir(root.join("out")).unwrap();
        let file = root.join("out/a.txt");
        let state = |path: &Path| look(path, 3, &sha256).unwrap().0;
        assert_eq!(state(&file), ArtifactState::Gone);
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(state(&file), ArtifactState::Intact);
        std::fs::write(&file, "abd").unwrap();
        assert_eq!(state(&file), ArtifactState::Changed);
        std::fs::write(root.join("b.txt"), "abc").unwrap();
        std::fs::remove_file(&file).unwrap();
        symlink("../b.txt", &file).unwrap();
        assert_eq!(
            state(&file),
            ArtifactState::Changed,
            "a link, though to the same content"
        );
        symlink("out", root.join("linked")).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(
            state(&root.join("linked/a.txt")),
            ArtifactState::Changed,
            "a folder that is a link"
        );
        assert_eq!(state(&root.join("out/../out/./a.txt")), ArtifactState::Intact);
        assert_eq!(
            state(&root.join("out")),
            ArtifactState::Changed,
            "no regular file"
        );
    }
}
