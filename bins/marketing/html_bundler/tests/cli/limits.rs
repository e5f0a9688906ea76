//! Small input, huge work: every limit holds, and says so.

use std::time::Duration;

use testkit::{Finished, Reply, Route, Sandbox, Site};

use crate::{html, left_out, run, sandbox};

/// Peak memory is bounded by what the program may map.
fn run_bounded(sandbox: &Sandbox, megabytes: u64, args: &[&str]) -> Finished {
    let program = env!("CARGO_BIN_EXE_html_bundler");
    let script = format!("ulimit -v {}; exec \"$0\" \"$@\"", megabytes * 1024);
    let args = [&["-c", &script, program], args].concat();
    sandbox.run(std::path::Path::new("/bin/bash"), &args)
}

fn quick(finished: &Finished) {
    assert!(finished.took < Duration::from_secs(40), "{:?}", finished.took);
}

#[test]
fn frames_in_frames_stop_at_a_limit() {
    let sandbox = sandbox(&[("site/p9.html", b"<p>lol")]);
    for n in 0..9 {
        let name = if n == 0 {
            "index".to_owned()
        } else {
            format!("p{n}")
        };
        let frame = format!("<iframe src=p{}.html></iframe>", n + 1);
        sandbox.file(&format!("site/{name}.html"), frame.repeat(10));
    }
    let finished = run_bounded(&sandbox, 2_000, &["site", "-o", "o.html", "--json"]).expect_code(3);
    quick(&finished);
    assert!(finished.stderr.contains("limit_reached"), "{}", finished.stderr);
    assert!(std::fs::metadata(sandbox.path("o.html")).unwrap().len() < 20_000_000);
}

#[test]
fn imports_in_imports_stop_at_a_limit() {
    for layers in ["", "@layer x{}"] {
        let sandbox = sandbox(&[
            ("site/index.html", b"<link rel=stylesheet href=s0.css>"),
            ("site/s9.css", b"a{color:red}"),
        ]);
        for n in 0..9 {
            let import = format!("@import 's{}.css';", n + 1);
            sandbox.file(
                &format!("site/s{n}.css"),
                format!("{}{layers}", import.repeat(10)),
            );
        }
        let finished = run_bounded(&sandbox, 2_000, &["site", "-o", "o.html"]);
        quick(&finished);
        assert_eq!(
            finished.code,
            Some(if layers.is_empty() { 0 } else { 3 }),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn a_picture_shown_a_thousand_times_stops_at_the_limit_of_the_page() {
    let mut picture = crate::PNG.to_vec();
    picture.resize(1_000_000, 0);
    let page = "<img src=b.png>".repeat(1_000);
    let sandbox = sandbox(&[("site/index.html", page.as_bytes()), ("site/b.png", &picture)]);
    let flags = ["site", "-o", "o.html", "--json", "--max-output-bytes", "20000000"];
    let finished = run_bounded(&sandbox, 1_500, &flags).expect_code(3);
    quick(&finished);
    assert!(
        finished.stderr.contains("would be larger than 20000000 bytes"),
        "{}",
        finished.stderr
    );
    let output = finished.json();
    assert_eq!(output["embedded"][0]["uses"], 14, "{output}");
    assert_eq!(output["not_embedded"][0]["uses"], 986);
    assert!(output["bundled_bytes"].as_u64().unwrap() < 21_000_000);
}

#[test]
fn many_addresses_cost_their_number_and_no_more_are_asked_than_allowed() {
    let page: Vec<_> = (0..40_000).map(|n| format!("<img src=i{n}.png>")).collect();
    let site = Site::routes(vec![Route::text("/", "text/html", &page.concat())]).unwrap();
    let sandbox = sandbox(&[]);
    let finished = run(
        &sandbox,
        &[&site.url(), "--json", "-o", "o.html", "--max-requests", "50"],
    )
    .expect_code(3);
    quick(&finished);
    assert_eq!(site.requests().len(), 51);
    let warned = finished
        .events
        .iter()
        .filter(|event| event["level"] == "warn")
        .count();
    assert!(warned <= 101, "{warned}");
    assert_eq!(left_out(&finished.json()).len(), 40_000);
}

#[test]
fn no_more_is_loaded_than_allowed() {
    let picture = |n: usize| Route {
        responses: vec![Reply {
            headers: [("content-type".to_owned(), "image/png".to_owned())].into(),
            body_text: Some("x".repeat(100_000)),
            ..Reply::default()
        }],
        ..Route::text(&format!("/{n}.png"), "", "")
    };
    let page: Vec<_> = (0..60).map(|n| format!("<img src={n}.png>")).collect();
    let mut routes: Vec<_> = (0..60).map(picture).collect();
    routes.push(Route::text("/", "text/html", &page.concat()));
    let site = Site::routes(routes).unwrap();
    let sandbox = sandbox(&[]);
    let flags = [
        &site.url(),
        "--json",
        "-o",
        "o.html",
        "--max-load-bytes",
        "250000",
    ];
    let output = run(&sandbox, &flags).expect_code(0).json();
    assert_eq!(output["embedded"].as_array().unwrap().len(), 2, "{output}");
    // The third is refused by its announced length; nothing says how long the others are before they are asked.
    let bodies = site.requests().len() - 1;
    assert!(bodies <= 3, "{bodies}");
    assert!(
        left_out(&output)
            .iter()
            .all(|(_, reason)| reason == "more than 250000 bytes loaded in all"),
        "{output}"
    );
}

#[test]
fn a_page_that_would_take_minutes_is_refused_at_once() {
    let evil = "<div></x>".repeat(80_000);
    let frame =
        format!("<iframe srcdoc='{evil}'></iframe><iframe src=e.html></iframe><noscript>{evil}</noscript>");
    let sandbox = sandbox(&[
        ("site/index.html", frame.as_bytes()),
        ("site/e.html", evil.as_bytes()),
    ]);
    let refused = run(&sandbox, &["site/e.html"]).expect_code(2);
    quick(&refused);
    let output = run(&sandbox, &["site", "--json"]).expect_code(0);
    quick(&output);
    assert_eq!(
        left_out(&output.json()).len(),
        2,
        "{:?}",
        left_out(&output.json())
    );
}

#[test]
fn end_tags_in_sheets_cost_their_number() {
    let sheet = "</style".repeat(120_000);
    let sandbox = sandbox(&[
        ("site/index.html", b"<link rel=stylesheet href=s.css>"),
        ("site/s.css", sheet.as_bytes()),
    ]);
    let finished = run(&sandbox, &["site", "--json"]).expect_code(0);
    assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
    assert_eq!(html(&finished.json()).matches("</style").count(), 1);
}
