//! Which program is the browser.

use std::path::PathBuf;

use app_core::{Context, ToolError, ToolResult};

/// Variable that names the browser.
pub const BROWSER_VARIABLE: &str = "ONEJOB_CHROMIUM";

/// Programs looked for, in order.
const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// The browser, or a config error that says how to get one.
pub fn find(ctx: &Context) -> ToolResult<PathBuf> {
    let path = app_core::config::process_env("PATH").unwrap_or_default();
    if let Some(named) = ctx.env(BROWSER_VARIABLE) {
        let named = PathBuf::from(named);
        let known =
            named.is_file() || std::env::split_paths(&path).any(|folder| folder.join(&named).is_file());
        return known.then_some(named.clone()).ok_or_else(|| {
            let text = format!(
                "`{BROWSER_VARIABLE}` names `{}`, which is no program",
                named.display()
            );
            ToolError::config(text)
                .code("missing_browser")
                .hint("apt install chromium, or name another program")
        });
    }
    let found = PROGRAMS
        .iter()
        .flat_map(|program| std::env::split_paths(&path).map(move |folder| folder.join(program)))
        .find(|candidate| candidate.is_file());
    found.ok_or_else(|| {
        ToolError::config("PDFs and pictures of pages need Chromium, which is not installed")
            .code("missing_browser")
            .hint(format!(
                "apt install chromium, or name the program in {BROWSER_VARIABLE}"
            ))
    })
}
