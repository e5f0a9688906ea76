//! One redirect policy for every tool: what the caller configured goes to the origin it was configured for.

use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName, LOCATION},
};
use url::Url;

use app_core::contract::{ErrorKind, ToolError, ToolResult};

/// Headers that say nothing about the caller but what it can read; all others stay with their origin.
const HARMLESS: [&str; 4] = ["accept", "accept-language", "range", "if-modified-since"];

/// A request as it stands at one hop.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// What the caller configured.
    pub headers: HeaderMap,
    /// Body, if it has one.
    pub body: Option<Vec<u8>>,
}

/// Where a response sends the request; `None` when it is no redirect.
///
/// From the first other origin on (scheme, host, port) configured headers and the body are left behind, also when a
/// later hop leads back. 301, 302 and 303 become GET. A 307 or 308 that wants the body sent to another origin is an
/// error: without its body the request would be another one. Fails with `provider_rejected` for that and for what is
/// not an address.
pub fn next(hop: &Hop, status: StatusCode, headers: &HeaderMap) -> ToolResult<Option<Hop>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else {
        return Ok(None);
    };
    let host = hop.url.host_str().unwrap_or("the server");
    let refused = |why: &str| {
        ToolError::new(ErrorKind::ProviderRejected, format!("`{host}` redirects {why}"))
            .code("redirect_refused")
            .from_source("http")
    };
    // Servers send addresses as UTF-8 bytes here although the field is ASCII.
    let text = std::str::from_utf8(location.as_bytes()).map_err(|_| refused("to what is not an address"))?;
    let mut url = hop
        .url
        .join(text)
        .map_err(|_| refused("to what is not an address"))?;
    if url.fragment().is_none() {
        url.set_fragment(hop.url.fragment());
    }
    let mut next = hop.clone();
    let same_origin = hop.url.origin() == url.origin();
    if matches!(status.as_u16(), 301..=303) && !matches!(hop.method, Method::GET | Method::HEAD) {
        next.method = Method::GET;
        next.body = None;
        remove_body_headers(&mut next.headers);
    }
    if !same_origin {
        if next.body.is_some() {
            return Err(refused(
                "a request with a body to another host, where it is not sent",
            ));
        }
        next.headers = harmless(&hop.headers);
    }
    next.url = url;
    Ok(Some(next))
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let keep = |name: &HeaderName| HARMLESS.contains(&name.as_str());
    headers
        .iter()
        .filter(|(name, _)| keep(name))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

fn remove_body_headers(headers: &mut HeaderMap) {
    for name in [
        "content-type",
        "content-length",
        "content-encoding",
        "content-language",
    ] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: Method, body: Option<&str>) -> Hop {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("x-api-key", "k"),
            ("cookie", "a=b"),
            ("accept", "text/html"),
            ("content-type", "text/plain"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        Hop {
            method,
            url: Url::parse("https://a.example/x?token=1").unwrap(),
            headers,
            body: body.map(Into::into),
        }
    }

    fn to(location: &str) -> HeaderMap {
        HeaderMap::from_iter([(LOCATION, location.parse().unwrap())])
    }

    fn names(hop: &Hop) -> Vec<&str> {
        hop.headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn what_was_configured_stays_with_its_origin() {
        let from = hop(Method::GET, None);
        let same = next(&from, StatusCode::FOUND, &to("/y")).unwrap().unwrap();
        assert_eq!(
            (same.url.as_str(), names(&same).len()),
            ("https://a.example/y", 5)
        );
        for other in [
            "https://b.example/",
            "http://a.example/",
            "https://a.example:8443/",
            "//b.example/",
        ] {
            let away = next(&from, StatusCode::TEMPORARY_REDIRECT, &to(other))
                .unwrap()
                .unwrap();
            assert_eq!(names(&away), ["accept"], "{other}");
            let back = next(&away, StatusCode::FOUND, &to("https://a.example/"))
                .unwrap()
                .unwrap();
            assert_eq!(
                names(&back),
                ["accept"],
                "what was left behind is not picked up again"
            );
        }
    }

    #[test]
    fn a_body_is_sent_again_only_to_its_own_origin() {
        let from = hop(Method::POST, Some("secret"));
        let kept = next(&from, StatusCode::PERMANENT_REDIRECT, &to("/y"))
            .unwrap()
            .unwrap();
        assert_eq!(
            (kept.method, kept.body.as_deref()),
            (Method::POST, Some(b"secret".as_slice()))
        );
        let changed = next(&from, StatusCode::FOUND, &to("https://b.example/"))
            .unwrap()
            .unwrap();
        assert_eq!((changed.method, changed.body), (Method::GET, None));
        let error = next(&from, StatusCode::PERMANENT_REDIRECT, &to("https://b.example/")).unwrap_err();
        assert_eq!(error.code, "redirect_refused");
        assert!(next(&from, StatusCode::OK, &to("/y")).unwrap().is_none());
    }
}
