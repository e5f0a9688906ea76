//! The connection to a mail server: encrypted or on this host, logged in only when encrypted, one message at a time with
//! the stage at which it ended.

mod reply;
mod stream;

use std::{
    fmt::{self, Display},
    future::Future,
    sync::atomic::Ordering,
    time::Duration,
};

use app_core::{ErrorKind, ToolError, ToolResult, contract::Secret};
use lettre::{
    Address as Path,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Ehlo, Mail, Rcpt, Rset},
        extension::{ClientId, Extension, MailParameter},
        response::Response,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::address::Address;
pub(crate) use reply::enhanced;
pub use reply::{Outcome, Reply, Stage};
use reply::{failure, status};
use stream::LineByLine;

/// How the connection is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// In the clear first, encrypted before anything is said (port 587 and 25).
    Starttls,
    /// Encrypted from the first byte (port 465).
    Tls,
    /// Not at all: only to this host, and without a login.
    None,
}

/// A server, and how to talk to it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is encrypted.
    pub encryption: Encryption,
    /// Who logs in.
    pub login: Option<(String, Secret)>,
    /// How this host calls itself.
    pub hello: String,
    /// How long an answer may take; ten minutes after the final dot (RFC 5321, 4.5.3.2).
    pub patience: Duration,
    /// How long the answer to the final dot may take.
    pub last_patience: Duration,
}

/// A connection that is ready for messages.
pub struct Session {
    connection: AsyncSmtpConnection,
    pipelining: bool,
    patience: Duration,
    last_patience: Duration,
    usable: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session(usable: {})", self.usable)
    }
}

/// Several commands in one go; the answers come in their order (RFC 2920).
struct Together(Mail, Rcpt);

impl Display for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

impl Session {
    /// Connects, encrypts, logs in.
    pub async fn open(server: &Server) -> ToolResult<Self> {
        let patience = server.patience;
        let name = format!("{}:{}", server.host, server.port);
        let late = || {
            ToolError::new(ErrorKind::Timeout, format!("`{name}` does not answer in time"))
                .from_source("smtp")
        };
        let within = |opened| async { tokio::time::timeout(patience, opened).await.map_err(|_| late()) };
        let mut connection = within(Box::pin(encrypted(server, &name))).await??;
        if let Some((user, password)) = &server.login
            && connection.is_encrypted()
        {
            let login = log_in(&mut connection, user, password, &name);
            tokio::time::timeout(patience, login)
                .await
                .map_err(|_| late())??;
        }
        // The client library keeps only the extensions that it uses itself.
        let hello = connection.command(Ehlo::new(ClientId::Domain(server.hello.clone())));
        let hello = tokio::time::timeout(patience, hello)
            .await
            .map_err(|_| late())?
            .map_err(|e| failure(&format!("`{name}` does not greet"), &e))?;
        let pipelining = hello.message().any(|line| line.trim() == "PIPELINING");
        Ok(Self {
            connection,
            pipelining,
            patience,
            last_patience: server.last_patience,
            usable: true,
        })
    }

    /// Whether another message can be given to it.
    pub fn usable(&self) -> bool {
        self.usable
    }

    /// Gives one message to the server, for one recipient. `bytes` end with CRLF.
    pub async fn deliver(&mut self, from: &Address, to: &Address, bytes: &[u8]) -> Outcome {
        let mut parameters = Vec::new();
        if from.needs_smtputf8() || to.needs_smtputf8() {
            if !self
                .connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                return Outcome::Unfit(
                    "the server has no SMTPUTF8, which letters outside ASCII before the `@` need".to_owned(),
                );
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let outcome = match self.envelope(from, to, parameters).await {
            Err(outcome) => outcome,
            Ok(()) => self.message(bytes).await,
        };
        self.after(&outcome).await;
        outcome
    }

    async fn envelope(
        &mut self,
        from: &Address,
        to: &Address,
        parameters: Vec<MailParameter>,
    ) -> Result<(), Outcome> {
        let path = |address: &Address| Path::new_dangerous(address.local(), address.domain());
        let (mail, rcpt) = (
            Mail::new(Some(path(from)), parameters),
            Rcpt::new(path(to), Vec::new()),
        );
        if self.pipelining {
            let first = self.say(Stage::Mail, Together(mail, rcpt)).await;
            if let Err(Outcome::Lost(why)) = first {
                return Err(Outcome::Lost(why));
            }
            let second = timed(self.patience, Stage::Rcpt, self.connection.read_response()).await;
            first?;
            second?;
        } else {
            self.say(Stage::Mail, mail).await?;
            self.say(Stage::Rcpt, rcpt).await?;
        }
        self.say(Stage::Data, Data).await.map(drop)
    }

    async fn message(&mut self, bytes: &[u8]) -> Outcome {
        // The library writes the line end before the final dot itself.
        let lines = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        match timed(self.last_patience, Stage::Dot, self.connection.message(lines)).await {
            Ok(response) => {
                let text = response.message().collect::<Vec<_>>().join(" ");
                Outcome::Sent(Reply::new(u16::from(response.code()), &text))
            }
            Err(outcome) => outcome,
        }
    }

    /// Gets the connection ready for the next message, or gives it up.
    async fn after(&mut self, outcome: &Outcome) {
        self.usable = match outcome {
            Outcome::Sent(_) | Outcome::Unfit(_) => true,
            Outcome::Lost(_) | Outcome::Undecided(_) => false,
            // It is about to close.
            Outcome::Deferred(_, reply) if reply.code == 421 => false,
            Outcome::Deferred(..) | Outcome::Refused(..) => self.say(Stage::Mail, Rset).await.is_ok(),
        };
    }

    async fn say(&mut self, stage: Stage, command: impl Display) -> Result<Response, Outcome> {
        timed(self.patience, stage, self.connection.command(command)).await
    }

    /// Takes leave. Whether the server answers does not matter any more.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.connection.abort()).await;
    }
}

