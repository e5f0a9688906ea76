//! The program from outside: files in, files out, read back by another decoder.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod extremes;
mod kept;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use image::{ImageReader, Rgb, RgbImage};

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_image_manipulation"))
        .args(args)
        .current_dir(dir)
        .env("ONEJOB_STATE_DIR", dir.join(".state"))
        .output()
        .unwrap()
}

fn ok(dir: &Path, args: &[&str]) -> serde_json::Value {
    let mut all = args.to_vec();
    all.push("--json");
    let output = run(dir, &all);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text_of(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn picture(dir: &Path, name: &str, width: u32, height: u32) {
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 90])
    });
    image.save(dir.join(name)).unwrap();
}

fn open(dir: &Path, name: &str) -> RgbImage {
    ImageReader::open(dir.join(name))
        .unwrap()
        .with_guessed_format()
        .unwrap()
        .decode()
        .unwrap()
        .into_rgb8()
}

#[test]
fn every_action_gives_the_size_it_should() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    picture(dir, "in.png", 90, 60);
    picture(dir, "mark.png", 10, 10);
    for (args, size) in [
        (
            &["resize", "in.png", "-o", "a.png", "--width", "30"][..],
            (30, 20),
        ),
        (
            &["resize", "in.png", "-o", "a.jpg", "-W", "40", "-H", "40"],
            (40, 27),
        ),
        (
            &[
                "resize", "in.png", "-o", "a.webp", "-W", "40", "-H", "40", "--mode", "cover",
            ],
            (40, 40),
        ),
        (
            &[
                "resize", "in.png", "-o", "a.bmp", "-W", "40", "-H", "40", "--mode", "fill",
            ],
            (40, 40),
        ),
        (
            &[
                "resize", "in.png", "-o", "a.tiff", "-W", "40", "-H", "50", "--mode", "stretch",
            ],
            (40, 50),
        ),
        (
            &[
                "watermark",
                "in.png",
                "-o",
                "a.png",
                "-w",
                "mark.png",
                "--scale",
                "0.5",
            ],
            (90, 60),
        ),
        (
            &[
                "crop",
                "in.png",
                "-o",
                "a.gif",
                "--aspect",
                "1:1",
                "--gravity",
                "center",
            ],
            (60, 60),
        ),
        (&["rotate", "in.png", "-o", "a.png", "--degrees", "-90"], (60, 90)),
        (
            &[
                "rotate",
                "in.png",
                "-o",
                "a.png",
                "--degrees",
                "45",
                "--background",
                "transparent",
            ],
            (107, 107),
        ),
        (
            &[
                "text",
                "in.png",
                "-o",
                "a.png",
                "-t",
                "Привет\\nworld",
                "--outline",
                "black",
            ],
            (90, 60),
        ),
        (&["convert", "in.png", "-o", "a.jpg", "--best"], (90, 60)),
        (&["strip", "in.png", "-o", "a.png"], (90, 60)),
        (
            &["thumbnail", "in.png", "-o", "a.jpg", "-s", "32", "--square"],
            (32, 32),
        ),
        (&["compress", "in.png", "-o", "a.jpg", "-b", "1200"], (90, 60)),
    ] {
        let answer = ok(dir, args);
        let image = open(dir, args[3]);
        assert_eq!(image.dimensions(), size, "{args:?}");
        assert_eq!(answer["images"][0]["width"], size.0, "{args:?}");
    }
    assert!(fs::metadata(dir.join("a.jpg")).unwrap().len() <= 1200);
}

#[test]
fn a_watermark_lies_where_it_should() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    RgbImage::from_pixel(20, 10, Rgb([255; 3]))
        .save(dir.join("in.png"))
        .unwrap();
    RgbImage::from_pixel(4, 4, Rgb([255, 0, 0]))
        .save(dir.join("mark.png"))
        .unwrap();
    ok(
        dir,
        &[
            "watermark",
            "in.png",
            "-o",
            "out.png",
            "-w",
            "mark.png",
            "-g",
            "north_east",
            "--margin",
            "2",
            "--opacity",
            "0.5",
        ],
    );
    let out = open(dir, "out.png");
    assert_eq!(out.get_pixel(14, 2).0, [255, 127, 127]);
    assert_eq!(out.get_pixel(13, 2).0, [255; 3]);
    assert_eq!(out.get_pixel(18, 2).0, [255; 3]);
}

