//! A folder of downloaded files, and what is known of each: which file of which message it is.
//!
//! What is known is kept in the state directory, one line a file. Where that is lost, files are fetched again and
//! compared: nothing that lies in the folder is overwritten because it has the right name.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use app_core::{ToolError, ToolResult};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::Wanted;
use super::name::marked;
use crate::client::Telegram;

/// A line of what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    name: String,
    chat: i64,
    message: i32,
    file: i64,
    size: u64,
}

/// A folder of downloaded files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Where what is known is kept.
    list: PathBuf,
    known: Mutex<HashMap<String, Known>>,
}

impl Folder {
    /// Reads what is known of a folder, which need not exist yet.
    ///
    /// # Errors
    /// `io` when the list cannot be read.
    pub fn open(telegram: &Telegram, path: &Path) -> ToolResult<Self> {
        let whole = std::path::absolute(path).map_err(|e| ToolError::file("find", path, &e))?;
        let whole = whole.canonicalize().unwrap_or(whole);
        let digest = crate::archive::digest(whole.as_os_str().as_encoded_bytes());
        let list = crate::archive::home(telegram)?.join(format!("files-{digest:016x}.ndjson"));
        let mut known = HashMap::new();
        match File::open(&list) {
            Ok(file) => {
                // The last line of a killed run may be half a line.
                for line in BufReader::new(file).lines().map_while(Result::ok) {
                    if let Ok(one) = serde_json::from_str::<Known>(&line) {
                        known.insert(one.name.clone(), one);
                    }
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(ToolError::file("read", &list, &e)),
        }
        Ok(Self {
            path: path.to_owned(),
            list,
            known: Mutex::new(known),
        })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names a file may have: its own, or that with its number where its own belongs to another message.
    fn names(wanted: &Wanted<'_>) -> [String; 2] {
        let mark = format!("{:x}", wanted.file.id);
        [wanted.name.clone(), marked(&wanted.name, &mark)]
    }

    /// The name of a file that is there whole.
    pub fn holds(&self, wanted: &Wanted<'_>) -> Option<String> {
        let known = self.known();
        Self::names(wanted).into_iter().find(|name| {
            let right = known.get(name).is_some_and(|one| {
                one.file == wanted.file.id && one.chat == wanted.chat.id().0 && one.size == wanted.file.size
            });
            let there = || std::fs::symlink_metadata(self.path.join(name));
            right && there().is_ok_and(|there| there.is_file() && there.len() == wanted.file.size)
        })
    }

    /// Opens the file that the bytes go to until all have come, and how many have.
    ///
    /// # Errors
    /// `io` when it cannot be made.
    pub fn begin(&self, wanted: &Wanted<'_>) -> ToolResult<(PathBuf, File, u64)> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|e| ToolError::file("create", &self.path, &e))?;
        // The number of the file is in the name: half of another file must not be gone on with.
        let path = self
            .path
            .join(format!("{}_{:x}.part", wanted.message, wanted.file.id));
        let failed = |e: &std::io::Error| ToolError::file("write", &path, e);
        let part = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&path)
            .map_err(|e| failed(&e))?;
        let mut have = part.metadata().map_err(|e| failed(&e))?.len();
        if have > wanted.file.size {
            part.set_len(0).map_err(|e| failed(&e))?;
            have = 0;
        }
        Ok((path, part, have))
    }

    /// Gives a file that has come its name, and keeps in mind which it is. The name.
    ///
    /// # Errors
    /// `io` when it cannot be put there.
    pub fn finish(&self, wanted: &Wanted<'_>, part: &Path, size: u64) -> ToolResult<String> {
        let [own, other] = Self::names(wanted);
        let target = self.path.join(&own);
        let free = match self.known().get(&own) {
            // An edited message carries another file now.
            Some(one) => one.chat == wanted.chat.id().0 && one.message == wanted.message,
            None => !target.exists() || same(part, &target),
        };
        let name = if free { own } else { other };
        let target = self.path.join(&name);
        std::fs::rename(part, &target).map_err(|e| ToolError::file("rename", part, &e))?;
        self.note(Known {
            name: name.clone(),
            chat: wanted.chat.id().0,
            message: wanted.message,
            file: wanted.file.id,
            size,
        })?;
        Ok(name)
    }

    fn note(&self, one: Known) -> ToolResult<()> {
        let mut line = serde_json::to_string(&one).map_err(|e| ToolError::internal(e.to_string()))?;
        line.push('\n');
        let mut known = self.known();
        File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.list)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|e| ToolError::file("write", &self.list, &e))?;
        known.insert(one.name.clone(), one);
        Ok(())
    }
}

/// Whether two files hold the same bytes.
fn same(one: &Path, other: &Path) -> bool {
    let read = || -> std::io::Result<bool> {
        let (one, other) = (File::open(one)?, File::open(other)?);
        if one.metadata()?.len() != other.metadata()?.len() {
            return Ok(false);
        }
        let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
        let (mut a, mut b) = ([0; 8192], [0; 8192]);
        loop {
            let n = one.read(&mut a)?;
            if n == 0 {
                return Ok(true);
            }
            other.read_exact(&mut b[..n])?;
            if a[..n] != b[..n] {
                return Ok(false);
            }
        }
    };
    read().unwrap_or(false)
}
