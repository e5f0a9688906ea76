//! A fake of model servers: four dialects, streamed in pieces of any size, that refuses what the vendors refuse and fails
//! as they fail.
//!
//! It is kept honest by the vendors' own clients, which run the same scenarios against it (`scripts/check-llm`).

mod answer;
mod dialect;
mod refuse;
mod serve;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use tokio::sync::oneshot;

pub use dialect::Spoken;

/// What the model says.
#[derive(Clone, Debug)]
pub enum Script {
    /// These answers in order; the last repeats.
    Canned(Vec<String>),
    /// What the last turn says.
    Echo,
    /// Claims whose handles, quotes and addresses are made up.
    Inventor,
    /// Does what a line `INJECT: ...` of the question says; else echoes.
    Obedient,
}

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// 429, with these seconds of `retry-after`.
    RateLimited(Option<u32>),
    /// 429, and no use in coming back.
    Quota,
    /// A status with the vendor's error object.
    Status(u16),
    /// A 400 with this message.
    Rejected(String),
    /// Nothing is ever answered.
    Silence,
    /// The connection ends without an answer.
    HangUp,
    /// The answer comes, one byte in so many milliseconds.
    Drip(u64),
    /// The answer begins, and then nothing more comes.
    Stall,
    /// The connection ends within the answer, within a character where it has one.
    Cut,
    /// The answer ends early, as if it were whole, without its end mark.
    NoEnd,
    /// An error object within an answer of status 200.
    ErrorEvent,
    /// The answer has reached its limit.
    Length,
    /// The model would not answer.
    Refusal,
    /// A finished answer without text.
    Empty,
    /// No usage is told.
    NoUsage,
    /// A redirect to this address.
    Redirect(String),
}

/// How a server differs from the vendor's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Refuses `max_tokens` and `temperature`, as reasoning models do.
    pub reasoning: bool,
    /// Refuses schemas.
    pub no_schema: bool,
    /// Refuses JSON mode too.
    pub no_json: bool,
    /// Refuses `stream_options`.
    pub no_usage_option: bool,
    /// Answers with one document, whatever was asked.
    pub whole: bool,
    /// Size of the pieces of an answer in bytes; 0 sends it at once.
    pub piece: usize,
    /// Tokens that the model can hold; 0 is no limit. Ollama cuts, the others refuse.
    pub context: u64,
}

/// A call as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The dialect it was in.
    pub dialect: Spoken,
    /// Path and query.
    pub target: String,
    /// Headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

#[derive(Debug)]
struct Shared {
    script: Script,
    manners: Manners,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<Asked>,
    answered: usize,
    faults: VecDeque<Option<Fault>>,
}

/// A running server; stops when dropped.
#[derive(Debug)]
pub struct FakeModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl FakeModel {
    /// Starts one on a free port of the loopback.
    pub fn start(script: Script, manners: Manners) -> std::io::Result<Self> {
        Self::start_at("127.0.0.1:0", script, manners)
    }

    /// Starts one at an address.
    pub fn start_at(address: &str, script: Script, manners: Manners) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script,
            manners,
            state: Mutex::default(),
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

    /// The faults of the next calls, in order; `None` is a call that goes well.
    pub fn fail(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.state().faults.extend(faults);
    }

    /// Base address without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Calls so far, in order of arrival.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
