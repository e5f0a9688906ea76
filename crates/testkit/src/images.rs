//! The picture services on loopback: OpenAI, Gemini, Stability and AUTOMATIC1111 on the paths that each has.
//!
//! Each request is judged by the rules of its service first, and refused as the service refuses it; only what passes
//! gets the next scene, or a picture of the asked size. Everything is recorded.

mod form;
mod gemini;
mod openai;
mod pictures;
mod serve;
mod stability;
mod webui;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tokio::sync::oneshot;

pub use form::Field;
pub use pictures::{JPEG, WEBP, png};

/// What a service answers to a request that it accepts.
#[derive(Clone, Debug)]
pub enum Scene {
    /// A PNG of the asked size.
    Picture,
    /// This file, whatever was asked for.
    File(Vec<u8>),
    /// This status with this JSON.
    Json(u16, Value),
    /// This status with these headers and bytes.
    Raw(u16, Vec<(String, String)>, Vec<u8>),
    /// Takes the request and hangs up.
    Lost,
}

/// A request as it arrived, and what was made of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path.
    pub path: String,
    /// Headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// Body as JSON; null where it is none.
    pub json: Value,
    /// Fields of a form.
    pub form: Vec<Field>,
    /// Why the service refused it by its rules.
    pub refused: Option<String>,
}

impl Asked {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The text of a form field; empty when it is not there.
    pub fn field(&self, name: &str) -> String {
        let found = self.form.iter().find(|field| field.name == name);
        found.map_or_else(String::new, |field| {
            String::from_utf8_lossy(&field.bytes).into_owned()
        })
    }
}

/// What a service says to a request.
#[derive(Clone, Debug)]
struct Judged {
    /// Size of the picture, or the refusal.
    verdict: Result<(u32, u32), Refusal>,
}

/// A refusal by the rules.
#[derive(Clone, Debug)]
struct Refusal {
    status: u16,
    body: Value,
    why: String,
}

impl Refusal {
    /// The shape of OpenAI's errors.
    fn openai(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            body: json!({"error": {"code": code, "message": message, "type": "invalid_request_error", "param": null}}),
            why: message.to_owned(),
        }
    }

    /// The shape of Google's errors.
    fn google(status: u16, reason: &str, message: &str) -> Self {
        let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]);
        Self {
            status,
            body: json!({"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT", "details": details}}),
            why: message.to_owned(),
        }
    }

    /// The shape of Stability's errors.
    fn stability(status: u16, name: &str, message: &str) -> Self {
        Self {
            status,
            body: json!({"id": "0", "name": name, "errors": [message]}),
            why: message.to_owned(),
        }
    }
}

/// The running services; they stop when dropped.
#[derive(Debug)]
pub struct ImageServices {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    scenes: Mutex<VecDeque<Scene>>,
    asked: Mutex<Vec<Asked>>,
}

impl ImageServices {
    /// Starts them with these scenes for the first requests that are accepted; then everything gets its picture.
    pub fn start(scenes: Vec<Scene>) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            scenes: Mutex::new(scenes.into()),
            asked: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let for_thread = shared.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve::serve(listener, for_thread) => {}
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

    /// Address of all of them, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far, in order of arrival.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.shared.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An `onejob.toml` that leads every provider here.
    pub fn settings(&self) -> String {
        let sections = ["openai", "gemini", "stability", "automatic1111"]
            .map(|name| format!("[images.{name}]\nbase_url = \"{}\"\n", self.url()));
        sections.concat()
    }
}

impl Drop for ImageServices {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// `1024x1536` as two numbers.
fn size_of(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}
