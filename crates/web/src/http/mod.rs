//! The HTTP client of all tools: timeouts, retry by policy, a body limit, a guard against private addresses.

mod create;
mod date;
mod download;
mod failure;
mod guard;
mod multipart;
pub mod redirect;
mod response;
mod stream;
mod unanswered;

use std::{sync::Arc, time::Duration};

use reqwest::{Method, header::HeaderMap};
use tokio_util::sync::CancellationToken;
use url::Url;

pub use create::Creation;
pub use download::Download;
pub use failure::status_error;
pub use guard::is_private;
pub use multipart::Form;
pub use reqwest::Method as HttpMethod;
pub use response::Response;
pub use stream::{Stream, StreamLimits, Streamed};
pub use unanswered::Unanswered;

use app_core::{
    Context,
    config::process_env,
    contract::{ErrorKind, RetryPolicy, Secret, ToolError, ToolResult},
};

use self::redirect::Hop;
use crate::shown_text;

/// A client with its rules. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    /// For redirects of a public host: they may not lead inside, even where the caller may.
    outside: reqwest::Client,
    options: HttpOptions,
    cancel: CancellationToken,
}

/// The rules of a client.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Time for one attempt, body included.
    pub timeout: Duration,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Largest body in bytes.
    pub max_bytes: u64,
    /// Redirects followed.
    pub redirects: usize,
    /// Whether loopback, private and link-local addresses may be reached.
    pub allow_private: bool,
    /// Retries of idempotent requests.
    pub retry: RetryPolicy,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl HttpOptions {
    /// The defaults, with `[http]` of `onejob.toml`, `ONEJOB_ALLOW_PRIVATE` and the tool's policy applied.
    pub fn of(ctx: &Context) -> ToolResult<Self> {
        let settings = &ctx.config().settings()?.http;
        let allow = settings.allow_private;
        let definition = ctx.definition();
        Ok(Self {
            timeout: Duration::from_secs(settings.timeout_s),
            connect_timeout: Duration::from_secs(10),
            max_bytes: settings.max_bytes,
            redirects: 10,
            allow_private: process_env("ONEJOB_ALLOW_PRIVATE").map_or(allow.unwrap_or(false), |v| v == "1"),
            retry: ctx.policy().retry,
            user_agent: format!("onejob-{}/{}", definition.name, definition.version),
        })
    }
}

impl Http {
    /// The client of this run with the default rules, made once.
    pub fn of(ctx: &Context) -> ToolResult<Self> {
        ctx.once(|| Self::with_options(ctx, HttpOptions::of(ctx)?))
    }

    /// A client with rules of its own.
    pub fn with_options(ctx: &Context, options: HttpOptions) -> ToolResult<Self> {
        install_crypto();
        let outside = build(&options, true)?;
        let client = if options.allow_private {
            build(&options, false)?
        } else {
            outside.clone()
        };
        Ok(Self {
            client,
            outside,
            options,
            // Not `ctx.cancellation()`: waiting for a server is no reason to ask for a grace period.
            cancel: ctx.stopping().clone(),
        })
    }

    /// The rules.
    pub fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Fetches a page; any status but 2xx is an error of the matching kind.
    pub async fn get(&self, url: &str) -> ToolResult<Response> {
        self.request(Method::GET, url)?.send().await?.ok()
    }

    /// Starts a request. Fails with `invalid_input` for anything but an http(s) URL to an allowed address.
    pub fn request(&self, method: Method, url: &str) -> ToolResult<Request<'_>> {
        let parsed = Url::parse(url).map_err(|error| {
            ToolError::invalid("url", format!("`{}` is not a URL: {error}", shown_text(url)))
        })?;
        guard::check_url(&parsed, self.options.allow_private).map_err(|refused| refused.into_error(false))?;
        let repeatable = matches!(
            method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
        );
        Ok(Request {
            http: self,
            method,
            url: parsed,
            headers: HeaderMap::new(),
            body: None,
            max_bytes: self.options.max_bytes,
            repeatable,
            follow: true,
        })
    }
}

/// One request in the making.
#[derive(Debug)]
pub struct Request<'a> {
    http: &'a Http,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    max_bytes: u64,
    repeatable: bool,
    follow: bool,
}

