//! The HTTP provider against a site on loopback.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use app_core::{Context, Definition, ErrorKind, ToolError, contract::RetryPolicy};
use serde_json::{Value, json};
use testkit::{Reply, Route, Site};
use web::{Http, HttpMethod, HttpOptions};

const FAST: RetryPolicy = RetryPolicy {
    attempts: 3,
    backoff_ms: 5,
    max_backoff_ms: 1500,
};

fn client(change: impl FnOnce(&mut HttpOptions)) -> Http {
    let dir = tempfile::tempdir().unwrap();
    let definition = Definition::new("sample_tool", "1.2.3", "Tests", "control");
    let ctx = Context::detached(definition, dir.path()).unwrap();
    let mut options = HttpOptions::of(&ctx).unwrap();
    options.allow_private = true;
    options.retry = FAST;
    change(&mut options);
    Http::with_options(&ctx, options).unwrap()
}

fn reply(status: u16) -> Reply {
    Reply {
        status: Some(status),
        ..Reply::default()
    }
}

fn with_header(status: u16, name: &str, value: &str) -> Reply {
    Reply {
        headers: BTreeMap::from([(name.to_owned(), value.to_owned())]),
        ..reply(status)
    }
}

/// A site with these answers, in order, to `method /`.
fn site(method: &str, responses: Vec<Reply>) -> Site {
    Site::routes(vec![Route {
        method: method.into(),
        path: "/".into(),
        query: None,
        responses,
    }])
    .unwrap()
}

/// Waiting longer than this is itself a failure.
const PATIENCE: Duration = Duration::from_secs(10);

async fn failure(http: &Http, url: &str) -> ToolError {
    let asked = tokio::time::timeout(PATIENCE, http.get(url)).await;
    asked.unwrap().unwrap_err()
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    let site = site("GET", vec![reply(503), reply(503), reply(200)]);
    let response = client(|_| {}).get(&site.url()).await.unwrap();
    assert_eq!(response.status, 200);
    let requests = site.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].headers["user-agent"], "onejob-sample_tool/1.2.3");
}

#[tokio::test]
async fn trouble_that_stays_is_told_after_the_last_attempt() {
    let site = site("GET", vec![reply(500)]);
    let error = failure(&client(|_| {}), &format!("{}/?key=hidden", site.url())).await;
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::ProviderUnavailable, "http_500")
    );
    assert_eq!(site.requests().len(), 3);
    assert!(!error.message.contains("hidden"), "{}", error.message);
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_and_a_long_one_handed_back() {
    let short = site("GET", vec![with_header(429, "retry-after", "1"), reply(200)]);
    let begin = Instant::now();
    client(|_| {}).get(&short.url()).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(990));

    let long = site("GET", vec![with_header(429, "retry-after", "600"), reply(200)]);
    let error = failure(&client(|_| {}), &long.url()).await;
    assert_eq!(
        (error.kind, error.retry_after_ms),
        (ErrorKind::RateLimited, Some(600_000))
    );
    assert_eq!(long.requests().len(), 1);
}

