//! Which scenes are seen in which frame; everything is counted in whole frames, so nothing drifts.
//!
//! The length law: frames = sum(round(duration x fps)) - sum(round(transition x fps)), and each scene keeps at least one
//! frame of its own. Two scenes at most are therefore seen in one frame.

use crate::{
    rate::Rate,
    spec::{Motion, Music, Scene, Spec, Transition},
};

/// Most frames of a video: more than nine hours at 30 a second.
const MOST_FRAMES: u64 = 1_000_000;
/// Most scenes.
const MOST_SCENES: usize = 2000;
/// Smallest and largest side in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;
/// Seconds of a transition that does not say.
const TRANSITION: f64 = 0.5;

/// Where in the spec, and what is wrong there.
pub type Mistake = (String, String);

/// All scenes in frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// One for each scene.
    pub spans: Vec<Span>,
    /// Frames of the video.
    pub frames: u64,
    /// Frame of the poster.
    pub poster: u64,
}

/// One scene in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First frame in which it is seen.
    pub start: u64,
    /// Frames in which it is seen.
    pub frames: u64,
    /// Of these, frames in which the scene before it is seen too.
    pub entry: u64,
}

/// What is seen in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The (newer) scene.
    pub scene: usize,
    /// Frame within that scene.
    pub local: u64,
    /// The scene before it while that goes: frame within it, and the share of the newer one, 0 to 1.
    pub before: Option<(u64, f64)>,
}

impl Timeline {
    /// Counts the frames of a description, or says everything that is wrong with it.
    pub fn of(spec: &Spec) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        sizes(spec, &mut mistakes);
        if spec.scenes.is_empty() {
            mistakes.push(("scenes".to_owned(), "is empty".to_owned()));
        } else if spec.scenes.len() > MOST_SCENES {
            let told = format!("has {} scenes; the most is {MOST_SCENES}", spec.scenes.len());
            mistakes.push(("scenes".to_owned(), told));
            return Err(mistakes);
        }
        let mut spans: Vec<Span> = Vec::with_capacity(spec.scenes.len());
        let mut start = 0;
        for (index, scene) in spec.scenes.iter().enumerate() {
            let (frames, entry) = counted(index, scene, spec.fps, &mut mistakes);
            start -= entry.min(start);
            spans.push(Span { start, frames, entry });
            start += frames;
            content(index, scene, &mut mistakes);
        }
        // Only where the numbers themselves are right: one mistake is told once.
        if mistakes.is_empty() {
            crowded(spec, &spans, &mut mistakes);
        }
        if start > MOST_FRAMES {
            let told = format!("take {start} frames together; the most is {MOST_FRAMES}");
            mistakes.push(("scenes".to_owned(), told));
        }
        let seconds = spec.fps.seconds_of(start);
        if let Some(music) = &spec.music {
            sound(music, seconds, &mut mistakes);
        }
        let middle = spans.first().map_or(0, |span| span.frames / 2);
        let poster = spec.poster.map_or(middle, |at| spec.fps.frames_in(at));
        if spec.poster.is_some_and(|at| !at.is_finite() || at < 0.0) || poster >= start.max(1) {
            let told = format!("is not within the video, which takes {seconds:.3} seconds");
            mistakes.push(("poster".to_owned(), told));
        }
        if mistakes.is_empty() {
            Ok(Self {
                spans,
                frames: start,
                poster,
            })
        } else {
            Err(mistakes)
        }
    }

    /// What is seen in a frame of the video.
    pub fn at(&self, frame: u64) -> Moment {
        let scene = self
            .spans
            .partition_point(|span| span.start <= frame)
            .saturating_sub(1);
        let span = self.spans[scene];
        let local = frame - span.start;
        let before = (local < span.entry && scene > 0).then(|| {
            let share = (local + 1) as f64 / (span.entry + 1) as f64;
            (frame - self.spans[scene - 1].start, share)
        });
        Moment { scene, local, before }
    }
}

fn sizes(spec: &Spec, mistakes: &mut Vec<Mistake>) {
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

/// Frames of a scene and of its entry; 0 where they are wrong.
fn counted(index: usize, scene: &Scene, fps: Rate, mistakes: &mut Vec<Mistake>) -> (u64, u64) {
    let mut wrong = |field: &str, told: String| mistakes.push((format!("scenes[{index}].{field}"), told));
    let duration = scene.duration;
    let frames = if duration.is_finite() && duration > 0.0 && duration <= 36_000.0 {
        fps.frames_in(duration)
    } else {
        wrong(
            "duration",
            format!("{duration} is not between 0 and 36000 seconds"),
        );
        return (0, 0);
    };
    if frames == 0 {
        wrong(
            "duration",
            format!("{duration} is less than half a frame at {fps} frames per second"),
        );
    }
    if scene.transition == Transition::Cut {
        if scene.transition_s.is_some_and(|seconds| seconds != 0.0) {
            wrong(
                "transition_s",
                "is given, but a cut takes no time: set `transition`".to_owned(),
            );
        }
        return (frames, 0);
    }
    if index == 0 {
        wrong("transition", "has no scene before it".to_owned());
        return (frames, 0);
    }
    let seconds = scene.transition_s.unwrap_or(TRANSITION);
    if !(seconds.is_finite() && seconds >= 0.0) {
        wrong("transition_s", format!("{seconds} is not a length of time"));
        return (frames, 0);
    }
    let entry = fps.frames_in(seconds);
    if entry >= frames {
        let than = if entry > frames {
            "is longer than"
        } else {
            "takes all of"
        };
        wrong("transition_s", format!("{seconds} {than} the scene ({duration})"));
        return (frames, 0);
    }
    (frames, entry)
}

/// Scenes of which nothing is left between their two transitions.
fn crowded(spec: &Spec, spans: &[Span], mistakes: &mut Vec<Mistake>) {
    for (index, pair) in spans.windows(2).enumerate() {
        let (this, next) = (pair[0], pair[1]);
        if this.entry + next.entry >= this.frames {
            let seconds = spec.scenes[index + 1].transition_s.unwrap_or(TRANSITION);
            let told = if this.entry == 0 {
                format!(
                    "{seconds} leaves nothing of the scene before it ({})",
                    spec.scenes[index].duration
                )
            } else {
                format!(
                    "{seconds} leaves nothing of the scene before it ({}, of which its own transition takes {:.3})",
                    spec.scenes[index].duration,
                    spec.fps.seconds_of(this.entry)
                )
            };
            mistakes.push((format!("scenes[{}].transition_s", index + 1), told));
        }
    }
}

/// What a scene shows.
fn content(index: usize, scene: &Scene, mistakes: &mut Vec<Mistake>) {
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
pub fn is_zoom(motion: Motion) -> bool {
    matches!(motion, Motion::ZoomIn | Motion::ZoomOut)
}

fn sound(music: &Music, seconds: f64, mistakes: &mut Vec<Mistake>) {
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

#[cfg(test)]
mod tests {
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
}
