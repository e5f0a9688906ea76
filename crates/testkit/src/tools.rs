//! Finds the tools of the workspace by looking: one folder below `bins/<family>/` is one binary.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A built tool.
#[derive(Clone, Debug)]
pub struct BuiltTool {
    /// Folder, package and binary name.
    pub name: String,
    /// Folder above it.
    pub family: String,
    /// Source folder.
    pub folder: PathBuf,
    /// The binary.
    pub binary: PathBuf,
}

/// Root of the workspace this test was built in.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where the binaries of the present build are: the folder above the test's own.
pub fn target_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let folder = exe.parent().unwrap_or(Path::new("."));
    if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder).to_owned()
    } else {
        folder.to_owned()
    }
}

/// Every tool of the workspace, sorted by name; only the one `ONEJOB_ONLY_TOOL` names when it is set.
/// A tool that is not built fails the test.
#[track_caller]
pub fn all() -> Vec<BuiltTool> {
    let mut tools = Vec::new();
    for family in folders(&workspace().join("bins")) {
        for folder in folders(&family)
            .into_iter()
            .filter(|folder| folder.join("Cargo.toml").is_file())
        {
            let name = file_name(&folder);
            if std::env::var("ONEJOB_ONLY_TOOL").is_ok_and(|only| only != name) {
                continue;
            }
            let binary = target_dir().join(&name);
            assert!(
                binary.is_file(),
                "`{name}` is not built: run `cargo build --workspace` first"
            );
            tools.push(BuiltTool {
                name,
                family: file_name(&family),
                folder,
                binary,
            });
        }
    }
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    tools
}

/// The binary of one tool.
#[track_caller]
pub fn binary(name: &str) -> PathBuf {
    let path = target_dir().join(name);
    assert!(
        path.is_file(),
        "`{name}` is not built: run `cargo build -p {name}` first"
    );
    path
}

impl BuiltTool {
    /// What it says of itself.
    #[track_caller]
    pub fn describe(&self) -> Value {
        let output = std::process::Command::new(&self.binary)
            .arg("--describe")
            .output()
            .unwrap_or_else(|e| panic!("cannot start `{}`: {e}", self.name));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("`{} --describe` is not JSON: {e}", self.name))
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