#[test]
fn an_input_is_never_lost_by_accident() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    picture(dir, "in.png", 40, 40);
    let before = fs::read(dir.join("in.png")).unwrap();
    let refused = run(dir, &["resize", "in.png", "-o", "./in.png", "--width", "10"]);
    assert_eq!(refused.status.code(), Some(73), "{}", text_of(&refused));
    assert_eq!(fs::read(dir.join("in.png")).unwrap(), before);
    ok(dir, &["resize", "in.png", "--in-place", "--width", "10"]);
    assert_eq!(open(dir, "in.png").dimensions(), (10, 10));
}

#[test]
fn a_batch_goes_on_after_a_bad_file_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::create_dir(dir.join("in")).unwrap();
    for index in 0..6 {
        picture(dir, &format!("in/p{index}.png"), 50, 50);
    }
    fs::write(dir.join("in/bad.png"), "nothing").unwrap();
    let output = run(
        dir,
        &[
            "thumbnail",
            "in",
            "-O",
            "out",
            "-s",
            "20",
            "--memory-mb",
            "16",
            "--json",
        ],
    );
    assert_eq!(output.status.code(), Some(3), "{}", text_of(&output));
    assert_eq!(
        fs::read_dir(dir.join("out"))
            .unwrap()
            .flatten()
            .filter(|e| e.path().extension().is_some_and(|x| x == "png"))
            .count(),
        6
    );
    assert!(
        text_of(&output).contains("`in/bad.png` is not an image"),
        "{}",
        text_of(&output)
    );
    let output = run(dir, &["convert", "in/p*.png", "-o", "one.jpg"]);
    assert_eq!(output.status.code(), Some(2));
    ok(dir, &["convert", "in/p*.png", "-o", "jpgs/{index}-{stem}.jpg"]);
    assert!(dir.join("jpgs/003-p2.jpg").exists());
}

#[test]
fn damaged_and_enormous_pictures_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    picture(dir, "in.jpg", 64, 64);
    let whole = fs::read(dir.join("in.jpg")).unwrap();
    fs::write(dir.join("cut.jpg"), &whole[..whole.len() - 100]).unwrap();
    for (args, code, needle) in [
        (
            &["resize", "cut.jpg", "-o", "o.png", "--width", "10"][..],
            2,
            "the file is truncated",
        ),
        (
            &["resize", "in.jpg", "-o", "o.png"],
            2,
            "a width or a height is needed",
        ),
        (
            &["resize", "in.jpg", "-o", "o.avif", "--width", "10"],
            2,
            "AVIF is not supported",
        ),
        (
            &[
                "resize", "in.jpg", "-o", "o.png", "--width", "65000", "--height", "65000",
            ],
            2,
            "too large",
        ),
        (
            &[
                "resize",
                "in.jpg",
                "-o",
                "o.png",
                "--width",
                "10",
                "--max-pixels",
                "4000",
            ],
            2,
            "too large",
        ),
        (
            &["crop", "in.jpg", "-o", "o.png", "-W", "65", "-H", "1"],
            2,
            "does not lie inside",
        ),
        (
            &["compress", "in.jpg", "-o", "o.jpg", "-b", "100"],
            2,
            "does not fit",
        ),
        (
            &["watermark", "in.jpg", "-o", "o.png", "-w", "absent.png"],
            66,
            "absent.png",
        ),
    ] {
        let output = run(dir, args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text_of(&output));
        assert!(
            text_of(&output).contains(needle),
            "{args:?}: {}",
            text_of(&output)
        );
        assert!(!dir.join("o.png").exists() && !dir.join("o.jpg").exists());
    }
}
