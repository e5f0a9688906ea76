//! The replaced script alone, found without the settings of this program.

use std::path::{Path, PathBuf};

use job_manager::LegacySection;
use serde_json::Value;

use super::given::{parse_input, words_of};

/// A script as a shadowed run starts it, found without the settings of this program.
#[derive(Debug)]
pub struct Script {
    /// Command line.
    pub words: Vec<String>,
    /// What it reads on stdin; `None` passes this process's on.
    pub stdin: Option<Vec<u8>>,
}

/// The script that a `parity shadow` names: by its command line, or by `[legacy.TOOL]` in the operator's settings. Of
/// those only that section is read, so that a mistake elsewhere in the file stops no script. `None` when none is found.
pub fn script(
    tool: &str,
    control: Option<&str>,
    tool_input: Option<&Path>,
    args: &[String],
    cwd: &Path,
) -> Option<Script> {
    let input: Option<Value> = match tool_input {
        Some(source) => Some(parse_input(source).ok()?),
        None => None,
    };
    if let Some(control) = control {
        let mut words = words_of("control", control, cwd).ok()?;
        words.extend(args.iter().cloned());
        let stdin = input.map(|input| input.to_string().into_bytes());
        return Some(Script { words, stdin });
    }
    let section = legacy_alone(tool)?;
    let script = std::path::absolute(&section.script).ok()?;
    let mut words = vec![
        section.interpreter.display().to_string(),
        script.display().to_string(),
    ];
    if let Some(input) = &input {
        words.extend(job_manager::legacy_arguments(tool, &section, input).ok()?);
    }
    words.extend(args.iter().cloned());
    Some(Script { words, stdin: None })
}

/// `[legacy.TOOL]` of the operator's file, whatever the rest of the file is like.
fn legacy_alone(tool: &str) -> Option<LegacySection> {
    let named = app_core::config::process_env("ONEJOB_CONFIG_DIR").map(PathBuf::from);
    let dirs = named.into_iter().chain([PathBuf::from("/etc/onejob")]);
    dirs.filter_map(|dir| std::fs::read(dir.join("onejob.toml")).ok())
        .find_map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            let header = format!("[legacy.{tool}]");
            let inner = format!("[legacy.{tool}.");
            let mut wanted = false;
            let mut section = String::new();
            for line in text.trim_start_matches('\u{feff}').lines() {
                let line_start = line.trim_start();
                if line_start.starts_with('[') {
                    wanted = line_start.starts_with(&header) || line_start.starts_with(&inner);
                }
                if wanted {
                    section.push_str(line);
                    section.push('\n');
                }
            }
            let mut value: toml::Table = toml::from_str(&section).ok()?;
            let table = value.get_mut("legacy")?.as_table_mut()?.remove(tool)?;
            table.try_into().ok()
        })
}
