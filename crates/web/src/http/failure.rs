//! From the client's failures and HTTP statuses to the kinds of the contract.

use std::error::Error as _;

use reqwest::StatusCode;
use url::Url;

use super::guard::Refused;
use app_core::contract::{ErrorKind, ToolError};

/// A failure below HTTP: name, connection, TLS, time, redirect.
pub(super) fn classify(url: &Url, error: &reqwest::Error) -> ToolError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    let mut deepest = None;
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return refused.clone().into_error(false);
        }
        deepest = Some(inner.to_string());
        cause = inner.source();
    }
    let host = url.host_str().unwrap_or("the server");
    // First, since a time-out while connecting is one that reached nobody.
    let mut told = if error.is_connect() {
        let mut told = ToolError::cannot_connect(format!("cannot connect to `{host}`"));
        if error.is_timeout() {
            told.kind = ErrorKind::Timeout;
        }
        told
    } else if error.is_timeout() {
        failed(
            ErrorKind::Timeout,
            "http_timeout",
            format!("`{host}` did not answer in time"),
        )
    } else if error.is_decode() || error.is_body() {
        let message = format!("the answer of `{host}` broke off or cannot be decoded");
        failed(ErrorKind::Network, "body_broken", message)
    } else {
        failed(
            ErrorKind::Network,
            "http_failed",
            format!("the request to `{host}` failed"),
        )
    }
    .from_source("http");
    if let Some(text) = deepest {
        told.causes.push(text);
    }
    told
}

fn failed(kind: ErrorKind, code: &str, message: String) -> ToolError {
    ToolError::new(kind, message).code(code)
}

/// More hops than the rules allow.
pub(super) fn too_many_redirects(url: &Url) -> ToolError {
    let host = url.host_str().unwrap_or("the server");
    ToolError::new(
        ErrorKind::ProviderRejected,
        format!("`{host}` redirects too often"),
    )
    .code("too_many_redirects")
    .from_source("http")
}

/// A status that is not 2xx as an error; 404 and 410 are `not_found`, 401 and 403 `unauthorised`, 429 `rate_limited`.
pub fn status_error(url: &Url, status: StatusCode) -> ToolError {
    let kind = match status.as_u16() {
        401 | 403 => ErrorKind::Unauthorised,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        500..=599 => ErrorKind::ProviderUnavailable,
        _ => ErrorKind::ProviderRejected,
    };
    let reason = status.canonical_reason().unwrap_or("");
    let shown = crate::shown(url);
    ToolError::new(
        kind,
        format!("`{shown}` answered {} {reason}", status.as_u16())
            .trim_end()
            .to_owned(),
    )
    .code(format!("http_{}", status.as_u16()))
    .from_source("http")
    .with("status", status.as_u16())
}
