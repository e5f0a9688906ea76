//! Answers as a stream: their limits, and where they may come from.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::time::{Duration, Instant};

use app_core::{Context, Definition, ErrorKind};
use reqwest::{Url, header::HeaderMap};
use testkit::{
    FakeModel,
    llm::{Fault, Manners, Script},
};
use web::http::{Stream, StreamLimits, Streamed, Unanswered};

const SHORT: StreamLimits = StreamLimits {
    connect: Duration::from_millis(100),
    first_byte: Duration::from_millis(200),
    silence: Duration::from_millis(300),
    whole: Duration::from_secs(5),
    max_bytes: 1 << 20,
};

/// Context that stays as long as its folder, and the client for `base`.
fn client(base: &str, limits: StreamLimits) -> (tempfile::TempDir, Context, Stream) {
    let dir = tempfile::tempdir().unwrap();
    let ctx = Context::detached(Definition::new("t", "0", "Tests", "control"), dir.path()).unwrap();
    let stream = Stream::to(&ctx, &Url::parse(base).unwrap(), limits).unwrap();
    (dir, ctx, stream)
}

fn fake(text: &str, fault: Option<Fault>) -> FakeModel {
    let manners = Manners {
        piece: 16,
        ..Manners::default()
    };
    let fake = FakeModel::start(Script::Canned(vec![text.to_owned()]), manners).unwrap();
    fake.fail([fault]);
    fake
}

async fn post(stream: &Stream, base: &str) -> Result<Streamed, Unanswered> {
    let url = Url::parse(&format!("{base}/api/chat")).unwrap();
    let body = br#"{"messages": [], "stream": true}"#.to_vec();
    stream.post(&url, HeaderMap::new(), body).await
}

async fn read(streamed: &mut Streamed) -> app_core::ToolResult<String> {
    let mut body = Vec::new();
    while let Some(piece) = streamed.piece().await? {
        body.extend(piece);
    }
    Ok(String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn an_answer_of_a_host_inside_comes_in_pieces() {
    let fake = fake("piece by piece", None);
    let (_dir, _ctx, stream) = client(&fake.url(), SHORT);
    let mut streamed = post(&stream, &fake.url()).await.unwrap();
    assert_eq!(
        (streamed.status, streamed.header("content-type")),
        (200, Some("application/x-ndjson"))
    );
    assert!(read(&mut streamed).await.unwrap().contains("piece b"));
}

#[tokio::test]
async fn each_limit_is_one_of_its_own() {
    for (fault, at_least, at_most) in [(Fault::Silence, 200, 2_000), (Fault::Stall, 300, 2_000)] {
        let fake = fake("some longer answer", Some(fault.clone()));
        let (_dir, _ctx, stream) = client(&fake.url(), SHORT);
        let begun = Instant::now();
        let error = match post(&stream, &fake.url()).await {
            Ok(mut streamed) => read(&mut streamed).await.unwrap_err(),
            Err(unanswered) => {
                assert!(unanswered.sent, "it may have been acted on");
                unanswered.error
            }
        };
        let took = begun.elapsed().as_millis();
        assert_eq!(error.kind, ErrorKind::Timeout, "{fault:?}");
        assert!((at_least..at_most).contains(&took), "{fault:?}: {took} ms");
    }
    // A slow answer is no silence, until the whole takes too long.
    let slow = fake("a drip", Some(Fault::Drip(1)));
    let (_dir, _ctx, stream) = client(&slow.url(), SHORT);
    assert!(read(&mut post(&stream, &slow.url()).await.unwrap()).await.is_ok());
    let endless = fake(&"drip ".repeat(2_000), Some(Fault::Drip(5)));
    let limits = StreamLimits {
        whole: Duration::from_millis(400),
        ..SHORT
    };
    let (_dir, _ctx, stream) = client(&endless.url(), limits);
    let error = read(&mut post(&stream, &endless.url()).await.unwrap())
        .await
        .unwrap_err();
    assert!(
        error.kind == ErrorKind::Timeout && error.message.contains("did not end"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn what_did_not_connect_was_not_sent_and_what_broke_was() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (_dir, _ctx, stream) = client(&format!("http://{closed}"), SHORT);
    let unanswered = post(&stream, &format!("http://{closed}")).await.unwrap_err();
    assert_eq!(
        (unanswered.sent, unanswered.error.kind),
        (false, ErrorKind::Network)
    );
    let fake = fake("x", Some(Fault::HangUp));
    let (_dir, _ctx, stream) = client(&fake.url(), SHORT);
    let unanswered = post(&stream, &fake.url()).await.unwrap_err();
    assert_eq!(
        (unanswered.sent, unanswered.error.kind),
        (true, ErrorKind::Network)
    );
}

#[tokio::test]
async fn no_other_place_is_reached() {
    let (near, other) = (fake("x", None), fake("never", None));
    near.fail([Some(Fault::Redirect(format!("{}/api/chat", other.url())))]);
    let (_dir, _ctx, stream) = client(&near.url(), SHORT);
    post(&stream, &near.url()).await.unwrap();
    let redirected = post(&stream, &near.url()).await.unwrap_err();
    assert_eq!(
        (redirected.error.code.as_str(), redirected.sent),
        ("redirect_refused", false)
    );
    let strayed = post(&stream, &other.url()).await.unwrap_err();
    assert_eq!(strayed.error.kind, ErrorKind::Internal);
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn too_large_an_answer_is_refused() {
    let fake = fake(&"large ".repeat(1_000), None);
    let limits = StreamLimits {
        max_bytes: 1_000,
        ..SHORT
    };
    let (_dir, _ctx, stream) = client(&fake.url(), limits);
    let mut streamed = post(&stream, &fake.url()).await.unwrap();
    assert_eq!(read(&mut streamed).await.unwrap_err().code, "body_too_large");
}
