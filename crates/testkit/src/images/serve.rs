//! The server: reads a request, has it judged, answers.

use std::sync::{Arc, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full};
use hyper::{Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Asked, Judged, Refusal, Scene, Shared, form, gemini, openai, pictures, stability, webui};

pub(super) async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(shared.clone(), request));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Ends the connection without an answer.
#[derive(Debug)]
struct HangUp;

impl std::fmt::Display for HangUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hang up")
    }
}

impl std::error::Error for HangUp {}

/// Which service a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    OpenAi,
    Gemini,
    Stability,
    WebUi,
    File,
    Nothing,
}

impl Service {
    fn of(method: &str, path: &str) -> Self {
        match (method, path) {
            ("POST", path) if path.starts_with("/v1/images/") => Self::OpenAi,
            ("POST", path) if path.starts_with("/v1/models/") || path.starts_with("/v1beta/models/") => {
                Self::Gemini
            }
            ("POST", path) if path.starts_with("/v2beta/stable-image/") => Self::Stability,
            ("POST", path) if path.starts_with("/sdapi/v1/") => Self::WebUi,
            ("GET", "/file.png") => Self::File,
            _ => Self::Nothing,
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HangUp> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|whole| whole.to_bytes().to_vec())
        .unwrap_or_default();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let mut asked = Asked {
        path: parts.uri.path().to_owned(),
        json: serde_json::from_slice(&body).unwrap_or_default(),
        form: Vec::new(),
        headers,
        refused: None,
    };
    if let Some(boundary) = form::boundary(asked.header("content-type").unwrap_or_default()) {
        asked.form = form::fields(&body, &boundary);
    }
    let service = Service::of(parts.method.as_str(), &asked.path);
    let judged = match service {
        _ if parts.uri.query().is_some_and(|query| query.contains("key=")) => Judged {
            verdict: Err(Refusal::google(
                400,
                "KEY_IN_ADDRESS",
                "a key must not stand in an address",
            )),
        },
        Service::OpenAi => openai::judge(&asked),
        Service::Gemini => gemini::judge(&asked),
        Service::Stability => stability::judge(&asked),
        Service::WebUi => webui::judge(&asked),
        Service::File => Judged {
            verdict: Ok((64, 64)),
        },
        Service::Nothing => Judged {
            verdict: Err(Refusal::openai(404, "unknown_url", "there is nothing here")),
        },
    };
    asked.refused = judged.verdict.as_ref().err().map(|refusal| refusal.why.clone());
    let seen = asked.clone();
    shared
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    match judged.verdict {
        Err(refusal) => Ok(json_answer(refusal.status, &refusal.body)),
        Ok(size) => {
            let scene = match service {
                Service::File => None,
                _ => shared
                    .scenes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front(),
            };
            play(scene.unwrap_or(Scene::Picture), service, size, &seen)
        }
    }
}

fn play(
    scene: Scene,
    service: Service,
    size: (u32, u32),
    asked: &Asked,
) -> Result<Response<Full<Bytes>>, HangUp> {
    match scene {
        Scene::Lost => Err(HangUp),
        Scene::Json(status, body) => Ok(json_answer(status, &body)),
        Scene::Raw(status, headers, bytes) => Ok(raw(status, &headers, bytes)),
        Scene::Picture => Ok(picture(service, pictures::png(size.0, size.1), asked)),
        Scene::File(bytes) => Ok(picture(service, bytes, asked)),
    }
}

/// A picture in the shape of the service's answers.
fn picture(service: Service, bytes: Vec<u8>, asked: &Asked) -> Response<Full<Bytes>> {
    let media_type = pictures::media_type(&bytes);
    let encoded = STANDARD.encode(&bytes);
    match service {
        Service::OpenAi => json_answer(200, &openai::answer(&encoded, asked)),
        Service::Gemini => json_answer(200, &gemini::answer(&encoded, media_type)),
        Service::WebUi => {
            let seed = asked.json.get("seed").cloned().unwrap_or(json!(-1));
            let info = json!({"seed": seed}).to_string();
            json_answer(200, &json!({"images": [encoded], "parameters": {}, "info": info}))
        }
        Service::Stability | Service::File | Service::Nothing => {
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let seed = asked.field("seed");
            let headers = [
                header("content-type", media_type),
                header("finish-reason", "SUCCESS"),
                header("seed", if seed.is_empty() { "343940597" } else { &seed }),
            ];
            raw(200, &headers, bytes)
        }
    }
}

fn json_answer(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let headers = [
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-request-id".to_owned(), "req_0123456789".to_owned()),
    ];
    raw(status, &headers, body.to_string().into_bytes())
}

fn raw(status: u16, headers: &[(String, String)], bytes: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response
        .body(Full::from(bytes))
        .unwrap_or_else(|error| panic!("the scene is no answer: {error}"))
}
