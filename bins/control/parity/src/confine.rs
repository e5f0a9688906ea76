//! Keeps a side from writing anywhere but in its own directories, and with a faked far side from connecting to anything
//! but that, by the kernel (Landlock: Linux 5.13 and later for files, 6.7 for connections).
//!
//! A program restricts itself before it becomes the side: `parity --confined-to FOLDER PORTS PROGRAM ARGS...`. Absolute
//! paths in arguments get a place of their own anyway; this is for those in configuration files and in the code.

use std::{
    ffi::OsString,
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use landlock::{
    ABI, AccessFs, AccessNet, NetPort, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
    path_beneath_rules,
};

/// First argument of a program that is to restrict itself.
const FLAG: &str = "--confined-to";

/// What every program may write to.
const COMMON: [&str; 7] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/tty",
    "/dev/shm",
    "/dev/pts",
    "/dev/fd",
];

/// This program, when it is the one that can restrict itself (and not a test that runs sides).
pub fn launcher() -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    (exe.file_name()? == env!("CARGO_PKG_NAME")).then_some(exe)
}

/// Arguments of the launcher that run a command confined to a folder, and to these ports unless any may be reached.
pub fn words(folder: &Path, ports: Option<&[u16]>, command: &[String]) -> Vec<String> {
    let ports = match ports {
        None => "any".to_owned(),
        Some(ports) => ports
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
    };
    let own = [FLAG.to_owned(), folder.display().to_string(), ports];
    own.into_iter().chain(command.iter().cloned()).collect()
}

/// Becomes another program when this process was started for that; returns only when it was not, or cannot.
pub fn enter() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != FLAG {
        return None;
    }
    let (folder, ports) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    let ports: Option<Vec<u16>> = ports
        .to_str()
        .filter(|ports| *ports != "any")
        .map(|ports| ports.split(',').filter_map(|port| port.parse().ok()).collect());
    let command: Vec<OsString> = args.collect();
    let Some((program, rest)) = command.split_first() else {
        return Some(failed("no program to confine"));
    };
    // An older kernel leaves the side as free as it was; its own directories still hold what it is told to write.
    if let Err(error) = restrict(Path::new(&folder), ports.as_deref()) {
        return Some(failed(&error.to_string()));
    }
    let error = Command::new(program).args(rest).exec();
    Some(failed(&format!(
        "cannot start `{}`: {error}",
        program.to_string_lossy()
    )))
}

fn failed(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "parity: {why}");
    ExitCode::from(127)
}

/// From now on this process and all it starts write only below the folder, and connect only to these ports.
fn restrict(folder: &Path, ports: Option<&[u16]>) -> Result<(), RulesetError> {
    let abi = ABI::V4;
    let write = AccessFs::from_write(abi);
    let mut rules = Ruleset::default().handle_access(write)?;
    if ports.is_some() {
        rules = rules.handle_access(AccessNet::ConnectTcp)?;
    }
    let mut rules = rules
        .create()?
        .add_rules(path_beneath_rules([folder], write))?
        .add_rules(path_beneath_rules(COMMON, write))?;
    for port in ports.into_iter().flatten() {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self()?;
    Ok(())
}

/// The file a program name stands for, as the system would find it; `None` when there is none that may be run.
pub fn find(program: &str, path: &str, cwd: &Path) -> Option<PathBuf> {
    let runs = |file: &PathBuf| {
        std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(cwd.join(program)).filter(runs);
    }
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(runs)
}
