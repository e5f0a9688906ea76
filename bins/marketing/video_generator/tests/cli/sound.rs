//! Music is as long as the picture to the sample, whatever the file is.

use std::{fs, path::Path, process::Command};

use super::{errors, files, json, probe, run};

const SPEC: &str = include_str!("../fixtures/music-and-length.yml");

/// A tone of `seconds`, mono at 44100 Hz.
fn tone(path: &Path, seconds: f64) {
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg(format!("sine=f=440:d={seconds}:r=44100"))
        .args(["-ac", "1"])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

/// The sound of a video: left and right, decoded.
fn heard(path: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-f", "f32le", "pipe:1"])
        .output()
        .unwrap();
    let samples = output.stdout.chunks_exact(4);
    samples
        .map(|s| f32::from_le_bytes([s[0], s[1], s[2], s[3]]))
        .collect()
}

/// Level of a stretch in dB below full scale.
fn level(samples: &[f32], from: f64, to: f64) -> f64 {
    let index = |seconds: f64| ((seconds * 48_000.0) as usize * 2).min(samples.len());
    let part = &samples[index(from)..index(to)];
    assert!(!part.is_empty());
    let squares: f64 = part.iter().map(|&s| f64::from(s).powi(2)).sum();
    10.0 * (squares / part.len() as f64).max(1e-20).log10()
}

#[test]
fn a_short_tone_is_looped_to_the_length_and_fades_away() {
    let dir = tempfile::tempdir().unwrap();
    tone(&dir.path().join("beep.wav"), 1.0);
    fs::write(dir.path().join("spec.yml"), SPEC).unwrap();
    let answer = json(&run(dir.path(), &["render", "spec.yml", "-o", "o.mp4", "--json"]));
    let video = dir.path().join("o.mp4");
    let picture = probe(&video, "v:0");
    assert_eq!(picture["nb_read_frames"], "90");
    assert_eq!(picture["r_frame_rate"], "30000/1001");
    assert_eq!(picture["duration"], "3.003000");
    let sound = probe(&video, "a:0");
    assert_eq!(
        (&sound["channels"], &sound["sample_rate"]),
        (&2.into(), &"48000".into())
    );
    let seconds: f64 = sound["duration"].as_str().unwrap().parse().unwrap();
    assert!((seconds - 3.003).abs() <= 1024.0 / 48_000.0, "{seconds}");
    let samples = heard(&video);
    assert!(level(&samples, 0.2, 0.8) > -10.0, "the peak is brought to -1 dB");
    assert!(level(&samples, 1.2, 1.8) > -10.0, "it goes on after its end");
    assert!(
        level(&samples, 2.4, 2.6) < level(&samples, 1.2, 1.8) - 3.0,
        "it fades"
    );
    assert!(level(&samples, 2.953, 3.003) < -50.0, "the end is silent");
    assert_eq!(
        (&answer["sound"]["level_by"], &answer["sound"]["looped"]),
        (&"peak".into(), &true.into())
    );
    assert!(answer["warnings"][0].as_str().unwrap().contains("too short"));
}

#[test]
fn played_once_it_leaves_silence_and_never_shortens_the_picture() {
    let dir = tempfile::tempdir().unwrap();
    tone(&dir.path().join("beep.wav"), 1.0);
    fs::write(
        dir.path().join("spec.yml"),
        SPEC.replace("file: beep.wav", "file: beep.wav, once: true"),
    )
    .unwrap();
    json(&run(dir.path(), &["render", "spec.yml", "-o", "o.mp4", "--json"]));
    let video = dir.path().join("o.mp4");
    assert_eq!(probe(&video, "v:0")["nb_read_frames"], "90");
    let samples = heard(&video);
    assert!(
        (samples.len() as f64 / 2.0 - 144_144.0).abs() <= 1024.0,
        "{}",
        samples.len() / 2
    );
    assert!(level(&samples, 0.2, 0.8) > -10.0);
    assert!(level(&samples, 1.2, 2.8) < -60.0);
}

#[test]
fn long_music_is_cut_and_brought_to_its_loudness() {
    let dir = tempfile::tempdir().unwrap();
    tone(&dir.path().join("beep.wav"), 9.0);
    let spec = "size: 64x64\nfps: 25\nscenes: [{color: '#000', duration: 5}]\nmusic: {file: beep.wav, loudness: -23, fade_out_s: 0}";
    fs::write(dir.path().join("spec.yml"), spec).unwrap();
    let answer = json(&run(dir.path(), &["render", "spec.yml", "-o", "o.mp4", "--json"]));
    assert_eq!(
        (&answer["sound"]["level_by"], &answer["sound"]["looped"]),
        (&"loudness".into(), &false.into())
    );
    let measured = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-i"])
        .arg(dir.path().join("o.mp4"))
        .args([
            "-map",
            "0:a:0",
            "-af",
            "ebur128=framelog=verbose",
            "-f",
            "null",
            "-",
        ])
        .output()
        .unwrap();
    let told = errors(&measured);
    let summary = &told[told.rfind("Summary:").unwrap()..];
    let line = summary
        .lines()
        .find_map(|line| line.trim().strip_prefix("I:"))
        .unwrap();
    let lufs: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
    assert!((lufs + 23.0).abs() <= 0.5, "{lufs}");
}

#[test]
fn lists_and_files_without_sound_are_no_music() {
    let dir = tempfile::tempdir().unwrap();
    tone(&dir.path().join("beep.wav"), 1.0);
    for (name, bytes) in [
        (
            "list.m3u8",
            &b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nbeep.wav\n#EXT-X-ENDLIST\n"[..],
        ),
        ("concat.txt", b"ffconcat version 1.0\nfile beep.wav\n"),
        ("noise.wav", b"RIFF nothing"),
    ] {
        fs::write(dir.path().join(name), bytes).unwrap();
        let spec = format!("size: 64x64\nscenes: [{{color: '#000', duration: 1}}]\nmusic: {{file: {name}}}");
        fs::write(dir.path().join("spec.yml"), spec).unwrap();
        let before = files(dir.path());
        let output = run(dir.path(), &["render", "spec.yml", "-o", "o.mp4"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", errors(&output));
        assert!(
            errors(&output).contains("music.file"),
            "{name}: {}",
            errors(&output)
        );
        assert_eq!(files(dir.path()), before);
    }
}
