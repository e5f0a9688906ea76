//! One crawl of a host at a time on this machine: two would ask it twice as fast as it wants.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, state};
use url::Url;

/// Held until it is dropped, or the process ends.
#[derive(Debug)]
pub struct HostLock {
    _file: File,
}

impl HostLock {
    /// Takes the lock of a shop's host. Fails with `locked` when another crawl has it.
    pub fn take(ctx: &Context, url: &Url) -> ToolResult<Self> {
        let folder = ctx.state_dir()?.join("product_crawler");
        state::folder(&folder)?;
        let host = url.host_str().unwrap_or_default();
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
                c
            } else {
                '_'
            }
        };
        let name: String = host.chars().map(plain).take(200).collect();
        let port = url.port_or_known_default().unwrap_or_default();
        let path = folder.join(format!("{name}_{port}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            // Like everything in the state folder, whatever the umask.
            .mode(0o600)
            .open(&path)
            .map_err(|error| ToolError::file("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                let text = format!("another crawl of `{host}` is under way");
                Err(ToolError::new(ErrorKind::Locked, text)
                    .hint("wait for its end: a shop is asked by one crawl at a time"))
            }
            Err(TryLockError::Error(error)) => Err(ToolError::file("lock", &path, &error)),
        }
    }
}
