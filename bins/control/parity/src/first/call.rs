//! The command line of a `parity shadow`, read without anything else.

use std::{ffi::OsString, path::PathBuf};

/// The parts of the command line that the script needs.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub tool: String,
    pub control: Option<String>,
    pub stdin: Option<PathBuf>,
    pub tool_input: Option<PathBuf>,
    pub files: Vec<PathBuf>,
    pub args: Vec<String>,
}

impl Call {
    /// Reads the command line; `None` when it asks for something else than a run, or makes no sense: then the usual way
    /// tells what is wrong.
    pub(super) fn of(args: &[OsString]) -> Option<Self> {
        const ALONE: [&str; 10] = [
            "--smtp",
            "--any-order",
            "--json",
            "--text",
            "--quiet",
            "-q",
            "--apply",
            "--capture",
            "--confine",
            "-v",
        ];
        const OTHERWISE: [&str; 9] = [
            "--help",
            "-h",
            "--version",
            "-V",
            "--describe",
            "--print-input",
            "--dry-run",
            "--input",
            "--legacy",
        ];
        let mut args = args.iter().map(|arg| arg.to_str());
        if args.next()?? != "shadow" {
            return None;
        }
        let mut call = Self::default();
        while let Some(arg) = args.next() {
            let arg = arg?;
            if arg == "--" {
                call.args = args.map(|arg| arg.map(str::to_owned)).collect::<Option<_>>()?;
                break;
            }
            let (name, mut value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg, None),
            };
            if OTHERWISE.contains(&name) {
                return None;
            }
            if !name.starts_with('-') {
                if call.tool.is_empty() {
                    arg.clone_into(&mut call.tool);
                } else {
                    call.args.push(arg.to_owned());
                }
                continue;
            }
            if value.is_none() && !ALONE.contains(&name) {
                value = Some(args.next()??.to_owned());
            }
            match (name, value) {
                ("--control", Some(words)) => call.control = Some(words),
                ("--stdin", Some(path)) => call.stdin = Some(path.into()),
                ("--tool-input", Some(path)) => call.tool_input = Some(path.into()),
                ("--files" | "--sqlite", Some(path)) => call.files.push(path.into()),
                _ => {}
            }
        }
        (!call.tool.is_empty()).then_some(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Option<Call> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Call::of(&words)
    }

    #[test]
    fn the_command_line_gives_script_and_arguments() {
        let found = call("shadow demo --control=old --effects reads --json --files a --sqlite b -- x --help")
            .unwrap();
        assert_eq!(
            (found.tool.as_str(), found.control.as_deref()),
            ("demo", Some("old"))
        );
        assert_eq!(found.files, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(found.args, ["x", "--help"]);
        for other in [
            "run demo",
            "shadow demo --dry-run",
            "shadow --help",
            "shadow",
            "shadow demo --control",
        ] {
            assert!(call(other).is_none(), "{other}");
        }
    }
}
