//! Two pictures.

use image::{Rgba, RgbaImage};

use crate::{picture, run, sandbox};

#[test]
fn a_shift_is_named_a_difference_is_drawn_and_equal_ones_are_the_same() {
    let sandbox = sandbox();
    let lines = |down: u32| {
        RgbaImage::from_fn(300, 200, |x, y| {
            let line = (y + 100 - down) % 20;
            let ink = line < 8 && (x * 5 + (y + 100 - down) / 20 * 3) % 9 < 4;
            if ink {
                Rgba([10, 10, 60, 255])
            } else {
                Rgba([255, 255, 255, 255])
            }
        })
    };
    lines(0).save(sandbox.path("a.png")).unwrap();
    lines(4).save(sandbox.path("b.png")).unwrap();
    let same = run(&sandbox, &["diff", "a.png", "a.png", "--json"]).expect_code(0);
    assert_eq!(same.json()["same"], true);
    let moved = run(&sandbox, &["diff", "a.png", "b.png", "-o", "d.png", "--text"]).expect_code(3);
    assert!(moved.stdout.contains("down by 4 pixels"), "{}", moved.stdout);
    let drawn = picture(&sandbox, "d.png");
    assert!(drawn.pixels().any(|pixel| pixel.0 == [214, 0, 48, 255]));
    run(&sandbox, &["diff", "a.png", "b.png", "-o", "a.png"]).expect_code(73);
    run(&sandbox, &["diff", "a.png", "missing.png"]).expect_code(66);
    sandbox.file("text.png", "no picture");
    run(&sandbox, &["diff", "a.png", "text.png"]).expect_code(2);
}
