//! Evidence: what a check showed of a tool, when, with which command, and for which binary.
//!
//! `parity check` and the contract suite write it, `migration_report` reads it. It lies in `$ONEJOB_EVIDENCE_DIR`, else in
//! `evidence` of the state directory, as `<gate>/<tool>.json`: one file per gate and tool, the last result only.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use app_core::{
    config::process_env,
    contract::{ErrorKind, ToolError, ToolResult},
    files, state,
};

/// Version of the file format.
const VERSION: u32 = 1;

/// Largest evidence file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// An acceptance gate of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// It does what the replaced script did.
    Parity,
    /// Its failures have the right kind, exit code and wording.
    FailureTaxonomy,
    /// It keeps its timeout and retry policy and stops when told to.
    Policy,
    /// It tells what it does: events, records, no secrets.
    Observability,
    /// It can be run from a form made from its description alone.
    GenericUi,
}

impl Acceptance {
    /// Every gate, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Parity,
        Self::FailureTaxonomy,
        Self::Policy,
        Self::Observability,
        Self::GenericUi,
    ];

    /// Name in files and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parity => "parity",
            Self::FailureTaxonomy => "failure_taxonomy",
            Self::Policy => "policy",
            Self::Observability => "observability",
            Self::GenericUi => "generic_ui",
        }
    }
}

/// What a check showed of one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Version of the format.
    pub v: u32,
    /// The gate it speaks for.
    pub gate: Acceptance,
    /// Tool name.
    pub tool: String,
    /// Command that shows it again.
    pub command: String,
    /// When it was shown.
    pub at: Timestamp,
    /// Whether the check held.
    pub passed: bool,
    /// One line for people: `7 of 7 cases`.
    pub summary: String,
    /// SHA-256 of the binary it was shown with, lower-case hex.
    pub binary_sha256: String,
    /// Version that binary has.
    pub tool_version: String,
}

impl Evidence {
    /// What was shown at this moment with this very binary, which is read for its hash.
    pub fn now(gate: Acceptance, tool: &str, version: &str, binary: &Path) -> ToolResult<Self> {
        Ok(Self {
            v: VERSION,
            gate,
            tool: tool.to_owned(),
            command: String::new(),
            at: app_core::Clock::System.now(),
            passed: false,
            summary: String::new(),
            binary_sha256: files::sha256_of(binary)?,
            tool_version: version.to_owned(),
        })
    }
}

/// All evidence of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// What could be read, ordered by gate and tool.
    pub evidence: Vec<Evidence>,
    /// Files that are no evidence, with the reason: they show nothing, and should not pass unnoticed.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Where evidence lies: `$ONEJOB_EVIDENCE_DIR`, else `evidence` in the state directory.
pub fn evidence_dir() -> ToolResult<PathBuf> {
    match process_env("ONEJOB_EVIDENCE_DIR") {
        Some(dir) => Ok(dir.into()),
        None => Ok(state::state_dir()?.join("evidence")),
    }
}

/// Puts `<gate>/<tool>.json` in place, whole, over an older one.
pub fn write(dir: &Path, evidence: &Evidence) -> ToolResult<PathBuf> {
    let name_ok = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if evidence.tool.is_empty() || !evidence.tool.chars().all(name_ok) {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}` is no tool name", evidence.tool.escape_debug()),
        ));
    }
    let folder = dir.join(evidence.gate.as_str());
    state::folder(&folder)?;
    let path = folder.join(format!("{}.json", evidence.tool));
    let failed = |e: &std::io::Error| ToolError::file("write", &path, e);
    let text = serde_json::to_string_pretty(evidence).map_err(|e| ToolError::internal(e.to_string()))?;
    let mut file = tempfile::Builder::new()
        .prefix(".evidence")
        .suffix(".part")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .tempfile_in(&folder)
        .map_err(|e| failed(&e))?;
    writeln!(file, "{text}").map_err(|e| failed(&e))?;
    file.persist(&path).map_err(|e| failed(&e.error))?;
    Ok(path)
}

/// Reads every `<gate>/<tool>.json`. No folder is no evidence.
pub fn read_all(dir: &Path) -> ToolResult<Shelf> {
    let mut shelf = Shelf::default();
    for gate in Acceptance::ALL {
        let folder = dir.join(gate.as_str());
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(ToolError::file("list", &folder, &e)),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
        paths.sort();
        for path in paths {
            match read_one(&path, gate) {
                Ok(evidence) => shelf.evidence.push(evidence),
                Err(why) => shelf.unreadable.push((path, why)),
            }
        }
    }
    Ok(shelf)
}

fn read_one(path: &Path, gate: Acceptance) -> Result<Evidence, String> {
    let bytes = files::read_limited(path, MAX_BYTES).map_err(|e| e.message)?;
    let evidence: Evidence = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
    let named = path.file_stem().and_then(|name| name.to_str());
    if evidence.v != VERSION {
        Err(format!("format {} is not known here", evidence.v))
    } else if evidence.gate != gate || Some(evidence.tool.as_str()) != named {
        Err(format!(
            "it speaks for gate {} of `{}`",
            evidence.gate.as_str(),
            evidence.tool
        ))
    } else {
        Ok(evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(dir: &Path) -> Evidence {
        let binary = dir.join("binary");
        std::fs::write(&binary, "abc").unwrap();
        Evidence {
            command: "parity check --tool demo".into(),
            passed: true,
            summary: "7 of 7 cases".into(),
            ..Evidence::now(Acceptance::Parity, "demo", "0.1.0", &binary).unwrap()
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_the_last_result_counts() {
        let dir = tempfile::tempdir().unwrap();
        let mut evidence = sample(dir.path());
        assert!(evidence.binary_sha256.starts_with("ba7816bf"));
        let path = write(dir.path(), &evidence).unwrap();
        assert!(path.ends_with("parity/demo.json"));
        evidence.passed = false;
        write(dir.path(), &evidence).unwrap();
        let shelf = read_all(dir.path()).unwrap();
        assert_eq!(shelf.evidence, [evidence]);
        assert_eq!(std::fs::read_dir(dir.path().join("parity")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_evidence_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let evidence = sample(dir.path());
        let path = write(dir.path(), &evidence).unwrap();
        // The same words for another tool, another version, half a file.
        std::fs::copy(&path, path.with_file_name("other.json")).unwrap();
        std::fs::write(path.with_file_name("half.json"), "{\"v\": 1,").unwrap();
        let newer = std::fs::read_to_string(&path)
            .unwrap()
            .replace("\"v\": 1", "\"v\": 2");
        std::fs::write(&path, newer).unwrap();
        let shelf = read_all(dir.path()).unwrap();
        assert_eq!(shelf.evidence, []);
        assert_eq!(shelf.unreadable.len(), 3, "{shelf:?}");
        assert_eq!(read_all(&dir.path().join("absent")).unwrap(), Shelf::default());
    }

    #[test]
    fn a_tool_name_is_no_path() {
        let dir = tempfile::tempdir().unwrap();
        let evidence = Evidence {
            tool: "../demo".into(),
            ..sample(dir.path())
        };
        assert_eq!(
            write(dir.path(), &evidence).unwrap_err().kind,
            ErrorKind::InvalidInput
        );
    }
}
