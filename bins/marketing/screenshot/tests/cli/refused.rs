//! Bad input, and pages that do not come.

use testkit::{Reply, Route, Site};

use crate::{nothing_left, page, picture, redirect, run, sandbox, slow};

#[test]
fn what_is_wrong_is_said_before_a_browser_is_started() {
    // A browser that could not be started shows that none was.
    let sandbox = sandbox().env("ONEJOB_CHROMIUM", "/bin/false");
    let refused = |args: &[&str], code: i32, why: &str| {
        let run = run(&sandbox, args).expect_code(code);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    };
    let url = "http://127.0.0.1:1234/";
    refused(&["no-address", "a.png"], 2, "no address");
    refused(&[url, "a.gif"], 2, ".png, .jpg and .webp");
    refused(&[url, "a.png", "--width", "0"], 2, "width");
    refused(&[url, "a.png", "--header", "X Y=1"], 2, "no name of a header");
    refused(&[url, "a.png", "--basic-auth"], 78, "SCREENSHOT_BASIC_AUTH");
    refused(&["pdf", url, "a.png"], 2, ".pdf");
    refused(&[url, "a.png"], 74, "did not start");
    let none = sandbox.env("ONEJOB_CHROMIUM", "no-such-browser");
    let run = run(&none, &[url, "a.png"]).expect_code(78);
    assert!(run.stderr.contains("apt install chromium"), "{}", run.stderr);
    assert!(none.files().is_empty());
}

#[test]
fn a_page_that_does_not_come_is_told_by_its_cause() {
    let mut dropped = Route::status("/dropped", 200);
    dropped.responses = vec![Reply {
        close: true,
        ..Reply::default()
    }];
    let mut file = Route::text("/file", "application/zip", "PK");
    file.responses[0]
        .headers
        .insert("content-disposition".into(), "attachment".into());
    let site = Site::routes(vec![
        slow(page("late"), 60.0),
        dropped,
        file,
        redirect("/round", "/round"),
    ])
    .unwrap();
    let sandbox = sandbox();
    let refused = |address: &str, code: i32, why: &str| {
        let run = run(&sandbox, &[address, "a.png", "--timeout", "2"]).expect_code(code);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    };
    refused(&site.url(), 75, "did not answer within 2 s");
    refused(&format!("{}/dropped", site.url()), 75, "did not come");
    refused(&format!("{}/file", site.url()), 69, "download");
    refused(&format!("{}/round", site.url()), 69, "redirects too often");
    refused(
        "http://no-such-host.invalid/",
        75,
        "cannot look `no-such-host.invalid` up",
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    refused(&format!("http://{free}/"), 75, "cannot connect");
    assert!(sandbox.files().is_empty());
    nothing_left(&sandbox);
}

#[test]
fn an_error_of_the_server_is_taken_and_told() {
    let mut gone = page("<body style='background:#f00'>");
    gone.responses[0].status = Some(500);
    let site = Site::routes(vec![gone]).unwrap();
    let sandbox = sandbox();
    let run = run(&sandbox, &[&site.url(), "a.png", "--json"]).expect_code(3);
    assert!(run.stderr.contains("answered 500"), "{}", run.stderr);
    crate::colour(&picture(&sandbox, "a.png"), 600, 300, [255, 0, 0]);
    assert_eq!(run.json()["status"], 500, "{}", run.stdout);
}

#[test]
fn a_script_without_end_and_a_page_that_grows_do_not_hold_it_up() {
    let grows = "<body style=margin:0><script>const more=()=>{const d=document.createElement('div');d.style.cssText='height:900px;background:#080';document.body.append(d)};more();more();addEventListener('scroll',more)</script>";
    let sandbox = sandbox();
    let site = Site::routes(vec![page(grows)]).unwrap();
    let out = run(
        &sandbox,
        &[&site.url(), "a.png", "--width", "300", "--height", "500"],
    )
    .expect_code(0);
    let told = crate::beside(&sandbox, "a.json");
    assert_eq!(told["cut_at"], 10_000, "{told} {}", out.stderr);
    assert_eq!(told["settled"], false);
    assert_eq!(picture(&sandbox, "a.png").dimensions(), (300, 10_000));
    let site = Site::routes(vec![page("<script>for(;;);</script>")]).unwrap();
    let busy = run(&sandbox, &[&site.url(), "b.png"]).expect_code(75);
    assert!(busy.stderr.contains("keeps it busy"), "{}", busy.stderr);
    assert!(busy.took.as_secs() < 40, "{:?}", busy.took);
    nothing_left(&sandbox);
}
