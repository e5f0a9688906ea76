//! Inputs that are animations themselves, inputs that would be lost, videos that are something else.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use crate::{frames, json, moving, run};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

#[test]
fn an_animation_brings_all_its_frames_and_times() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["anim.gif", "anim.webp", "anim.png", "pages.tiff"] {
        fs::copy(Path::new(FIXTURES).join(name), dir.path().join(name)).unwrap();
    }
    for (name, count, times) in [
        ("anim.gif", 3, None),
        ("anim.webp", 4, None),
        ("anim.png", 3, Some([50, 200, 300])),
        ("pages.tiff", 3, Some([100, 100, 100])),
    ] {
        let answer = json(&run(
            dir.path(),
            &[name, "-o", "o.gif", "--width", "12", "--json"],
        ));
        assert_eq!(answer["frames"], count, "{name}");
        let shown = frames(&dir.path().join("o.gif"));
        assert_eq!(shown.len(), count, "{name}");
        if let Some(times) = times {
            let seen: Vec<u32> = shown.iter().map(|(delay, _)| *delay).collect();
            assert_eq!(seen, times, "{name}");
            let colours: Vec<[u8; 4]> = shown.iter().map(|(_, image)| image.get_pixel(3, 3).0).collect();
            assert_eq!(
                colours,
                [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]],
                "{name}"
            );
        }
    }
    // A rate that is given wins, and pictures may stand between animations.
    moving(dir.path(), 1);
    let args = [
        "anim.png",
        "shot0.png",
        "anim.gif",
        "-o",
        "o.gif",
        "--rate",
        "5",
        "--json",
    ];
    let answer = json(&run(dir.path(), &args));
    assert_eq!(
        (&answer["frames"], &answer["duration_ms"]),
        (&7.into(), &1400.into())
    );
    let refused = run(dir.path(), &["anim.webp", "-o", "n.gif", "--max-frames", "3"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn an_input_is_never_the_output() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), 2);
    symlink("shot0.png", dir.path().join("soft.gif")).unwrap();
    fs::hard_link(dir.path().join("shot0.png"), dir.path().join("hard.gif")).unwrap();
    let before = fs::read(dir.path().join("shot0.png")).unwrap();
    for out in ["shot0.png", "./shot0.png", "soft.gif", "hard.gif"] {
        let refused = run(dir.path(), &["shot0.png", "-o", out]);
        assert_eq!(refused.status.code(), Some(73), "{out}");
        assert_eq!(fs::read(dir.path().join("shot0.png")).unwrap(), before);
    }
    for out in ["new.jpg", "new.mp4"] {
        assert_eq!(
            run(dir.path(), &["shot0.png", "-o", out]).status.code(),
            Some(2),
            "{out}"
        );
        assert!(!dir.path().join(out).exists());
    }
}

#[test]
fn a_full_disk_is_told_with_the_name_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), 3);
    // No file of this process may grow beyond one block.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" shot0.png shot1.png shot2.png --palette frame -o a.gif --manifest none"])
        .arg(env!("CARGO_BIN_EXE_gif_generator"))
        .current_dir(dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{text}");
    assert!(text.contains("cannot write `a.gif`"), "{text}");
    assert!(!dir.path().join("a.gif").exists());
}

#[test]
fn a_video_that_only_names_others_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=64x48:rate=5:duration=2",
            "private.ts",
            "private.mp4",
        ])
        .current_dir(dir.path())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        // Without ffmpeg nothing is read at all.
        fs::write(dir.path().join("hls.mp4"), "#EXTM3U\n").unwrap();
        assert_eq!(
            run(dir.path(), &["--video", "hls.mp4", "-o", "o.gif"])
                .status
                .code(),
            Some(78)
        );
        return;
    }
    let private = dir.path().join("private.ts").display().to_string();
    for (name, text) in [
        (
            "hls.mp4",
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n{private}\n#EXT-X-ENDLIST\n"),
        ),
        (
            "hls.m3u8",
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nfile:{private}\n#EXT-X-ENDLIST\n"),
        ),
        ("list.mp4", "ffconcat version 1.0\nfile private.mp4\n".to_owned()),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
        let output = run(dir.path(), &["--video", name, "-o", "o.gif"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains("is not a video in itself"), "{name}: {said}");
        assert!(!dir.path().join("o.gif").exists());
    }
    let answer = json(&run(
        dir.path(),
        &[
            "--video",
            "private.mp4",
            "-o",
            "o.gif",
            "--max-frames",
            "4",
            "--json",
        ],
    ));
    assert_eq!(answer["frames"], 4);
    assert!(
        answer["warnings"]
            .to_string()
            .contains("the video goes on after 4 frames"),
        "{answer}"
    );
}
