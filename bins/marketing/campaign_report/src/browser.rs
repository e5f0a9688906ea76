//! Prints a page to PDF with headless Chromium as a child process.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, process::ChildGroup};
use tokio::{io::AsyncReadExt, process::Command};

/// Variable that names the browser.
pub const BROWSER_VARIABLE: &str = "ONEJOB_CHROMIUM";

/// Programs looked for, in order.
const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// Time a browser gets to stop by itself.
const GRACE: Duration = Duration::from_secs(2);

/// Bytes of the browser's messages kept for an error.
const MAX_MESSAGES: u64 = 64 * 1024;

/// Prints `page` into `pdf`.
pub async fn print_pdf(ctx: &Context, page: &Path, pdf: &Path, limit: Duration) -> ToolResult<()> {
    let program = find(ctx)?;
    let page = page
        .canonicalize()
        .map_err(|e| ToolError::file("read", page, &e))?;
    let address = url::Url::from_file_path(&page)
        .map_err(|()| ToolError::internal(format!("`{}` has no address", page.display())))?;
    // A profile of its own: a running browser must not take the job, and nothing is left behind.
    let profile = tempfile::Builder::new()
        .prefix("onejob-browser-")
        .tempdir()
        .map_err(|e| ToolError::file("create a folder in", &std::env::temp_dir(), &e))?;

    let mut command = Command::new(&program);
    command
        .args([
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--disable-extensions",
            "--disable-sync",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
        ])
        .args([
            "--disable-dev-shm-usage",
            "--no-pdf-header-footer",
            "--run-all-compositor-stages-before-draw",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if runs_as_root() {
        // Chromium refuses its sandbox to root.
        command.arg("--no-sandbox");
    }
    command.arg(address.as_str());

    let cancel = ctx.cancellation().clone();
    let mut group = ChildGroup::spawn(command)?;
    let mut messages = Vec::new();
    let pipe = group.child().stderr.take();
    let finished = async {
        let read = async {
            if let Some(pipe) = pipe {
                // What it has to say is only wanted for an error.
                let _ = pipe.take(MAX_MESSAGES).read_to_end(&mut messages).await;
            }
        };
        let (status, ()) = tokio::join!(group.wait(), read);
        status
    };
    let outcome = tokio::select! {
        status = finished => Some(status),
        () = tokio::time::sleep(limit) => None,
        () = cancel.cancelled() => {
            group.stop(GRACE).await;
            return Err(ToolError::cancelled());
        }
    };
    let Some(status) = outcome else {
        group.stop(GRACE).await;
        let text = format!("the browser did not print the page within {} s", limit.as_secs());
        return Err(ToolError::new(ErrorKind::Timeout, text).from_source("browser"));
    };
    let status =
        status.map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot wait for the browser: {e}")))?;
    let written = std::fs::read(pdf).is_ok_and(|bytes| bytes.starts_with(b"%PDF-"));
    if status.success() && written {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&messages);
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no message")
        .to_owned();
    Err(ToolError::new(
        ErrorKind::Io,
        format!("`{}` printed no PDF ({status})", program.display()),
    )
    .code("no_pdf")
    .from_source("browser")
    .with("browser_message", last))
}

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
        ToolError::config("a PDF needs Chromium, which is not installed")
            .code("missing_browser")
            .hint(format!(
                "apt install chromium, or name the program in {BROWSER_VARIABLE}"
            ))
    })
}

fn runs_as_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
