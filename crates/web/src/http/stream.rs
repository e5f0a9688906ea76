//! Answers as a stream, for far sides that think for minutes and speak in pieces: language models above all.
//!
//! One [`Stream`] client speaks to one origin, the one that the operator configured. That origin may lie inside; no
//! other may be reached at all, redirects included, so that a body never goes where it was not meant to go. Nothing is
//! repeated here: whether a request may be sent again depends on what it costs, which the caller knows.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    header::HeaderMap,
};
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

use app_core::{
    Context,
    contract::{ErrorKind, ToolError, ToolResult},
};

use super::Unanswered;
use super::{failure, guard, install_crypto};

/// Time limits of a streamed answer, each of its own: a whole answer may take minutes, silence may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// To connect.
    pub connect: Duration,
    /// From sending the request to the first byte of the body.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub silence: Duration,
    /// For the request as a whole.
    pub whole: Duration,
    /// Largest body in bytes.
    pub max_bytes: u64,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            silence: Duration::from_secs(30),
            whole: Duration::from_secs(600),
            max_bytes: 32 << 20,
        }
    }
}

/// A client for streamed answers of one origin. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stream {
    client: reqwest::Client,
    base: Url,
    limits: StreamLimits,
    cancel: CancellationToken,
}

impl Stream {
    /// A client for the origin (scheme, host, port) of `base`, an http(s) address that the operator configured.
    ///
    /// Ends its waits when the run is to stop, and makes the run cooperative, so that what was begun can be settled.
    pub fn to(ctx: &Context, base: &Url, limits: StreamLimits) -> ToolResult<Self> {
        let host = base.host_str().unwrap_or_default().to_owned();
        if !matches!(base.scheme(), "http" | "https") || host.is_empty() {
            let shown = crate::shown(base);
            return Err(ToolError::config(format!("`{shown}` is not an http(s) address")));
        }
        install_crypto();
        let definition = ctx.definition();
        let mut builder = reqwest::Client::builder()
            .user_agent(format!("onejob-{}/{}", definition.name, definition.version))
            .connect_timeout(limits.connect)
            .referer(false)
            // A compressor holds pieces back until its block is full.
            .no_gzip()
            .no_brotli()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(OneHost { host }));
        if is_loopback(base) {
            // What this machine says to itself is no proxy's affair.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            ToolError::config("cannot set up the HTTP client")
                .caused_by(&error)
                .hint("are the CA certificates installed? (Debian: apt install ca-certificates)")
        })?;
        Ok(Self {
            client,
            base: base.clone(),
            limits,
            cancel: ctx.cancellation().clone(),
        })
    }

    /// Sends one POST and waits for the head of the answer, of whatever status.
    ///
    /// Fails with `redirect_refused` when it is a redirect: its target was not configured.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<Streamed, Unanswered> {
        let unsent = |error| Unanswered { sent: false, error };
        if url.origin() != self.base.origin() {
            let error = ToolError::internal("a streamed request left its origin");
            return Err(unsent(error));
        }
        let begun = Instant::now();
        let request = self.client.post(url.clone()).headers(headers).body(body);
        let first = self.limits.first_byte.min(self.limits.whole) + self.limits.connect;
        let answered = within(&self.cancel, first, request.send()).await;
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                return Err(Unanswered {
                    // Only what fails before a connection stands is sure not to have left.
                    sent: !(error.is_connect() || error.is_builder()),
                    error: failure::classify(url, &error),
                });
            }
            Err(Ended::Cancelled) => {
                return Err(Unanswered {
                    sent: true,
                    error: ToolError::cancelled(),
                });
            }
            Err(Ended::TooLate) => {
                return Err(Unanswered {
                    sent: true,
                    error: too_late(url, "did not begin to answer", first),
                });
            }
        };
        if response.status().is_redirection() {
            let host = url.host_str().unwrap_or("the server");
            let error = ToolError::new(
                ErrorKind::ProviderRejected,
                format!("`{host}` redirects, and the request is sent only where it was configured to go"),
            );
            return Err(unsent(error.code("redirect_refused").from_source("http")));
        }
        Ok(Streamed {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            url: url.clone(),
            response,
            limits: self.limits,
            begun,
            read: 0,
            cancel: self.cancel.clone(),
        })
    }
}

/// An answer whose body comes in pieces.
#[derive(Debug)]
pub struct Streamed {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    url: Url,
    response: reqwest::Response,
    limits: StreamLimits,
    begun: Instant,
    read: u64,
    cancel: CancellationToken,
}

impl Streamed {
    /// The next piece of the body; `None` at its end.
    ///
    /// Fails with `timeout` after too long a silence or when the whole takes too long, with `network` when the
    /// connection breaks, with `body_too_large` beyond the limit, with `cancelled` when the run is to stop.
    pub async fn piece(&mut self) -> ToolResult<Option<Vec<u8>>> {
        let left = self.limits.whole.saturating_sub(self.begun.elapsed());
        let (wait, what) = match self.read {
            0 => (
                self.limits.first_byte.saturating_sub(self.begun.elapsed()),
                "did not begin to answer",
            ),
            _ => (self.limits.silence, "fell silent within its answer"),
        };
        let (wait, what, limit) = if left < wait {
            (left, "did not end its answer", self.limits.whole)
        } else {
            (wait, what, wait)
        };
        match within(&self.cancel, wait, self.response.chunk()).await {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(piece))) => {
                self.read += piece.len() as u64;
                if self.read > self.limits.max_bytes {
                    let host = self.url.host_str().unwrap_or_default();
                    return Err(ToolError::new(
                        ErrorKind::ProviderRejected,
                        format!(
                            "the answer of `{host}` is larger than {} bytes",
                            self.limits.max_bytes
                        ),
                    )
                    .code("body_too_large")
                    .from_source("http"));
                }
                Ok(Some(piece.into()))
            }
            Ok(Err(error)) => Err(failure::classify(&self.url, &error)),
            Err(Ended::Cancelled) => Err(ToolError::cancelled()),
            Err(Ended::TooLate) => Err(too_late(&self.url, what, limit)),
        }
    }

    /// The rest of the body, at most `max` bytes of it; what comes after is left unread.
    pub async fn rest(&mut self, max: usize) -> ToolResult<Vec<u8>> {
        let mut body = Vec::new();
        while body.len() < max {
            let Some(piece) = self.piece().await? else { break };
            body.extend_from_slice(&piece);
        }
        body.truncate(max);
        Ok(body)
    }

    /// A header as text; `None` when absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

enum Ended {
    Cancelled,
    TooLate,
}

async fn within<T>(
    cancel: &CancellationToken,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Ended> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Ended::Cancelled),
        done = tokio::time::timeout(limit, work) => done.map_err(|_| Ended::TooLate),
    }
}

fn too_late(url: &Url, what: &str, limit: Duration) -> ToolError {
    let host = url.host_str().unwrap_or("the server");
    ToolError::new(
        ErrorKind::Timeout,
        format!("`{host}` {what} within {} s", limit.as_secs_f64().ceil()),
    )
    .code("http_timeout")
    .from_source("http")
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// The system's resolver for one host, which may lie inside; every other name must lead outside, or be a proxy's.
#[derive(Debug)]
struct OneHost {
    host: String,
}

impl Resolve for OneHost {
    fn resolve(&self, name: Name) -> Resolving {
        if name.as_str() != self.host {
            return guard::PublicOnly::new().resolve(name);
        }
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