#[tokio::test]
async fn what_may_not_be_repeated_is_sent_once() {
    let posts = site("POST", vec![reply(503), reply(200)]);
    let http = client(|_| {});
    let send = |repeatable: bool| {
        let request = http.request(HttpMethod::POST, &posts.url()).unwrap();
        let request = request.json(&json!({"a": 1})).unwrap();
        if repeatable { request.repeatable() } else { request }
    };
    assert_eq!(send(false).send().await.unwrap().status, 503);
    assert_eq!(posts.requests().len(), 1);
    assert_eq!(posts.requests()[0].body, b"{\"a\":1}");
    assert_eq!(send(true).send().await.unwrap().status, 200);

    for (status, kind) in [
        (404, ErrorKind::NotFound),
        (401, ErrorKind::Unauthorised),
        (400, ErrorKind::ProviderRejected),
    ] {
        let site = site("GET", vec![reply(status)]);
        assert_eq!(failure(&http, &site.url()).await.kind, kind);
        assert_eq!(site.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused() {
    let site = site(
        "GET",
        vec![Reply {
            body_text: Some("x".repeat(1001)),
            ..Reply::default()
        }],
    );
    let error = failure(&client(|options| options.max_bytes = 1000), &site.url()).await;
    assert_eq!(error.code, "body_too_large");
    let whole = client(|options| options.max_bytes = 1001)
        .get(&site.url())
        .await
        .unwrap();
    assert_eq!(whole.body.len(), 1001);
}

#[tokio::test]
async fn private_addresses_and_other_schemes_are_refused() {
    let site = site("GET", vec![reply(200)]);
    let guarded = client(|options| options.allow_private = false);
    let port = site.address().port();
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433"] {
        let error = failure(&guarded, &format!("http://{host}:{port}/")).await;
        assert_eq!(
            (error.kind, error.code.as_str()),
            (ErrorKind::InvalidInput, "private_address"),
            "{host}"
        );
    }
    assert!(site.requests().is_empty());
    for url in ["file:///etc/passwd", "ftp://site.example/", "no address"] {
        assert_eq!(
            failure(&guarded, url).await.kind,
            ErrorKind::InvalidInput,
            "{url}"
        );
    }
}

#[tokio::test]
async fn redirects_are_followed_within_limits() {
    let hop = |path: &str, to: &str| Route {
        responses: vec![with_header(302, "location", to)],
        ..Route::status(path, 302)
    };
    let site = Site::routes(vec![
        hop("/one", "/two"),
        Route::text("/two", "text/plain", "here"),
        hop("/round", "/round"),
        hop("/out", "file:///etc/passwd"),
    ])
    .unwrap();
    let http = client(|options| options.redirects = 3);
    let url = |path: &str| format!("{}{path}", site.url());
    let arrived = http.get(&url("/one")).await.unwrap();
    assert_eq!((arrived.text().as_str(), arrived.url.path()), ("here", "/two"));
    assert_eq!(failure(&http, &url("/round")).await.code, "too_many_redirects");
    let error = failure(&http, &url("/out")).await;
    // What it redirects to is never opened: the answer itself is the failure.
    assert_eq!(error.kind, ErrorKind::ProviderRejected, "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_the_answer_where_it_is_not_to_be_followed() {
    let site = site("GET", vec![with_header(302, "location", "/elsewhere")]);
    let http = client(|_| {});
    let request = http.request(HttpMethod::GET, &site.url()).unwrap();
    let answer = request.no_redirects().send().await.unwrap();
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("/elsewhere"))
    );
    assert_eq!(site.requests().len(), 1);
}

#[tokio::test]
async fn a_dropped_connection_is_a_network_failure_and_is_retried() {
    let hang_up = Reply {
        close: true,
        ..Reply::default()
    };
    let site = site("GET", vec![hang_up]);
    let error = failure(&client(|_| {}), &site.url()).await;
    assert_eq!(error.kind, ErrorKind::Network, "{error:?}");
    assert!(error.retryable);
    assert_eq!(site.requests().len(), 3);
    let gone = site.url();
    drop(site);
    let error = failure(&client(|_| {}), &gone).await;
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Network, "cannot_connect")
    );
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_a_timeout() {
    let slow = Reply {
        delay_s: 20.0,
        ..Reply::default()
    };
    let site = site("GET", vec![slow]);
    let http = client(|options| {
        options.timeout = Duration::from_millis(100);
        options.retry = RetryPolicy::NONE;
    });
    let error = failure(&http, &site.url()).await;
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Timeout, "http_timeout")
    );
}

#[tokio::test]
async fn an_empty_body_is_not_a_parse_error() {
    let html = Reply {
        body_text: Some("<html>".into()),
        ..Reply::default()
    };
    let site = site("GET", vec![reply(200), html]);
    let http = client(|_| {});
    let code = |response: &web::Response| response.json::<Value>().unwrap_err().code;
    assert_eq!(code(&http.get(&site.url()).await.unwrap()), "empty_body");
    assert_eq!(code(&http.get(&site.url()).await.unwrap()), "unexpected_body");
}
