//! Standard output, the one place that writes to it.

use std::{
    io::{IsTerminal as _, Stdout, Write as _},
    path::Path,
};

use crate::contract::{ToolError, ToolResult};

/// The stream itself, for bytes that are handed on as another program wrote them.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn stdout() -> Stdout {
    std::io::stdout()
}

/// Whether a person reads it.
pub(crate) fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// Writes to stdout. A reader that left is no failure; a full disk is.
pub(crate) fn write(text: &str) -> ToolResult<()> {
    hand_on(text.as_bytes())
}

/// Writes bytes to stdout as they are. A reader that left is no failure.
///
/// Fails with `io` when they cannot be written.
pub fn hand_on(bytes: &[u8]) -> ToolResult<()> {
    let mut stdout = stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(ToolError::file(
            "write the result to",
            Path::new("standard output"),
            &error,
        )),
        _ => Ok(()),
    }
}
