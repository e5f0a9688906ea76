//! Answers of the site, from its routes or its folder.

use std::{
    path::Path,
    sync::{Arc, PoisonError},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Request, Route, Shared};

pub(super) async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(shared.clone(), request));
            // A client that hangs up is no failure of the site.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Ends the connection without an answer.
#[derive(Debug)]
struct HangUp;

impl std::fmt::Display for HangUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hang up")
    }
}

impl std::error::Error for HangUp {}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HangUp> {
    let recorded = record(request).await;
    let reply = {
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.push(recorded.clone());
        shared
            .routes
            .iter()
            .position(|route| matches(route, &recorded))
            .and_then(|index| {
                let served = state.served.get_mut(index)?;
                let responses = &shared.routes.get(index)?.responses;
                let reply = responses
                    .get((*served).min(responses.len().saturating_sub(1)))
                    .cloned();
                *served += 1;
                reply
            })
    };
    let reply = match (reply, &shared.folder) {
        (Some(reply), _) => reply,
        (None, Some(folder)) => return Ok(file(folder, &recorded.path).unwrap_or_else(not_found)),
        (None, None) => return Ok(not_found()),
    };
    if reply.delay_s > 0.0 {
        tokio::time::sleep(Duration::from_secs_f64(reply.delay_s)).await;
    }
    if reply.close {
        return Err(HangUp);
    }
    let mut response = Response::builder().status(reply.status.unwrap_or(200));
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if reply.body_json.is_some()
        && !reply
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"))
    {
        response = response.header("content-type", "application/json");
    }
    let body = reply
        .body_json
        .map(|json| json.to_string())
        .or(reply.body_text)
        .unwrap_or_default();
    Ok(response.body(Full::from(body)).unwrap_or_else(|_| not_found()))
}

async fn record(request: hyper::Request<Incoming>) -> Request {
    let (parts, body) = request.into_parts();
    let body: Result<_, _> = body.collect().await;
    let query = parts.uri.query().unwrap_or_default();
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decoded(name), percent_decoded(value))
    });
    Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: query.collect(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body
            .map(|collected| collected.to_bytes().to_vec())
            .unwrap_or_default(),
    }
}

fn matches(route: &Route, request: &Request) -> bool {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    route.method == request.method
        && route.path == request.path
        && route
            .query
            .iter()
            .flatten()
            .all(|(name, value)| request.query.get(name) == Some(&plain(value)))
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.replace('+', " ").into_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = bytes
            .get(index + 1..index + 3)
            .and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[index], hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                index += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn not_found() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from("not found"));
    *response.status_mut() = hyper::StatusCode::NOT_FOUND;
    response
}

fn file(folder: &Path, path: &str) -> Option<Response<Full<Bytes>>> {
    let decoded = percent_decoded(path);
    let relative = decoded.trim_start_matches('/');
    if relative.split('/').any(|part| part == "..") {
        return None;
    }
    let mut full = folder.join(relative);
    if full.is_dir() {
        full = full.join("index.html");
    }
    let bytes = std::fs::read(&full).ok()?;
    let media_type = match full.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    };
    Response::builder()
        .header("content-type", media_type)
        .body(Full::from(bytes))
        .ok()
}
