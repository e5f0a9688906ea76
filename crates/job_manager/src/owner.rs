//! Which processes share the store, and which of them are gone.
//!
//! Each process that runs jobs has a name and holds a lock on a file of that name for as long as it lives; the
//! kernel drops the lock when the process ends in any way. Whoever can take the lock of a name knows that its owner
//! is dead, and is the only one to clean up after it.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use rustix::fs::{FlockOperation, flock};

use crate::wire::WorkerStatus;

/// A held lock on a file below the state folder.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock if nobody holds it.
    fn take(path: &Path) -> ToolResult<Option<Self>> {
        loop {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .mode(0o600)
                .open(path)
                .map_err(|e| ToolError::file("open", path, &e))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(e) => return Err(ToolError::file("lock", path, &e.into())),
            }
            // The file may have been removed between opening and locking it.
            let meta = file.metadata().map_err(|e| ToolError::file("read", path, &e))?;
            if meta.nlink() > 0 {
                return Ok(Some(Self {
                    path: path.to_owned(),
                    file,
                }));
            }
        }
    }

    fn write_pid(&mut self) -> ToolResult<()> {
        let text = format!("{}\n", std::process::id());
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .map_err(|e| ToolError::file("write", &self.path, &e))
    }

    /// Removes the file while the lock is held, then lets go.
    pub(crate) fn remove(self) {
        if let Err(e) = std::fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), "cannot remove: {e}");
        }
    }
}

/// This process among those that share the store.
#[derive(Debug)]
pub(crate) struct Owner {
    /// Random, never used twice.
    pub name: String,
    /// `None` for a process that never runs jobs.
    lock: Option<Lock>,
}

impl Owner {
    /// A new name; with `runs_jobs` also its lock.
    pub(crate) fn new(dir: &Path, runs_jobs: bool) -> ToolResult<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|e| ToolError::internal(format!("no random bytes: {e}")))?;
        let name = hex::encode(bytes);
        let mut lock = None;
        if runs_jobs {
            // Somebody who looks for names of the dead may hold it for an instant.
            let mut tries = 0;
            let mut taken = loop {
                match Lock::take(&dir.join(&name))? {
                    Some(lock) => break lock,
                    None if tries < 100 => tries += 1,
                    None => return Err(ToolError::internal("a random name is taken already")),
                }
                std::thread::sleep(Duration::from_millis(5));
            };
            taken.write_pid()?;
            lock = Some(taken);
        }
        Ok(Self { name, lock })
    }

    /// Gives the name up; nothing of this owner may be left in the store.
    pub(crate) fn leave(self) {
        if let Some(lock) = self.lock {
            lock.remove();
        }
    }
}

/// The lock of an owner that is dead; `None` if it lives, or somebody else cleans up after it.
pub(crate) fn lock_of_dead(dir: &Path, name: &str) -> ToolResult<Option<Lock>> {
    Lock::take(&dir.join(name))
}

/// Makes this process the one worker of the store.
pub(crate) fn become_worker(state_dir: &Path) -> ToolResult<Lock> {
    let path = state_dir.join("worker.lock");
    // `attended` touches the lock for a moment; a real holder keeps it.
    let give_up = Instant::now() + Duration::from_millis(300);
    loop {
        if let Some(mut lock) = Lock::take(&path)? {
            lock.write_pid()?;
            return Ok(lock);
        }
        if Instant::now() > give_up {
            let mut text = String::new();
            let read = File::open(&path).and_then(|mut f| f.read_to_string(&mut text));
            let pid = read.ok().map_or("", |_| text.trim());
            return Err(ToolError::new(
                ErrorKind::Locked,
                format!(
                    "a worker has the job store in `{}` already: pid {pid}",
                    state_dir.display()
                ),
            )
            .from_source("store")
            .hint("one worker serves a store; stop the other, or give this one another ONEJOB_STATE_DIR"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The worker of a store, if one lives: its process id, and since when.
pub(crate) fn worker(state_dir: &Path) -> Option<WorkerStatus> {
    let mut file = File::open(state_dir.join("worker.lock")).ok()?;
    if flock(&file, FlockOperation::NonBlockingLockShared) != Err(rustix::io::Errno::WOULDBLOCK) {
        return None;
    }
    let since = file.metadata().ok()?.modified().ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Some(WorkerStatus {
        pid: text.trim().parse().unwrap_or_default(),
        since: jiff::Timestamp::try_from(since).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_owner_is_cleaned_up_by_one_only() {
        let dir = tempfile::tempdir().unwrap();
        let owner = Owner::new(dir.path(), true).unwrap();
        let name = owner.name.clone();
        assert!(lock_of_dead(dir.path(), &name).unwrap().is_none());
        drop(owner); // as the kernel does at the end of a process
        let first = lock_of_dead(dir.path(), &name).unwrap();
        assert!(first.is_some());
        assert!(lock_of_dead(dir.path(), &name).unwrap().is_none());
    }

    #[test]
    fn the_second_worker_is_told_the_pid_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = become_worker(dir.path()).unwrap();
        assert!(worker(dir.path()).is_some());
        let error = become_worker(dir.path()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Locked);
        assert!(
            error.message.contains(&format!("pid {}", std::process::id())),
            "{error}"
        );
        drop(first);
        assert!(worker(dir.path()).is_none());
    }
}
