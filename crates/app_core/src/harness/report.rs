//! Prints a failure: the one place that does.

use std::io::Write as _;

use super::logging::Colours;
use crate::{contract::ToolError, text::visible_line};

/// Writes the failure to stderr: as text for people, as one JSON line for machines.
pub(super) fn report(error: &ToolError, json: bool, colours: Colours) {
    let text = if json {
        // Printing must not fail the failure.
        let mut line = serde_json::json!({"error": error}).to_string();
        line.push('\n');
        line
    } else {
        let (red, bold, off) = if colours.stderr {
            ("\x1b[31;1m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        let mut text = format!("{red}error:{off} {}\n", visible_line(&error.message));
        for cause in &error.causes {
            text.push_str(&format!("  caused by: {}\n", visible_line(cause)));
        }
        if let Some(hint) = &error.hint {
            text.push_str(&format!("{bold}hint:{off} {}\n", visible_line(hint)));
        }
        text
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
}
