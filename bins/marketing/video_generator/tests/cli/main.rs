//! The program from outside: a description in, a video out that ffprobe counts and ffmpeg decodes again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod refused;
mod script;
mod sound;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use image::{Rgb, RgbImage, Rgba, RgbaImage};
use serde_json::Value;

const AWKWARD: &str = include_str!("../fixtures/awkward-scenes.yml");

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_video_generator"));
    command
        .args(args)
        .current_dir(dir)
        .env("ONEJOB_STATE_DIR", dir.join(".state"));
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", errors(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Names of the visible and hidden files in a folder, without the state.
fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".state")
        .collect();
    names.sort();
    names
}

/// What ffprobe says of a stream, with its frames decoded and counted.
fn probe(path: &Path, stream: &str) -> Value {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-count_frames",
            "-select_streams",
            stream,
            "-of",
            "json",
            "-show_streams",
        ])
        .arg(path)
        .output()
        .unwrap();
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    all["streams"][0].clone()
}

/// One frame, decoded.
fn frame(path: &Path, number: u64, (width, height): (u32, u32)) -> RgbImage {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args([
            "-vf",
            &format!("select=eq(n\\,{number}),scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd"),
        ])
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"])
        .output()
        .unwrap();
    RgbImage::from_raw(width, height, output.stdout).unwrap()
}

#[track_caller]
fn near(pixel: Rgb<u8>, wanted: [u8; 3]) {
    let off = pixel
        .0
        .iter()
        .zip(wanted)
        .map(|(&a, b)| a.abs_diff(b))
        .max()
        .unwrap();
    assert!(off <= 8, "{pixel:?} is not {wanted:?}");
}

/// The pictures of the field case: a photograph turned by EXIF, one with transparency, one very wide.
fn pictures(dir: &Path) {
    RgbImage::from_pixel(500, 500, Rgb([40, 90, 160]))
        .save(dir.join("square.png"))
        .unwrap();
    RgbImage::from_fn(3001, 1001, |x, y| Rgb([(x / 12) as u8, (y / 4) as u8, 90]))
        .save(dir.join("wide.png"))
        .unwrap();
    RgbaImage::from_fn(400, 300, |x, y| {
        let inside = (100..300).contains(&x) && (100..200).contains(&y);
        Rgba(if inside {
            [20, 200, 40, 255]
        } else {
            [255, 255, 255, 0]
        })
    })
    .save(dir.join("alpha.png"))
    .unwrap();
    // Stored lying: what is red on the left is red at the top once it is turned.
    let stored = RgbImage::from_fn(600, 400, |x, _| {
        Rgb(if x < 300 { [220, 20, 20] } else { [20, 20, 220] })
    });
    stored.save(dir.join("turned.jpg")).unwrap();
    let plain = fs::read(dir.join("turned.jpg")).unwrap();
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let turned = [&plain[..2], &exif[..], &plain[2..]].concat();
    fs::write(dir.join("turned.jpg"), turned).unwrap();
}

/// The field case with its two mistakes mended.
fn mended() -> String {
    AWKWARD.replace("1281x721", "1280x720").replace(
        "duration: 0.4, transition: fade, transition_s: 0.5",
        "duration: 0.4, transition: fade, transition_s: 0.2",
    )
}

#[test]
fn awkward_scenes_are_exact_upright_and_as_written() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path());
    fs::write(dir.path().join("spec.yml"), mended()).unwrap();
    let answer = json(&run(
        dir.path(),
        &["render", "spec.yml", "-o", "ad.mp4", "--preview", "6", "--json"],
    ));
    assert_eq!(
        (&answer["frames"], &answer["frames_counted"]),
        (&126.into(), &126.into())
    );
    assert_eq!(answer["seconds"], 4.2);
    let video = dir.path().join("ad.mp4");
    let facts = probe(&video, "v:0");
    for (name, wanted) in [
        ("nb_read_frames", Value::from("126")),
        ("codec_name", "h264".into()),
        ("pix_fmt", "yuv420p".into()),
        ("width", 1280.into()),
        ("height", 720.into()),
        ("r_frame_rate", "30/1".into()),
        ("color_space", "bt709".into()),
        ("duration", "4.200000".into()),
    ] {
        assert_eq!(facts[name], wanted, "{name}");
    }
    // The index stands before the pictures, so that a player can begin before all is loaded.
    let bytes = fs::read(&video).unwrap();
    let at = |name: &[u8]| bytes.windows(4).position(|part| part == name).unwrap();
    assert!(at(b"moov") < at(b"mdat"));
    let size = (1280, 720);
    let turned = frame(&video, 92, size);
    near(*turned.get_pixel(640, 60), [220, 20, 20]);
    near(*turned.get_pixel(640, 660), [20, 20, 220]);
    let alpha = frame(&video, 120, size);
    near(*alpha.get_pixel(30, 30), [0, 0, 0]);
    near(*alpha.get_pixel(640, 360), [20, 200, 40]);
    let caption = frame(&video, 20, size);
    near(*caption.get_pixel(640, 100), [40, 90, 160]);
    let light = caption
        .enumerate_pixels()
        .filter(|(_, y, p)| *y > 500 && p[0] > 220)
        .count();
    assert!(light > 1500, "{light} pixels of letters");
    let srt = fs::read_to_string(dir.path().join("ad.srt")).unwrap();
    assert_eq!(
        srt,
        "1\n00:00:00,000 --> 00:00:01,733\n100% it's 12:30 %{pts} \\ [x];'y'\n"
    );
    let poster = image::open(dir.path().join("ad.poster.png")).unwrap();
    assert_eq!((poster.width(), poster.height()), size);
    let sheet = image::open(dir.path().join("ad.preview.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (3 * 328 + 8, 2 * 188 + 8));
}

#[test]
fn colours_and_transitions_are_those_that_were_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let spec = "size: 160x90\nfps: 10\nscenes:\n- {color: '#204060', duration: 1}\n\
                - {color: '#c02020', duration: 1, transition: crossfade, transition_s: 0.5}\n\
                - {color: '#20c040', duration: 1, transition: wipe, transition_s: 0.4}";
    fs::write(dir.path().join("spec.yml"), spec).unwrap();
    let answer = json(&run(
        dir.path(),
        &["render", "spec.yml", "-o", "o.mp4", "--json", "--no-poster"],
    ));
    assert_eq!(answer["frames"], 10 + 10 + 10 - 5 - 4);
    let video = dir.path().join("o.mp4");
    let at = |number, x, y| *frame(&video, number, (160, 90)).get_pixel(x, y);
    near(at(0, 80, 45), [0x20, 0x40, 0x60]);
    // The third of five mixed frames is half of each.
    near(at(7, 80, 45), [0x70, 0x30, 0x40]);
    near(at(10, 80, 45), [0xc0, 0x20, 0x20]);
    // Frames 11 to 14 uncover a fifth more each.
    near(at(12, 40, 45), [0x20, 0xc0, 0x40]);
    near(at(12, 120, 45), [0xc0, 0x20, 0x20]);
    near(at(20, 80, 45), [0x20, 0xc0, 0x40]);
    assert!(!dir.path().join("o.srt").exists(), "there is no caption");
}

