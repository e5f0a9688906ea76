//! What a side did past everybody who compares: processes it left behind, connections around the proxy.
//!
//! Processes are seen for certain, since orphans come to this process. Sockets are looked at every few milliseconds, so
//! a connection that is over sooner can be missed; that is why a comparison says how it watched.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// Time between two looks at the sockets.
const LOOK: Duration = Duration::from_millis(4);

/// From now on, orphans of the sides come to this process instead of init. Asked for again, it changes nothing.
pub fn adopt() {
    // Without it, leftovers are not seen; the kernel has had it since 3.4.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// One process, from `/proc/PID/stat`.
struct Process {
    id: i32,
    parent: i32,
    name: String,
    ended: bool,
}

fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name stands in parentheses and may hold any character.
            let (before, after) = stat.rsplit_once(')')?;
            let mut fields = after.split_whitespace();
            let state = fields.next()?;
            Some(Process {
                id,
                parent: fields.next()?.parse().ok()?,
                name: before.split_once('(')?.1.to_owned(),
                ended: matches!(state, "Z" | "X"),
            })
        })
        .collect()
}

/// Whether a process is of the side in this folder. Sides are told apart by their directories, which stand in the
/// environment they got: several may run at a time.
fn is_of_side(id: i32, place: &Path) -> bool {
    let root = place.as_os_str().as_encoded_bytes();
    let environ = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    environ.windows(root.len()).any(|window| window == root)
        || std::fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd.starts_with(place))
}

/// What this process started, directly or not, as the kernel's lists of children name it: cheap enough for every few
/// milliseconds however many processes the machine has, but a list that changes meanwhile may lack some. A kernel
/// without such lists is asked for all processes.
fn listed() -> Vec<i32> {
    let children = |id: i32| -> Vec<i32> {
        let threads = std::fs::read_dir(format!("/proc/{id}/task"));
        threads
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
            .flat_map(|ids| {
                ids.split_whitespace()
                    .filter_map(|id| id.parse().ok())
                    .collect::<Vec<i32>>()
            })
            .collect()
    };
    if !Path::new("/proc/thread-self/children").exists() {
        return descendants().into_iter().map(|process| process.id).collect();
    }
    let mut known = children(rustix::process::getpid().as_raw_nonzero().get());
    let mut at = 0;
    while let Some(id) = known.get(at).copied() {
        known.extend(children(id));
        at += 1;
    }
    known
}

/// Everything that this process started, directly or not, and that still runs.
fn descendants() -> Vec<Process> {
    let all = processes();
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let mut known = BTreeSet::from([own]);
    loop {
        let more: Vec<i32> = all
            .iter()
            .filter(|process| known.contains(&process.parent) && !known.contains(&process.id))
            .map(|process| process.id)
            .collect();
        if more.is_empty() {
            break;
        }
        known.extend(more);
    }
    all.into_iter()
        .filter(|process| process.id != own && known.contains(&process.id) && !process.ended)
        .collect()
}

/// Ends what the side in this folder left running, and names it. To be called when the side is over.
pub fn left_running(place: &Path) -> Vec<String> {
    let left: Vec<Process> = descendants()
        .into_iter()
        .filter(|process| is_of_side(process.id, place))
        .collect();
    for process in &left {
        if let Some(id) = Pid::from_raw(process.id) {
            // It may end by itself meanwhile.
            let _ = kill_process(id, Signal::KILL);
        }
    }
    left.into_iter().map(|process| process.name).collect()
}

/// Looks at the sockets of a side while it runs.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<BTreeSet<String>>>,
}

impl Watch {
    /// Begins to look at the side in this folder; connections to these ports of this host are meant to be.
    pub fn begin(place: &Path, expected: Vec<u16>) -> Self {
        let place = place.to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !ended.load(Ordering::Relaxed) {
                look(&place, &expected, &mut seen);
                std::thread::park_timeout(LOOK);
            }
            seen
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Ends, and says what was seen.
    pub fn end(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take();
        let seen = thread.and_then(|thread| {
            thread.thread().unpark();
            thread.join().ok()
        });
        seen.into_iter().flatten().collect()
    }
}

fn look(place: &Path, expected: &[u16], seen: &mut BTreeSet<String>) {
    for id in listed().into_iter().filter(|id| is_of_side(*id, place)) {
        let own: BTreeSet<String> = inodes(id);
        if own.is_empty() {
            continue;
        }
        for (table, udp) in [("tcp", false), ("tcp6", false), ("udp", true), ("udp6", true)] {
            let text = std::fs::read_to_string(format!("/proc/{id}/net/{table}")).unwrap_or_default();
            for line in text.lines().skip(1) {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let (Some(remote), Some(inode)) = (fields.get(2), fields.get(9)) else {
                    continue;
                };
                if !own.contains(*inode) {
                    continue;
                }
                match address(remote) {
                    Some(to) if udp && to.port() != 0 => drop(seen.insert(format!("UDP to {to}"))),
                    Some(to)
                        if to.port() != 0 && !(to.ip().is_loopback() && expected.contains(&to.port())) =>
                    {
                        seen.insert(format!("a connection to {to}"));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Inode numbers of the sockets that a process holds.
fn inodes(id: i32) -> BTreeSet<String> {
    let entries = std::fs::read_dir(format!("/proc/{id}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| {
            let target = std::fs::read_link(entry.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

/// An address as `/proc/net` writes it: hexadecimal, each group of four bytes in the order of the machine.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let bytes = hex::decode(host).ok()?;
    let words: Vec<u8> = bytes
        .chunks(4)
        .flat_map(|word| {
            let mut word = word.to_vec();
            if cfg!(target_endian = "little") {
                word.reverse();
            }
            word
        })
        .collect();
    let ip = match words.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(words).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?)).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_kernel_are_read() {
        assert_eq!(address("0100007F:1F90").unwrap().to_string(), "127.0.0.1:8080");
        assert_eq!(
            address("00000000000000000000000001000000:0050")
                .unwrap()
                .to_string(),
            "[::1]:80"
        );
        assert_eq!(
            address("0000000000000000FFFF00000100007F:0050")
                .unwrap()
                .to_string(),
            "127.0.0.1:80"
        );
        assert!(address("x").is_none());
    }
}
