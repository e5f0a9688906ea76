//! Heavy work beside the async threads.

/// Runs work that takes processor time away from the async threads, so that the time limit of the run still holds.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failed) => match failed.try_into_panic() {
            // The harness reports it like any other panic of the run.
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only when the runtime is shutting down.
            Err(_) => std::future::pending().await,
        },
    }
}
