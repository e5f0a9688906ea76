//! The files of messages: fetched in parts, several at a time, into a folder that knows what it holds.
//!
//! A file is known by Telegram's number for it, never by name and size alone: an edited message may carry another file
//! under the same name, and two chats may send files of one name.

mod folder;
mod name;
mod parts;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use app_core::{Artifact, Context, ErrorKind, ToolError, ToolResult};
use tokio::sync::Semaphore;

pub use folder::Folder;
pub(crate) use name::cut;
pub use name::{download_name, safe_name};

use crate::client::Telegram;
use crate::model::{File, Message};
use crate::peers::Chat;

/// Files that are fetched at the same time.
pub const FILES_AT_ONCE: usize = 4;

/// Requests for parts that are on their way at the same time, over all files.
const PARTS_AT_ONCE: usize = 8;

/// Failures in a row after which a data centre is left alone for the rest of the run.
const PATIENCE_WITH_A_DC: u32 = 4;

/// What became of a file.
#[derive(Debug)]
pub enum Outcome {
    /// It lies in the folder.
    Stored {
        /// Its name there.
        name: String,
        /// It was fetched now, not before.
        fresh: bool,
    },
    /// Telegram does not deliver it.
    Gone(String),
    /// It could not be fetched this time.
    Later(String),
}

/// A file to fetch.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The chat of its message.
    pub chat: &'a Chat,
    /// Number of the message in that chat.
    pub message: i32,
    /// Where it can be fetched.
    pub file: File,
    /// The name it should have.
    pub name: String,
}

/// Fetches files into one folder.
#[derive(Debug)]
pub struct Fetcher<'a> {
    telegram: &'a Telegram,
    folder: Folder,
    gate: Semaphore,
    trouble: Mutex<Trouble>,
}

/// What makes further tries pointless.
#[derive(Debug, Default)]
struct Trouble {
    /// For every file.
    all: Option<String>,
    /// Failures since the last success, by data centre.
    dcs: HashMap<i32, u32>,
}

impl<'a> Fetcher<'a> {
    /// For files that go into `folder`.
    ///
    /// # Errors
    /// `io` when what the folder holds cannot be read.
    pub fn new(telegram: &'a Telegram, folder: &Path) -> ToolResult<Self> {
        Ok(Self {
            telegram,
            folder: Folder::open(telegram, folder)?,
            gate: Semaphore::new(PARTS_AT_ONCE),
            trouble: Mutex::default(),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Fetches a file unless it is there.
    ///
    /// # Errors
    /// Only those that end the run: it is cancelled, the login is gone. All others become an [`Outcome`].
    pub async fn fetch(&self, wanted: &Wanted<'_>) -> ToolResult<Outcome> {
        if let Some(name) = self.folder.holds(wanted) {
            return Ok(Outcome::Stored { name, fresh: false });
        }
        if let Some(reason) = self.hopeless(wanted.file.dc) {
            return Ok(Outcome::Later(reason));
        }
        let dc = wanted.file.dc;
        match self.bytes(wanted).await {
            Ok(name) => {
                self.trouble().dcs.remove(&dc);
                Ok(Outcome::Stored { name, fresh: true })
            }
            Err(error) => match error.kind {
                ErrorKind::Cancelled | ErrorKind::Unauthorised | ErrorKind::Internal => Err(error),
                ErrorKind::ProviderRejected | ErrorKind::NotFound | ErrorKind::Conflict => {
                    Ok(Outcome::Gone(error.message))
                }
                ErrorKind::RateLimited => {
                    self.trouble().all = Some(error.message.clone());
                    Ok(Outcome::Later(error.message))
                }
                ErrorKind::Io => Ok(Outcome::Later(error.message)),
                _ => {
                    *self.trouble().dcs.entry(dc).or_default() += 1;
                    Ok(Outcome::Later(error.message))
                }
            },
        }
    }

    /// Fetches the bytes into a file of its own, then gives it its name.
    async fn bytes(&self, wanted: &Wanted<'_>) -> ToolResult<String> {
        let (path, mut part, have) = self.folder.begin(wanted)?;
        let size = wanted.file.size;
        let bytes = self
            .telegram
            .fetch_parts(wanted, &mut part, have, &self.gate)
            .await?;
        drop(part);
        // A size of nothing is what the service says of files it has not measured.
        if bytes != size && size > 0 {
            let _ = std::fs::remove_file(&path);
            return Err(ToolError::new(
                ErrorKind::ProviderRejected,
                format!("{bytes} bytes came instead of {size}"),
            ));
        }
        self.folder.finish(wanted, &path, bytes)
    }

    /// Why no file of a data centre need be tried any more.
    fn hopeless(&self, dc: i32) -> Option<String> {
        let trouble = self.trouble();
        let dead = trouble
            .dcs
            .get(&dc)
            .is_some_and(|failures| *failures >= PATIENCE_WITH_A_DC);
        trouble
            .all
            .clone()
            .or_else(|| dead.then(|| format!("data centre {dc} does not deliver at the moment")))
    }

    /// Notes that nothing more can be fetched in this run.
    pub fn give_up(&self, reason: &str) {
        self.trouble().all = Some(reason.to_owned());
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a file from everybody but its owner, before anything private goes into it.
///
/// # Errors
/// `io` when its mode cannot be changed.
pub fn close_to_others(path: &Path) -> ToolResult<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|e| ToolError::file("protect", path, &e))
}

/// As [`Context::write`], readable by its owner only.
///
/// # Errors
/// `io` when it cannot be written.
pub fn write_private(
    ctx: &Context,
    path: &Path,
    media_type: &str,
    role: &str,
    bytes: &[u8],
) -> ToolResult<Artifact> {
    let mut pending = ctx.create(path, media_type, role)?;
    close_to_others(pending.path())?;
    std::io::Write::write_all(&mut pending, bytes).map_err(|e| ToolError::file("write", path, &e))?;
    pending.commit()
}

impl Wanted<'_> {
    /// The file of a message, under its usual name; `None` where it has none.
    pub fn of<'a>(chat: &'a Chat, message: &Message) -> Option<Wanted<'a>> {
        let media = message.media.as_ref()?;
        Some(Wanted {
            chat,
            message: message.id,
            file: media.file()?.clone(),
            name: download_name(&message.id.to_string(), media),
        })
    }
}
