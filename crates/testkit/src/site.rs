//! A web site on loopback: fixed routes or a folder, with every request recorded.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot};

/// What the site answers to one kind of request. The recorded cases of the parity fixtures use the same shape.
#[derive(Clone, Debug, Deserialize)]
pub struct Route {
    /// Method, upper case.
    pub method: String,
    /// Exact path.
    pub path: String,
    /// Query parameters that must be there.
    #[serde(default)]
    pub query: Option<BTreeMap<String, Value>>,
    /// Answers in order; the last one repeats.
    pub responses: Vec<Reply>,
}

/// One answer.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reply {
    /// Status, 200 when absent.
    #[serde(default)]
    pub status: Option<u16>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON body.
    #[serde(default)]
    pub body_json: Option<Value>,
    /// Text body.
    #[serde(default)]
    pub body_text: Option<String>,
    /// Seconds to wait before answering.
    #[serde(default)]
    pub delay_s: f64,
    /// Drop the connection instead of answering.
    #[serde(default)]
    pub close: bool,
}

impl Route {
    /// `GET path` answering 200 with a text of this media type.
    pub fn text(path: &str, media_type: &str, body: &str) -> Self {
        let headers = BTreeMap::from([("content-type".to_owned(), media_type.to_owned())]);
        let reply = Reply {
            headers,
            body_text: Some(body.to_owned()),
            ..Reply::default()
        };
        Self {
            method: "GET".into(),
            path: path.into(),
            query: None,
            responses: vec![reply],
        }
    }

    /// `GET path` answering with this status and no body.
    pub fn status(path: &str, status: u16) -> Self {
        let reply = Reply {
            status: Some(status),
            ..Reply::default()
        };
        Self {
            method: "GET".into(),
            path: path.into(),
            query: None,
            responses: vec![reply],
        }
    }
}

/// A request the site received.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
    /// Headers, lower-case names.
    pub headers: BTreeMap<String, String>,
    /// Body bytes.
    pub body: Vec<u8>,
}

/// A running site; stops when dropped.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    routes: Vec<Route>,
    folder: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    served: Vec<usize>,
}

impl Site {
    /// Serves these routes; anything else is 404 `not found`.
    pub fn routes(routes: Vec<Route>) -> std::io::Result<Self> {
        Self::start(Shared {
            state: Mutex::new(State {
                requests: Vec::new(),
                served: vec![0; routes.len()],
            }),
            routes,
            folder: None,
        })
    }

    /// Serves the files of a folder; `/` is `index.html`.
    pub fn folder(folder: impl Into<PathBuf>) -> std::io::Result<Self> {
        Self::start(Shared {
            routes: Vec::new(),
            folder: Some(folder.into()),
            state: Mutex::default(),
        })
    }

    fn start(shared: Shared) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(shared);
        let (stop, stopped) = oneshot::channel();
        let for_thread = shared.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, for_thread) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Base address without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
            .clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn get(site: &Site, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(site.address()).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    }

    #[test]
    fn routes_answer_in_order_and_requests_are_recorded() {
        let mut route = Route::text("/a", "text/plain", "one");
        route.responses.push(Reply {
            status: Some(503),
            ..Reply::default()
        });
        let site = Site::routes(vec![route]).unwrap();
        assert!(get(&site, "/a?q=%D0%B0+b").ends_with("one"));
        assert!(get(&site, "/a").starts_with("HTTP/1.1 503"));
        assert!(get(&site, "/b").ends_with("not found"));
        assert_eq!(site.requests()[0].query["q"], "а b");
        assert_eq!(site.requests().len(), 3);
    }
}
