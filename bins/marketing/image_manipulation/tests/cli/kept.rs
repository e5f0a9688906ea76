//! What of a picture stays, what goes, and what is said about it.

use std::{fs, io::Write as _, os::unix::fs::symlink, path::Path};

use image::{AnimationDecoder, ImageDecoder, ImageReader};
use serde_json::Value;

use crate::{ok, open, run, text_of};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn with(names: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        fs::copy(Path::new(FIXTURES).join(name), dir.path().join(name)).unwrap();
    }
    dir
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|part| part == needle)
}

fn is_jpeg(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "jpg")
}

fn warnings(answer: &Value) -> String {
    answer["warnings"].to_string()
}

#[test]
fn strip_leaves_nothing_but_the_picture() {
    let names = ["phone.jpg", "full.jpg", "meta.png", "meta.webp", "meta.gif"];
    let dir = with(&names);
    for name in names {
        let before = open(dir.path(), name);
        let answer = ok(dir.path(), &["strip", name, "-o", &format!("clean-{name}")]);
        assert_eq!(answer.get("warnings"), None, "{name}");
        let bytes = fs::read(dir.path().join(format!("clean-{name}"))).unwrap();
        for needle in [
            &b"TinCam"[..],
            b"Kettle",
            b"Exif",
            b"xmpmeta",
            b"press kit",
            b"8BIM",
        ] {
            assert!(
                !holds(&bytes, needle),
                "{name}: {}",
                String::from_utf8_lossy(needle)
            );
        }
        assert_eq!(open(dir.path(), &format!("clean-{name}")), before, "{name}");
        if is_jpeg(name) {
            let starts = bytes.windows(3).filter(|w| *w == [0xff, 0xd8, 0xff]).count();
            assert_eq!(
                (starts, &bytes[bytes.len() - 2..]),
                (1, &[0xff, 0xd9][..]),
                "{name}"
            );
        }
    }
    let frames = |name: &str| {
        let file = std::io::BufReader::new(fs::File::open(dir.path().join(name)).unwrap());
        let decoder = image::codecs::gif::GifDecoder::new(file).unwrap();
        decoder.into_frames().collect_frames().unwrap().len()
    };
    assert_eq!(frames("clean-meta.gif"), 3);
}

#[test]
fn an_edited_picture_shows_nothing_of_the_one_before() {
    let dir = with(&["full.jpg", "phone.jpg"]);
    for (name, args) in [
        (
            "full.jpg",
            &[
                "crop", "full.jpg", "-o", "out.jpg", "-W", "60", "-H", "60", "-x", "9",
            ][..],
        ),
        (
            "full.jpg",
            &["watermark", "full.jpg", "-o", "out.jpg", "-w", "phone.jpg"],
        ),
        ("phone.jpg", &["resize", "phone.jpg", "-o", "out.jpg", "-W", "60"]),
        ("full.jpg", &["convert", "full.jpg", "-o", "out.png"]),
        ("full.jpg", &["convert", "full.jpg", "-o", "out.webp"]),
    ] {
        let args: Vec<&str> = args
            .iter()
            .map(|arg| if *arg == "-x" { "--x" } else { arg })
            .collect();
        ok(dir.path(), &args);
        let out = args.iter().find(|arg| arg.starts_with("out.")).unwrap();
        let bytes = fs::read(dir.path().join(out)).unwrap();
        let starts = bytes.windows(3).filter(|w| *w == [0xff, 0xd8, 0xff]).count();
        assert_eq!(starts, usize::from(is_jpeg(out)), "{args:?}");
        // The maker stays, and so does where it was taken, unless --strip is asked for.
        assert!(holds(&bytes, b"TinCam"), "{name} {args:?}");
        // Tags 0xa002 and 0xa003, the stored size, in either byte order.
        assert!(!holds(&bytes, &[0xa0, 2, 0, 4, 0, 0, 0, 1]) && !holds(&bytes, &[0xa0, 2, 0, 3, 0, 0, 0, 1]));
    }
    let answer = ok(dir.path(), &["resize", "phone.jpg", "-o", "p.jpg", "-W", "60"]);
    assert!(
        warnings(&answer).contains("a further picture behind the main one is not kept"),
        "{answer}"
    );
}

