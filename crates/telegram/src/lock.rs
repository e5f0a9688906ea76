//! One program at a time on one session: the lock files of the replaced scripts.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use rustix::fs::{FlockOperation, flock};

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
    /// Takes the locks in order, waiting at most `patience` for all of them together.
    pub async fn take(ctx: &Context, paths: &[PathBuf], patience: Duration) -> ToolResult<Self> {
        let until = Instant::now() + patience;
        let mut files = Vec::new();
        let mut told = false;
        for path in paths {
            loop {
                if let Some(file) = attempt(path)? {
                    files.push(file);
                    break;
                }
                let left = until.saturating_duration_since(Instant::now());
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

/// Opens and locks the file; `None` if somebody else holds it.
fn attempt(path: &Path) -> ToolResult<Option<File>> {
    let failed = |e: &std::io::Error| ToolError::file("lock", path, e);
    let file = File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)
        .map_err(|e| failed(&e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(errno) => return Err(failed(&errno.into())),
    }
    // The scripts delete the file when they let go. A lock on a name that is gone locks nobody out.
    let ours = file.metadata().map_err(|e| failed(&e))?;
    match std::fs::metadata(path) {
        Ok(there) if there.ino() == ours.ino() && there.dev() == ours.dev() => Ok(Some(file)),
        _ => attempt(path),
    }
}
