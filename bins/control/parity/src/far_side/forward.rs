//! Passes a request on to where it was meant to go.

use app_core::{ToolError, ToolResult};

use crate::seen::{Answer, Exchange};

/// Largest answer that is passed on, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// Headers of one connection, not of the message.
pub(super) const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
];

/// A client that changes nothing by itself: no redirects, no decoding, the host's own trusted certificates.
pub(super) fn client() -> ToolResult<reqwest::Client> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .no_brotli()
        .timeout(std::time::Duration::from_secs(300))
        .build()
        .map_err(|error| {
            ToolError::config("cannot set up the HTTP client of the proxy")
                .caused_by(&error)
                .hint("are the CA certificates installed? (Debian: apt install ca-certificates)")
        })
}

/// Sends the request and reads the whole answer. The text of a failure names the host.
pub(super) async fn pass_on(client: &reqwest::Client, request: &Exchange) -> Result<Answer, String> {
    let query = if request.query.is_empty() {
        String::new()
    } else {
        format!("?{}", request.query)
    };
    let address = format!("{}{}{query}", request.base, request.path);
    let failed = |what: &str| format!("{}: {what}", request.base);
    let method =
        reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|_| failed("no such method"))?;
    let mut onward = client.request(method, address).body(request.body.clone());
    for (name, value) in &request.headers {
        // Without accept-encoding the answer comes as plain bytes, which a recording can show.
        if name != "host" && name != "accept-encoding" && !HOP_BY_HOP.contains(&name.as_str()) {
            onward = onward.header(name, value);
        }
    }
    let told = |error: reqwest::Error| {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        failed(&text)
    };
    let mut response = onward.send().await.map_err(told)?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()))
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|e| failed(&e.without_url().to_string()))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(failed("the answer is larger than 64 MiB"));
        }
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}
