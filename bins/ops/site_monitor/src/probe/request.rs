//! What is sent: the request as the operator wrote it, and one for each redirect.

use http_body_util::Full;
use hyper::{
    Request,
    body::Bytes,
    header::{HeaderMap, HeaderName},
};
use url::Url;
use web::http::redirect::Hop;

use super::Prober;
use crate::config::Site;

impl Prober {
    pub(super) fn request(&self, hop: &Hop) -> Result<Request<Full<Bytes>>, String> {
        let url = &hop.url;
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let host = url.host_str().unwrap_or_default();
        let authority = url
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut request = Request::builder()
            .method(hop.method.clone())
            .uri(target)
            .header("host", authority)
            .header("user-agent", &self.user_agent)
            .header("accept", "*/*");
        for (name, value) in &hop.headers {
            request = request.header(name, value);
        }
        let body = hop.body.clone().unwrap_or_default();
        request
            .body(Full::from(body))
            .map_err(|e| format!("the request cannot be built: {e}"))
    }
}

/// The request as the operator wrote it.
pub(super) fn first_hop(site: &Site) -> Result<Hop, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &site.headers {
        let refused = || format!("`{name}` is not a header that can be sent");
        let name: HeaderName = name.parse().map_err(|_| refused())?;
        headers.append(name, value.parse().map_err(|_| refused())?);
    }
    Ok(Hop {
        method: site
            .method
            .as_deref()
            .unwrap_or("GET")
            .parse()
            .map_err(|_| "the method cannot be sent".to_owned())?,
        url: Url::parse(&site.url).map_err(|e| e.to_string())?,
        headers,
        body: site.body.clone().map(String::into_bytes),
    })
}
