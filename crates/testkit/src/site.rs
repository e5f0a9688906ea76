//! A web site on loopback: fixed routes or a folder, with every request recorded.

mod answer;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use answer::serve;

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
