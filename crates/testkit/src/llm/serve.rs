//! The server: requests in, answers out in pieces.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::BodyExt as _;
use hyper::{
    Request, Response,
    body::{Body, Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc};

use super::{Asked, Fault, Shared, answer, dialect, refuse};

pub(super) async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(shared.clone(), request));
            // A client that hangs up is no failure of the server.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// A connection that ends without, or within, an answer.
#[derive(Debug)]
struct HangUp;

impl std::fmt::Display for HangUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hang up")
    }
}

impl std::error::Error for HangUp {}

/// A body whose pieces come from a channel.
struct Pieces(mpsc::Receiver<Result<Bytes, HangUp>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = HangUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        self.0
            .poll_recv(context)
            .map(|next| next.map(|piece| piece.map(Frame::data)))
    }
}

async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Pieces>, HangUp> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let bytes = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let Some(spoken) = dialect::of(&path) else {
        return Ok(document(404, &serde_json::json!({"error": "not found"}), &[]));
    };
    let Ok(body) = serde_json::from_slice::<Value>(&bytes) else {
        return Ok(document(400, &refuse::error(spoken, 400, "not JSON", None), &[]));
    };
    let (fault, number) = {
        let mut state = shared.lock();
        state.asked.push(Asked {
            dialect: spoken,
            target: parts.uri.to_string(),
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
            body: body.clone(),
        });
        let fault = state.faults.pop_front().flatten();
        let question = dialect::question(spoken, &path, &body);
        let refusal = fault
            .as_ref()
            .and_then(|fault| refuse::by_fault(spoken, fault))
            .or_else(|| refuse::by_manners(&question, &shared.manners, &body));
        if let Some(refusal) = refusal {
            return Ok(document(refusal.status, &refusal.body, &refusal.headers));
        }
        state.answered += 1;
        (fault, state.answered - 1)
    };
    match fault {
        Some(Fault::Silence) => std::future::pending::<()>().await,
        Some(Fault::HangUp) => return Err(HangUp),
        _ => {}
    }
    let question = dialect::question(spoken, &path, &body);
    let text = answer::said(&shared.script, &question, number);
    let window = body["options"]["num_ctx"].as_u64().unwrap_or(4096);
    let told = answer::told(&question, &shared.manners, text, fault.as_ref(), window);
    if shared.manners.whole || !question.stream {
        return Ok(document(200, &answer::whole(spoken, &told), &[]));
    }
    let stream = answer::stream(spoken, &told, fault.as_ref());
    let kind = match spoken {
        dialect::Spoken::Ollama => "application/x-ndjson",
        _ => "text/event-stream; charset=utf-8",
    };
    Ok(head(
        200,
        kind,
        &[],
        in_pieces(stream, shared.manners.piece, fault),
    ))
}

/// Hands the bytes out as the manners and the fault say.
fn in_pieces(stream: Vec<u8>, size: usize, fault: Option<Fault>) -> Pieces {
    let (send, receive) = mpsc::channel(4);
    let size = match (&fault, size) {
        (Some(Fault::Drip(_)), _) => 1,
        (_, 0) => stream.len().max(1),
        (_, size) => size,
    };
    let until = match fault {
        // Within the first character of more than one byte behind the middle, if there is one.
        Some(Fault::Cut) => {
            let middle = stream.len() / 2;
            let wide = stream[middle..].iter().position(|byte| *byte >= 0xc0);
            wide.map_or(middle, |at| middle + at + 1)
        }
        Some(Fault::Stall) => stream.len() / 2,
        _ => stream.len(),
    };
    tokio::spawn(async move {
        for piece in stream[..until].chunks(size) {
            if send.send(Ok(Bytes::copy_from_slice(piece))).await.is_err() {
                return;
            }
            match fault {
                Some(Fault::Drip(wait)) => tokio::time::sleep(Duration::from_millis(wait)).await,
                // So that pieces are not put together again on their way.
                _ => tokio::task::yield_now().await,
            }
        }
        match fault {
            Some(Fault::Cut) => drop(send.send(Err(HangUp)).await),
            Some(Fault::Stall) => send.closed().await,
            _ => {}
        }
    });
    Pieces(receive)
}

fn document(status: u16, body: &Value, headers: &[(&'static str, String)]) -> Response<Pieces> {
    let bytes = body.to_string().into_bytes();
    head(status, "application/json", headers, in_pieces(bytes, 0, None))
}

fn head(status: u16, kind: &str, headers: &[(&'static str, String)], body: Pieces) -> Response<Pieces> {
    let mut response = Response::builder().status(status).header("content-type", kind);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response
        .body(body)
        .unwrap_or_else(|error| panic!("the fake model cannot answer: {error}"))
}
