//! Prints a page to PDF, or takes a picture of it, with headless Chromium as a child process.

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
    let arguments = [
        "--no-pdf-header-footer".to_owned(),
        format!("--print-to-pdf={}", pdf.display()),
    ];
    let said = drive(ctx, page, &arguments, limit).await?;
    if std::fs::read(pdf).is_ok_and(|bytes| bytes.starts_with(b"%PDF-")) {
        return Ok(());
    }
    Err(nothing("PDF", "no_pdf", &said))
}

/// A picture of the top of a page, as PNG. Scripts of the page do not run and nothing is fetched: it is other people's.
pub async fn picture(
    ctx: &Context,
    page: &Path,
    (width, height): (u32, u32),
    limit: Duration,
) -> ToolResult<Vec<u8>> {
    let folder =
        tempfile::tempdir().map_err(|e| ToolError::file("create a folder in", &std::env::temp_dir(), &e))?;
    let png = folder.path().join("page.png");
    let address = page
        .canonicalize()
        .ok()
        .and_then(|page| url::Url::from_file_path(page).ok());
    let address =
        address.ok_or_else(|| ToolError::file("read", page, &std::io::ErrorKind::NotFound.into()))?;
    // A frame without leave to run scripts; the browser itself needs them for its picture. Addresses hold no quotes.
    let frame = folder.path().join("frame.html");
    let html = format!(
        "<!doctype html><style>body{{margin:0}}iframe{{display:block;border:0;width:{width}px;height:{height}px}}</style><iframe sandbox src=\"{address}\"></iframe>"
    );
    std::fs::write(&frame, html).map_err(|e| ToolError::file("write", &frame, &e))?;
    let arguments = [
        "--host-resolver-rules=MAP * ~NOTFOUND".to_owned(),
        // In a process of its own the frame may be painted after the picture was taken.
        "--disable-features=IsolateSandboxedIframes".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--window-size={width},{height}"),
        format!("--screenshot={}", png.display()),
    ];
    let said = drive(ctx, &frame, &arguments, limit).await?;
    std::fs::read(&png).map_err(|_| nothing("picture", "no_picture", &said))
}

fn nothing(what: &str, code: &str, said: &str) -> ToolError {
    ToolError::new(ErrorKind::Io, format!("the browser made no {what}"))
        .code(code)
        .from_source("browser")
        .with("browser_message", said.to_owned())
}

/// Lets the browser work on a page; the last line that it said.
async fn drive(ctx: &Context, page: &Path, arguments: &[String], limit: Duration) -> ToolResult<String> {
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
            "--run-all-compositor-stages-before-draw",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
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
        let text = format!(
            "the browser did not finish with the page within {} s",
            limit.as_secs()
        );
        return Err(ToolError::new(ErrorKind::Timeout, text).from_source("browser"));
    };
    let status =
        status.map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot wait for the browser: {e}")))?;
    let text = String::from_utf8_lossy(&messages);
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no message")
        .to_owned();
    if status.success() {
        return Ok(last);
    }
    Err(ToolError::new(
        ErrorKind::Io,
        format!("`{}` ended badly ({status})", program.display()),
    )
    .code("browser_failed")
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
        ToolError::config("PDFs and pictures of pages need Chromium, which is not installed")
            .code("missing_browser")
            .hint(format!(
                "apt install chromium, or name the program in {BROWSER_VARIABLE}"
            ))
    })
}

fn runs_as_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
