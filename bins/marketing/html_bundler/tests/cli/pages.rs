//! What pages are made of: bases, imports, encodings, scripts of pictures, frames.

use serde_json::json;

use crate::{DATA, PNG, bundled, embedded, html, left_out, run, sandbox};

#[test]
fn a_base_moves_addresses_of_a_local_page() {
    let output = bundled(
        &[
            ("site/index.html", b"<!doctype html><base href='assets/' target=_top><base href='no/'><link rel=stylesheet href=s.css>\
              <img src=i.png><a href='page2.html?x#y'>next</a><a href='#here'>here</a><a href='/top.html'>top</a><img src=gone.png>"),
            ("site/assets/s.css", b"p{background:url(i.png)}"),
            ("site/assets/i.png", PNG),
        ],
        &[],
    );
    let page = html(&output);
    assert_eq!(embedded(&output), ["site/assets/s.css", "site/assets/i.png"]);
    for part in [
        "<base target=\"_top\">",
        "href=\"assets/page2.html?x#y\"",
        "href=\"#here\"",
        "href=\"/top.html\"",
        "src=\"assets/gone.png\"",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert_eq!(page.matches("<base").count(), 1);
    assert_eq!(left_out(&output)[0].0, "site/assets/gone.png");
}

#[test]
fn the_root_of_a_local_page_is_its_folder() {
    let files: &[(&str, &[u8])] = &[
        (
            "site/index.html",
            b"<!doctype html><base href=/><link rel=stylesheet href=styles.css><img src=one.png>",
        ),
        ("site/styles.css", b"p{color:red}"),
        ("site/one.png", PNG),
    ];
    assert_eq!(embedded(&bundled(files, &["--strict"])).len(), 2);
    let sandbox = sandbox(files);
    run(&sandbox, &["site/index.html", "--strict", "-o", "o.html"]).expect_code(0);
    let page = std::fs::read_to_string(sandbox.path("o.html")).unwrap();
    assert!(page.contains(DATA) && !page.contains("<base"));
}

#[test]
fn addresses_are_read_as_browsers_read_them() {
    let output = bundled(
        &[
            ("site/index.html", b"<img src='img\\w.png'><img src=' img/\nw.png\t'><img src='%69mg/w.png?v=1'><img src='x/../img/./w.png'>\
              <p style='background:url(img\\5cw.png)'><a href='java\nscript:x'>x</a><img src='file:///etc/hostname'><img src='http://[bad'>"),
            ("site/img/w.png", PNG),
        ],
        &[],
    );
    assert_eq!(output["embedded"][0]["uses"], 5, "{output}");
    assert_eq!(output["embedded"].as_array().unwrap().len(), 1);
    assert_eq!(left_out(&output).len(), 2, "{output}");
}

#[test]
fn imports_may_be_written_in_many_ways_and_go_in_circles() {
    let output = bundled(
        &[
            ("site/index.html", b"<!doctype html><link rel=stylesheet href=css/a.css>"),
            ("site/css/a.css", b"@import \"../css/a.css\"; @import/* x */url(\"../css/sub/b.css\"); @import 'sub/./b.css'; p{color:red}"),
            ("site/css/sub/b.css", b"@import \"../../css/a.css\"; @import './b.css'; q{background:url(pic.png)}"),
            ("site/css/sub/pic.png", PNG),
        ],
        &["--strict"],
    );
    let page = html(&output);
    assert_eq!(
        (page.matches("q{").count(), page.matches("p{").count()),
        (1, 1),
        "{page}"
    );
    assert!(!page.contains("@import") && page.contains(DATA), "{page}");
    assert_eq!(embedded(&output).len(), 3);
}

#[test]
fn of_two_imports_of_one_sheet_the_later_one_stays() {
    let sheet = |layers: &str| {
        let main = format!("@import 'r.css';@import 'b.css';@import 'r.css';@import 'r.css' print;{layers}");
        let output = bundled(
            &[
                ("site/index.html", b"<link rel=stylesheet href=m.css>"),
                ("site/m.css", main.as_bytes()),
                ("site/r.css", b"p{color:red}"),
                ("site/b.css", b"p{color:blue}"),
            ],
            &[],
        );
        html(&output).to_owned()
    };
    let page = sheet("");
    assert!(page.find("blue").unwrap() < page.find("red").unwrap(), "{page}");
    assert_eq!(page.matches("red").count(), 2);
    // The first mention of a layer sets its rank, so nothing is left out then.
    assert_eq!(sheet("@layer x{}").matches("red").count(), 3);
}

#[test]
fn what_a_sheet_leaves_open_ends_with_it() {
    let cases = [
        ".lead{color:red",
        ".lead{color:red;content:'x",
        ".lead{color:red/*",
        "@media all{.lead{color:red",
        ".lead{color:red} .x",
    ];
    for part in cases {
        let output = bundled(
            &[
                ("site/index.html", b"<link rel=stylesheet href=m.css>"),
                ("site/m.css", b"@import \"part.css\";\n.note{color:blue}"),
                ("site/part.css", part.as_bytes()),
            ],
            &["--strict"],
        );
        let page = html(&output);
        let sheet = page
            .split_once("<style>")
            .unwrap()
            .1
            .split_once("</style>")
            .unwrap()
            .0;
        let before = sheet.split_once(".note").unwrap().0;
        assert_eq!(
            before.matches('{').count(),
            before.matches('}').count(),
            "{sheet}"
        );
    }
}

#[test]
fn a_sheet_with_an_import_that_stays_or_namespaces_keeps_its_imports() {
    let output = bundled(
        &[
            ("site/index.html", b"<link rel=stylesheet href=m.css>"),
            (
                "site/m.css",
                b"@import 'a.css' screen;@import 'gone.css';@import 'n.css';p{color:red}",
            ),
            ("site/a.css", b"a{color:red}"),
            (
                "site/n.css",
                b"@namespace s url(http://www.w3.org/2000/svg);s|a{color:red}",
            ),
        ],
        &[],
    );
    let page = html(&output);
    assert_eq!(page.matches("@import url(").count(), 3, "{page}");
    assert!(page.find("p{color").unwrap() > page.rfind("@import").unwrap());
    assert_eq!(left_out(&output)[0].0, "site/gone.css");
}

#[test]
fn everything_is_read_in_the_encoding_it_is_in() {
    let output = bundled(
        &[
            (
                "site/index.html",
                b"<html><head><!-- <meta charset=koi8-r> --><meta http-equiv=Content-Type content='text/html; charset = windows-1251'>\
                  <title>\xd7\xe0\xe9</title><link rel=stylesheet href=s.css><link rel=stylesheet href=k.css charset=koi8-r>\
                  <script src=j.js></script><script src=k.js charset=koi8-r></script><iframe src=f.html></iframe></head>",
            ),
            ("site/s.css", b"@import 'i.css';s::after{content:'\xcf\xf0\xe8'}"),
            ("site/i.css", b"i::after{content:'\xcf\xf0\xe8'}"),
            ("site/k.css", b"k::after{content:'\xf0\xd2\xc9'}"),
            ("site/j.js", b"let j='\xcf\xf0\xe8'"),
            ("site/k.js", b"let k='\xf0\xd2\xc9'"),
            ("site/f.html", b"<p>\xcf\xf0\xe8"),
        ],
        &["--strict"],
    );
    assert_eq!(output["title"], "Чай");
    assert_eq!(html(&output).matches("При").count(), 6, "{}", html(&output));
    let utf16 = bundled(
        &[(
            "site/index.html",
            "<meta charset=utf-16><title>Чай</title>".as_bytes(),
        )],
        &[],
    );
    assert_eq!(utf16["title"], "Чай");
}

#[test]
fn the_server_is_believed_before_the_page() {
    let site = testkit::Site::routes(vec![testkit::Route::text(
        "/",
        "text/html; Charset=\"UTF-8\"",
        "<meta charset=koi8-r><title>Чай</title>",
    )])
    .unwrap();
    let output = run(&sandbox(&[]), &[&site.url(), "--json"]).expect_code(0).json();
    assert_eq!(output["title"], "Чай");
}

#[test]
fn what_stands_in_noscript_is_embedded_and_cannot_get_out() {
    let output = bundled(
        &[
            (
                "site/index.html",
                b"<head><noscript><link rel=stylesheet href=s.css></noscript></head><p>x</p>\
              <noscript><img src=a.png alt='&lt;/noscript>&lt;b id=out>'><img src=gone.png></noscript>",
            ),
            ("site/a.png", PNG),
            ("site/s.css", b"p{color:red}"),
        ],
        &[],
    );
    let page = html(&output);
    assert!(
        page.contains("<noscript><style>p{color:red}</style></noscript>"),
        "{page}"
    );
    assert!(page.contains(DATA) && !page.contains("</noscript><b"), "{page}");
    assert_eq!(embedded(&output).len(), 2);
    assert_eq!(left_out(&output)[0].0, "site/gone.png");
}

#[test]
fn modules_that_scripts_import_are_listed() {
    let output = bundled(
        &[
            ("site/index.html", b"<script type=module>import {a} from \"./n.js\"; import 'bare'; document.title=a;</script>\
              <script>import('./d.js')</script><script type=module src=js/m.js></script><script>let important = 1</script>"),
            ("site/n.js", b"export const a='N'"),
            ("site/js/m.js", b"export * from '../n.js'; import './o.js'; import(x)"),
        ],
        &[],
    );
    let addresses: Vec<_> = left_out(&output)
        .into_iter()
        .map(|(address, _)| address)
        .collect();
    for address in ["site/n.js", "bare", "site/d.js", "site/js/o.js", "site/js/m.js"] {
        assert!(
            addresses.iter().any(|found| found == address),
            "{address}: {addresses:?}"
        );
    }
    let sandbox = sandbox(&[("site/index.html", b"<script type=module>import './n.js'</script>")]);
    run(&sandbox, &["site", "--strict", "-o", "o.html"]).expect_code(3);
    let excluded = bundled(
        &[("site/index.html", b"<script type=module>import './n.js'</script>")],
        &["--exclude", "scripts", "--strict"],
    );
    assert_eq!(left_out(&excluded)[0].1, "scripts are excluded");
}

#[test]
fn modules_of_a_web_page_are_still_found_from_a_file() {
    let site = testkit::Site::routes(vec![
        testkit::Route::text(
            "/a/",
            "text/html",
            "<script type=module>import './n.js'</script><script type=module src=js/m.js></script>",
        ),
        testkit::Route::text("/a/js/m.js", "text/javascript", "import '../o.js'"),
    ])
    .unwrap();
    let output = run(&sandbox(&[]), &[&format!("{}/a/", site.url()), "--json"])
        .expect_code(0)
        .json();
    let page = html(&output);
    assert!(
        page.contains(&format!("import '{}/a/n.js'", site.url())),
        "{page}"
    );
    assert!(
        page.contains("src=\"data:text/javascript") && page.contains("/a/o.js"),
        "{page}"
    );
}

#[test]
fn text_of_scripts_and_sheets_in_pictures_stays_escaped() {
    let output = bundled(
        &[
            ("site/index.html", b"<!doctype html><svg><script>for(var i=0;i&lt;b;i++){}</script><style>a&gt;b{fill:url(p.png)}</style>\
              <script href=s.js></script><rect fill='url(p.png)'/><a xlink:href='x.html'/></svg><p>after"),
            ("site/p.png", PNG),
            ("site/s.js", b"1<2"),
        ],
        &["--strict"],
    );
    let page = html(&output);
    assert!(
        page.contains("i&lt;b;i++") && page.contains("a&gt;b{fill:url(\"data:image/png"),
        "{page}"
    );
    assert!(page.contains("<script href=\"data:text/javascript"), "{page}");
    assert_eq!(output["embedded"][0]["uses"], 2, "{output}");
}

#[test]
fn frames_and_objects_are_pages_of_their_own() {
    let output = bundled(
        &[
            (
                "site/index.html",
                b"<iframe src=sub/f.html></iframe><object data=sub/f.html></object><embed src=sub/f.html>",
            ),
            (
                "site/sub/f.html",
                b"<img src=p.png><a href=next.html>x</a><img src=gone.png>",
            ),
            ("site/sub/p.png", PNG),
        ],
        &[],
    );
    let page = html(&output);
    assert!(
        page.contains("srcdoc=\"") && page.contains("<object data=\"data:text/html"),
        "{page}"
    );
    assert!(page.contains("href=&quot;sub/next.html&quot;"), "{page}");
    assert_eq!(
        output["embedded"][1],
        json!({"address": "site/sub/p.png", "kind": "images", "media_type": "image/png", "bytes": PNG.len(), "uses": 3})
    );
    assert_eq!(
        left_out(&output),
        [(
            "site/sub/gone.png".to_owned(),
            "cannot read `site/sub/gone.png`: no such file or directory".to_owned()
        )]
    );
}

#[test]
fn a_refresh_leads_where_it_led() {
    let site = testkit::Site::routes(vec![testkit::Route::text(
        "/a/",
        "text/html",
        "<meta http-equiv=refresh content='1; URL = \"next.html\"'><meta http-equiv=refresh content=5>",
    )])
    .unwrap();
    let sandbox = sandbox(&[]);
    let address = format!("{}/a/", site.url());
    let output = run(&sandbox, &[&address, "--json"]).expect_code(0).json();
    assert!(
        html(&output).contains(&format!("{}/a/next.html", site.url())),
        "{output}"
    );
    let isolated = run(&sandbox, &[&address, "--json", "--isolate"])
        .expect_code(0)
        .json();
    assert!(!html(&isolated).contains("refresh"), "{isolated}");
}
