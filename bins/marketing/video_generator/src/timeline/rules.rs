//! What a description may say, apart from how long its scenes are.

use super::Mistake;
use crate::spec::{Motion, Music, Scene, Spec};

/// Smallest and largest side in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;
/// The size of the frames and of the letters.
pub fn sizes(spec: &Spec, mistakes: &mut Vec<Mistake>) {
    let size = spec.size();
    let mut wrong = |told: String| mistakes.push(("size".to_owned(), told));
    if !SIDES.contains(&size.width) || !SIDES.contains(&size.height) {
        wrong(format!(
            "{size} is not between {} and {} pixels a side",
            SIDES.start(),
            SIDES.end()
        ));
    } else if size.width % 2 == 1 || size.height % 2 == 1 {
        wrong(format!(
            "{size} is odd (use {}x{})",
            size.width & !1,
            size.height & !1
        ));
    }
    if spec.background.rgba()[3] != 255 {
        let told = "is transparent, and nothing lies behind it".to_owned();
        mistakes.push(("background".to_owned(), told));
    }
    if spec.size.is_some() && spec.aspect.is_some() {
        mistakes.push((
            "aspect".to_owned(),
            "says the size a second time: give `size` or `aspect`".to_owned(),
        ));
    }
    if spec
        .captions
        .size
        .is_some_and(|letters| !(letters >= 7.0 && letters <= f64::from(size.height)))
    {
        let told = "is not between 7 pixels and the height of the frame".to_owned();
        mistakes.push(("captions.size".to_owned(), told));
    }
}

/// What a scene shows.
pub fn content(index: usize, scene: &Scene, mistakes: &mut Vec<Mistake>) {
    let mut wrong = |field: &str, told: &str| {
        let dot = if field.is_empty() { "" } else { "." };
        mistakes.push((format!("scenes[{index}]{dot}{field}"), told.to_owned()));
    };
    if scene.video.is_some() {
        wrong(
            "video",
            "names a video clip, and clips are not supported as scenes: use `image`, `color` or `card`",
        );
    } else {
        let kinds = [scene.image.is_some(), scene.color.is_some(), scene.card.is_some()];
        match kinds.iter().filter(|&&given| given).count() {
            0 => wrong("", "shows nothing: give `image`, `color` or `card`"),
            1 => {}
            _ => wrong(
                "",
                "shows several things: give one of `image`, `color` and `card`",
            ),
        }
    }
    if scene.color.is_some() && scene.motion != Motion::None {
        wrong("motion", "moves a plain colour, which nobody would see");
    }
    if scene.image.is_none() && scene.fit.is_some() {
        wrong("fit", "is for pictures only");
    }
    if let Some(zoom) = scene.zoom {
        if scene.motion == Motion::None {
            wrong("zoom", "is given without `motion`");
        } else if !(1.0..=2.0).contains(&zoom) || (zoom == 1.0 && is_zoom(scene.motion)) {
            wrong("zoom", "must be more than 1 and at most 2 (a pan may have 1)");
        }
    }
    if scene
        .focus
        .is_some_and(|focus| focus.iter().any(|share| !(0.0..=1.0).contains(share)))
    {
        wrong("focus", "must be two shares between 0 and 1");
    }
    for (field, text) in [
        ("caption", scene.caption.as_deref()),
        ("card.title", scene.card.as_ref().map(|card| card.title.as_str())),
        (
            "card.text",
            scene.card.as_ref().and_then(|card| card.text.as_deref()),
        ),
    ] {
        if text.is_some_and(|text| text.chars().count() > 2000) {
            wrong(field, "has more than 2000 characters");
        }
    }
}

/// Whether the camera comes closer or goes away.
fn is_zoom(motion: Motion) -> bool {
    matches!(motion, Motion::ZoomIn | Motion::ZoomOut)
}

/// The music, for a video of `seconds`.
pub fn sound(music: &Music, seconds: f64, mistakes: &mut Vec<Mistake>) {
    for (field, fade) in [
        ("fade_in_s", Some(music.fade_in_s)),
        ("fade_out_s", music.fade_out_s),
    ] {
        if fade.is_some_and(|fade| !(0.0..=seconds).contains(&fade)) {
            let told = format!("is not between 0 and the {seconds:.3} seconds of the video");
            mistakes.push((format!("music.{field}"), told));
        }
    }
    if music.loudness.is_some_and(|lufs| !(-50.0..=-5.0).contains(&lufs)) {
        mistakes.push((
            "music.loudness".to_owned(),
            "is not between -50 and -5 LUFS".to_owned(),
        ));
    }
}
