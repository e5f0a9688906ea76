//! The other side, on loopback: declared or recorded answers, a proxy that passes requests on and keeps them, and a mail
//! server that delivers nothing.

mod answer;
mod forward;
mod mail_sink;
mod proxy;
mod route;
mod tls;

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use app_core::{ErrorKind, ToolError, ToolResult};
use tokio::{net::TcpListener, sync::oneshot};

use crate::seen::{Exchange, Mail};

pub use route::{REDACTED, Reply, Route, query_pairs, text_pairs};
use tls::Authority;

/// What happens to requests.
#[derive(Debug)]
pub enum Mode {
    /// Declared routes answer; anything else is an error and noted as unexpected.
    Answer(Vec<Route>),
    /// Requests through the proxy go on to where they were meant to go.
    Forward,
}

/// How the mail server behaves.
#[derive(Clone, Debug)]
pub struct MailRules {
    /// Whether it offers STARTTLS.
    pub starttls: bool,
    /// Whether it takes any login, or none.
    pub login: bool,
    /// A recipient it refuses.
    pub refused: Option<String>,
    /// Whether anything listens at all.
    pub listens: bool,
}

impl Default for MailRules {
    fn default() -> Self {
        Self {
            starttls: true,
            login: true,
            refused: None,
            listens: true,
        }
    }
}

/// A running far side; stops when dropped.
#[derive(Debug)]
pub struct FarSide {
    shared: Arc<Shared>,
    http: SocketAddr,
    smtp: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the connections of one far side share.
#[derive(Debug)]
struct Shared {
    mode: Mode,
    mail: MailRules,
    own: SocketAddr,
    authority: Authority,
    client: Option<reqwest::Client>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    exchanges: Vec<Exchange>,
    served: Vec<usize>,
    mails: Vec<Mail>,
    notes: Vec<String>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something a reader of the report should know.
    fn note(&self, text: String) {
        let mut state = self.state();
        if !state.notes.contains(&text) {
            state.notes.push(text);
        }
    }
}

impl FarSide {
    /// Starts it on ports of its own, with a mail server that takes everything.
    pub fn start(mode: Mode) -> ToolResult<Self> {
        Self::with_mail(mode, MailRules::default())
    }

    /// Starts it with these rules of the mail server.
    pub fn with_mail(mode: Mode, mail: MailRules) -> ToolResult<Self> {
        let failed = |e: &dyn std::fmt::Display| {
            ToolError::new(
                ErrorKind::Io,
                format!("cannot start the far side on loopback: {e}"),
            )
        };
        let client = match &mode {
            Mode::Forward => Some(forward::client()?),
            Mode::Answer(_) => None,
        };
        let served = match &mode {
            Mode::Answer(routes) => vec![0; routes.len()],
            Mode::Forward => Vec::new(),
        };
        let bind = || -> io::Result<std::net::TcpListener> {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let (http_listener, smtp_listener) =
            (bind().map_err(|e| failed(&e))?, bind().map_err(|e| failed(&e))?);
        let http = http_listener.local_addr().map_err(|e| failed(&e))?;
        let smtp = smtp_listener.local_addr().map_err(|e| failed(&e))?;
        let smtp_listener = mail.listens.then_some(smtp_listener);
        let shared = Arc::new(Shared {
            mode,
            mail,
            own: http,
            authority: Authority::new().map_err(|e| failed(&e))?,
            client,
            state: Mutex::new(State {
                served,
                ..State::default()
            }),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| failed(&e))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let inner = shared.clone();
        let thread = std::thread::Builder::new()
            .name("far side".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(http_listener, inner.clone(), proxy::connection) => {}
                        () = accept_mail(smtp_listener, inner.clone()) => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(|e| failed(&e))?;
        Ok(Self {
            shared,
            http,
            smtp,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Base address without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Where HTTP is served, also as a proxy.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where mail is taken.
    pub fn smtp(&self) -> SocketAddr {
        self.smtp
    }

    /// Writes the certificate of this far side's own authority as PEM, for clients to trust.
    pub fn write_authority(&self, path: &Path) -> ToolResult<()> {
        std::fs::write(path, self.shared.authority.pem()).map_err(|e| ToolError::file("write", path, &e))
    }

    /// Requests so far, in order of arrival.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.state().exchanges.clone()
    }

    /// Mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.state().mails.clone()
    }

    /// What a reader of the report should know.
    pub fn notes(&self) -> Vec<String> {
        self.shared.state().notes.clone()
    }
}

impl Drop for FarSide {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by its own thread.
            let _ = thread.join();
        }
    }
}

/// Without a listener its port is closed, and stays so.
async fn accept_mail(listener: Option<std::net::TcpListener>, shared: Arc<Shared>) {
    match listener {
        Some(listener) => accept(listener, shared, mail_sink::connection).await,
        None => std::future::pending().await,
    }
}

async fn accept<F, R>(listener: std::net::TcpListener, shared: Arc<Shared>, serve: F)
where
    F: Fn(tokio::net::TcpStream, Arc<Shared>) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, shared.clone()))),
            // Out of descriptors: the next one may find some again.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}
