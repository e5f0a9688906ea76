//! Processes that outlived the manager or the run they belong to.
//!
//! They are known by the marks in their environment, which children inherit, and by their process group. A process
//! id alone proves nothing: it may have been given to somebody else.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// Environment variable with the name of the job.
pub(crate) const JOB_MARK: &str = "ONEJOB_JOB_ID";
/// Environment variable with the name of the process that runs the job.
pub(crate) const OWNER_MARK: &str = "ONEJOB_JOB_OWNER";

/// Whom to look for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// All of these must stand in the environment, as `NAME=value`.
    pub marks: Vec<String>,
    /// Process groups as noted when they were made: leader and its start time.
    pub groups: Vec<(u32, u64)>,
}

/// What `/proc/<pid>/stat` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    dead: bool,
    group: u32,
    start: u64,
}

/// Start time of a process in clock ticks since boot.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    stat(pid).map(|s| s.start)
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// proc_pid_stat(5). The second field is a name in parentheses that may itself hold spaces and parentheses.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        group: fields.get(2)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
    })
}

/// Every living process that matches, this one excepted.
fn find(wanted: &Wanted) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids: Vec<u32> = entries
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .collect();
    let groups: HashSet<u32> = wanted
        .groups
        .iter()
        // A leader with another start time is a stranger, and so is its group.
        .filter(|(leader, start)| start_time(*leader).is_none_or(|s| s == *start))
        .map(|(leader, _)| *leader)
        .collect();
    pids.into_iter()
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let Some(stat) = stat(*pid) else { return false };
            !stat.dead && (groups.contains(&stat.group) || is_marked(*pid, &wanted.marks))
        })
        .collect()
}

fn is_marked(pid: u32, marks: &[String]) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let has = |mark: &String| {
        environment
            .split(|b| *b == 0)
            .any(|entry| entry == mark.as_bytes())
    };
    !marks.is_empty() && marks.iter().all(has)
}

/// Whether any living process matches. One look.
pub(crate) fn any(wanted: &Wanted) -> bool {
    !find(wanted).is_empty()
}

/// Ends every process that matches: SIGTERM, `grace`, SIGKILL. Returns when none is left, with the number ended.
/// Gives up after a minute: then something sits in the kernel, and the number is an error.
pub(crate) fn end(wanted: &Wanted, grace: Duration) -> Result<usize, usize> {
    let mut seen = HashSet::new();
    let begin = Instant::now();
    let mut clean = 0;
    loop {
        let found = find(wanted);
        if found.is_empty() {
            // A process between fork and exec has no environment of its own yet: look twice.
            clean += 1;
            if clean == 2 {
                return Ok(seen.len());
            }
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        clean = 0;
        let force = begin.elapsed() >= grace;
        for pid in &found {
            if seen.insert(*pid) || force {
                signal(*pid, if force { Signal::KILL } else { Signal::TERM });
                signal(*pid, Signal::CONT);
            }
        }
        if begin.elapsed() > grace + Duration::from_secs(60) {
            return Err(found.len());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid as i32) {
        // It may be gone by now.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let rest = (1..=18).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let stat = parse_stat(&format!("7 (a) b (c) S {rest} 99 0")).unwrap();
        assert_eq!(
            stat,
            Stat {
                dead: false,
                group: 2,
                start: 99
            }
        );
    }

    #[test]
    fn marked_processes_are_ended_and_others_are_not() {
        let mark = format!("{OWNER_MARK}=test-{}", std::process::id());
        let (name, value) = mark.split_once('=').unwrap();
        let mut marked = std::process::Command::new("sleep")
            .arg("60")
            .env(name, value)
            .spawn()
            .unwrap();
        let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let wanted = Wanted {
            marks: vec![mark],
            groups: Vec::new(),
        };
        assert_eq!(end(&wanted, Duration::from_millis(200)), Ok(1));
        assert!(!marked.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
