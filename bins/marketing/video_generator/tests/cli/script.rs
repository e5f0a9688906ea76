//! From a text and pictures to a video, by the new command line and by the old call.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json as value};

use super::{command, errors, frame, json, near, pictures, probe, run};

#[test]
fn a_text_and_pictures_take_exactly_as_long_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("shots")).unwrap();
    pictures(&dir.path().join("shots"));
    fs::write(
        dir.path().join("story.md"),
        "# Tea\n\nIt needs time. Come and have a cup!",
    )
    .unwrap();
    let args = [
        "from-script",
        "story.md",
        "--assets",
        "shots",
        "-o",
        "o.mp4",
        "-d",
        "6.1",
        "--fps",
        "10",
        "--json",
    ];
    let answer = json(&run(dir.path(), &args));
    assert_eq!(answer["frames"], 61);
    assert_eq!(answer["scenes"].as_array().unwrap().len(), 4);
    assert_eq!(probe(&dir.path().join("o.mp4"), "v:0")["nb_read_frames"], "61");
    let srt = fs::read_to_string(dir.path().join("o.srt")).unwrap();
    for sentence in ["Tea", "It needs time.", "Come and have a cup!"] {
        assert!(srt.contains(sentence), "{srt}");
    }
    // The description that it answers with makes the same video.
    fs::write(dir.path().join("spec.json"), answer["spec"].to_string()).unwrap();
    json(&run(
        dir.path(),
        &["render", "spec.json", "-o", "again.mp4", "--json"],
    ));
    let bytes = |name: &str| fs::read(dir.path().join(name)).unwrap();
    assert_eq!(bytes("o.mp4"), bytes("again.mp4"));
}

#[test]
fn a_text_alone_is_drawn_as_cards_and_none_at_all_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "from-script",
        "--script",
        "One. Two.",
        "-o",
        "o.mp4",
        "-d",
        "2",
        "--aspect",
        "1:1",
        "--fps",
        "10",
        "--json",
    ];
    let answer = json(&run(dir.path(), &args));
    assert_eq!(
        (&answer["width"], &answer["height"], &answer["frames"]),
        (&1080.into(), &1080.into(), &20.into())
    );
    near(
        *frame(&dir.path().join("o.mp4"), 0, (1080, 1080)).get_pixel(20, 20),
        [0x1b, 0x26, 0x3b],
    );
    let empty = run(dir.path(), &["from-script", "--script", "--- ...", "-o", "p.mp4"]);
    assert_eq!(empty.status.code(), Some(2), "{}", errors(&empty));
}

fn old_call(dir: &std::path::Path, call: &Value) -> Value {
    let mut child = command(dir, &["--legacy", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(call.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_old_call_takes_the_pictures_that_its_description_names() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("camp")).unwrap();
    pictures(&dir.path().join("camp"));
    let call = value!({"video_script": "Show it", "video_style": "before/after", "video_duration_seconds": 1.5,
                       "video_assets_description": "only square.png", "campaign_dir": "camp"});
    let path = "camp/generated_video_1.5s_before_after.mp4";
    assert_eq!(old_call(dir.path(), &call), path);
    let video = dir.path().join(path);
    let facts = probe(&video, "v:0");
    // 37.5 frames are 38.
    assert_eq!(
        (&facts["nb_read_frames"], &facts["r_frame_rate"]),
        (&"38".into(), &"25/1".into())
    );
    near(*frame(&video, 10, (1280, 720)).get_pixel(640, 200), [40, 90, 160]);
    assert!(
        !dir.path()
            .join("camp/generated_video_1.5s_before_after.srt")
            .exists()
    );
    let missing = old_call(dir.path(), &value!({"video_script": "x"}));
    assert_eq!(missing["status"], "error");
}
