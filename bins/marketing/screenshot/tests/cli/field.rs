//! Pages that others' tools take wrongly.

use testkit::{Route, Site};

use crate::{beside, colour, coloured, field_site, nothing_left, picture, run, sandbox, slow};

const LAZY: &str = include_str!("../fixtures/lazy-sticky-smooth/page.html");
const TALL: &str = include_str!("../fixtures/tall-page/page.html");
const NEVER: &str = include_str!("../fixtures/never-idle/page.html");
const SHADOW: &str = include_str!("../fixtures/shadow-element/page.html");

#[test]
fn lazy_parts_come_the_sticky_head_stands_once_and_window_heights_stay() {
    let site = field_site(
        LAZY,
        vec![
            coloured("/img/lazy1.png", "rgb(255,140,0)", 0.3),
            coloured("/img/lazy2.png", "rgb(255,140,0)", 0.3),
        ],
    );
    let sandbox = sandbox();
    run(
        &sandbox,
        &[&site.url(), "lazy.png", "--width", "800", "--height", "600"],
    )
    .expect_code(0);
    let image = picture(&sandbox, "lazy.png");
    assert_eq!(image.dimensions(), (800, 6160));
    let wanted = [
        (10, 10, [204, 0, 0]),
        (10, 400, [0, 0, 204]),
        (100, 760, [255, 140, 0]),
        (100, 5260, [255, 140, 0]),
        (400, 5760, [0, 170, 0]),
        (400, 6000, [51, 51, 51]),
    ];
    for (x, y, wanted) in wanted {
        colour(&image, x, y, wanted);
    }
    let red: Vec<u32> = (0..6160)
        .filter(|y| image.get_pixel(10, *y).0 == [204, 0, 0, 255])
        .collect();
    assert_eq!(red, (0..60).collect::<Vec<u32>>());
    assert_eq!(beside(&sandbox, "lazy.json")["settled"], true);
    nothing_left(&sandbox);
}

fn bands_are_right(image: &image::RgbaImage, scale: u32) {
    for band in 0..300_u32 {
        let wanted = [
            (band % 256) as u8,
            (band * 7 % 256) as u8,
            if band >= 256 { 200 } else { 50 },
        ];
        for row in [0, 50, 99] {
            colour(image, 5, (band * 100 + row) * scale, wanted);
        }
    }
}

#[test]
fn a_page_of_thirty_thousand_rows_is_whole_or_refused_with_a_way_out() {
    let site = field_site(TALL, vec![]);
    let sandbox = sandbox();
    run(&sandbox, &[&site.url(), "tall.png", "--width", "400"]).expect_code(0);
    let image = picture(&sandbox, "tall.png");
    assert_eq!(image.dimensions(), (400, 30_000));
    bands_are_right(&image, 1);
    let refused = run(
        &sandbox,
        &[&site.url(), "big.png", "--width", "400", "--scale", "3"],
    )
    .expect_code(2);
    assert!(
        refused.stderr.contains("1200 x 90000") && refused.stderr.contains("--max-pixels"),
        "{}",
        refused.stderr
    );
    let webp = run(&sandbox, &[&site.url(), "tall.webp", "--width", "400"]).expect_code(2);
    assert!(
        webp.stderr.contains("16383") && webp.stderr.contains(".png"),
        "{}",
        webp.stderr
    );
    assert_eq!(
        sandbox.files(),
        ["tall.json", "tall.png", "tall.png.manifest.json"]
    );
    let allowed = [
        "big.png",
        "--width",
        "400",
        "--scale",
        "3",
        "--max-pixels",
        "120000000",
    ];
    run(&sandbox, &[&[site.url().as_str()], &allowed[..]].concat()).expect_code(0);
    let image = picture(&sandbox, "big.png");
    assert_eq!(image.dimensions(), (1200, 90_000));
    bands_are_right(&image, 3);
}

/// The page that never comes to rest: a picture that hangs, a poll, a socket, a dialog, a font that does not come.
fn never_idle() -> Site {
    field_site(
        NEVER,
        vec![
            slow(Route::text("/img/hangs.png", "image/png", ""), 600.0),
            Route::text("/poll", "text/plain", "ok"),
            Route::text("/clicked", "text/plain", "ok"),
            slow(Route::status("/font/slow.woff2", 404), 1.5),
        ],
    )
}

