//! The divergence log of shadowed runs: one JSON line a comparison, append-only, shared by all processes of the host.

use std::{
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use app_core::{ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// One line of the divergence log.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Version of the format.
    pub v: u32,
    /// When the script ended.
    pub at: jiff::Timestamp,
    /// The tool.
    pub tool: String,
    /// Whether nothing differed but noise.
    pub clean: bool,
    /// What differed, one text a place.
    pub differences: Vec<String>,
    /// Whether noise was looked for (no need to when nothing differed).
    pub calibrated: bool,
    /// SHA-256 of arguments, stdin and input files.
    pub input_sha256: String,
    /// Milliseconds the script took.
    pub legacy_ms: u64,
    /// Milliseconds the tool took.
    pub rust_ms: u64,
}

/// Adds a line to the log under a lock. A line that was cut off by a crash is closed first.
pub fn append(state_dir: &Path, line: &Line) -> ToolResult<PathBuf> {
    let folder = state_dir.join("parity");
    let path = folder.join("shadow.jsonl");
    let failed = |e: &std::io::Error| ToolError::file("append to", &path, e);
    app_core::state::folder(&folder)?;
    let mut file = std::fs::File::options()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| failed(&e))?;
    file.lock().map_err(|e| failed(&e))?;
    let mut text = format!("{}\n", json!(line));
    if file.seek(SeekFrom::End(0)).map_err(|e| failed(&e))? > 0 {
        let mut last = [0_u8; 1];
        file.seek(SeekFrom::End(-1))
            .and_then(|_| file.read_exact(&mut last))
            .map_err(|e| failed(&e))?;
        if last[0] != b'\n' {
            text.insert(0, '\n');
        }
    }
    file.write_all(text.as_bytes()).map_err(|e| failed(&e))?;
    Ok(path)
}
