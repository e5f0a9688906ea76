//! What a caller gave as a secret, kept apart from the store until its job is over.
//!
//! Each job's secrets are one file below `secrets/` in the state folder, readable by its owner only. It is made within
//! the transaction that queues the job, and overwritten and removed after the one that ends it. A file without an open
//! job, left by a crash between the two, is removed when the store is opened. The store itself never holds a secret:
//! its write-ahead log would keep it long after the row has changed.

use std::{
    collections::HashSet,
    fs::OpenOptions,
    io::{Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use app_core::contract::{ToolError, ToolResult};
use serde_json::{Map, Value};

/// The folder of them.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    dir: PathBuf,
}

impl Secrets {
    /// Below this state folder; the folder is made with the first secret.
    pub(crate) fn below(state_dir: &Path) -> Self {
        Self {
            dir: state_dir.join("secrets"),
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.dir).map_or(true, |mut entries| entries.next().is_none())
    }

    /// Writes secrets into a file of their own, and returns its name.
    pub(crate) fn keep(&self, secrets: &Map<String, Value>) -> ToolResult<String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|e| ToolError::internal(format!("no random bytes: {e}")))?;
        let name = hex::encode(bytes);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(|e| ToolError::file("make", &self.dir, &e))?;
        let path = self.dir.join(&name);
        let text = serde_json::to_vec(secrets).map_err(|e| ToolError::internal(e.to_string()))?;
        let written = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(&text)?;
                file.sync_all()
            });
        if let Err(e) = written {
            self.forget(&name);
            return Err(ToolError::file("write", &path, &e));
        }
        Ok(name)
    }

    /// The secrets in a file.
    pub(crate) fn read(&self, name: &str) -> ToolResult<Map<String, Value>> {
        let path = self.dir.join(name);
        let text = std::fs::read(&path).map_err(|e| ToolError::file("read", &path, &e))?;
        serde_json::from_slice(&text)
            .map_err(|e| ToolError::internal(format!("`{}` holds no secrets: {e}", path.display())))
    }

    /// Overwrites and removes a file. One that is gone is as it should be.
    pub(crate) fn forget(&self, name: &str) {
        let path = self.dir.join(name);
        let overwritten = OpenOptions::new().write(true).open(&path).and_then(|mut file| {
            let length = file.metadata()?.len();
            file.rewind()?;
            std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length), &mut file)?;
            file.sync_all()
        });
        match overwritten.and_then(|()| std::fs::remove_file(&path)) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => {
                tracing::error!(path = %path.display(), "a secret whose job is over cannot be overwritten: {e}");
                drop(std::fs::remove_file(&path));
            }
        }
    }

    /// Removes every file that no open job needs. The caller holds the write lock of the store.
    pub(crate) fn keep_only(&self, needed: &HashSet<String>) {
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            match entry.file_name().to_str() {
                Some(name) if needed.contains(name) => {}
                Some(name) => self.forget(name),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_readable_by_its_owner_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::below(dir.path());
        let given: Map<String, Value> = [("a.b".to_owned(), Value::from("CANARY"))].into_iter().collect();
        let (kept, other) = (secrets.keep(&given).unwrap(), secrets.keep(&given).unwrap());
        assert_eq!(secrets.read(&kept).unwrap(), given);
        let file = dir.path().join("secrets").join(&kept);
        let link = dir.path().join("link");
        std::fs::hard_link(&file, &link).unwrap();
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        secrets.keep_only(&[other.clone()].into());
        assert!(!file.exists() && secrets.read(&other).is_ok());
        let left = std::fs::read(&link).unwrap();
        assert!(
            left.iter().all(|b| *b == 0),
            "the bytes themselves are overwritten"
        );
    }
}
