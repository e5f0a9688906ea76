//! Asking the person at the terminal; nobody else.

use std::io::{BufRead, IsTerminal, Write};

use app_core::{Secret, ToolError, ToolResult};

/// Whether somebody can be asked.
pub fn possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line; the question goes to stderr.
pub fn line(question: &str) -> ToolResult<String> {
    let mut error = std::io::stderr();
    let failed = |e: &std::io::Error| ToolError::internal("the terminal cannot be read").caused_by(e);
    write!(error, "{question} ")
        .and_then(|()| error.flush())
        .map_err(|e| failed(&e))?;
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut text)
        .map_err(|e| failed(&e))?;
    Ok(text.trim().to_owned())
}

/// Asks for a secret, which is not shown.
pub fn secret(question: &str) -> ToolResult<Secret> {
    rpassword::prompt_password(format!("{question} "))
        .map(Secret::new)
        .map_err(|e| ToolError::internal("the terminal cannot be read").caused_by(&e))
}

/// Shows a text on stderr.
pub fn show(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
