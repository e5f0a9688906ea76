//! A child that leads a process group, and the pipes to it.

use std::{
    os::fd::OwnedFd,
    process::{Child, ExitStatus},
};

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe;

use super::pidfd::PidFd;

/// A child that leads a process group.
pub(super) struct Group {
    child: Child,
    pid: Pid,
    pub(super) watched: PidFd,
    reaped: bool,
}

impl Group {
    pub(super) fn new(mut child: Child) -> ToolResult<Self> {
        let pid =
            Pid::from_raw(child.id() as i32).ok_or_else(|| ToolError::internal("a child without a number"));
        match pid.and_then(|pid| Ok((pid, PidFd::open(pid)?))) {
            Ok((pid, watched)) => Ok(Self {
                child,
                pid,
                watched,
                reaped: false,
            }),
            Err(error) => {
                drop((child.kill(), child.wait()));
                Err(error)
            }
        }
    }

    pub(super) fn pipes(&mut self) -> ToolResult<(pipe::Sender, pipe::Receiver, pipe::Receiver)> {
        let gone = || ToolError::internal("a child without pipes");
        let stdin = self.child.stdin.take().ok_or_else(gone)?;
        let stdout = self.child.stdout.take().ok_or_else(gone)?;
        let stderr = self.child.stderr.take().ok_or_else(gone)?;
        let sender = pipe::Sender::from_owned_fd(stdin.into()).map_err(|e| pipe_error(&e))?;
        Ok((sender, receiver(stdout.into())?, receiver(stderr.into())?))
    }

    pub(super) fn signal(&self, signal: Signal) {
        if !self.reaped {
            // Nobody may be left to hear it.
            let _ = kill_process_group(self.pid, signal);
        }
    }

    /// Ends what the leader left behind in its group, and takes its status.
    pub(super) fn reap(&mut self) -> ToolResult<ExitStatus> {
        self.signal(Signal::KILL);
        self.reaped = true;
        self.child
            .wait()
            .map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot wait for a process: {e}")))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Signal::KILL);
            drop(self.child.wait());
        }
    }
}

pub(super) fn receiver(fd: OwnedFd) -> ToolResult<pipe::Receiver> {
    pipe::Receiver::from_owned_fd(fd).map_err(|e| pipe_error(&e))
}

fn pipe_error(cause: &std::io::Error) -> ToolError {
    ToolError::new(ErrorKind::Io, format!("cannot read from a child: {cause}")).from_source("job")
}
