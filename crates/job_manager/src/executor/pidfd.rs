//! Waiting for a process without taking its status, so that its number stays its own until its group is ended.

use std::os::fd::OwnedFd;

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::{Interest, unix::AsyncFd};

/// Tells when one process has ended.
pub(super) struct PidFd(AsyncFd<OwnedFd>);

impl PidFd {
    /// For a child that has not been waited for.
    pub(super) fn open(pid: Pid) -> ToolResult<Self> {
        let fd = pidfd_open(pid, PidfdFlags::NONBLOCK).map_err(|e| failed(&e.into()))?;
        // SAFETY: an `OwnedFd` is one open descriptor for all its life, and it is owned by the `AsyncFd` until dropped.
        #[expect(
            unsafe_code,
            reason = "the runtime asks for a promise that `OwnedFd` keeps by itself"
        )]
        let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
        registered.map(Self).map_err(|e| failed(&e.into()))
    }

    /// Resolves when the process has ended; it stays a zombie.
    pub(super) async fn ended(&self) -> ToolResult<()> {
        self.0
            .readable()
            .await
            .map(|mut ready| ready.retain_ready())
            .map_err(|e| failed(&e))
    }
}

fn failed(cause: &std::io::Error) -> ToolError {
    ToolError::new(ErrorKind::Io, format!("cannot watch a process: {cause}")).from_source("job")
}
