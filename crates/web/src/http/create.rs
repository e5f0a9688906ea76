//! Requests that make something on the far side, so that sending them twice would make it twice.

use std::time::{Duration, Instant};

use app_core::contract::{Secret, ToolError, ToolResult};
use reqwest::header::HeaderValue;

use super::{Request, Response, Unanswered, jitter};

/// What became of a request that makes something.
#[derive(Debug)]
pub enum Creation {
    /// The far side answered, with whatever status; nothing else is known to have happened.
    Answered(Response),
    /// It never reached the far side, so that it may be sent again.
    NotSent(ToolError),
    /// It was sent, or may have been, and no whole answer came: what it was to make may exist. It must not be sent
    /// again before somebody has looked.
    Unconfirmed(ToolError),
}

impl Request<'_> {
    /// Adds a header whose value is a secret.
    pub fn secret_header(mut self, name: &'static str, value: &Secret) -> ToolResult<Self> {
        let mut value: HeaderValue = value
            .reveal()
            .parse()
            .map_err(|_| ToolError::config("the key has characters that cannot be sent"))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sends a request that makes something. It is repeated, by policy, only while it surely never arrived; a redirect
    /// is an answer like any other, since following it could make the thing twice.
    pub async fn create(mut self) -> Creation {
        self.follow = false;
        let retry = self.http.options.retry;
        let mut attempt = 1;
        loop {
            if self.http.cancel.is_cancelled() {
                return Creation::NotSent(ToolError::cancelled());
            }
            let error = tokio::select! {
                biased;
                // It is on its way, and nobody waits for the answer any more.
                () = self.http.cancel.cancelled() => return Creation::Unconfirmed(ToolError::cancelled()),
                outcome = self.create_once() => match outcome {
                    Creation::NotSent(error) => error,
                    other => return other,
                },
            };
            if !error.retryable || attempt >= retry.attempts {
                return Creation::NotSent(error);
            }
            attempt += 1;
            let wait: Duration = retry.wait(attempt, jitter());
            tokio::select! {
                () = self.http.cancel.cancelled() => return Creation::NotSent(ToolError::cancelled()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn create_once(&self) -> Creation {
        let started = Instant::now();
        match self.open().await {
            Err(Unanswered { error, sent: false }) => Creation::NotSent(error),
            Err(Unanswered { error, sent: true }) => Creation::Unconfirmed(error),
            Ok(response) => match Response::read(response, started, self.max_bytes).await {
                Ok(response) => Creation::Answered(response),
                Err(error) => Creation::Unconfirmed(error),
            },
        }
    }
}
