//! A response, read whole up to the limit.

use std::time::{Duration, Instant};

use reqwest::{StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use url::Url;

use super::{date, failure};
use crate::charset;
use app_core::{
    Clock,
    contract::{ErrorKind, ToolError, ToolResult},
};

/// A far side may ask for silence, but not for years of it.
const LONGEST_WAIT_S: u64 = 24 * 3600;

/// Status, headers and the whole body.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Address after redirects.
    pub url: Url,
    /// Body bytes, decompressed.
    pub body: Vec<u8>,
    /// Time until the headers were there.
    pub to_headers: Duration,
    /// Time until the body was there.
    pub total: Duration,
}

impl Response {
    pub(super) async fn read(
        mut response: reqwest::Response,
        started: Instant,
        max_bytes: u64,
    ) -> ToolResult<Self> {
        let to_headers = started.elapsed();
        let (status, headers, url) = (
            response.status().as_u16(),
            response.headers().clone(),
            response.url().clone(),
        );
        let mut body = Vec::new();
        let too_large = || {
            ToolError::new(
                ErrorKind::ProviderRejected,
                format!(
                    "the answer of `{}` is larger than {max_bytes} bytes",
                    url.host_str().unwrap_or_default()
                ),
            )
            .code("body_too_large")
            .from_source("http")
        };
        // What the server announces need not be fetched to know that it is too much.
        if response.content_length().is_some_and(|length| length > max_bytes) {
            return Err(too_large());
        }
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failure::classify(&url, &error))?
        {
            if body.len() as u64 + chunk.len() as u64 > max_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self {
            status,
            headers,
            url,
            body,
            to_headers,
            total: started.elapsed(),
        })
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// This response, or an error of the matching kind unless the status is 2xx.
    pub fn ok(self) -> ToolResult<Self> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.error())
        }
    }

    /// The status as an error, with the `Retry-After` header applied.
    pub fn error(&self) -> ToolError {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = failure::status_error(&self.url, status);
        match self.retry_after() {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }

    /// Why this response is worth a retry, if it is.
    pub(super) fn retry_reason(&self) -> Option<ToolError> {
        (!self.is_success())
            .then(|| self.error())
            .filter(|error| error.retryable)
    }

    /// A header as text; `None` when absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After` (RFC 9110), in seconds or as a date, at most a day.
    ///
    /// A number too large to be one still asks for silence, so it counts as the longest. A date counts from the
    /// server's own `Date` where it tells one, since clocks differ; one that is past asks for no wait.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        let longest = Duration::from_secs(LONGEST_WAIT_S);
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = text.parse().unwrap_or(LONGEST_WAIT_S);
            return Some(Duration::from_secs(seconds).min(longest));
        }
        let until = date::parse(text)?;
        let now = self.header("date").and_then(date::parse);
        let wait = until.duration_since(now.unwrap_or_else(|| Clock::System.now()));
        Some(Duration::try_from(wait).unwrap_or_default().min(longest))
    }

    /// Media type without parameters, lower case; empty when absent.
    pub fn media_type(&self) -> String {
        let full = self.header("content-type").unwrap_or_default();
        full.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// The body as text in the charset of the header, UTF-8 without one; broken parts become U+FFFD.
    pub fn text(&self) -> String {
        let stated = self.header("content-type").and_then(charset::of_content_type);
        let encoding = stated.unwrap_or(encoding_rs::UTF_8);
        encoding.decode(&self.body).0.into_owned()
    }

    /// The body as JSON. An empty body is an error of its own, not a parse error.
    pub fn json<T: DeserializeOwned>(&self) -> ToolResult<T> {
        let host = self.url.host_str().unwrap_or_default();
        if self.body.is_empty() {
            return Err(ToolError::new(
                ErrorKind::ProviderRejected,
                format!("`{host}` answered with an empty body"),
            )
            .code("empty_body")
            .from_source("http"));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            ToolError::new(
                ErrorKind::ProviderRejected,
                format!("the answer of `{host}` is not the expected JSON"),
            )
            .code("unexpected_body")
            .from_source("http")
            .caused_by(&error)
        })
    }
}
