//! Helper programs as child processes: each in a process group of its own that never outlives us.

use std::{ffi::OsStr, io, process::ExitStatus, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::contract::{ErrorKind, ToolError, ToolResult};

/// A running child and everything it starts. Dropped, the whole group is killed.
#[derive(Debug)]
pub struct ChildGroup {
    child: Child,
    group: Option<Pid>,
}

impl ChildGroup {
    /// Starts the command in a new process group. A missing program is a `config` error.
    pub fn spawn(mut command: Command) -> ToolResult<Self> {
        let program = command.as_std().get_program().to_owned();
        let child = command
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| spawn_error(&program, &e))?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self { child, group })
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for the child itself.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        Ok(status)
    }

    /// Asks the group to stop, waits up to `grace`, then kills it.
    pub async fn stop(mut self, grace: Duration) {
        self.signal(Signal::TERM);
        let _ = tokio::time::timeout(grace, self.child.wait()).await;
        self.signal(Signal::KILL);
        let _ = self.child.wait().await;
    }

    /// Asks the whole group to stop, without waiting.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Lets go of what the ended child may have left running.
    pub fn release(mut self) {
        self.group = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // The group may be gone already.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for ChildGroup {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

fn spawn_error(program: &OsStr, error: &io::Error) -> ToolError {
    let name = program.to_string_lossy();
    match error.kind() {
        io::ErrorKind::NotFound => ToolError::config(format!("the program `{name}` is not installed"))
            .code("missing_program")
            .hint(format!("install it (Debian: apt install {})", package_of(&name))),
        _ => ToolError::new(ErrorKind::Io, format!("cannot start `{name}`: {error}")),
    }
    .from_source("process")
}

/// The Debian package that brings a program.
fn package_of(program: &str) -> &str {
    match program {
        "ffprobe" => "ffmpeg",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_program_is_a_config_error() {
        let error = ChildGroup::spawn(Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (ErrorKind::Config, "missing_program")
        );
    }

    #[tokio::test]
    async fn stopping_ends_grandchildren_that_ignore_the_request() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!(
            "trap '' TERM; sleep 60 & echo $! > {}; wait; wait",
            file.display()
        ));
        let group = ChildGroup::spawn(command).unwrap();
        let pid = loop {
            if let Ok(text) = std::fs::read_to_string(&file)
                && let Ok(pid) = text.trim().parse::<i32>()
            {
                break pid;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        group.stop(Duration::from_millis(50)).await;
        let dead = || {
            std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| {
                stat.rsplit(')')
                    .next()
                    .is_some_and(|rest| rest.trim_start().starts_with('Z'))
            })
        };
        for _ in 0..200 {
            if dead() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("grandchild {pid} is alive");
    }
}
