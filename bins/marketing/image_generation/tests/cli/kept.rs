//! Transparency, letters without a font, texts with a dash, and runs that only plan.

use std::{fs, time::Instant};

use image::{Rgba, RgbaImage};

use crate::{ok, run};

#[test]
fn a_transparent_picture_stays_transparent() {
    let dir = tempfile::tempdir().unwrap();
    let image = RgbaImage::from_fn(20, 20, |x, _| match x {
        0..=4 => Rgba([0, 0, 0, 0]),
        5..=9 => Rgba([200, 60, 60, 128]),
        _ => Rgba([200, 60, 60, 255]),
    });
    image.save(dir.path().join("in.png")).unwrap();
    for extra in [&[][..], &["--alpha"], &["--vignette"]] {
        let mut args = vec!["humanize", "in.png", "-o", "o.png", "--noise", "off", "--json"];
        args.extend_from_slice(extra);
        ok(dir.path(), &args);
        let out = image::open(dir.path().join("o.png")).unwrap().into_rgba8();
        let alphas: Vec<u8> = [2, 7, 15].map(|x| out.get_pixel(x, 10)[3]).to_vec();
        assert_eq!(alphas, [0, 128, 255], "{extra:?}");
        assert!(out.get_pixel(15, 10)[0] > 150);
    }
    RgbaImage::from_pixel(9, 9, Rgba([9, 9, 9, 255]))
        .save(dir.path().join("solid.png"))
        .unwrap();
    ok(dir.path(), &["humanize", "solid.png", "-o", "o.png", "--json"]);
}

#[test]
fn letters_that_no_font_has_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "generate",
        "Tea",
        "--subtitle",
        "a \u{f8ff0} b",
        "--size",
        "96x96",
        "-o",
        "o.png",
    ];
    let answer = ok(dir.path(), &[&args[..], &["--json"]].concat());
    assert!(answer["warnings"].to_string().contains("U+F8FF0"), "{answer}");
    let output = run(dir.path(), &args);
    assert!(String::from_utf8_lossy(&output.stderr).contains("U+F8FF0"));
}

#[test]
fn texts_may_begin_with_a_dash() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["generate", "Sale", "--badge", "-15 % this week"][..],
        &["generate", "-50 % today", "--subtitle", "- one"],
        &["generate", "Sale", "--title", "-15%", "--brand", "-x & Co"],
    ] {
        let mut all = args.to_vec();
        all.extend_from_slice(&["--size", "96x96", "-o", "o.png", "--json"]);
        ok(dir.path(), &all);
    }
    let sidecar: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("o.json")).unwrap()).unwrap();
    assert_eq!(sidecar["prompt"], "Sale");
}

#[test]
fn a_dry_run_draws_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let args = [
        "generate",
        "Tea",
        "-n",
        "64",
        "--aspect",
        "story",
        "--humanize",
        "-O",
        "cards",
        "--dry-run",
        "--json",
    ];
    let answer = ok(dir.path(), &args);
    // Drawing them takes minutes here; planning them takes no time.
    assert!(begun.elapsed().as_secs() < 10);
    assert_eq!(answer["images"].as_array().map(Vec::len), Some(64));
    assert_eq!(answer["images"][63]["path"], "cards/tea_1-64.png");
    assert!(!dir.path().join("cards").exists());
    for (size, count) in [("8192x8192", "1"), ("4096x4096", "64")] {
        let output = run(dir.path(), &["generate", "Tea", "--size", size, "-n", count]);
        assert_eq!(output.status.code(), Some(2), "{size}");
    }
}