#[test]
fn the_same_description_makes_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path());
    let spec = "size: 320x180\nfps: 25\nscenes:\n- {image: wide.png, duration: 1, motion: pan_right, caption: Same}\n\
                - {image: square.png, fit: blur, duration: 0.6, motion: zoom_out, transition: wipe, transition_s: 0.2}";
    fs::write(dir.path().join("spec.yml"), spec).unwrap();
    for name in ["a.mp4", "b.mp4"] {
        json(&run(dir.path(), &["render", "spec.yml", "-o", name, "--json"]));
    }
    assert_eq!(
        fs::read(dir.path().join("a.mp4")).unwrap(),
        fs::read(dir.path().join("b.mp4")).unwrap()
    );
}

#[test]
fn check_says_what_render_makes_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path());
    fs::write(dir.path().join("spec.yml"), mended()).unwrap();
    let before = files(dir.path());
    let answer = json(&run(dir.path(), &["check", "spec.yml", "--json"]));
    assert_eq!(
        (&answer["frames"], &answer["seconds"]),
        (&126.into(), &4.2.into())
    );
    assert_eq!(answer["scenes"][2]["start_s"], 2.8);
    assert_eq!(answer["sources"].as_array().unwrap().len(), 4);
    // The description as it was understood is one itself.
    fs::write(dir.path().join("again.json"), answer["spec"].to_string()).unwrap();
    assert_eq!(
        json(&run(dir.path(), &["check", "again.json", "--json"]))["frames"],
        126
    );
    fs::remove_file(dir.path().join("again.json")).unwrap();
    json(&run(
        dir.path(),
        &["render", "spec.yml", "-o", "new/ad.mp4", "--dry-run", "--json"],
    ));
    assert_eq!(files(dir.path()), before);
}

#[test]
fn missing_ffmpeg_is_a_configuration_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("spec.yml"),
        "scenes: [{color: '#123', duration: 1}]",
    )
    .unwrap();
    let bare = |args: &[&str]| {
        command(dir.path(), args)
            .env("PATH", dir.path())
            .output()
            .unwrap()
    };
    let output = bare(&["render", "spec.yml", "-o", "o.mp4"]);
    assert_eq!(output.status.code(), Some(78), "{}", errors(&output));
    assert!(
        errors(&output).contains("`ffmpeg` is not installed"),
        "{}",
        errors(&output)
    );
    let checked = bare(&["check", "spec.yml", "--json"]);
    assert_eq!(checked.status.code(), Some(3), "{}", errors(&checked));
    assert_eq!(files(dir.path()), ["spec.yml"]);
}

#[test]
fn a_stopped_run_leaves_no_file_and_no_program() {
    let dir = tempfile::tempdir().unwrap();
    let spec = "size: 640x360\nscenes: [{card: {title: Long}, motion: zoom_in, duration: 600}]";
    fs::write(dir.path().join("spec.yml"), spec).unwrap();
    let mut child = command(dir.path(), &["render", "spec.yml", "-o", "o.mp4"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // ffmpeg has the hidden file as its last argument.
    let target = dir.path().display().to_string();
    let encoders = || {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines
            .map(|line| String::from_utf8_lossy(&line).into_owned())
            .filter(|line| line.starts_with("ffmpeg") && (line.contains(&target) || line.contains(".o.mp4.")))
            .count()
    };
    while !files(dir.path()).iter().any(|name| name.contains(".part")) || encoders() == 0 {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it could be stopped"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert_eq!(files(dir.path()), ["spec.yml"]);
    assert_eq!(encoders(), 0);
}
