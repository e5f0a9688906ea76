//! One connection of the browser to the proxy: a tunnel, or one plain request.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional},
    net::TcpStream,
};
use url::Url;

use super::{Outcome, Shared, head::Head, host_name};

/// Time in which a request must have come.
const HEAD: Duration = Duration::from_secs(60);

/// Answers one connection.
pub async fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let _ = client.set_nodelay(true);
    let Ok(head) = tokio::time::timeout(HEAD, Head::read(&mut client, Vec::new())).await else {
        return Ok(());
    };
    let Some(head) = head? else { return Ok(()) };
    let mut words = head.start.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method == "CONNECT" {
        tunnel(client, shared, target, &head.rest).await
    } else {
        plain(client, shared, method, target, &head).await
    }
}

/// Bytes both ways, for TLS and WebSocket.
async fn tunnel(mut client: TcpStream, shared: &Shared, target: &str, begun: &[u8]) -> io::Result<()> {
    let parsed = Url::parse(&format!("http://{target}/")).ok();
    let Some((host, port)) = parsed
        .as_ref()
        .and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)))
    else {
        return refuse(&mut client, &Outcome::Failed("is no host".to_owned())).await;
    };
    // The usual port of a tunnel is written out, of which the parser drops 80.
    let name = host_name(host, port);
    match shared.connect(host, port).await {
        Ok(mut server) => {
            shared.note(&name, &Outcome::Passed);
            client
                .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await?;
            server.write_all(begun).await?;
            copy_bidirectional(&mut client, &mut server).await?;
            Ok(())
        }
        Err(outcome) => {
            shared.note(&name, &outcome);
            refuse(&mut client, &outcome).await
        }
    }
}

/// One request and its answer. The connection serves no second one, so that none passes without being looked at.
async fn plain(
    mut client: TcpStream,
    shared: &Shared,
    method: &str,
    target: &str,
    head: &Head,
) -> io::Result<()> {
    let parsed = Url::parse(target).ok().filter(|url| url.scheme() == "http");
    let Some((url, host, port)) = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some((url, host, url.port_or_known_default()?))
    }) else {
        return refuse(&mut client, &Outcome::Failed("is no http address".to_owned())).await;
    };
    let name = host_name(host, port);
    let mut server = match shared.connect(host, port).await {
        Ok(server) => server,
        Err(outcome) => {
            shared.note(&name, &outcome);
            return refuse(&mut client, &outcome).await;
        }
    };
    shared.note(&name, &Outcome::Passed);
    // As it was written: the parser would change what some servers tell apart.
    let path = target
        .find("://")
        .and_then(|at| {
            target[at + 3..]
                .find(['/', '?'])
                .map(|slash| &target[at + 3 + slash..])
        })
        .map_or_else(
            || "/".to_owned(),
            |path| {
                if path.starts_with('?') {
                    format!("/{path}")
                } else {
                    path.to_owned()
                }
            },
        );
    debug_assert!(url.path().starts_with('/'));
    server
        .write_all(&head.passed_on(&format!("{method} {path} HTTP/1.1")))
        .await?;
    let length = head
        .field("content-length")
        .and_then(|text| text.parse::<u64>().ok())
        .unwrap_or(0);
    if head.field("transfer-encoding").is_some() {
        return refuse(
            &mut client,
            &Outcome::Failed("a body without a length".to_owned()),
        )
        .await;
    }
    let begun = &head.rest[..head.rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
    server.write_all(begun).await?;
    let left = length - begun.len() as u64;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let sent = async {
        let mut body = (&mut from_client).take(left);
        copy(&mut body, &mut to_server).await?;
        // A client that is gone needs no answer any more.
        let mut nothing = [0_u8; 1];
        let _ = from_client.read(&mut nothing).await;
        Err::<(), io::Error>(io::Error::other("the client is gone"))
    };
    let answered = async {
        let mut begun = Vec::new();
        // Answers such as 103 come before the answer itself.
        loop {
            let Some(answer) = Head::read(&mut from_server, begun).await? else {
                return Ok(());
            };
            let status = answer.start.split(' ').nth(1).unwrap_or_default();
            if status.len() == 3 && status.starts_with('1') && status != "101" {
                begun = answer.rest;
                continue;
            }
            to_client.write_all(&answer.passed_on(&answer.start)).await?;
            to_client.write_all(&answer.rest).await?;
            copy(&mut from_server, &mut to_client).await?;
            return Ok(());
        }
    };
    tokio::select! {
        done = answered => done,
        gone = sent => gone,
    }
}

/// Says no. A page sees a network failure or a short text.
async fn refuse(client: &mut TcpStream, outcome: &Outcome) -> io::Result<()> {
    let status = match outcome {
        Outcome::Refused(_) | Outcome::Passed => "403 Forbidden",
        Outcome::Failed(_) => "502 Bad Gateway",
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}
