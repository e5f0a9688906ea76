//! A Telegram data centre on loopback: a real MTProto 2.0 server for tests and benchmarks.
//!
//! Clients reach it with an auth key that both sides know beforehand, placed in their session file
//! together with the address, so that the key exchange (which needs Telegram's RSA keys) is skipped.
//! Everything after it is the wire itself, and what the service would refuse is refused here.

mod acting;
mod auth;
mod deleting;
mod fault;
mod files;
mod listing;
pub mod media;
mod members;
mod messages;
mod objects;
mod odd;
mod reacting;
mod rpc;
pub mod scenes;
mod server;
pub mod session;
mod srp;
mod state;
mod updates;
mod wire;
pub mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use fault::Fault;
pub use state::Recorded;
pub use world::World;

use state::{Event, State};

/// The key that clients and data centre share: any 256 bytes will do.
pub fn shared_key() -> [u8; 256] {
    std::array::from_fn(|at| ((at * 73 + 41) % 251) as u8)
}

/// Writes a signed-in session file of ours that leads to a port where no data centre need be.
pub fn write_session(path: &std::path::Path, port: u16) {
    session::write(path, &[(1, port), (2, port)], 1);
}

/// A running data centre. Ends when dropped.
pub struct Dc {
    shared: Arc<Shared>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What connections and the test share.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Updates for whoever is connected.
    pushes: tokio::sync::broadcast::Sender<Vec<u8>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dc {
    /// Starts data centres 1 and 2 with this world behind them.
    pub fn start(world: World) -> Self {
        Self::start_at(world, 0)
    }

    /// As [`Dc::start`], with data centre 1 on this port of 127.0.0.1 (0: any).
    pub fn start_at(world: World, port: u16) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(world)),
            pushes: tokio::sync::broadcast::channel(256).0,
        });
        let listeners: Vec<std::net::TcpListener> = [port, 0]
            .into_iter()
            .map(|port| {
                std::net::TcpListener::bind(("127.0.0.1", port))
                    .unwrap_or_else(|e| panic!("cannot listen: {e}"))
            })
            .collect();
        let ports = listeners.iter().zip(1..).map(|(listener, dc)| {
            (
                dc,
                listener
                    .local_addr()
                    .map(|address| address.port())
                    .unwrap_or_default(),
            )
        });
        shared.state().ports = ports.collect();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || server::serve(&served, listeners, stopped));
        Self {
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Port of data centre 1.
    pub fn port(&self) -> u16 {
        self.shared.state().ports[0].1
    }

    /// Writes a session file of ours that leads here, signed in as the world says.
    pub fn write_session(&self, path: &std::path::Path) {
        let (ports, account) = {
            let state = self.shared.state();
            (state.ports.clone(), state.account)
        };
        session::write(path, &ports, account);
    }

    /// A sandbox for a tool, with a signed-in session in its working directory.
    pub fn sandbox(&self) -> crate::Sandbox {
        let sandbox = crate::Sandbox::new()
            .unwrap_or_else(|e| panic!("cannot make a sandbox: {e}"))
            .env("TELEGRAM_API_ID", "12345")
            .env("TELEGRAM_API_HASH", "0123456789abcdef0123456789abcdef")
            .env("TELEGRAM_LOCK_WAIT", "0");
        self.write_session(&sandbox.path("telegram_session.session"));
        sandbox
    }

    /// Everything that was asked, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.state().requests.clone()
    }

    /// The requests of one method.
    pub fn calls(&self, method: &str) -> Vec<Recorded> {
        self.shared
            .state()
            .requests
            .iter()
            .filter(|request| request.method == method)
            .cloned()
            .collect()
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// Lets something go wrong from now on.
    pub fn fail(&self, fault: Fault) {
        self.shared.state().faults.add(fault);
    }

    /// Lets everything go well again.
    pub fn heal(&self) {
        self.shared.state().faults.clear();
    }

    /// How many calls came while a flood wait was running.
    pub fn impatient(&self) -> u32 {
        self.shared.state().faults.impatient
    }

    /// The most connections to one data centre that were open at the same time.
    pub fn most_sessions(&self) -> u32 {
        self.shared.state().most_sessions
    }

    /// A message as it stands now.
    pub fn message(&self, chat: i64, id: i32) -> Option<world::Message> {
        self.shared.state().histories.get(&chat)?.get(id)
    }

    /// All messages of a chat, oldest first.
    pub fn messages(&self, chat: i64) -> Vec<world::Message> {
        self.shared
            .state()
            .histories
            .get(&chat)
            .map(|history| history.from(1).collect())
            .unwrap_or_default()
    }

    /// Somebody writes a message: it is kept, logged, and told to whoever is connected. Its id.
    pub fn post(&self, chat: i64, mut message: world::Message) -> i32 {
        let mut state = self.shared.state();
        if message.id == 0 {
            message.id = state.take_id(chat);
        }
        message.sender_known = true;
        let id = message.id;
        state.histories.entry(chat).or_default().put(message);
        state.log(chat, 1, Event::New(id));
        let update = updates::tell(&mut state, chat);
        drop(state);
        let _ = self.shared.pushes.send(update);
        id
    }

    /// Somebody edits a message.
    pub fn edit(&self, chat: i64, id: i32, text: &str) {
        let mut state = self.shared.state();
        let now = world::iso(state.now());
        if let Some(mut message) = state.histories.get(&chat).and_then(|history| history.get(id)) {
            text.clone_into(&mut message.text);
            message.edited = Some(now);
            state.histories.entry(chat).or_default().put(message);
            state.log(chat, 1, Event::Edit(id));
        }
    }

    /// Somebody puts something else in the place of a message, such as another file.
    pub fn replace(&self, chat: i64, mut message: world::Message) {
        let mut state = self.shared.state();
        message.edited = Some(world::iso(state.now()));
        message.sender_known = true;
        let id = message.id;
        state.histories.entry(chat).or_default().put(message);
        state.log(chat, 1, Event::Edit(id));
    }

    /// Somebody deletes messages.
    pub fn delete(&self, chat: i64, ids: &[i32]) {
        let mut state = self.shared.state();
        let history = state.histories.entry(chat).or_default();
        let gone: Vec<i32> = ids.iter().copied().filter(|id| history.delete(*id)).collect();
        state.log(chat, gone.len() as i32, Event::Delete(gone));
    }

    /// The service forgets what happened, so that clients cannot catch up from before now.
    pub fn forget_log(&self) {
        let mut state = self.shared.state();
        state.log.clear();
    }

    /// Somebody scans the login code of `auth.exportLoginToken`.
    pub fn accept_login_token(&self) {
        self.shared.state().login_token_accepted = true;
        let _ = self.shared.pushes.send(updates::login_token());
    }
}

/// A world of `fixtures/telegram`.
///
/// # Panics
/// When there is none of that name.
pub fn world(name: &str) -> World {
    let path = crate::tools::workspace()
        .join("fixtures/telegram")
        .join(format!("{name}.json"));
    World::load(&path).unwrap_or_else(|e| panic!("{e}"))
}

impl Drop for Dc {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