#[test]
fn rights_and_comments_stay_where_the_format_has_a_place_for_them() {
    let dir = with(&["full.jpg"]);
    for (out, there, said) in [
        (
            "o.jpg",
            &[&b"Tin Lantern Tea"[..], b"press kit", b"8BIM", b"xmpmeta"][..],
            "",
        ),
        (
            "o.png",
            &[
                b"Tin Lantern Tea",
                b"press kit",
                b"Raw profile type iptc",
                b"xmpmeta",
            ],
            "",
        ),
        ("o.webp", &[b"TinCam", b"xmpmeta"], "IPTC, comments"),
        ("o.tiff", &[b"xmpmeta"], "EXIF, comments"),
        ("o.gif", &[b"press kit", b"XMP DataXMP"], "EXIF, IPTC"),
        ("o.bmp", &[], "EXIF, XMP, IPTC, comments"),
    ] {
        let answer = ok(dir.path(), &["resize", "full.jpg", "-W", "30", "-o", out]);
        let bytes = fs::read(dir.path().join(out)).unwrap();
        for needle in there {
            assert!(
                holds(&bytes, needle),
                "{out}: {}",
                String::from_utf8_lossy(needle)
            );
        }
        assert!(
            warnings(&answer).contains(said) && (said.is_empty() == answer.get("warnings").is_none()),
            "{answer}"
        );
        let bare = ok(
            dir.path(),
            &["resize", "full.jpg", "-W", "30", "--strip", "-o", out],
        );
        let bytes = fs::read(dir.path().join(out)).unwrap();
        assert!(
            !holds(&bytes, b"TinCam") && !holds(&bytes, b"Lantern") && bare.get("warnings").is_none(),
            "{out}"
        );
    }
}

#[test]
fn sixteen_bits_stay_or_are_told() {
    let dir = with(&["rgb16.png"]);
    let wide = |name: &str| {
        ImageReader::open(dir.path().join(name))
            .unwrap()
            .decode()
            .unwrap()
    };
    for args in [
        &["convert", "rgb16.png", "-o", "o.png"][..],
        &["convert", "rgb16.png", "-o", "o.tiff"],
        &["resize", "rgb16.png", "-W", "20", "-o", "o.png"],
        &["rotate", "rgb16.png", "-d", "90", "-o", "o.png"],
        &["crop", "rgb16.png", "--aspect", "2:1", "-o", "o.png"],
    ] {
        let answer = ok(dir.path(), args);
        let image = wide(args[args.len() - 1]);
        assert_eq!(image.color(), image::ColorType::Rgb16, "{args:?}");
        assert_eq!(answer.get("warnings"), None, "{args:?}");
    }
    ok(dir.path(), &["convert", "rgb16.png", "-o", "o.png"]);
    assert_eq!(wide("o.png").into_rgb16(), wide("rgb16.png").into_rgb16());
    for args in [
        &["convert", "rgb16.png", "-o", "o.jpg"][..],
        &["text", "rgb16.png", "-t", "a", "-o", "o.png"],
        &["rotate", "rgb16.png", "-d", "30", "-o", "o.png"],
        &["watermark", "rgb16.png", "-w", "rgb16.png", "-o", "o.png"],
        &[
            "resize",
            "rgb16.png",
            "-W",
            "90",
            "-H",
            "20",
            "--mode",
            "fill",
            "-o",
            "o.png",
        ],
    ] {
        assert!(
            warnings(&ok(dir.path(), args)).contains("16-bit channels become 8-bit"),
            "{args:?}"
        );
    }
}