impl Request<'_> {
    /// Adds a header. Fails with `invalid_input` when name or value cannot be sent.
    pub fn header(mut self, name: &str, value: &str) -> ToolResult<Self> {
        let refused = || ToolError::invalid("headers", format!("`{name}` is not a header that can be sent"));
        let name: reqwest::header::HeaderName = name.parse().map_err(|_| refused())?;
        self.headers.append(name, value.parse().map_err(|_| refused())?);
        Ok(self)
    }

    /// Adds a bearer token.
    pub fn bearer(mut self, token: &Secret) -> ToolResult<Self> {
        let mut value: reqwest::header::HeaderValue = format!("Bearer {}", token.reveal())
            .parse()
            .map_err(|_| ToolError::config("the token has characters that cannot be sent"))?;
        value.set_sensitive(true);
        self.headers.insert(reqwest::header::AUTHORIZATION, value);
        Ok(self)
    }

    /// Sets a JSON body.
    pub fn json(self, body: &impl serde::Serialize) -> ToolResult<Self> {
        let bytes =
            serde_json::to_vec(body).map_err(|e| ToolError::internal(format!("request body: {e}")))?;
        self.body(bytes).header("content-type", "application/json")
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Largest body of the answer in bytes, in place of the client's own limit.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Takes a redirect as the answer, for callers that must look at every address before it is asked.
    pub fn no_redirects(mut self) -> Self {
        self.follow = false;
        self
    }

    /// Says that sending this twice does no harm, so that it may be retried.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Sends it, retrying by policy. A response of any status is `Ok`.
    pub async fn send(self) -> ToolResult<Response> {
        let retry = self.http.options.retry;
        let attempts = if self.repeatable { retry.attempts.max(1) } else { 1 };
        let mut attempt = 1;
        loop {
            let result = tokio::select! {
                biased;
                () = self.http.cancel.cancelled() => return Err(ToolError::cancelled()),
                result = self.once() => result,
            };
            let trouble = match &result {
                Ok(response) => response.retry_reason(),
                Err(error) if error.retryable => Some(error.clone()),
                Err(_) => None,
            };
            let Some(error) = trouble else { return result };
            if attempt >= attempts {
                return result;
            }
            attempt += 1;
            let asked = error.retry_after_ms.map(Duration::from_millis);
            // A server that asks for a long silence is better told to the caller than waited for.
            if asked.is_some_and(|wait| wait > Duration::from_millis(retry.max_backoff_ms)) {
                return result;
            }
            let wait = asked.unwrap_or_else(|| retry.wait(attempt, jitter()));
            tracing::debug!(
                attempt,
                ?wait,
                host = self.url.host_str(),
                "retrying: {}",
                error.message
            );
            tokio::select! {
                () = self.http.cancel.cancelled() => return Err(ToolError::cancelled()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends it once and reads the answer.
    async fn once(&self) -> ToolResult<Response> {
        let started = std::time::Instant::now();
        let response = self.open().await?;
        Response::read(response, started, self.max_bytes).await
    }

    /// Sends it once, following redirects by the one policy, and answers when the headers are there; each hop is
    /// checked before it is asked.
    async fn open(&self) -> Result<reqwest::Response, Unanswered> {
        let options = &self.http.options;
        let mut hop = Hop {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
        };
        // Whether a redirect may still lead inside: only where the host that was named lies inside itself.
        let mut inside = options.allow_private;
        let deadline = tokio::time::Instant::now() + options.timeout;
        for followed in 0.. {
            guard::check_url(&hop.url, inside).map_err(|refused| refused.into_error(followed > 0))?;
            if !inside {
                guard::check_target(&hop.url).await?;
            }
            let client = if inside {
                &self.http.client
            } else {
                &self.http.outside
            };
            let mut request = client
                .request(hop.method.clone(), hop.url.clone())
                .headers(hop.headers.clone());
            if let Some(body) = &hop.body {
                request = request.body(body.clone());
            }
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let response = request
                .timeout(left)
                .send()
                .await
                .map_err(|error| Unanswered::of(&hop.url, &error, followed))?;
            inside &= response
                .remote_addr()
                .is_some_and(|address| is_private(address.ip()));
            let next = if self.follow {
                redirect::next(&hop, response.status(), response.headers())?
            } else {
                None
            };
            match next {
                Some(_) if followed >= options.redirects => {
                    return Err(failure::too_many_redirects(&self.url).into());
                }
                Some(next) => hop = next,
                None => return Ok(response),
            }
        }
        Err(ToolError::new(ErrorKind::Internal, "a request without an end").into())
    }
}

/// A client that follows no redirect by itself; with `outside` it reaches public addresses only.
fn build(options: &HttpOptions, outside: bool) -> ToolResult<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .timeout(options.timeout)
        .connect_timeout(options.connect_timeout)
        .referer(false)
        .redirect(reqwest::redirect::Policy::none());
    if outside {
        builder = builder.dns_resolver(Arc::new(guard::PublicOnly::new()));
    }
    builder.build().map_err(|error| {
        ToolError::config("cannot set up the HTTP client")
            .caused_by(&error)
            .hint("are the CA certificates installed? (Debian: apt install ca-certificates)")
    })
}

fn jitter() -> f64 {
    let mut byte = [128_u8];
    // Without a random source the middle will do.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

fn install_crypto() {
    // Already installed is fine: all of onejob uses ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