async fn timed(
    patience: Duration,
    stage: Stage,
    answer: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, Outcome> {
    match tokio::time::timeout(patience, answer).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(Outcome::of(stage, &error)),
        Err(_) if stage == Stage::Dot => Err(Outcome::Undecided(
            "no answer to the final dot in time".to_owned(),
        )),
        Err(_) => Err(Outcome::Lost("no answer in time".to_owned())),
    }
}

async fn encrypted(server: &Server, name: &str) -> ToolResult<AsyncSmtpConnection> {
    let hello = ClientId::Domain(server.hello.clone());
    let tls = || {
        TlsParameters::new(server.host.clone())
            .map_err(|e| ToolError::config(format!("TLS cannot be used: {e}")).from_source("smtp"))
    };
    if server.encryption == Encryption::Tls {
        let connected = AsyncSmtpConnection::connect_tokio1(
            (server.host.as_str(), server.port),
            Some(server.patience),
            &hello,
            Some(tls()?),
            None,
        );
        return connected
            .await
            .map_err(|e| failure(&format!("cannot talk to `{name}`"), &e).code("connect"));
    }
    let tcp = TcpStream::connect((server.host.as_str(), server.port))
        .await
        .map_err(|e| {
            ToolError::new(ErrorKind::Network, format!("cannot connect to `{name}`: {e}"))
                .code("connect")
                .from_source("smtp")
        })?;
    // Small commands are not to wait for one another.
    let _ = tcp.set_nodelay(true);
    let loopback = tcp.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
    if server.encryption == Encryption::None && !loopback {
        return Err(ToolError::config(format!(
            "`{name}` is another host: mail goes there only encrypted"
        ))
        .code("smtp_in_the_clear")
        .from_source("smtp"));
    }
    let (stream, clear) = LineByLine::new(tcp);
    let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello)
        .await
        .map_err(|e| failure(&format!("cannot talk to `{name}`"), &e))?;
    if server.encryption == Encryption::Starttls {
        if !connection.can_starttls() {
            connection.abort().await;
            return Err(ToolError::new(
                ErrorKind::ProviderRejected,
                "STARTTLS extension not supported by server.",
            )
            .code("no_starttls")
            .hint("nothing is sent in the clear; a server on this host needs `tls = \"none\"`")
            .from_source("smtp"));
        }
        connection.starttls(tls()?, &hello).await.map_err(|e| {
            failure(&format!("`{name}` cannot be talked to encrypted"), &e).code("starttls_failed")
        })?;
    }
    clear.store(false, Ordering::Relaxed);
    Ok(connection)
}

async fn log_in(
    connection: &mut AsyncSmtpConnection,
    user: &str,
    password: &Secret,
    name: &str,
) -> ToolResult<()> {
    let credentials = Credentials::new(user.to_owned(), password.reveal().to_owned());
    let answer = connection
        .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
        .await;
    answer.map(drop).map_err(|error| {
        let (kind, text) = match status(&error) {
            Some(reply) if reply.code == 535 || reply.code == 534 => {
                (ErrorKind::Unauthorised, reply.to_string())
            }
            Some(reply) if reply.code >= 500 => (ErrorKind::ProviderRejected, reply.to_string()),
            Some(reply) => (ErrorKind::ProviderUnavailable, reply.to_string()),
            None if error.is_client() => (
                ErrorKind::ProviderRejected,
                "it offers no login that is known here".to_owned(),
            ),
            None => (ErrorKind::Network, "the connection ended".to_owned()),
        };
        ToolError::new(kind, format!("`{name}` refuses the login: {text}"))
            .code("smtp_login_refused")
            .from_source("smtp")
    })
}
