//! Telling the other processes on the store to look into it.
//!
//! Each has a datagram socket in the state folder. A lost poke costs time only: everybody looks by himself now and then.

use std::{
    fs::File,
    os::{fd::AsRawFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
};

use app_core::contract::{ToolError, ToolResult};

/// What a poke says that concerns only those who follow jobs. Any other byte concerns everybody.
pub(crate) const FOLLOWERS: u8 = b'.';

/// This process's socket, and the folder of all of them.
#[derive(Debug)]
pub(crate) struct Pokes {
    dir: File,
    path: PathBuf,
    name: String,
    socket: UnixDatagram,
}

impl Pokes {
    /// Makes the socket.
    pub(crate) fn open(path: &Path, owner: &str) -> ToolResult<Self> {
        let fail = |e: std::io::Error| ToolError::file("open", path, &e);
        let dir = File::open(path).map_err(fail)?;
        let name = format!("{owner}.sock");
        // A socket address holds 108 bytes, a state folder may be deeper: go through the open folder.
        let at = address(&dir, &name);
        let socket = UnixDatagram::bind(&at).map_err(fail)?;
        // The folder is closed already; this is for whoever looks at the file alone.
        std::fs::set_permissions(&at, std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(fail)?;
        socket.set_nonblocking(true).map_err(fail)?;
        Ok(Self {
            dir,
            path: path.to_owned(),
            name,
            socket,
        })
    }

    /// The receiving end, for the runtime to wait on.
    pub(crate) fn receiver(&self) -> ToolResult<tokio::net::UnixDatagram> {
        self.socket
            .try_clone()
            .and_then(tokio::net::UnixDatagram::from_std)
            .map_err(|e| ToolError::file("listen in", &self.path, &e))
    }

    /// Pokes all others; removes the sockets of the dead. Not `everything`: it concerns only those who follow jobs.
    pub(crate) fn poke_others(&self, everything: bool) {
        let Ok(entries) = std::fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if name == self.name || entry.path().extension().is_none_or(|e| e != "sock") {
                continue;
            }
            match self.socket.send_to(
                &[if everything { b'!' } else { FOLLOWERS }],
                address(&self.dir, &name),
            ) {
                // A full socket belongs to somebody who will look anyway.
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                    drop(std::fs::remove_file(entry.path()));
                }
                Err(e) => tracing::debug!(socket = name, "cannot poke: {e}"),
            }
        }
    }
}

impl Drop for Pokes {
    fn drop(&mut self) {
        drop(std::fs::remove_file(self.path.join(&self.name)));
    }
}

fn address(dir: &File, name: &str) -> String {
    format!("/proc/self/fd/{}/{name}", dir.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poke_arrives_in_a_folder_with_a_very_long_name() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("x".repeat(120));
        std::fs::create_dir(&dir).unwrap();
        let (a, b) = (Pokes::open(&dir, "a").unwrap(), Pokes::open(&dir, "b").unwrap());
        drop(UnixDatagram::bind(address(&a.dir, "dead.sock")).unwrap());
        a.poke_others(false);
        let mut buffer = [0; 8];
        assert_eq!(b.socket.recv(&mut buffer).unwrap(), 1);
        assert_eq!(buffer[0], FOLLOWERS);
        assert!(!dir.join("dead.sock").exists());
    }
}
