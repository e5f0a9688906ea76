//! One HTTP connection: requests to the far side itself, through it as a proxy, and through a tunnel it opens.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode, body::Bytes, body::Incoming, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{
    Mode, Shared,
    answer::{self, Told},
    forward,
};
use crate::seen::{Answer, Exchange};

/// Largest request body that is taken, in bytes.
const MAX_BODY: usize = 64 << 20;

/// Ends the connection without an answer.
#[derive(Debug)]
struct HangUp;

impl std::fmt::Display for HangUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hang up")
    }
}

impl std::error::Error for HangUp {}

/// Serves one connection to its end.
pub(super) async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer_one(request, None, shared.clone()));
    // A client that hangs up is no failure of the far side.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn answer_one(
    request: Request<Incoming>,
    tunnel: Option<String>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, HangUp> {
    if request.method() == Method::CONNECT && tunnel.is_none() {
        return Ok(open_tunnel(request, shared));
    }
    let base = base_of(&request, tunnel, &shared);
    let exchange = read(request, base).await?;
    let index = {
        let mut state = shared.state();
        state.exchanges.push(exchange.clone());
        state.exchanges.len() - 1
    };
    let told = answer::declared(
        &shared,
        &exchange.method,
        &exchange.base,
        &exchange.path,
        &exchange.query,
    );
    let (answer, unexpected) = match (told, &shared.mode, &shared.client) {
        (Told::HangUp, ..) => return Err(HangUp),
        (Told::Answer(answer, wait), ..) => {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            (answer, false)
        }
        (Told::Unknown, Mode::Forward, Some(client)) if !exchange.base.is_empty() => {
            match forward::pass_on(client, &exchange).await {
                Ok(answer) => (answer, false),
                Err(why) => {
                    shared.note(format!("cannot reach {why}"));
                    (answer::unknown(true), true)
                }
            }
        }
        (Told::Unknown, ..) => (answer::unknown(!exchange.base.is_empty()), true),
    };
    if let Some(kept) = shared.state().exchanges.get_mut(index) {
        kept.answer = Some(answer.clone());
        kept.unexpected = unexpected;
    }
    Ok(response(answer))
}

/// `https://host` of a tunnel, `http://host` of a request to a proxy, nothing for the far side's own address.
fn base_of(request: &Request<Incoming>, tunnel: Option<String>, shared: &Shared) -> String {
    if let Some(base) = tunnel {
        return base;
    }
    match (request.uri().scheme_str(), request.uri().authority()) {
        (Some(scheme), Some(authority)) if authority.as_str() != shared.own.to_string() => {
            format!("{scheme}://{authority}")
        }
        _ => String::new(),
    }
}

async fn read(request: Request<Incoming>, base: String) -> Result<Exchange, HangUp> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| HangUp)?;
    Ok(Exchange {
        base,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body.to_bytes().to_vec(),
        answer: None,
        unexpected: false,
    })
}

/// Agrees to a tunnel and speaks TLS in it with a certificate for the host asked for.
fn open_tunnel(request: Request<Incoming>, shared: Arc<Shared>) -> Response<Full<Bytes>> {
    let Some(authority) = request.uri().authority().cloned() else {
        return plain(StatusCode::BAD_REQUEST, "parity: a tunnel needs a host");
    };
    let config = match shared.authority.server(authority.host().trim_matches(['[', ']'])) {
        Ok(config) => config,
        Err(why) => {
            shared.note(format!("no certificate for {}: {why}", authority.host()));
            return plain(StatusCode::BAD_GATEWAY, "parity: no certificate for this host");
        }
    };
    let base = match authority.port_u16() {
        Some(443) | None => format!("https://{}", authority.host()),
        Some(port) => format!("https://{}:{port}", authority.host()),
    };
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            return;
        };
        match TlsAcceptor::from(config).accept(TokioIo::new(upgraded)).await {
            Ok(stream) => {
                let service =
                    service_fn(move |request| answer_one(request, Some(base.clone()), shared.clone()));
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
            Err(why) => shared.note(format!(
                "{base}: the client does not trust the certificate of this run ({why})"
            )),
        }
    });
    plain(StatusCode::OK, "")
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        if !forward::HOP_BY_HOP.contains(&name.as_str()) {
            response = response.header(name, value);
        }
    }
    response.body(Full::from(answer.body)).unwrap_or_else(|_| {
        plain(
            StatusCode::BAD_GATEWAY,
            "parity: the recorded answer cannot be sent",
        )
    })
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}
