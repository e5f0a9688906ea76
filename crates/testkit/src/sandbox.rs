//! A place of its own for one program: working directory, HOME, TMPDIR, state, and a clean environment.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// Directories of one run and the environment it gets.
#[derive(Debug)]
pub struct Sandbox {
    root: TempDir,
    env: BTreeMap<String, String>,
}

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Lines of the event stream.
    pub events: Vec<Value>,
    /// Time from start to end.
    pub took: Duration,
}

impl Finished {
    /// Standard output as JSON; fails the test when it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "stdout is not JSON ({error}): {}\nstderr: {}",
                self.stdout, self.stderr
            )
        })
    }

    /// Fails the test unless the exit code is this one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl Sandbox {
    /// Fresh directories below the system's temporary directory.
    pub fn new() -> std::io::Result<Self> {
        let root = tempfile::Builder::new().prefix("onejob-test-").tempdir()?;
        let mut env = BTreeMap::new();
        for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp"), ("ONEJOB_STATE_DIR", "state")] {
            let path = root.path().join(folder);
            std::fs::create_dir(&path)?;
            env.insert(name.to_owned(), path.display().to_string());
        }
        std::fs::create_dir(root.path().join("work"))?;
        env.insert("TZ".into(), "UTC".into());
        env.insert("LANG".into(), "C.UTF-8".into());
        // Helper programs such as ffmpeg and chromium are found where the host has them.
        env.insert(
            "PATH".into(),
            std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into()),
        );
        Ok(Self { root, env })
    }

    /// Sets an environment variable for the programs started here.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// The working directory.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The root, holding `work`, `home`, `tmp` and `state`.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// A path in the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Writes a file into the working directory.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .unwrap_or_else(|e| panic!("cannot make `{}`: {e}", folder.display()));
        }
        std::fs::write(&path, bytes).unwrap_or_else(|e| panic!("cannot write `{}`: {e}", path.display()));
        path
    }

    /// Copies the files of a folder into the working directory; a folder that does not exist counts as empty.
    pub fn copy_in(&self, folder: &Path) -> std::io::Result<()> {
        if folder.is_dir() {
            copy_tree(folder, &self.work())
        } else {
            Ok(())
        }
    }

    /// Files of the working directory, relative, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.work(), "", &mut found);
        found.sort();
        found
    }

    /// Runs a program to its end.
    pub fn run<A: AsRef<OsStr>>(&self, program: &Path, args: &[A]) -> Finished {
        self.run_with(program, args, b"")
    }

    /// Runs a program with this standard input.
    pub fn run_with<A: AsRef<OsStr>>(&self, program: &Path, args: &[A], stdin: &[u8]) -> Finished {
        let started = self.start(program, args, stdin);
        started.finish()
    }

    /// Gives a command this place: its environment and nothing else, and its working directory.
    pub fn prepare(&self, command: &mut Command) {
        command.env_clear().envs(&self.env).current_dir(self.work());
    }

    /// Starts a program and returns at once.
    pub fn start<A: AsRef<OsStr>>(&self, program: &Path, args: &[A], stdin: &[u8]) -> Started {
        // The shell opens the event stream on descriptor 5 and then becomes the program.
        let events = tempfile::NamedTempFile::new_in(self.root.path())
            .unwrap_or_else(|e| panic!("cannot make the event file: {e}"))
            .into_temp_path();
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$@\" 5>\"$EVENTS_FILE\"", "sh"])
            .arg(program)
            .args(args);
        self.prepare(&mut command);
        command
            .env("EVENTS_FILE", events.as_os_str())
            .env("ONEJOB_EVENTS_FD", "5")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start `{}`: {e}", program.display()));
        if let Some(mut pipe) = child.stdin.take() {
            // A program that does not read its input is fine.
            let _ = pipe.write_all(stdin);
        }
        Started {
            child,
            events,
            at: Instant::now(),
        }
    }
}

/// A running program.
#[derive(Debug)]
pub struct Started {
    child: Child,
    events: tempfile::TempPath,
    at: Instant,
}

impl Started {
    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name, for example `TERM`.
    pub fn signal(&self, name: &str) {
        let _ = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .stderr(Stdio::null())
            .status();
    }

    /// Events so far.
    pub fn events(&self) -> Vec<Value> {
        read_events(&self.events)
    }

    /// Waits for the end.
    pub fn finish(self) -> Finished {
        let output = self
            .child
            .wait_with_output()
            .unwrap_or_else(|e| panic!("cannot wait for the program: {e}"));
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            events: read_events(&self.events),
            took: self.at.elapsed(),
        }
    }
}

fn read_events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or(Value::String(line.to_owned())))
        .collect()
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
            // Fixtures may be read-only; a program under test may want to replace them.
            let mut permissions = std::fs::metadata(&target)?.permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
            std::fs::set_permissions(&target, permissions)?;
        }
    }
    Ok(())
}

fn list(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            list(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}
