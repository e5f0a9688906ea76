//! What must not get into a page, or out of it.

use std::time::Duration;

use testkit::{Route, Site};

use crate::{PNG, bundled, embedded, html, left_out, run, sandbox};

#[test]
fn hidden_files_sessions_and_pipes_stay_out() {
    let page = b"<img src=.env><img src=.git/config><img src=telegram_session.session><iframe src=config.yml></iframe>\
        <link rel=stylesheet href=config.yml><script src=config.yml></script><img src=link.png><embed src=telegram_session.session>\
        <img src=pipe.png><img src=../out.png><style>@import '.git/config';p{background:url(.env)}</style><img src=ok.png>";
    let sandbox = sandbox(&[
        ("site/index.html", page),
        ("site/.env", b"CANARY"),
        ("site/.git/config", b"CANARY"),
        ("site/telegram_session.session", b"SQLite format 3\0CANARY"),
        ("site/config.yml", b"api_hash: CANARY"),
        ("site/ok.png", PNG),
        ("out.png", PNG),
    ]);
    std::os::unix::fs::symlink(".env", sandbox.path("site/link.png")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(sandbox.path("site/pipe.png"))
        .status()
        .unwrap();
    assert!(made.success());
    let finished = run(&sandbox, &["site", "--json"]).expect_code(0);
    assert!(finished.took < Duration::from_secs(5), "{:?}", finished.took);
    let output = finished.json();
    assert_eq!(embedded(&output), ["site/ok.png"]);
    assert_eq!(output["embedded"][0]["uses"], 1);
    let missing = left_out(&output).len();
    assert!(missing >= 10, "{output}");
    // A folder that is itself hidden is what the caller asked for.
    let hidden = crate::sandbox(&[
        ("site/.preview/index.html", b"<img src=a.png>"),
        ("site/.preview/a.png", PNG),
    ]);
    let output = run(&hidden, &["site/.preview", "--json", "--strict"])
        .expect_code(0)
        .json();
    assert_eq!(embedded(&output).len(), 1);
}

#[test]
fn a_foreign_frame_cannot_see_the_page() {
    let foreign = Site::routes(vec![Route::text("/ad.html", "text/html", "<p>ad")]).unwrap();
    let own = format!(
        "<iframe src='{}/ad.html'></iframe><iframe src=own.html></iframe><iframe src=moved.html></iframe>",
        foreign.url()
    );
    let mut moved = Route::status("/moved.html", 302);
    moved.responses[0]
        .headers
        .insert("location".into(), format!("{}/ad.html", foreign.url()));
    let site = Site::routes(vec![
        Route::text("/", "text/html", &own),
        Route::text("/own.html", "text/html", "<p>own"),
        moved,
    ])
    .unwrap();
    let output = run(&sandbox(&[]), &[&site.url(), "--json"]).expect_code(0).json();
    let page = html(&output);
    assert_eq!(
        (
            page.matches("srcdoc=").count(),
            page.matches("src=\"data:text/html").count()
        ),
        (1, 2),
        "{page}"
    );
    assert!(
        page.contains("srcdoc=\"<html><head><meta charset=&quot;utf-8&quot;></head><body><p>own"),
        "{page}"
    );
    // A local page and the web are strangers too, whatever base the page claims.
    let local = format!("<base href='{}/'><iframe src=ad.html></iframe>", foreign.url());
    let output = bundled(&[("site/index.html", local.as_bytes())], &[]);
    assert!(!html(&output).contains("srcdoc"), "{output}");
}

#[test]
fn an_isolated_page_forbids_forms_and_refreshes() {
    let page = b"<meta http-equiv=' Refresh' content='1;url=http://127.0.0.1:1/'><form action=http://127.0.0.1:1/></form>\
        <noscript><meta http-equiv=refresh content='1;url=x'></noscript><iframe srcdoc='<meta http-equiv=refresh content=1>'></iframe>";
    let output = bundled(&[("site/index.html", page)], &["--isolate"]);
    let page = html(&output);
    assert!(
        !page.to_ascii_lowercase().contains("http-equiv=\"refresh") && !page.contains("=refresh"),
        "{page}"
    );
    assert!(page.contains("form-action 'none'; base-uri 'none'"), "{page}");
}

#[test]
fn nothing_runs_once_scripts_are_dropped() {
    let page = b"<body onload=x()><a href=' java\nScript:x()'>l</a><form action=javascript:x()><button formaction='javascript:x()' ONCLICK=x()>\
        </button></form><iframe src='data:text/html,<script>x()</script>'></iframe><iframe srcdoc='<img onerror=x() src=q>'></iframe>\
        <svg onload=x()><a xlink:href='javascript:x()'><set attributeName=href to='javascript:x()'/></a><script>x()</script></svg>\
        <script>x()</script><script type=application/ld+json>{\"keep\":1}</script><noscript><p onclick=x()>n</noscript>\
        <object data='javascript:x()'></object><a href='page.html' title=onward>stays</a>";
    let output = bundled(
        &[("site/index.html", page)],
        &["--exclude", "scripts", "--drop-excluded"],
    );
    let page = html(&output);
    assert!(!page.contains("x()"), "{page}");
    assert!(
        page.contains("script-src 'none'") && page.contains("\"keep\"") && page.contains("title=\"onward\""),
        "{page}"
    );
}

#[test]
fn no_secret_of_an_address_is_told_or_kept() {
    let page = "<img src='a.png?sig=CANARY'><img src='gone.png?sig=CANARY'><img src='http://u:CANARY@[bad/'><a href=next.html>n</a><form action=''>\
        </form><link rel=canonical href='?own=1'>";
    let site = Site::routes(vec![
        Route::text("/x", "text/html", page),
        Route::text("/a.png", "image/png", "png"),
    ])
    .unwrap();
    let sandbox = sandbox(&[]);
    let address = format!("http://user:CANARY-PW@{}/x?token=CANARY-TOK", site.address());
    let finished = run(&sandbox, &[&address, "-o", "o.html", "--json"]).expect_code(0);
    let manifest = std::fs::read_to_string(sandbox.path("o.html.manifest.json")).unwrap();
    let seen = format!(
        "{}{}{:?}{manifest}",
        finished.stdout, finished.stderr, finished.events
    );
    assert!(!seen.contains("CANARY"), "{seen}");
    assert!(seen.contains("sig=***"));
    let page = std::fs::read_to_string(sandbox.path("o.html")).unwrap();
    // The page keeps what it says itself, and gets nothing of what the caller gave.
    assert!(
        !page.contains("CANARY-PW") && !page.contains("CANARY-TOK") && !page.contains("user:"),
        "{page}"
    );
    assert!(
        page.contains(&format!("href=\"{}/next.html\"", site.url())),
        "{page}"
    );
    assert!(
        site.requests()
            .iter()
            .all(|request| request.headers.contains_key("authorization"))
    );
    let text = run(&sandbox, &[&address, "-o", "o.html", "--text"]).expect_code(0);
    assert!(!format!("{}{}", text.stdout, text.stderr).contains("CANARY"));
    for bad in ["http://u:CANARY@[bad/?CANARY", "ftp://u:CANARY@a.example/"] {
        let refused = run(&sandbox, &[bad]).expect_code(2);
        assert!(!refused.stderr.contains("CANARY"), "{}", refused.stderr);
    }
}
