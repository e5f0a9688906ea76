//! The program from outside: files in, a GIF out that another decoder reads back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod extremes;
mod kept;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use image::{AnimationDecoder, Rgb, RgbImage, codecs::gif::GifDecoder};

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gif_generator"))
        .args(args)
        .current_dir(dir)
        .env("ONEJOB_STATE_DIR", dir.join(".state"))
        .output()
        .unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Width, height, and per frame the delay in milliseconds and the pixels shown.
fn frames(path: &Path) -> Vec<(u32, image::RgbaImage)> {
    let decoder = GifDecoder::new(std::io::BufReader::new(fs::File::open(path).unwrap())).unwrap();
    let frames = decoder.into_frames().collect_frames().unwrap();
    frames
        .into_iter()
        .map(|f| (f.delay().numer_denom_ms().0, f.into_buffer()))
        .collect()
}

/// A square that moves over a gradient.
fn moving(dir: &Path, count: u32) {
    for index in 0..count {
        let picture = RgbImage::from_fn(96, 64, |x, y| {
            if (x as i64 - i64::from(index * 5)).abs() < 8 && y > 20 && y < 40 {
                Rgb([240, 40, 30])
            } else {
                Rgb([(x * 2) as u8, (y * 3) as u8, 120])
            }
        });
        picture.save(dir.join(format!("shot{index}.png"))).unwrap();
    }
}

fn psnr(shown: &image::RgbaImage, source: &Path) -> f64 {
    let source = image::open(source).unwrap().into_rgba8();
    let squares: f64 = shown
        .as_raw()
        .iter()
        .zip(source.as_raw())
        .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2))
        .sum();
    10.0 * (255.0 * 255.0 * shown.as_raw().len() as f64 / squares.max(1e-9)).log10()
}

#[test]
fn every_frame_is_there_in_number_order_and_close_to_its_source() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), 12);
    for extra in [
        &["--dither", "none"][..],
        &["--dither", "floyd_steinberg"],
        &["--palette", "frame"],
        &["--dither", "bayer"],
    ] {
        let mut args = vec![".", "-o", "out.gif", "--rate", "12.5", "--json"];
        args.extend_from_slice(extra);
        let answer = json(&run(dir.path(), &args));
        assert_eq!(
            (&answer["frames"], &answer["duration_ms"]),
            (&12.into(), &960.into())
        );
        let shown = frames(&dir.path().join("out.gif"));
        assert_eq!(shown.len(), 12);
        for (index, (delay, image)) in shown.iter().enumerate() {
            assert_eq!(*delay, 80);
            let quality = psnr(image, &dir.path().join(format!("shot{index}.png")));
            assert!(quality > 28.0, "{extra:?} frame {index}: {quality}");
        }
    }
}

#[test]
fn crossfades_mix_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    for (name, value) in [("a.png", 0u8), ("b.png", 200)] {
        RgbImage::from_pixel(8, 8, Rgb([value; 3]))
            .save(dir.path().join(name))
            .unwrap();
    }
    let args = [
        "a.png",
        "b.png",
        "-o",
        "o.gif",
        "--delays",
        "1",
        "--crossfade",
        "0.15",
        "--loop-count",
        "-1",
        "--json",
    ];
    assert_eq!(json(&run(dir.path(), &args))["frames"], 5);
    let shown: Vec<(u32, u8)> = frames(&dir.path().join("o.gif"))
        .iter()
        .map(|(d, image)| (*d, image.get_pixel(4, 4)[0]))
        .collect();
    assert_eq!(shown, [(1000, 0), (50, 50), (50, 100), (50, 150), (1000, 200)]);
}

#[test]
fn a_byte_limit_is_kept_and_the_trade_off_reported() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), 8);
    let full = json(&run(dir.path(), &["shot*.png", "-o", "full.gif", "--json"]));
    let limit = full["bytes"].as_u64().unwrap() / 3;
    let limit_text = limit.to_string();
    let answer = json(&run(
        dir.path(),
        &[
            "shot*.png",
            "-o",
            "small.gif",
            "--max-bytes",
            &limit_text,
            "--json",
        ],
    ));
    let size = fs::metadata(dir.path().join("small.gif")).unwrap().len();
    assert!(size <= limit && answer["bytes"] == size, "{size} {limit}");
    let attempts = answer["trade_off"]["attempts"].as_array().unwrap();
    let chosen = &attempts[answer["trade_off"]["chosen"].as_u64().unwrap() as usize];
    let best = attempts
        .iter()
        .filter_map(|a| a["psnr_db"].as_f64())
        .fold(0.0, f64::max);
    assert!(attempts.len() > 1 && chosen["psnr_db"].as_f64() == Some(best));
    let refused = run(dir.path(), &["shot*.png", "-o", "none.gif", "--max-bytes", "64"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!dir.path().join("none.gif").exists());
}

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), 1);
    let whole = fs::read(dir.path().join("shot0.png")).unwrap();
    fs::write(dir.path().join("cut.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(dir.path().join("text.png"), "not a picture").unwrap();
    for (input, code, needle) in [
        ("absent.png", 66, "`absent.png` does not exist"),
        (
            "cut.png",
            2,
            "cannot decode `cut.png` as PNG: the file is truncated",
        ),
        ("text.png", 2, "`text.png` is not an image"),
        ("none*.png", 66, "no file matches `none*.png`"),
    ] {
        let output = run(dir.path(), &["shot0.png", input, "-o", "out.gif"]);
        let text =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{input}: {text}");
        assert!(text.contains(needle), "{input}: {text}");
        assert!(!dir.path().join("out.gif").exists());
    }
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn a_video_becomes_frames_of_the_asked_rate() {
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=160x90:rate=30:duration=1",
            "-c:v",
            "mpeg4",
            "-q:v",
            "2",
            "v.mp4",
        ])
        .current_dir(dir.path())
        .status();
    let args = [
        "--video", "v.mp4", "-o", "v.gif", "--rate", "10", "--width", "80", "--json",
    ];
    match made {
        Ok(status) if status.success() => {
            let answer = json(&run(dir.path(), &args));
            assert_eq!(
                (&answer["frames"], &answer["width"], &answer["height"]),
                (&10.into(), &80.into(), &45.into())
            );
            assert_eq!(answer["duration_ms"], 1000);
            assert_eq!(frames(&dir.path().join("v.gif")).len(), 10);
            fs::write(dir.path().join("v.mp4"), "no video at all").unwrap();
            assert_eq!(run(dir.path(), &args).status.code(), Some(2));
        }
        // Without ffmpeg the answer is a setting that is missing.
        _ => {
            fs::write(dir.path().join("v.mp4"), "no video at all").unwrap();
            assert_eq!(run(dir.path(), &args).status.code(), Some(78));
        }
    }
}
