//! Requests that make something, forms, downloads, and dates of Retry-After, against far sides on loopback.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{collections::BTreeMap, time::Duration};

use app_core::{Context, Definition, ErrorKind, contract::RetryPolicy};
use testkit::{
    Reply, Route, Site,
    broken::{Answers, BrokenSide},
};
use web::{
    Http, HttpMethod, HttpOptions,
    http::{Creation, Form},
};

fn client() -> (Http, Context) {
    let dir = tempfile::tempdir().unwrap();
    let definition = Definition::new("sample_tool", "1.2.3", "Tests", "control");
    let ctx = Context::detached(definition, dir.path()).unwrap();
    let mut options = HttpOptions::of(&ctx).unwrap();
    options.allow_private = true;
    options.max_bytes = 1000;
    options.timeout = Duration::from_millis(700);
    options.retry = RetryPolicy {
        attempts: 3,
        backoff_ms: 5,
        max_backoff_ms: 50,
    };
    (Http::with_options(&ctx, options).unwrap(), ctx)
}

fn site(method: &str, responses: Vec<Reply>) -> Site {
    Site::routes(vec![Route {
        method: method.into(),
        path: "/".into(),
        query: None,
        responses,
    }])
    .unwrap()
}

async fn create(http: &Http, url: &str) -> Creation {
    let request = http.request(HttpMethod::POST, url).unwrap();
    request.body("make it").create().await
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer_and_is_not_asked_for_twice() {
    let (http, _) = client();
    for status in [200, 307, 429, 500, 503] {
        let reply = Reply {
            status: Some(status),
            headers: BTreeMap::from([("location".to_owned(), "/again".to_owned())]),
            ..Reply::default()
        };
        let site = site("POST", vec![reply]);
        let Creation::Answered(answer) = create(&http, &site.url()).await else {
            panic!("{status}: no answer")
        };
        assert_eq!((answer.status, site.requests().len()), (status, 1));
    }
}

#[tokio::test]
async fn what_was_sent_and_not_answered_is_unconfirmed_and_sent_once() {
    let (http, _) = client();
    let closed = Reply {
        close: true,
        ..Reply::default()
    };
    let slow = Reply {
        delay_s: 5.0,
        ..Reply::default()
    };
    let large = Reply {
        body_text: Some("x".repeat(2000)),
        ..Reply::default()
    };
    for (reply, code) in [
        (closed, "http_failed"),
        (slow, "http_timeout"),
        (large, "body_too_large"),
    ] {
        let site = site("POST", vec![reply]);
        let Creation::Unconfirmed(error) = create(&http, &site.url()).await else {
            panic!("{code}: not unconfirmed")
        };
        assert_eq!((error.code.as_str(), site.requests().len()), (code, 1));
    }
    let noise = BrokenSide::start(Answers::Noise);
    let outcome = create(&http, &noise.url()).await;
    assert!(matches!(outcome, Creation::Unconfirmed(_)), "{outcome:?}");
    assert_eq!(noise.calls(), 1);
}

#[tokio::test]
async fn what_surely_never_arrived_is_said_to_be_so() {
    let (http, _) = client();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let Creation::NotSent(error) = create(&http, &format!("http://{closed}/")).await else {
        panic!("it was sent to nobody")
    };
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Network, "cannot_connect")
    );
}

#[tokio::test]
async fn a_run_that_stops_leaves_its_request_unconfirmed() {
    let (http, ctx) = client();
    let silent = BrokenSide::start(Answers::Never);
    let url = silent.url();
    let stop = async {
        while silent.calls() == 0 {
            tokio::task::yield_now().await;
        }
        ctx.stopping().cancel();
    };
    let (outcome, ()) = tokio::join!(create(&http, &url), stop);
    let Creation::Unconfirmed(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    let Creation::NotSent(error) = create(&http, &url).await else {
        panic!("a stopped run sent something")
    };
    assert_eq!((error.kind, silent.calls()), (ErrorKind::Cancelled, 1));
}

#[tokio::test]
async fn a_form_arrives_as_it_was_written() {
    let site = site("POST", vec![Reply::default()]);
    let (http, _) = client();
    let form = Form::default()
        .text("prompt", "Чай")
        .file("image", "a.png", "image/png", vec![1, 2, 3]);
    let request = http.request(HttpMethod::POST, &site.url()).unwrap();
    request.multipart(&form).unwrap().create().await;
    let seen = &site.requests()[0];
    let boundary = seen.headers["content-type"]
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let body = String::from_utf8(seen.body.clone()).unwrap();
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 4);
    assert!(parts[1].ends_with("name=\"prompt\"\r\n\r\nЧай\r\n"), "{body:?}");
    assert!(
        parts[2].contains("filename=\"a.png\"\r\ncontent-type: image/png\r\n\r\n\u{1}\u{2}\u{3}"),
        "{body:?}"
    );
    assert_eq!(parts[3], "--\r\n");
}

#[tokio::test]
async fn a_download_is_a_file_with_size_and_hash_or_nothing() {
    let text = |text: &str| Reply {
        body_text: Some(text.to_owned()),
        ..Reply::default()
    };
    let busy = Reply {
        status: Some(503),
        ..Reply::default()
    };
    let (http, _) = client();
    let folder = tempfile::tempdir().unwrap();
    let fetch = |site: &Site| {
        let request = http.request(HttpMethod::GET, &site.url()).unwrap();
        request.download(folder.path())
    };
    let good = site("GET", vec![busy.clone(), text("abc")]);
    let found = fetch(&good).await.unwrap();
    assert_eq!((found.bytes, good.requests().len()), (3, 2));
    assert_eq!(found.sha256, app_core::files::sha256(b"abc"));
    assert_eq!(std::fs::read(found.file.path()).unwrap(), b"abc");
    drop(found);
    let large = site("GET", vec![text(&"x".repeat(1001))]);
    assert_eq!(fetch(&large).await.unwrap_err().code, "body_too_large");
    let gone = site(
        "GET",
        vec![Reply {
            status: Some(404),
            ..text("no")
        }],
    );
    assert_eq!(fetch(&gone).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[tokio::test]
async fn a_date_says_how_long_to_wait_by_the_clock_of_the_server() {
    for (until, now, wait) in [
        (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:07 GMT",
            Some(30_000),
        ),
        (
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 09:00:00 GMT",
            Some(0),
        ),
        (
            "Sat Nov  6 08:49:37 2094",
            "Sun, 06 Nov 1994 09:00:00 GMT",
            Some(86_400_000),
        ),
        ("soon", "Sun, 06 Nov 1994 09:00:00 GMT", None),
    ] {
        let headers =
            [("retry-after", until), ("date", now)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let reply = Reply {
            status: Some(429),
            headers: BTreeMap::from(headers),
            ..Reply::default()
        };
        let site = site("POST", vec![reply]);
        let (http, _) = client();
        let Creation::Answered(answer) = create(&http, &site.url()).await else {
            panic!("no answer")
        };
        assert_eq!(answer.error().retry_after_ms, wait, "{until}");
    }
}
