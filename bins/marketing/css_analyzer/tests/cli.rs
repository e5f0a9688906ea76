//! The program from outside: files and a site of its own in; metrics, sheets and refusals out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use testkit::{Finished, Reply, Route, Sandbox, Site};

fn sandbox(files: &[(&str, &[u8])]) -> Sandbox {
    let sandbox = Sandbox::new().unwrap().env("ONEJOB_ALLOW_PRIVATE", "1");
    for (name, bytes) in files {
        sandbox.file(name, bytes);
    }
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_css_analyzer")), args)
}

/// The resulting CSS of a sheet in this mode.
fn made(files: &[(&str, &[u8])], mode: &str) -> String {
    let sandbox = sandbox(files);
    let output = run(&sandbox, &[files[0].0, "--mode", mode, "--json"])
        .expect_code(0)
        .json();
    output["css"].as_str().unwrap().to_owned()
}

fn warnings(finished: &Finished) -> Vec<String> {
    let logs = finished.events.iter().filter(|event| event["level"] == "warn");
    logs.map(|event| event["message"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_sheet_is_read_in_the_encoding_it_names() {
    let css = b"@charset \"windows-1251\";\n.a::before{content:\"\xcf\xf0\xe8\xe2\xe5\xf2\"}";
    assert_eq!(made(&[("a.css", css)], "minify"), ".a:before{content:\"Привет\"}");
    assert!(!made(&[("a.css", css)], "compact").contains("1251"));
    // An imported sheet that names none is read like the one that imports it; a mark of its own wins.
    let main = b"@charset \"koi8-r\"; @import 'b.css'; @import 'c.css'; .a{content:'\xf0'}";
    let made = made(
        &[
            ("a.css", main),
            ("b.css", b".b{content:'\xf0'}"),
            ("c.css", b"\xef\xbb\xbf.c{content:'\xd0\x9f'}"),
        ],
        "minify",
    );
    assert_eq!(made.matches('П').count(), 3, "{made}");
}

#[test]
fn sheets_of_a_page_are_read_in_the_encoding_of_the_page() {
    let page = b"<!-- <meta charset=utf-8> --><meta http-equiv=content-type content='text/html; charset = windows-1251'>\
        <link rel=stylesheet href=s.css><link rel=stylesheet charset=koi8-r href=k.css><style>.i{content:'\xcf'}</style>";
    let made = made(
        &[
            ("p.html", page),
            ("s.css", b".s{content:'\xcf'}"),
            ("k.css", b".k{content:'\xf0'}"),
        ],
        "minify",
    );
    assert_eq!(made.matches('П').count(), 3, "{made}");
}

#[test]
fn a_circle_of_imports_is_passed_over_however_it_is_spelled() {
    let files: &[(&str, &[u8])] = &[
        ("root.css", b"@import \"sub/b.css\";.own{color:red}"),
        (
            "sub/b.css",
            b"@import \"../root.css\"; @import '../sub/./b.css';.b{color:blue}",
        ),
    ];
    let sandbox = sandbox(files);
    for target in ["root.css", "./sub/../root.css"] {
        let output = run(&sandbox, &[target, "--json"]).expect_code(0).json();
        assert_eq!(output["metrics"]["rules"]["total"], 2, "{output}");
        assert_eq!(output["sheets"].as_array().unwrap().len(), 2);
        assert_eq!(output["skipped"], json!([]));
    }
}

#[test]
fn an_import_that_stays_precedes_every_rule() {
    let files: &[(&str, &[u8])] = &[
        (
            "main.css",
            b"@layer x;@import \"a.css\";\n@import url(\"https://f.invalid/x.css\");\n.z{color:red}",
        ),
        ("a.css", b"@import 'b.css' print;.a{color:#00f}"),
        ("b.css", b".b{color:red"),
        (
            "p.html",
            b"<style>.p{color:red}</style><link rel=stylesheet href=main.css><style>@import 'c.css';</style>",
        ),
        ("c.css", b".c{color:red}"),
    ];
    let place = |css: &str, part: &str| css.find(part).unwrap_or_else(|| panic!("no {part} in {css}"));
    for mode in ["compact", "minify"] {
        for target in ["main.css", "p.html"] {
            let sandbox = sandbox(files);
            let finished = run(&sandbox, &[target, "--mode", mode, "--imports=false", "--json"]);
            let kept = finished.expect_code(0).json()["css"].as_str().unwrap().to_owned();
            let last = kept.rfind("@import").unwrap();
            assert!(kept[..last].find('{').is_none(), "{kept}");
            let finished = run(&sandbox, &[target, "--mode", mode, "--json"]);
            assert!(warnings(&finished).iter().any(|text| text.contains("f.invalid")));
            let output = finished.expect_code(0).json();
            assert_eq!(output["skipped"].as_array().unwrap().len(), 1, "{output}");
            let css = output["css"].as_str().unwrap();
            if (mode, target) == ("compact", "p.html") {
                // As the replaced script had it: no import of a linked sheet, and it is listed.
                assert!(!css.contains("@import"), "{css}");
                continue;
            }
            let import = place(css, "f.invalid");
            assert!(
                css.find('{').is_some_and(|rule| import < rule) && css.matches("@import").count() == 1,
                "{css}"
            );
            assert!(place(css, "@layer x") < import, "{css}");
            assert!(
                place(css, ".b{") < place(css, ".a{") || mode == "compact",
                "{css}"
            );
        }
    }
}

#[test]
fn what_one_sheet_leaves_open_does_not_swallow_the_next() {
    let files: &[(&str, &[u8])] = &[
        ("p.html", b"<style>.a{color:red</style><link rel=stylesheet href=b.css><style media=print>.d{color:red/*</style><style>.e{color:red}</style>"),
        ("b.css", b"@import 'c.css' screen;.b{content:'x"),
        ("c.css", b".c{background:url(x.png"),
    ];
    let css = made(files, "minify");
    for part in [
        ".a{color:red}",
        "@media screen{.c{",
        ".b{content:\"x\"}",
        "@media print{.d{color:red}}",
        ".e{color:red}",
    ] {
        assert!(css.contains(part), "no {part} in {css}");
    }
}

#[test]
fn what_is_no_sheet_is_no_empty_page() {
    let files: &[(&str, &[u8])] = &[
        ("theme.scss", b"// x\n.a{color:red}"),
        ("theme", b".a{color:red}"),
        ("data.json", b"{\"a\":1}"),
        ("picture.css.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("notes.txt", b"only words"),
        ("saved.css", b"<!doctype html><title>404</title>"),
        ("page.txt", b"<p>x<style>.a{}</style>"),
    ];
    let sandbox = sandbox(files);
    for sheet in ["theme.scss", "theme", "page.txt"] {
        run(&sandbox, &[sheet, "--budget", "rules.total=0"]).expect_code(3);
    }
    for neither in ["data.json", "picture.css.png", "notes.txt"] {
        let refused = run(&sandbox, &[neither, "--budget", "rules.total=0"]).expect_code(2);
        assert!(
            refused.stderr.contains("neither a web page nor a style sheet"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(
        run(&sandbox, &["saved.css", "--json"]).expect_code(0).json()["sheets"],
        json!([])
    );
}

#[test]
fn a_warning_names_file_and_line() {
    let files: &[(&str, &[u8])] = &[
        ("s.css", b".a{color:red}\n\n@import 'late.css';\n.b{*zoom:1;color:blue}\n.i:hover,.i:unknown-thing{color:red}\n"),
        ("m.css", b"@import 'sub/i.css';\n\n.m{*zoom:1}"),
        ("sub/i.css", b"\n.i{\n  background:url(x.png);\n  *zoom:1}"),
    ];
    let sandbox = sandbox(files);
    let told = warnings(&run(&sandbox, &["s.css", "--mode", "minify"]));
    assert!(
        told.iter().any(|text| text.starts_with("`s.css:4`: left out")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|text| text.starts_with("`s.css:5`: kept")),
        "{told:?}"
    );
    let told = warnings(&run(&sandbox, &["m.css", "--mode", "minify"]));
    assert!(
        told[0].starts_with("`sub/i.css:4`:") && told[1].starts_with("`m.css:3`:"),
        "{told:?}"
    );
}

#[test]
fn all_imports_together_have_a_limit() {
    let route = |path: &str, body: String| Route {
        responses: vec![Reply {
            headers: [("content-type".to_owned(), "text/css".to_owned())].into(),
            body_text: Some(body),
            ..Reply::default()
        }],
        ..Route::text(path, "text/css", "")
    };
    let imports = (0..40)
        .map(|n| format!("@import '/s.css?{n}';"))
        .collect::<Vec<_>>()
        .concat();
    let site = Site::routes(vec![
        route("/imports.css", imports),
        route(
            "/same.css",
            "@import '/s.css?1' print;@import '/s.css?1' screen;".to_owned(),
        ),
        route("/s.css", ".a{color:red}".repeat(20_000)),
    ])
    .unwrap();
    let sandbox = sandbox(&[]);
    let address = format!("{}/imports.css", site.url());
    let refused = run(&sandbox, &[&address, "--max-total-bytes", "1000000"]).expect_code(2);
    assert!(
        refused.stderr.contains("more than 1000000 bytes"),
        "{}",
        refused.stderr
    );
    // 260 kB each: what was fetched is not much more than the limit.
    assert!(site.requests().len() <= 6, "{}", site.requests().len());
    let before = site.requests().len();
    run(
        &sandbox,
        &[&format!("{}/same.css", site.url()), "--max-total-bytes", "600000"],
    )
    .expect_code(0);
    assert_eq!(
        site.requests().len() - before,
        2,
        "a sheet imported twice is fetched once"
    );
}

#[test]
fn a_page_that_would_take_minutes_is_refused_at_once() {
    for piece in ["<div></x>", "<b><p></x>"] {
        let sandbox = sandbox(&[("e.html", piece.repeat(80_000).as_bytes())]);
        let finished = run(&sandbox, &["e.html"]);
        assert!(
            finished.took < Duration::from_secs(8),
            "{piece}: {:?}",
            finished.took
        );
        assert!(
            finished.code == Some(2) || finished.code == Some(0),
            "{}",
            finished.stderr
        );
    }
    let sandbox = sandbox(&[("e.html", "<div></x>".repeat(80_000).as_bytes())]);
    run(&sandbox, &["e.html"]).expect_code(2);
}

#[test]
fn hidden_files_and_other_kinds_of_files_are_no_sheets() {
    let files: &[(&str, &[u8])] = &[
        (
            "p.html",
            b"<link rel=stylesheet href=.env.css><link rel=stylesheet href=.git/a.css><link rel=stylesheet href=config.yml>\
              <link rel=stylesheet href=pipe.css><link rel=stylesheet href=good.css>",
        ),
        (".env.css", b"CANARY{}"),
        (".git/a.css", b"CANARY{}"),
        ("config.yml", b"CANARY{}"),
        ("good.css", b".good{color:red}"),
    ];
    let sandbox = sandbox(files);
    let made = std::process::Command::new("mkfifo")
        .arg(sandbox.path("pipe.css"))
        .status()
        .unwrap();
    assert!(made.success());
    let finished = run(&sandbox, &["p.html", "--mode", "compact", "--json"]).expect_code(0);
    assert!(finished.took < Duration::from_secs(5));
    let output = finished.json();
    assert_eq!(output["css"], ".good{color:red}");
    assert_eq!(output["skipped"].as_array().unwrap().len(), 4, "{output}");
}

#[test]
fn no_secret_of_an_address_is_told_or_kept() {
    let page = "<link rel=stylesheet href='/gone.css?sig=CANARY'><link rel=stylesheet href=s.css>\
        <link rel=stylesheet href='http://u:CANARY@[bad/x?CANARY'>";
    let site = Site::routes(vec![
        Route::text("/x", "text/html", page),
        Route::text("/s.css", "text/css", ".a{background:url(i.png)}"),
    ])
    .unwrap();
    let sandbox = sandbox(&[]);
    let address = format!(
        "http://user:CANARY-PW@{}/x?token=CANARY-TOK#CANARY",
        site.address()
    );
    let finished = run(
        &sandbox,
        &[&address, "--mode", "compact", "-o", "o.css", "--json"],
    )
    .expect_code(0);
    let mut seen = format!("{}{}{:?}", finished.stdout, finished.stderr, finished.events);
    for name in sandbox.files() {
        seen.push_str(&std::fs::read_to_string(sandbox.path(&name)).unwrap());
    }
    assert!(!seen.contains("CANARY"), "{seen}");
    assert!(seen.contains("token=***"), "{seen}");
    let requests = site.requests();
    assert_eq!(requests[0].query["token"], "CANARY-TOK");
    // Everything of the same origin is asked for with the password; it goes into no sheet.
    assert!(
        requests
            .iter()
            .all(|request| request.headers.contains_key("authorization"))
    );
    let css = std::fs::read_to_string(sandbox.path("o.css")).unwrap();
    assert_eq!(css, format!(".a{{background:url({}/i.png)}}", site.url()));
    let refused = run(&sandbox, &["http://u:CANARY@[bad/?CANARY"]).expect_code(2);
    assert!(!refused.stderr.contains("CANARY"), "{}", refused.stderr);
}

#[test]
fn the_result_keeps_its_shape() {
    let sandbox = sandbox(&[("a.css", b".a{color:red}")]);
    let output: Value = run(&sandbox, &["a.css", "--json"]).expect_code(0).json();
    assert_eq!(output["sheets"], json!([{"name": "a.css", "bytes": 13}]));
}
