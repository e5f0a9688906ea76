//! One program at a time on one session: the lock files of the replaced scripts, and the session file itself, since
//! those scripts delete their lock files.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use rustix::fs::{FlockOperation, OFlags, flock};

/// How often a busy lock is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// A session that is ours until this is dropped.
///
/// The files stay: taking the name away is what let two programs hold one lock.
#[derive(Debug)]
pub struct Lock {
    _files: Vec<File>,
}

impl Lock {
    /// Takes the locks in order, then that of the session file if there is one, waiting at most `patience` for all of
    /// them together.
    ///
    /// # Errors
    /// `locked` when another program holds one, `config` for a lock file that is a link, `io` for one that cannot be made.
    pub async fn take(
        ctx: &Context,
        paths: &[PathBuf],
        session: &Path,
        patience: Duration,
    ) -> ToolResult<Self> {
        let until = Instant::now().checked_add(patience);
        let mut files = Vec::new();
        let mut told = false;
        let places = paths.iter().map(|path| (path.as_path(), false));
        for (path, is_session) in places.chain([(session, true)]) {
            loop {
                let taken = if is_session {
                    attempt_session(path)?
                } else {
                    attempt(path)?
                };
                match taken {
                    Attempt::Taken(file) => {
                        files.push(file);
                        break;
                    }
                    Attempt::Nothing => break,
                    Attempt::Busy => {}
                }
                let left = until.map_or(RETRY, |until| until.saturating_duration_since(Instant::now()));
                if left.is_zero() {
                    return Err(busy(path));
                }
                if !told {
                    ctx.info(format!(
                        "another program uses this session; waiting for it up to {} s",
                        patience.as_secs_f64()
                    ));
                    told = true;
                }
                tokio::select! {
                    () = tokio::time::sleep(RETRY.min(left)) => {}
                    () = ctx.cancellation().cancelled() => return Err(ToolError::cancelled()),
                }
            }
        }
        Ok(Self { _files: files })
    }
}

fn busy(path: &Path) -> ToolError {
    ToolError::new(
        ErrorKind::Locked,
        format!(
            "the session is in use: `{}` is locked by another program",
            path.display()
        ),
    )
    .code("session_locked")
    .hint("run the tools one after another, or wait longer with `TELEGRAM_LOCK_WAIT=SECONDS`")
}

/// How a try to take a lock ended.
enum Attempt {
    /// It is ours.
    Taken(File),
    /// There is nothing to lock.
    Nothing,
    /// Somebody else holds it.
    Busy,
}

/// Opens and locks the file.
///
/// The file is left as it is, whatever it holds, and one behind a link is refused: whoever can write into a folder could
/// otherwise choose which file of ours is emptied or made.
fn attempt(path: &Path) -> ToolResult<Attempt> {
    let failed = |e: &std::io::Error| ToolError::file("lock", path, e);
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
        .open(path);
    let file = match opened {
        Ok(file) if file.metadata().is_ok_and(|there| there.is_file()) => file,
        Ok(_) => return Err(odd(path)),
        Err(_) if std::fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) => {
            return Err(odd(path));
        }
        Err(e) => return Err(failed(&e)),
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Attempt::Busy),
        Err(errno) => return Err(failed(&errno.into())),
    }
    // The scripts delete the file when they let go. A lock on a name that is gone locks nobody out.
    if stands(path, &file).map_err(|e| failed(&e))? {
        return Ok(Attempt::Taken(file));
    }
    attempt(path)
}

/// Locks the session file itself, which nobody deletes while it is in use.
fn attempt_session(path: &Path) -> ToolResult<Attempt> {
    let failed = |e: &std::io::Error| ToolError::file("lock", path, e);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Attempt::Nothing),
        Err(e) => return Err(failed(&e)),
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Attempt::Busy),
        Err(errno) => return Err(failed(&errno.into())),
    }
    // A login puts a new file in its place.
    if stands(path, &file).map_err(|e| failed(&e))? {
        return Ok(Attempt::Taken(file));
    }
    attempt_session(path)
}

/// Whether the name still leads to the open file.
fn stands(path: &Path, file: &File) -> std::io::Result<bool> {
    let ours = file.metadata()?;
    Ok(std::fs::metadata(path).is_ok_and(|there| there.ino() == ours.ino() && there.dev() == ours.dev()))
}

fn odd(path: &Path) -> ToolError {
    ToolError::new(
        ErrorKind::Config,
        format!(
            "`{}` is not a regular file and is not used as a lock",
            path.display()
        ),
    )
    .code("lock_unusable")
    .hint("look where it leads, then delete it")
}
