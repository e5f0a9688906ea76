//! A browser for as long as some work takes, and not a moment longer.

use app_core::{Context, ToolError, ToolResult};
use browser::Browser;

/// Starts a browser, works, and ends it, also when the run is stopped.
pub async fn with_browser<T>(
    ctx: &Context,
    work: impl AsyncFnOnce(&Browser) -> ToolResult<T>,
) -> ToolResult<T> {
    let stop = ctx.cancellation().clone();
    let browser = tokio::select! {
        browser = Browser::start(ctx) => browser?,
        () = stop.cancelled() => return Err(ToolError::cancelled()),
    };
    let outcome = tokio::select! {
        outcome = work(&browser) => outcome,
        () = stop.cancelled() => Err(ToolError::cancelled()),
    };
    browser.close().await;
    outcome
}
