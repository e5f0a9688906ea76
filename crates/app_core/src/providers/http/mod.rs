//! The HTTP client of all tools: timeouts, retry by policy, a body limit, a guard against private addresses.

mod failure;
mod guard;
mod response;

use std::time::Duration;

use reqwest::{Method, header::HeaderMap, redirect};
use tokio_util::sync::CancellationToken;
use url::Url;

pub use failure::status_error;
pub use guard::is_private;
pub use reqwest::Method as HttpMethod;
pub use response::Response;

use crate::{
    config::process_env,
    context::Context,
    contract::{RetryPolicy, Secret, ToolError, ToolResult},
    web::shown_text,
};

/// Largest body in bytes unless a tool asks for another limit.
const MAX_BODY: u64 = 32 << 20;

/// A client with its rules. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
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
        let allow: Option<bool> = ctx.setting("http.allow_private")?;
        let definition = ctx.definition();
        Ok(Self {
            timeout: Duration::from_secs(ctx.setting("http.timeout_s")?.unwrap_or(30)),
            connect_timeout: Duration::from_secs(10),
            max_bytes: ctx.setting("http.max_bytes")?.unwrap_or(MAX_BODY),
            redirects: 10,
            allow_private: process_env("ONEJOB_ALLOW_PRIVATE").map_or(allow.unwrap_or(false), |v| v == "1"),
            retry: ctx.policy().retry,
            user_agent: format!("onejob-{}/{}", definition.name, definition.version),
        })
    }
}

impl Http {
    /// A client with the default rules of this run.
    pub fn for_context(ctx: &Context) -> ToolResult<Self> {
        Self::with_options(ctx, HttpOptions::of(ctx)?)
    }

    /// A client with rules of its own.
    pub fn with_options(ctx: &Context, options: HttpOptions) -> ToolResult<Self> {
        install_crypto();
        let allow_private = options.allow_private;
        let redirects = options.redirects;
        let policy = redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > redirects {
                attempt.error("too many redirects")
            } else if let Err(refused) = guard::check_url(attempt.url(), allow_private) {
                attempt.error(refused)
            } else {
                attempt.follow()
            }
        });
        let mut builder = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .timeout(options.timeout)
            .connect_timeout(options.connect_timeout)
            .redirect(policy);
        if !allow_private {
            builder = builder.dns_resolver(std::sync::Arc::new(guard::PublicOnly));
        }
        let client = builder.build().map_err(|error| {
            ToolError::config("cannot set up the HTTP client")
                .caused_by(&error)
                .hint("are the CA certificates installed? (Debian: apt install ca-certificates)")
        })?;
        // Not `ctx.cancellation()`: waiting for a server is no reason to ask for a grace period.
        Ok(Self {
            client,
            options,
            cancel: ctx.inner().cancel.clone(),
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
        guard::check_url(&parsed, self.options.allow_private).map_err(guard::Refused::into_error)?;
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

    async fn once(&self) -> ToolResult<Response> {
        let started = std::time::Instant::now();
        let mut request = self
            .http
            .client
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone());
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let response = request
            .send()
            .await
            .map_err(|error| failure::classify(&self.url, &error))?;
        Response::read(response, started, self.max_bytes).await
    }
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
