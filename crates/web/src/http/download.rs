//! Answers that go to a file instead of memory.

use std::{io::Write as _, path::Path};

use reqwest::header::HeaderMap;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use url::Url;

use app_core::contract::{ErrorKind, ToolError, ToolResult};

use super::{Request, failure, jitter};

/// A body in a temporary file, which goes away with this value unless it is kept.
#[derive(Debug)]
pub struct Download {
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// Address after redirects.
    pub url: Url,
    /// The file.
    pub file: NamedTempFile,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, lower-case hex.
    pub sha256: String,
}

impl Request<'_> {
    /// Fetches the body into a temporary file of `folder`, within the limit of bytes, and hashes it on the way. A status
    /// that is not 2xx is an error of the matching kind. Repeated by policy where that does no harm, each time anew.
    pub async fn download(self, folder: &Path) -> ToolResult<Download> {
        let retry = self.http.options.retry;
        let attempts = if self.repeatable { retry.attempts.max(1) } else { 1 };
        let mut attempt = 1;
        loop {
            let result = tokio::select! {
                biased;
                () = self.http.cancel.cancelled() => return Err(ToolError::cancelled()),
                result = self.download_once(folder) => result,
            };
            match result {
                Err(error) if error.retryable && attempt < attempts => {
                    attempt += 1;
                    let asked = error.retry_after_ms.map(std::time::Duration::from_millis);
                    if asked.is_some_and(|wait| wait.as_millis() > u128::from(retry.max_backoff_ms)) {
                        return Err(error);
                    }
                    let wait = asked.unwrap_or_else(|| retry.wait(attempt, jitter()));
                    tokio::select! {
                        () = self.http.cancel.cancelled() => return Err(ToolError::cancelled()),
                        () = tokio::time::sleep(wait) => {}
                    }
                }
                settled => return settled,
            }
        }
    }

    async fn download_once(&self, folder: &Path) -> ToolResult<Download> {
        let mut response = self.open().await?;
        let (status, headers, url) = (
            response.status(),
            response.headers().clone(),
            response.url().clone(),
        );
        if !status.is_success() {
            return Err(failure::status_error(&url, status));
        }
        let too_large = || {
            let host = url.host_str().unwrap_or_default();
            let message = format!("the answer of `{host}` is larger than {} bytes", self.max_bytes);
            ToolError::new(ErrorKind::ProviderRejected, message)
                .code("body_too_large")
                .from_source("http")
        };
        if response
            .content_length()
            .is_some_and(|length| length > self.max_bytes)
        {
            return Err(too_large());
        }
        let unwritable = |e: &std::io::Error| ToolError::file("write a file in", folder, e);
        let mut file = tempfile::Builder::new()
            .prefix(".download.")
            .suffix(".part")
            .tempfile_in(folder)
            .map_err(|e| unwritable(&e))?;
        let (mut bytes, mut hasher) = (0_u64, Sha256::new());
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failure::classify(&url, &error))?
        {
            bytes += chunk.len() as u64;
            if bytes > self.max_bytes {
                return Err(too_large());
            }
            hasher.update(&chunk);
            file.write_all(&chunk).map_err(|e| unwritable(&e))?;
        }
        file.flush().map_err(|e| unwritable(&e))?;
        Ok(Download {
            headers,
            url,
            file,
            bytes,
            sha256: hex::encode(hasher.finalize()),
        })
    }
}
