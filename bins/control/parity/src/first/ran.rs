//! What the first process tells the second of the script.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use app_core::{ToolError, ToolResult, config::process_env};
use serde::{Deserialize, Serialize};

use super::RAN;
use crate::{seen::Exit, shadow::Stamp};

/// What the script did, as the second process finds it in `ran.json` of the folder; beside it lie `inputs`, `stdout`
/// and `stderr`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ran {
    /// Exit code; none when a signal ended it.
    code: Option<i32>,
    signal: i32,
    took_ms: u64,
    /// When it ended.
    pub at: jiff::Timestamp,
    /// Every entry of the working directory before, with what changes when it is written.
    pub before: Option<BTreeMap<String, Stamp>>,
    /// Why its inputs were not put aside before it ran.
    pub inputs_lost: Option<String>,
    /// What it was given on stdin.
    pub stdin: Vec<u8>,
}

impl Ran {
    /// A run that ended.
    pub fn of(
        exit: &Exit,
        took: Duration,
        at: jiff::Timestamp,
        before: Option<BTreeMap<String, Stamp>>,
    ) -> Self {
        Self {
            code: match exit {
                Exit::Code(code) => Some(*code),
                _ => None,
            },
            signal: match exit {
                Exit::Signal(signal) => *signal,
                _ => 0,
            },
            took_ms: took.as_millis() as u64,
            at,
            before,
            inputs_lost: None,
            stdin: Vec::new(),
        }
    }

    /// How it ended.
    pub fn exit(&self) -> Exit {
        self.code.map_or(Exit::Signal(self.signal), Exit::Code)
    }

    /// How long it took.
    pub const fn took(&self) -> Duration {
        Duration::from_millis(self.took_ms)
    }
}

/// What the first process left, when this is the second.
///
/// Fails with `io` when it cannot be read.
pub fn left() -> ToolResult<Option<(PathBuf, Ran)>> {
    let Some(folder) = process_env(RAN).map(PathBuf::from) else {
        return Ok(None);
    };
    let path = folder.join("ran.json");
    let text = std::fs::read(&path).map_err(|e| ToolError::file("read", &path, &e))?;
    let ran = serde_json::from_slice(&text).map_err(|e| ToolError::internal(format!("ran.json: {e}")))?;
    Ok(Some((folder, ran)))
}
