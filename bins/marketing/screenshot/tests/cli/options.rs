//! What can be asked for beside the whole page.

use testkit::Site;

use crate::{beside, colour, page, picture, run, sandbox};

const STYLED: &str = "<!doctype html><meta name=viewport content='width=device-width'><style>body{margin:0}\
    div{height:50px;background:#fff}p{margin:0;height:40px;background:#00f}\
    @media(prefers-color-scheme:dark){div{background:#010203}}@media print{div{background:#0a0}}\
    @media(prefers-reduced-motion:reduce){div{background:#0aa}}@media(max-width:500px){div{background:#aa0}}</style>\
    <div></div><p></p><p class=last></p>";

#[test]
fn media_devices_scale_and_area_are_as_asked() {
    let site = Site::routes(vec![page(STYLED)]).unwrap();
    let sandbox = sandbox();
    let small = ["--height", "100", "--width", "600"];
    type Case<'a> = (&'a [&'a str], (u32, u32), [u8; 3]);
    let cases: [Case; 7] = [
        (&[], (600, 130), [255, 255, 255]),
        (&["--dark"], (600, 130), [1, 2, 3]),
        (&["--media", "print"], (600, 130), [0, 170, 0]),
        (&["--reduced-motion"], (600, 130), [0, 170, 170]),
        (&["--area", "viewport"], (600, 100), [255, 255, 255]),
        (&["--scale", "1.5"], (900, 195), [255, 255, 255]),
        (
            &["--device", "phone", "--width", "400"],
            (1200, 390),
            [170, 170, 0],
        ),
    ];
    for (args, size, wanted) in cases {
        let url = site.url();
        let all = [&[url.as_str(), "a.png"], &small[..], args].concat();
        run(&sandbox, &all).expect_code(0);
        let image = picture(&sandbox, "a.png");
        assert_eq!(image.dimensions(), size, "{args:?}");
        colour(&image, 20, 20, wanted);
    }
    let agent = |request: &testkit::Request| request.headers["user-agent"].clone();
    assert!(agent(site.requests().last().unwrap()).contains("Android"));
}

#[test]
fn formats_are_by_name_and_the_ground_can_be_left_out() {
    let site = Site::routes(vec![page(
        "<style>body{margin:0}div{width:50px;height:50px;background:#f00}</style><div></div>",
    )])
    .unwrap();
    let sandbox = sandbox();
    let begin = |name: &str| std::fs::read(sandbox.path(name)).unwrap()[..4].to_vec();
    for (name, magic) in [
        ("a.jpg", b"\xff\xd8\xff"),
        ("a.webp", b"RIF"),
        ("a.png", b"\x89PN"),
    ] {
        run(&sandbox, &[&site.url(), name, "--quality", "80"]).expect_code(0);
        assert_eq!(begin(name)[..3], *magic, "{name}");
    }
    run(&sandbox, &[&site.url(), "b.png", "--omit-background"]).expect_code(0);
    let image = picture(&sandbox, "b.png");
    colour(&image, 10, 10, [255, 0, 0]);
    assert_eq!(image.get_pixel(100, 100).0, [0, 0, 0, 0]);
}

#[test]
fn parts_are_hidden_a_script_runs_before_and_several_elements_are_taken() {
    let site = Site::routes(vec![page(STYLED)]).unwrap();
    let sandbox = sandbox();
    let script = "document.body.style.background = '#f0f'; await new Promise(done => setTimeout(done, 50))";
    let hidden = run(
        &sandbox,
        &[
            &site.url(),
            "a.png",
            "--hide",
            ".last",
            "--hide",
            "#none",
            "--before-script",
            script,
        ],
    )
    .expect_code(0);
    assert!(
        hidden.stderr.contains("`#none` of `hide` matches nothing"),
        "{}",
        hidden.stderr
    );
    let image = picture(&sandbox, "a.png");
    colour(&image, 20, 60, [0, 0, 255]);
    colour(&image, 20, 100, [255, 0, 255]);
    run(
        &sandbox,
        &[&site.url(), "b.png", "--selector", "div", "--selector", "p"],
    )
    .expect_code(0);
    assert_eq!(picture(&sandbox, "b-1.png").height(), 50);
    assert_eq!(picture(&sandbox, "b-2.png").height(), 40);
    let wrong = run(&sandbox, &[&site.url(), "c.png", "--before-script", "nonsense()"]).expect_code(2);
    assert!(
        wrong.stderr.contains("nonsense is not defined"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_pdf_has_its_paper_and_the_colours_of_print() {
    let site = Site::routes(vec![page(STYLED)]).unwrap();
    let sandbox = sandbox();
    let made = run(
        &sandbox,
        &["pdf", &site.url(), "a.pdf", "--paper", "a5", "--json"],
    )
    .expect_code(0);
    let bytes = std::fs::read(sandbox.path("a.pdf")).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    let text = String::from_utf8_lossy(&bytes);
    // 148 x 210 mm in points.
    assert!(
        text.contains("/MediaBox [0 0 419.52") || text.contains("/MediaBox [0 0 420"),
        "{:?}",
        text.find("MediaBox").map(|at| &text[at..at + 40])
    );
    assert_eq!(made.json()["status"], 200);
}

#[test]
fn without_arguments_the_page_of_the_settings_is_taken_as_the_script_did() {
    let site = Site::routes(vec![page(STYLED)]).unwrap();
    let sandbox = sandbox();
    run(&sandbox, &[]).expect_code(2);
    sandbox.file(
        "shared-config/onejob.toml",
        format!("[tools.screenshot.settings]\nurl = '{}'\n", site.url()),
    );
    run(&sandbox, &[]).expect_code(0);
    assert_eq!(
        picture(&sandbox, "screenshots/homepage.png").dimensions(),
        (1280, 720)
    );
    let old = format!(r#"{{"url": "{}", "output_path": "old.png"}}"#, site.url());
    sandbox.file("call.json", old);
    let answer = run(&sandbox, &["--legacy", "--input", "call.json"])
        .expect_code(0)
        .json();
    assert_eq!(
        (&answer["status"], &answer["path"]),
        (&"success".into(), &"old.png".into())
    );
    assert_eq!(beside(&sandbox, "old.json")["settled"], true);
}
