//! Who has a message in hand: a process, which holds a lock as long as it lives.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::params;
use rustix::fs::{FlockOperation, flock};

use super::Outbox;
use crate::{
    contract::{ToolError, ToolResult},
    files, ids, mutex,
    state::database::database_error,
};

/// This process as a sender: the kernel lets go of its lock however it ends.
#[derive(Debug)]
pub(super) struct Owner {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Drop for Owner {
    fn drop(&mut self) {
        // While the lock is held.
        drop(std::fs::remove_file(&self.path));
    }
}

impl Outbox {
    /// Makes `undecided` what dead processes had in hand. Done when an outbox is opened; a long-running sender calls it now
    /// and then. Returns how many.
    pub fn recover(&self, now: Timestamp) -> ToolResult<usize> {
        let owners: Vec<String> = {
            let connection = self.connect()?;
            let fail = |e: rusqlite::Error| database_error(&self.path, &e);
            let mut statement = connection
                .prepare("SELECT DISTINCT owner FROM messages WHERE outbox = ?1 AND state = 'sending'")
                .map_err(fail)?;
            let found = statement.query_map([&self.name], |r| r.get(0)).map_err(fail)?;
            found.collect::<Result<_, _>>().map_err(fail)?
        };
        let mut undecided = 0;
        for owner in owners {
            // Whoever can take the lock of a name knows that its owner is dead; it is held until that is noted.
            let Some(_lock) = self.lock_of_dead(&owner)? else {
                continue;
            };
            undecided += self.write(|tx| {
                tx.execute(
                    "UPDATE messages SET state = 'undecided', owner = NULL, ended_at = ?3,
                       error = 'the process that was sending it ended'
                     WHERE outbox = ?1 AND owner = ?2 AND state = 'sending'",
                    params![self.name, owner, now.as_millisecond()],
                )
                .map_err(|e| database_error(&self.path, &e))
            })?;
            drop(std::fs::remove_file(self.owner_file(&owner)));
        }
        Ok(undecided)
    }

    fn owner_file(&self, owner: &str) -> PathBuf {
        self.dir.join("outbox.owners").join(owner)
    }

    /// The name of this process as a sender, made with the first message it takes.
    pub(super) fn owner(&self) -> ToolResult<String> {
        let mut owner = mutex::lock(&self.owner);
        if let Some(owner) = &*owner {
            return Ok(owner.name.clone());
        }
        let name = ids::random_id("o_");
        let path = self.owner_file(&name);
        files::create_folder("make", path.parent().unwrap_or(&self.dir))?;
        let file = lock_file(&path)?.ok_or_else(|| ToolError::internal("a random name is taken already"))?;
        *owner = Some(Owner {
            name: name.clone(),
            path,
            _lock: file,
        });
        Ok(name)
    }

    fn lock_of_dead(&self, owner: &str) -> ToolResult<Option<File>> {
        let own = mutex::lock(&self.owner);
        if own.as_ref().is_some_and(|own| own.name == owner) {
            return Ok(None);
        }
        let path = self.owner_file(owner);
        files::create_folder("make", path.parent().unwrap_or(&self.dir))?;
        lock_file(&path)
    }
}

/// Opens and locks a file; `None` when somebody else holds it.
fn lock_file(path: &Path) -> ToolResult<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| ToolError::file("open", path, &e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(ToolError::file("lock", path, &e.into())),
    }
}
