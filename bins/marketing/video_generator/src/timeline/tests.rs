//! The length law, and what is refused.

use super::*;

fn spec(text: &str) -> Spec {
    Spec::parse(text.as_bytes().to_vec(), "test").unwrap()
}

const AWKWARD: &str = "
size: 1281x721
fps: 30
scenes:
  - {image: a.png, duration: 2.0}
  - {image: b.png, duration: 1.5, transition: fade, transition_s: 0.5, motion: zoom_in}
  - {image: c.png, duration: 0.4, transition: fade, transition_s: 0.5}
  - {image: d.png, duration: 1.0, transition: cut}
";

#[test]
fn every_mistake_is_named_at_once() {
    let mistakes = Timeline::of(&spec(AWKWARD)).unwrap_err();
    assert_eq!(
        mistakes,
        [
            ("size".to_owned(), "1281x721 is odd (use 1280x720)".to_owned()),
            (
                "scenes[2].transition_s".to_owned(),
                "0.5 is longer than the scene (0.4)".to_owned()
            )
        ]
    );
}

#[test]
fn the_length_law_holds() {
    let right = AWKWARD.replace("1281x721", "1280x720").replace(
        "duration: 0.4, transition: fade, transition_s: 0.5",
        "duration: 0.4, transition: fade, transition_s: 0.2",
    );
    let timeline = Timeline::of(&spec(&right)).unwrap();
    assert_eq!(timeline.frames, 60 + 45 + 12 + 30 - 15 - 6);
    let seen: Vec<Moment> = (0..timeline.frames).map(|frame| timeline.at(frame)).collect();
    // Every frame of every scene is seen once, in order, and each scene has frames of its own.
    for (scene, span) in timeline.spans.iter().enumerate() {
        let locals: Vec<u64> = seen
            .iter()
            .filter_map(|moment| match moment.before {
                _ if moment.scene == scene => Some(moment.local),
                Some((local, _)) if moment.scene == scene + 1 => Some(local),
                _ => None,
            })
            .collect();
        assert_eq!(locals, (0..span.frames).collect::<Vec<_>>(), "scene {scene}");
        let own = seen
            .iter()
            .filter(|m| m.scene == scene && m.before.is_none())
            .count();
        assert!(own >= 1);
    }
}

#[test]
fn a_scene_keeps_a_frame_between_its_transitions() {
    let with = |second: f64| {
        let text = format!(
            "scenes:\n- {{color: '#000', duration: 2}}\n- {{color: '#fff', duration: 1, transition: crossfade, transition_s: 0.5}}\n\
             - {{color: '#f00', duration: 2, transition: wipe, transition_s: {second}}}"
        );
        Timeline::of(&spec(&text))
    };
    assert_eq!(with(0.4667).unwrap().frames, 60 + 30 + 60 - 15 - 14);
    let mistakes = with(0.5).unwrap_err();
    assert_eq!(mistakes[0].0, "scenes[2].transition_s");
    assert!(mistakes[0].1.contains("leaves nothing"), "{mistakes:?}");
}

#[test]
fn what_makes_no_sense_is_refused_by_field() {
    for (scene, field, words) in [
        ("{duration: 1}", "scenes[0]", "shows nothing"),
        (
            "{color: '#000', image: a.png, duration: 1}",
            "scenes[0]",
            "several",
        ),
        ("{video: a.mp4, duration: 1}", "scenes[0].video", "not supported"),
        ("{color: '#000', duration: .nan}", "scenes[0].duration", "NaN"),
        ("{color: '#000', duration: -1}", "scenes[0].duration", "-1"),
        (
            "{color: '#000', duration: 0.001}",
            "scenes[0].duration",
            "half a frame",
        ),
        (
            "{color: '#000', duration: 1, transition: wipe}",
            "scenes[0].transition",
            "no scene before",
        ),
        (
            "{color: '#000', duration: 1, transition_s: 0.2}",
            "scenes[0].transition_s",
            "cut",
        ),
        (
            "{color: '#000', duration: 1, motion: zoom_in}",
            "scenes[0].motion",
            "colour",
        ),
        (
            "{image: a, duration: 1, motion: zoom_in, zoom: 3}",
            "scenes[0].zoom",
            "at most 2",
        ),
        (
            "{image: a, duration: 1, focus: [0.5, 1.5]}",
            "scenes[0].focus",
            "between 0 and 1",
        ),
    ] {
        let mistakes = Timeline::of(&spec(&format!("scenes: [{scene}]"))).unwrap_err();
        assert!(
            mistakes.len() == 1 && mistakes[0].0 == field && mistakes[0].1.contains(words),
            "{scene}: {mistakes:?}"
        );
    }
}