#[test]
fn a_page_that_is_never_idle_is_taken_with_the_reason_told_and_twice_alike() {
    let site = never_idle();
    let sandbox = sandbox();
    let first = run(&sandbox, &[&site.url(), "a.png"]).expect_code(0);
    assert!(first.took.as_secs_f64() < 12.0, "{:?}", first.took);
    run(&sandbox, &[&site.url(), "b.png"]).expect_code(0);
    let told = beside(&sandbox, "a.json");
    assert_eq!(told["settled"], false);
    assert_eq!(told["reason"], "image /img/hangs.png open, 1 request in flight");
    assert!(told["waited_ms"].as_u64().unwrap() <= 10_000, "{told}");
    assert_eq!(told["dialogs"][0]["kind"], "alert");
    assert_eq!(
        (&told["dialogs"][0]["message"], &told["dialogs"][0]["answer"]),
        (&"Welcome".into(), &"closed".into())
    );
    assert_eq!(told["fonts_missing"][0], "Slow");
    assert_eq!(told["polls"][0], "/poll");
    assert_eq!(told["animations_paused"], 1);
    assert_eq!(
        (&told["consent"]["banner"], &told["consent"]["done"]),
        (&"#consent".into(), &"shown".into())
    );
    let image = picture(&sandbox, "a.png");
    for y in [0, 45, 89] {
        colour(&image, 640, y, [255, 204, 0]);
    }
    colour(&image, 640, 90, [255, 255, 255]);
    // The spinner stands straight: all four corners are its own.
    for (x, y) in [(1, 251), (78, 251), (1, 328), (78, 328)] {
        colour(&image, x, y, [0, 102, 204]);
    }
    let ink = image
        .enumerate_pixels()
        .filter(|(x, y, pixel)| *x < 400 && (91..249).contains(y) && pixel.0[0] < 60);
    assert!(ink.count() > 500, "the headline is not to be seen");
    colour(&image, 640, 700, [34, 34, 34]);
    let bytes = |name: &str| std::fs::read(sandbox.path(name)).unwrap();
    assert!(bytes("a.png") == bytes("b.png"), "two runs differ");
}

#[test]
fn a_banner_is_hidden_or_rejected_only_when_that_is_wished() {
    let site = never_idle();
    let sandbox = sandbox();
    let clicks =
        "document.addEventListener('click', e => fetch('/clicked?on=' + e.target.textContent), true)";
    let pressed = || {
        let requests = site
            .requests()
            .into_iter()
            .filter(|request| request.path == "/clicked");
        requests
            .map(|request| request.query["on"].clone())
            .collect::<Vec<String>>()
    };
    run(
        &sandbox,
        &[
            &site.url(),
            "hide.png",
            "--consent",
            "hide",
            "--before-script",
            clicks,
        ],
    )
    .expect_code(0);
    colour(&picture(&sandbox, "hide.png"), 640, 700, [255, 255, 255]);
    assert_eq!(beside(&sandbox, "hide.json")["consent"]["done"], "hidden");
    assert_eq!(pressed(), Vec::<String>::new());
    let rejected = run(
        &sandbox,
        &[
            &site.url(),
            "reject.png",
            "--consent",
            "reject",
            "--before-script",
            clicks,
        ],
    );
    assert!(rejected.expect_code(0).stderr.contains("still shown"));
    assert_eq!(pressed(), ["Reject all"]);
    assert_eq!(beside(&sandbox, "reject.json")["consent"]["button"], "Reject all");
}

#[test]
fn elements_are_found_through_shadow_roots_and_refused_at_once_without_size() {
    let site = field_site(SHADOW, vec![]);
    let sandbox = sandbox();
    let url = site.url();
    run(
        &sandbox,
        &[&url, "tag.png", "--selector", "price-card >>> .tag", "--all"],
    )
    .expect_code(0);
    for name in ["tag-1.png", "tag-2.png"] {
        let image = picture(&sandbox, name);
        assert_eq!(image.dimensions(), (200, 50));
        assert!(
            image.pixels().all(|pixel| pixel.0 == [255, 0, 255, 255]),
            "{name}"
        );
    }
    let plain = run(&sandbox, &[&url, "plain.png", "--selector", ".tag"]).expect_code(0);
    assert!(plain.stderr.contains("matches 2 elements"), "{}", plain.stderr);
    assert_eq!(picture(&sandbox, "plain.png").dimensions(), (200, 50));
    run(&sandbox, &[&url, "inner.png", "--selector", "#inner"]).expect_code(0);
    let inner = picture(&sandbox, "inner.png");
    assert_eq!(inner.dimensions(), (60, 20));
    assert!(inner.pixels().all(|pixel| pixel.0 == [0, 255, 0, 255]));
    for (selector, why) in [
        ("#zero", "has no size"),
        ("#hidden", "is not shown"),
        ("#nothing", "matches nothing"),
    ] {
        let refused = run(&sandbox, &[&url, "none.png", "--selector", selector]).expect_code(66);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert!(refused.took.as_secs() < 10, "{:?}", refused.took);
    }
    assert!(!sandbox.path("none.png").exists());
}
