//! A mail server on loopback (RFC 5321, with STARTTLS, AUTH, PIPELINING, 8BITMIME and SMTPUTF8) that keeps what it takes,
//! fails where it is told to, and refuses what a strict server refuses: AUTH in the clear, bare line feeds, long lines,
//! 8-bit octets that were not announced, one-click headers that are not signed, and a `Message-ID` that it has seen.

mod session;

use std::{
    collections::HashSet,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct SmtpRules {
    /// It offers STARTTLS.
    pub starttls: bool,
    /// It takes mail only from those who logged in.
    pub login_needed: bool,
    /// User and password that it takes.
    pub login: (String, String),
    /// It offers PIPELINING.
    pub pipelining: bool,
    /// It offers SMTPUTF8.
    pub smtputf8: bool,
    /// Time before each answer.
    pub delay: Duration,
    /// What goes wrong.
    pub faults: Vec<SmtpFault>,
}

impl Default for SmtpRules {
    fn default() -> Self {
        Self {
            starttls: true,
            login_needed: true,
            login: ("news@quillmoss.example".to_owned(), "secret-word".to_owned()),
            pipelining: true,
            smtputf8: false,
            delay: Duration::ZERO,
            faults: Vec::new(),
        }
    }
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub struct SmtpFault {
    /// At this command: `EHLO`, `MAIL`, `RCPT`, `DATA`, or `.` for the final dot. `STARTTLS` with an answer puts it, in the
    /// clear, behind the answer to that command.
    pub at: &'static str,
    /// Only for recipients that hold this text; all when empty.
    pub recipient: &'static str,
    /// So often; 0 is always.
    pub times: usize,
    /// The answer instead of the right one; `None` closes the connection without one.
    pub answer: Option<&'static str>,
    /// The message counts as taken although the answer does not say so.
    pub kept: bool,
}

impl SmtpFault {
    /// Always, for everybody.
    pub fn answer(at: &'static str, answer: &'static str) -> Self {
        Self {
            at,
            recipient: "",
            times: 0,
            answer: Some(answer),
            kept: false,
        }
    }

    /// The connection ends, once.
    pub fn close(at: &'static str) -> Self {
        Self {
            at,
            recipient: "",
            times: 1,
            answer: None,
            kept: false,
        }
    }

    /// Only for these recipients.
    pub fn for_recipient(self, recipient: &'static str) -> Self {
        Self { recipient, ..self }
    }
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The sender's path.
    pub from: String,
    /// The recipients' paths.
    pub to: Vec<String>,
    /// The message without dots that only protected lines.
    pub source: Vec<u8>,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

#[derive(Debug, Default)]
struct State {
    taken: Vec<Taken>,
    /// What a client did that it must not do.
    misdeeds: Vec<String>,
    ids: HashSet<String>,
    logins: usize,
    fired: Vec<usize>,
}

#[derive(Debug)]
struct Shared {
    rules: SmtpRules,
    tls: Arc<ServerConfig>,
    state: Mutex<State>,
    connections: AtomicUsize,
    over: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault that is due at a command, counted.
    fn fault(&self, at: &str, recipient: &str) -> Option<SmtpFault> {
        let mut state = self.state();
        let faults = self.rules.faults.iter().enumerate();
        for (index, fault) in faults {
            if fault.at == at
                && recipient.contains(fault.recipient)
                && (fault.times == 0 || state.fired[index] < fault.times)
            {
                state.fired[index] += 1;
                return Some(fault.clone());
            }
        }
        None
    }
}

/// A running server. It stops when dropped.
#[derive(Debug)]
pub struct SmtpServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    authority: String,
}

impl SmtpServer {
    /// Starts one on a port of its own.
    pub fn start(rules: SmtpRules) -> Self {
        let (tls, authority) = certificate();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("cannot listen: {e}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|e| panic!("no address: {e}"));
        let fired = vec![0; rules.faults.len()];
        let shared = Arc::new(Shared {
            rules,
            tls,
            state: Mutex::new(State {
                fired,
                ..State::default()
            }),
            connections: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let inner = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if inner.over.load(Ordering::SeqCst) {
                    break;
                }
                inner.connections.fetch_add(1, Ordering::SeqCst);
                let shared = inner.clone();
                thread::spawn(move || session::serve(stream, &shared));
            }
        });
        Self {
            shared,
            address,
            authority,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Writes the certificate of its authority as PEM, for clients to trust.
    pub fn write_authority(&self, path: &Path) {
        std::fs::write(path, &self.authority).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// Messages so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.state().taken.clone()
    }

    /// How many messages there are so far.
    pub fn count(&self) -> usize {
        self.shared.state().taken.len()
    }

    /// What clients did that they must not do.
    pub fn misdeeds(&self) -> Vec<String> {
        self.shared.state().misdeeds.clone()
    }

    /// Logins that were taken.
    pub fn logins(&self) -> usize {
        self.shared.state().logins
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // The listener waits for one more connection.
        drop(std::net::TcpStream::connect(self.address));
    }
}

/// A certificate for this host, and the PEM of the authority that signed it.
fn certificate() -> (Arc<ServerConfig>, String) {
    fn sure<T>(result: Result<T, impl std::fmt::Display>) -> T {
        result.unwrap_or_else(|e| panic!("cannot make a certificate: {e}"))
    }
    let key = sure(KeyPair::generate());
    let mut params = CertificateParams::default();
    // Not the leaf's name: OpenSSL would take that one for its own issuer.
    params
        .distinguished_name
        .push(DnType::CommonName, "authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = sure(params.self_signed(&key)).pem();
    let issuer = Issuer::new(params, key);
    let key = sure(KeyPair::generate());
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut params = sure(CertificateParams::new(names));
    params.use_authority_key_identifier_extension = true;
    let certificate = sure(params.signed_by(&key, &issuer));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = sure(ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = builder
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key);
    (Arc::new(sure(config)), authority)
}
