//! The DevTools protocol over two pipes: JSON messages that end with NUL (`--remote-debugging-pipe`).
//!
//! Everything else in this crate speaks to the browser through [`Protocol`] alone.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app_core::{ErrorKind, ToolResult};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{ChildStdin, ChildStdout},
    sync::{
        mpsc::{UnboundedSender, unbounded_channel},
        oneshot,
    },
};

use crate::failed;

/// Largest message: a picture of a hundred megapixels that cannot be made smaller.
const MAX_MESSAGE: u64 = 768 << 20;

/// Something that happened in a target.
#[derive(Debug)]
pub struct Event {
    /// Session of the target.
    pub session: String,
    /// Name, such as `Page.loadEventFired`.
    pub method: String,
    /// Its facts.
    pub params: Value,
}

/// What this crate needs of a browser's protocol.
pub trait Protocol: Send + Sync + std::fmt::Debug {
    /// Calls a method of a session, or of the browser itself, and waits for its answer for `limit`.
    fn call<'a>(
        &'a self,
        session: Option<&'a str>,
        method: &'a str,
        params: Value,
        limit: Duration,
    ) -> BoxFuture<'a, ToolResult<Value>>;

    /// Sends the events of a session to `listener` from now on.
    fn listen(&self, session: &str, listener: UnboundedSender<Event>);

    /// Forgets the listeners of these sessions.
    fn forget(&self, sessions: &[String]);
}

type Answer = Result<Value, String>;

/// The protocol over the pipes of a child process.
#[derive(Debug)]
pub struct Pipe {
    next: AtomicU64,
    out: UnboundedSender<Vec<u8>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    listeners: HashMap<String, UnboundedSender<Event>>,
    ended: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipe {
    /// Starts to read and write.
    pub fn new(mut stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let (out, mut lines) = unbounded_channel::<Vec<u8>>();
        let shared = Arc::<Shared>::default();
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                // A browser that is gone is met by the reader.
                if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
                    break;
                }
            }
        });
        tokio::spawn(read(stdout, shared.clone()));
        Self {
            next: AtomicU64::new(1),
            out,
            shared,
        }
    }
}

impl Protocol for Pipe {
    fn call<'a>(
        &'a self,
        session: Option<&'a str>,
        method: &'a str,
        params: Value,
        limit: Duration,
    ) -> BoxFuture<'a, ToolResult<Value>> {
        Box::pin(async move {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            let mut message = json!({"id": id, "method": method, "params": params});
            if let Some(session) = session {
                message["sessionId"] = session.into();
            }
            let (answer, answered) = oneshot::channel();
            {
                let mut state = self.shared.state();
                if state.ended {
                    return Err(gone());
                }
                state.waiting.insert(id, answer);
            }
            let mut line = message.to_string().into_bytes();
            line.push(0);
            if self.out.send(line).is_err() {
                return Err(gone());
            }
            let answered = tokio::time::timeout(limit, answered).await;
            self.shared.state().waiting.remove(&id);
            match answered {
                Ok(Ok(Ok(value))) => Ok(value),
                Ok(Ok(Err(text))) => Err(failed(
                    ErrorKind::Io,
                    "browser_refused",
                    format!("the browser cannot do `{method}`: {text}"),
                )),
                Ok(Err(_)) => Err(gone()),
                Err(_) => Err(failed(
                    ErrorKind::Timeout,
                    "browser_slow",
                    format!(
                        "the browser did not answer `{method}` within {} s",
                        limit.as_secs()
                    ),
                )),
            }
        })
    }

    fn listen(&self, session: &str, listener: UnboundedSender<Event>) {
        self.shared.state().listeners.insert(session.to_owned(), listener);
    }

    fn forget(&self, sessions: &[String]) {
        let mut state = self.shared.state();
        for session in sessions {
            state.listeners.remove(session);
        }
    }
}

fn gone() -> app_core::ToolError {
    failed(ErrorKind::Io, "browser_gone", "the browser ended unexpectedly")
}

async fn read(stdout: ChildStdout, shared: Arc<Shared>) {
    let mut reader = BufReader::with_capacity(1 << 16, stdout);
    let mut message = Vec::new();
    loop {
        message.clear();
        let read = (&mut reader).take(MAX_MESSAGE).read_until(0, &mut message).await;
        if read.is_err() || message.pop() != Some(0) {
            break;
        }
        // What is no JSON is no message of the protocol.
        if let Ok(value) = serde_json::from_slice::<Value>(&message) {
            dispatch(&shared, value);
        }
        message.shrink_to(1 << 20);
    }
    let mut state = shared.state();
    state.ended = true;
    // Whoever waits is told by the dropped senders.
    state.waiting.clear();
    state.listeners.clear();
}

fn dispatch(shared: &Shared, mut message: Value) {
    if let Some(id) = message["id"].as_u64() {
        let waiting = shared.state().waiting.remove(&id);
        let answer = match message.get("error") {
            Some(error) => Err(error["message"].as_str().unwrap_or("no reason given").to_owned()),
            None => Ok(message["result"].take()),
        };
        if let Some(waiting) = waiting {
            // Nobody may be waiting any more.
            let _ = waiting.send(answer);
        }
        return;
    }
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let (session, method) = (text("sessionId"), text("method"));
    let state = shared.state();
    if let Some(listener) = state.listeners.get(&session) {
        let _ = listener.send(Event {
            session,
            method,
            params: message["params"].take(),
        });
    }
}