#[test]
fn cmyk_is_converted_by_its_profile() {
    let dir = with(&["cmyk_icc.jpg"]);
    let answer = ok(
        dir.path(),
        &["resize", "cmyk_icc.jpg", "-W", "120", "-o", "o.png"],
    );
    assert_eq!(answer.get("warnings"), None);
    let image = open(dir.path(), "o.png");
    // What Chromium shows for these places, within what scaling and rounding leave.
    let red = image.get_pixel(20, 20).0;
    assert!(
        red.iter()
            .zip([212, 81, 67])
            .all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 3),
        "{red:?}"
    );
    let mut decoder = ImageReader::open(dir.path().join("o.png"))
        .unwrap()
        .into_decoder()
        .unwrap();
    assert!(decoder.icc_profile().unwrap().is_none());
    assert!(fs::metadata(dir.path().join("o.png")).unwrap().len() < 8_000);
}

#[test]
fn frames_are_kept_in_a_gif_and_told_elsewhere() {
    let dir = with(&["anim.webp", "anim.gif", "anim.png", "pages.tiff", "meta.gif"]);
    for (name, frames) in [
        ("anim.webp", 4),
        ("anim.png", 3),
        ("pages.tiff", 3),
        ("anim.gif", 3),
    ] {
        let answer = ok(dir.path(), &["resize", name, "-W", "12", "-o", "o.png"]);
        let wanted = format!("it has {frames} frames; only the first is used");
        assert!(warnings(&answer).contains(&wanted), "{answer}");
        let answer = ok(dir.path(), &["resize", name, "-W", "12", "-o", "o.gif"]);
        assert_eq!(answer.get("warnings"), None, "{name}");
        let file = std::io::BufReader::new(fs::File::open(dir.path().join("o.gif")).unwrap());
        let shown = image::codecs::gif::GifDecoder::new(file)
            .unwrap()
            .into_frames()
            .collect_frames()
            .unwrap();
        assert_eq!((shown.len(), shown[0].buffer().width()), (frames, 12), "{name}");
    }
    ok(dir.path(), &["rotate", "meta.gif", "-d", "90", "-o", "o.gif"]);
    let file = std::io::BufReader::new(fs::File::open(dir.path().join("o.gif")).unwrap());
    let shown = image::codecs::gif::GifDecoder::new(file)
        .unwrap()
        .into_frames()
        .collect_frames()
        .unwrap();
    let seen: Vec<_> = shown
        .iter()
        .map(|f| {
            (
                f.delay().numer_denom_ms().0,
                f.buffer().dimensions(),
                f.buffer().get_pixel(3, 3).0,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (50, (16, 24), [255, 0, 0, 255]),
            (200, (16, 24), [0, 255, 0, 255]),
            (300, (16, 24), [0, 0, 255, 255])
        ]
    );
}

#[test]
fn a_profile_larger_than_any_real_one_is_not_unpacked() {
    let dir = with(&["chart.png"]);
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..900 {
        packer.write_all(&zeros).unwrap();
    }
    let data = [b"bomb\0\0", &packer.finish().unwrap()[..]].concat();
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend_from_slice(b"iCCP");
    chunk.extend_from_slice(&data);
    chunk.extend_from_slice(&crc32fast::hash(&chunk[4..]).to_be_bytes());
    let plain = fs::read(dir.path().join("chart.png")).unwrap();
    let bomb = [&plain[..33], &chunk, &plain[33..]].concat();
    fs::write(dir.path().join("bomb.png"), bomb).unwrap();
    let input =
        serde_json::json!({"action": "resize", "images": ["bomb.png"], "output": "o.png", "width": 50});
    let program = Path::new(env!("CARGO_BIN_EXE_image_manipulation"));
    let output = testkit::extremes::run_bounded(program, dir.path(), &input, 20, 700).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    assert!(
        text_of(&output).contains("its colour profile is not kept"),
        "{}",
        text_of(&output)
    );
}

#[test]
fn a_long_caption_lies_inside_or_is_refused() {
    let dir = with(&["chart.png"]);
    let long = "A very long caption that cannot possibly fit in a picture of this width without wrapping";
    for more in [
        &[][..],
        &["--size", "40"],
        &["--plate", "#000000"],
        &["-g", "center", "--bold"],
    ] {
        let mut args = vec![
            "text",
            "chart.png",
            "-o",
            "o.png",
            "-t",
            long,
            "--fill",
            "#ff00ff",
        ];
        args.extend_from_slice(more);
        let answer = ok(dir.path(), &args);
        let image = open(dir.path(), "o.png");
        let ink = |x: u32, y: u32| image.get_pixel(x, y).0 == [255, 0, 255];
        let (w, h) = image.dimensions();
        assert!((0..w).any(|x| (0..h).any(|y| ink(x, y))));
        assert!(
            (0..h).all(|y| !ink(0, y) && !ink(w - 1, y)) && (0..w).all(|x| !ink(x, 0) && !ink(x, h - 1)),
            "{more:?}"
        );
        assert_eq!(
            answer.get("warnings").is_some(),
            more.contains(&"--size"),
            "{answer}"
        );
    }
    let endless = "word ".repeat(390);
    let refused = run(
        dir.path(),
        &["text", "chart.png", "-o", "none.png", "-t", &endless],
    );
    assert_eq!(refused.status.code(), Some(2));
    assert!(text_of(&refused).contains("does not fit") && !dir.path().join("none.png").exists());
    let answer = ok(
        dir.path(),
        &["text", "chart.png", "-o", "o.png", "-t", "-15 % \u{f8ff0}"],
    );
    assert!(warnings(&answer).contains("U+F8FF0"), "{answer}");
}

#[test]
fn no_link_or_spelling_leads_to_an_input() {
    let dir = with(&["chart.png", "full.jpg"]);
    let dir = dir.path();
    symlink("chart.png", dir.join("soft.png")).unwrap();
    fs::hard_link(dir.join("chart.png"), dir.join("hard.png")).unwrap();
    let before = fs::read(dir.join("chart.png")).unwrap();
    for out in ["soft.png", "hard.png", "./chart.png", ".state/../chart.png"] {
        let refused = run(dir, &["resize", "chart.png", "-W", "9", "-o", out]);
        assert_eq!(refused.status.code(), Some(73), "{out}: {}", text_of(&refused));
    }
    // Also what is read beside the images, and another image in place.
    for args in [
        &["watermark", "full.jpg", "-w", "chart.png", "-o", "chart.png"][..],
        &[
            "convert",
            "full.jpg",
            "chart.png",
            "--in-place",
            "-o",
            "{stem}.png",
            "--format",
            "png",
        ],
    ] {
        let code = run(dir, args).status.code();
        assert!(
            matches!(code, Some(2 | 73)) || args.contains(&"--in-place"),
            "{args:?}: {code:?}"
        );
    }
    fs::write(dir.join("chart.png"), &before).unwrap();
    let swapped = run(
        dir,
        &["convert", "chart.png", "hard.png", "--in-place", "-O", "."],
    );
    assert!(
        fs::read(dir.join("chart.png")).unwrap().starts_with(b"\x89PNG"),
        "{}",
        text_of(&swapped)
    );
}

#[test]
fn results_appear_in_the_order_of_the_inputs() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..40).map(|i| format!("p{:02}.png", (i * 7) % 40)).collect();
    for (index, name) in names.iter().enumerate() {
        // The first of each pair takes much longer than the second.
        let side = if index % 2 == 0 { 700 } else { 10 };
        crate::picture(dir.path(), name, side, side);
    }
    let mut args = vec!["resize", "-W", "300", "-O", "out"];
    args.extend(names.iter().map(String::as_str));
    ok(dir.path(), &args);
    let manifest: Value = serde_json::from_slice(
        &fs::read(dir.path().join(format!("out/{}.manifest.json", names[0]))).unwrap(),
    )
    .unwrap();
    let made: Vec<String> = manifest["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(made, names);
}
