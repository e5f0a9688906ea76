//! Standard output, the one place that writes to it.

use std::{io::Write as _, path::Path};

use crate::contract::{ToolError, ToolResult};

/// Writes to stdout. A reader that left is no failure; a full disk is.
pub(crate) fn write(text: &str) -> ToolResult<()> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(ToolError::file(
            "write the result to",
            Path::new("standard output"),
            &error,
        )),
        _ => Ok(()),
    }
}
