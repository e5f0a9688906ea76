//! What lies in the state directory is for its owner alone, whatever the umask; and nothing that is no tool is started.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use testkit::tools;

use crate::{ExampleRun, evidence::each_tool, examples};

#[test]
fn state_is_private_under_any_umask() {
    each_tool("private_state", |tool| {
        for example in examples(&tool.describe()) {
            let example_run = ExampleRun::of(tool, &example);
            let state = example_run.sandbox.root().join("state");
            // The tool makes it, as on a fresh host.
            fs::remove_dir(&state).unwrap();
            let mut args = vec![
                "-c".to_owned(),
                "umask 000; exec \"$@\"".to_owned(),
                "sh".to_owned(),
            ];
            args.push(tool.binary.display().to_string());
            args.extend(example_run.args.iter().cloned());
            let run = example_run.sandbox.run(Path::new("/bin/sh"), &args);
            let name = format!("{} {:?}", tool.name, example_run.args);
            assert_eq!(run.code, Some(example_run.exit), "{name}: {}", run.stderr);
            if state.exists() {
                open_to_others(&state, &name);
            }
        }
    });
}

#[track_caller]
fn open_to_others(path: &Path, name: &str) {
    let meta = fs::symlink_metadata(path).unwrap();
    if meta.is_symlink() {
        return;
    }
    let mode = meta.permissions().mode() & 0o777;
    assert_eq!(mode & 0o077, 0, "{name}: `{}` is {mode:o}", path.display());
    if meta.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            open_to_others(&entry.unwrap().path(), name);
        }
    }
}

/// The tools folder of a real host is `~/.local/bin`, full of programs that are nobody's tool.
#[test]
fn a_program_beside_the_tools_is_never_started() {
    each_tool("bystander", |tool| {
        for example in examples(&tool.describe()) {
            let mut example_run = ExampleRun::of(tool, &example);
            let folder = example_run.sandbox.root().join("bin");
            fs::create_dir(&folder).unwrap();
            for other in tools::all() {
                symlink(&other.binary, folder.join(&other.name)).unwrap();
            }
            let trace = example_run.sandbox.root().join("bystander-ran");
            for bystander in ["bystander", "gif-generator", "site_monitor2"] {
                let path = folder.join(bystander);
                fs::write(&path, format!("#!/bin/sh\necho $0 >> {}\n", trace.display())).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            example_run.sandbox = example_run
                .sandbox
                .env("ONEJOB_TOOLS_DIR", folder.display().to_string());
            let run = example_run.run(tool);
            let name = format!("{} {:?}", tool.name, example_run.args);
            assert_eq!(run.code, Some(example_run.exit), "{name}: {}", run.stderr);
            assert!(
                !trace.exists(),
                "{name}: started {:?}",
                fs::read_to_string(&trace)
            );
        }
    });
}
