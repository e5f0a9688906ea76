//! Bundles in Chromium, where it is installed: what a bundle does, not what it looks like.

use std::process::{Command, Stdio};

use testkit::{Route, Sandbox, Site};

use crate::{run, sandbox};

/// Four seconds of a clock that runs as fast as the page allows.
const VIRTUAL: &str = "--virtual-time-budget=4000";

/// The document after the page has run for a while of the browser's own.
fn dom(sandbox: &Sandbox, page: &str, patience: &str) -> String {
    let profile = sandbox.root().join("profile");
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
        ])
        .args([patience, "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", sandbox.path(page).display()))
        .stderr(Stdio::null())
        .output()
        // Without Chromium nothing is shown, so that is a failure: `apt-get install chromium`.
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn scripts_of_foreign_frames_and_of_dropped_pages_have_no_effect() {
    let ad = "<script>try{parent.document.title='STOLEN'}catch(e){}</script>";
    let foreign = Site::routes(vec![Route::text("/ad.html", "text/html", ad)]).unwrap();
    let page = format!(
        "<title>kept</title><iframe src='{}/ad.html'></iframe><script>document.body.id='ran'</script>",
        foreign.url()
    );
    let site = Site::routes(vec![Route::text("/", "text/html", &page)]).unwrap();
    let sandbox = sandbox(&[]);
    run(&sandbox, &[&site.url(), "-o", "o.html"]).expect_code(0);
    let seen = dom(&sandbox, "o.html", VIRTUAL);
    assert!(
        seen.contains("<title>kept</title>") && seen.contains("id=\"ran\""),
        "{seen}"
    );
    let hostile = "<title>kept</title><body onload=\"document.title='RAN'\"><iframe srcdoc=\"<script>parent.document.title='RAN'</script>\"></iframe>\
        <svg><script>document.title='RAN'</script></svg><img src=q onerror=\"document.title='RAN'\">";
    sandbox.file("site/index.html", hostile);
    run(
        &sandbox,
        &["site", "-o", "p.html", "--exclude", "scripts", "--drop-excluded"],
    )
    .expect_code(0);
    assert!(dom(&sandbox, "p.html", VIRTUAL).contains("<title>kept</title>"));
}

#[test]
fn an_isolated_page_sends_nothing() {
    let site = Site::routes(Vec::new()).unwrap();
    let url = site.url();
    let page = format!(
        "<meta http-equiv=refresh content='1;url={url}/refresh'><base href='{url}/'><form action={url}/form><input name=a value=b></form>\
         <script>document.body.append(Object.assign(new Image(),{{src:'{url}/image'}}));document.forms[0].submit()</script>"
    );
    let sandbox = sandbox(&[("site/index.html", page.as_bytes())]);
    // A form that is held back never loads, for which the virtual clock would wait.
    let patience = "--timeout=3000";
    run(&sandbox, &["site", "-o", "o.html", "--isolate"]).expect_code(0);
    dom(&sandbox, "o.html", patience);
    assert_eq!(site.requests(), []);
    // Without it the same page does send something.
    run(&sandbox, &["site", "-o", "p.html"]).expect_code(0);
    dom(&sandbox, "p.html", patience);
    assert!(!site.requests().is_empty());
}

#[test]
fn the_bundle_of_a_page_does_what_the_page_does() {
    let sandbox = sandbox(&[
        (
            "site/index.html",
            "<!doctype html><meta charset=windows-1251><link rel=stylesheet href=m.css><p class=lead>L</p><p class=note>N</p>\
             <svg><script>for(var i=0;i&lt;3;i++){} window.n=i</script></svg>\
             <script>let c=s=>getComputedStyle(document.querySelector(s)).color;document.title=[c('.lead'),c('.note'),n,document.baseURI.length>0].join('|')</script>"
                .as_bytes(),
        ),
        ("site/m.css", b"@import \"part.css\";@import 'm.css';\n.note{color:rgb(0,0,255)}"),
        ("site/part.css", b".lead{color:rgb(255,0,0)"),
    ]);
    run(&sandbox, &["site", "-o", "o.html", "--strict"]).expect_code(0);
    let original = dom(&sandbox, "site/index.html", VIRTUAL);
    let bundle = dom(&sandbox, "o.html", VIRTUAL);
    let title = "<title>rgb(255, 0, 0)|rgb(0, 0, 255)|3|true</title>";
    assert!(original.contains(title), "{original}");
    assert!(bundle.contains(title), "{bundle}");
}
