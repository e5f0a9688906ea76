//! Files of reports: what is read, and how a report and its PDF are written.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{Artifact, Context, ErrorKind, Source, ToolError, ToolResult};
use serde::de::DeserializeOwned;

use crate::browser;

/// Largest JSON or goal file read.
pub const MAX_TEXT_BYTES: u64 = 20_000_000;

/// Writes a report. Fails when the file cannot be written.
pub fn write(ctx: &Context, report: &Path, html: &str, sources: &[String]) -> ToolResult<Artifact> {
    let mut file = ctx.create(report, "text/html", "report")?;
    for source in sources {
        file = file.made_from(Source::named(source));
    }
    std::io::Write::write_all(&mut file, html.as_bytes())
        .map_err(|e| ToolError::file("write", report, &e))?;
    file.commit()
}

/// Prints a page beside the report. Fails when the browser does.
pub async fn pdf(ctx: &Context, page: &Path, report: &Path, seconds: u64) -> ToolResult<Option<PathBuf>> {
    let target = report.with_extension("pdf");
    if ctx.dry_run() {
        return Ok(Some(target));
    }
    let bar = ctx.progress("pdf", "pages", None);
    let pending = ctx.create(&target, "application/pdf", "report")?;
    let limit = Duration::from_secs(seconds);
    browser::print_pdf(ctx, page, pending.path(), limit).await?;
    pending
        .made_from(Source::named(report.display().to_string()))
        .commit()?;
    bar.finish();
    Ok(Some(target))
}

/// A JSON file. Fails when it cannot be read, or is not as expected.
pub fn json_file<T: DeserializeOwned>(ctx: &Context, path: &Path) -> ToolResult<T> {
    let bytes = ctx.read(path, MAX_TEXT_BYTES)?;
    serde_json::from_slice(&bytes).map_err(|e| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}` is not as expected: {e}", path.display()),
        )
    })
}
