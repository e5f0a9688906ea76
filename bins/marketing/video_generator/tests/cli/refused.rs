//! What is wrong is told before the first frame, by field, and nothing is left.

use std::{fs, path::Path};

use super::{AWKWARD, command, errors, files, json, pictures, run};

/// Renders without any program in reach: whatever is told was told before ffmpeg could start.
fn refused(dir: &Path, spec: &str, code: i32, words: &[&str]) {
    fs::write(dir.join("spec.yml"), spec).unwrap();
    let before = files(dir);
    let output = command(dir, &["render", "spec.yml", "-o", "o.mp4"])
        .env("PATH", dir.join("nothing"))
        .output()
        .unwrap();
    let told = errors(&output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
    assert_eq!(files(dir), before);
}

#[test]
fn both_mistakes_of_the_awkward_scenes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path());
    refused(
        dir.path(),
        AWKWARD,
        2,
        &[
            "`size` 1281x721 is odd (use 1280x720)",
            "`scenes[2].transition_s` 0.5 is longer than the scene (0.4)",
        ],
    );
}

#[test]
fn pictures_that_are_missing_or_no_pictures_are_named() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path());
    let whole = fs::read(dir.path().join("wide.png")).unwrap();
    fs::write(dir.path().join("half.png"), &whole[..whole.len() / 2]).unwrap();
    let scene = |name: &str| format!("- {{image: {name}, duration: 1}}\n");
    let spec = format!("scenes:\n{}{}", scene("square.png"), scene("gone.png"));
    refused(dir.path(), &spec, 66, &["scenes[1].image", "gone.png"]);
    let spec = format!("scenes:\n{}{}", scene("square.png"), scene("half.png"));
    refused(dir.path(), &spec, 2, &["scenes[1].image", "half.png"]);
    let spec = format!(
        "scenes:\n{}{}{}",
        scene("gone.png"),
        scene("spec.yml"),
        scene("half.png")
    );
    refused(
        dir.path(),
        &spec,
        2,
        &["scenes[0].image", "scenes[1].image", "scenes[2].image"],
    );
}

#[test]
fn a_clip_an_unknown_field_and_a_wrong_rate_are_refused_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    refused(
        dir.path(),
        "scenes: [{video: clip.mp4, duration: 1}]",
        2,
        &["scenes[0].video", "not supported"],
    );
    refused(
        dir.path(),
        "scenes: [{color: '#000', duratoin: 1}]",
        2,
        &["spec.yml", "duratoin"],
    );
    refused(
        dir.path(),
        "fps: 29.97\nscenes: [{color: '#000', duration: 1}]",
        2,
        &["30000/1001"],
    );
    refused(dir.path(), "scenes: []", 2, &["`scenes`"]);
    refused(dir.path(), "\u{0}", 2, &["spec.yml"]);
}

#[test]
fn a_character_that_no_font_has_is_told_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let spec = "size: 64x64\nfps: 10\nscenes: [{color: '#000', duration: 0.5, caption: \"a\\U000F8FF0b\"}]";
    fs::write(dir.path().join("spec.yml"), spec).unwrap();
    let strict = run(dir.path(), &["render", "spec.yml", "-o", "o.mp4", "--strict"]);
    assert_eq!(strict.status.code(), Some(2), "{}", errors(&strict));
    assert!(errors(&strict).contains("U+F8FF0"), "{}", errors(&strict));
    assert_eq!(files(dir.path()), ["spec.yml"]);
    let drawn = run(dir.path(), &["render", "spec.yml", "-o", "o.mp4"]);
    assert_eq!(drawn.status.code(), Some(3), "{}", errors(&drawn));
    assert!(errors(&drawn).contains("U+F8FF0"), "{}", errors(&drawn));
    assert!(dir.path().join("o.mp4").is_file());
}

#[test]
fn no_output_takes_the_place_of_a_picture() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path());
    fs::rename(dir.path().join("square.png"), dir.path().join("o.poster.png")).unwrap();
    let picture = fs::read(dir.path().join("o.poster.png")).unwrap();
    fs::write(
        dir.path().join("spec.yml"),
        "size: 64x64\nscenes: [{image: o.poster.png, duration: 1}]",
    )
    .unwrap();
    let output = run(dir.path(), &["render", "spec.yml", "-o", "o.mp4"]);
    assert!(
        !output.status.success() && errors(&output).contains("is the input"),
        "{}",
        errors(&output)
    );
    assert!(!dir.path().join("o.mp4").exists());
    assert_eq!(fs::read(dir.path().join("o.poster.png")).unwrap(), picture);
    json(&run(
        dir.path(),
        &["render", "spec.yml", "-o", "o.mp4", "--no-poster", "--json"],
    ));
    let wrong = run(dir.path(), &["render", "spec.yml", "-o", "o.avi"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", errors(&wrong));
}
