//! A mail server that takes every message and delivers none (RFC 5321, with STARTTLS and any login).

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::Shared;
use crate::seen::Mail;

/// Longest line and largest message, in bytes.
const MAX_LINE: u64 = 1 << 20;
const MAX_MESSAGE: usize = 64 << 20;

/// How a session goes on.
enum Next {
    End,
    Tls,
}

/// Serves one connection to its end.
pub(super) async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let mut plain = BufReader::new(stream);
    if send(&mut plain, "220 parity mail sink").await.is_none() {
        return;
    }
    if let Some(Next::Tls) = session(&mut plain, &shared, shared.mail.starttls).await
        && let Ok(config) = shared.authority.server("127.0.0.1")
    {
        match TlsAcceptor::from(config).accept(plain.into_inner()).await {
            Ok(stream) => {
                let _ = session(&mut BufReader::new(stream), &shared, false).await;
            }
            Err(why) => shared.note(format!(
                "mail: the client does not trust the certificate of this run ({why})"
            )),
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, line: &str) -> Option<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = stream.take(MAX_LINE).read_until(b'\n', &mut bytes).await.ok()?;
    (read > 0).then_some(bytes)
}

async fn session<S>(stream: &mut BufReader<S>, shared: &Shared, can_encrypt: bool) -> Option<Next>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let command = line(stream).await?;
        let command = String::from_utf8_lossy(&command).trim().to_owned();
        let verb = command
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                if can_encrypt {
                    send(
                        stream,
                        "250-parity\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN",
                    )
                    .await?;
                } else {
                    send(stream, "250-parity\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN").await?;
                }
            }
            "STARTTLS" if can_encrypt => {
                send(stream, "220 go ahead").await?;
                return Some(Next::Tls);
            }
            "AUTH" => login(stream, &command, shared.mail.login).await?,
            "MAIL" => {
                from = address(&command);
                to.clear();
                send(stream, "250 ok").await?;
            }
            "RCPT" if shared.mail.refused.as_deref() == Some(address(&command).as_str()) => {
                send(stream, "550 no such recipient").await?;
            }
            "RCPT" => {
                to.push(address(&command));
                send(stream, "250 ok").await?;
            }
            "DATA" if to.is_empty() => send(stream, "503 no recipient").await?,
            "DATA" => {
                send(stream, "354 end with a dot").await?;
                let source = message(stream).await?;
                shared.state().mails.push(Mail {
                    from: std::mem::take(&mut from),
                    to: std::mem::take(&mut to),
                    source,
                });
                send(stream, "250 taken").await?;
            }
            "RSET" => {
                from.clear();
                to.clear();
                send(stream, "250 ok").await?;
            }
            "QUIT" => {
                send(stream, "221 bye").await?;
                return Some(Next::End);
            }
            "HELO" | "NOOP" | "VRFY" => send(stream, "250 ok").await?,
            _ => send(stream, "502 not known here").await?,
        }
    }
}

/// Any name and password will do, or none; they are not kept.
async fn login<S>(stream: &mut BufReader<S>, command: &str, welcome: bool) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut words = command.split_whitespace().skip(1);
    let kind = words.next().unwrap_or_default().to_ascii_uppercase();
    let given = words.count();
    let asked: &[&str] = match (kind.as_str(), given) {
        ("LOGIN", 0) => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
        ("LOGIN", _) => &["334 UGFzc3dvcmQ6"],
        (_, 0) => &["334 "],
        _ => &[],
    };
    for question in asked {
        send(stream, question).await?;
        line(stream).await?;
    }
    send(
        stream,
        if welcome {
            "235 welcome"
        } else {
            "535 login refused"
        },
    )
    .await
}

/// `MAIL FROM:<a@b> SIZE=10` -> `a@b`
fn address(command: &str) -> String {
    let inner = command.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    match inner {
        Some((address, _)) => address.to_owned(),
        None => command
            .split_once(':')
            .map_or("", |(_, rest)| rest.trim())
            .to_owned(),
    }
}

async fn message<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<Vec<u8>> {
    let mut source = Vec::new();
    loop {
        let line = line(stream).await?;
        if line == b".\r\n" || line == b".\n" {
            return Some(source);
        }
        source.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        if source.len() > MAX_MESSAGE {
            return None;
        }
    }
}
