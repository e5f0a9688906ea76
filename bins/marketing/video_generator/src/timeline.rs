//! Which scenes are seen in which frame; everything is counted in whole frames, so nothing drifts.
//!
//! The length law: frames = sum(round(duration x fps)) - sum(round(transition x fps)), and each scene keeps at least one
//! frame of its own. Two scenes at most are therefore seen in one frame.

mod rules;

use crate::{
    rate::Rate,
    spec::{Scene, Spec, Transition},
};

/// Most frames of a video: more than nine hours at 30 a second.
const MOST_FRAMES: u64 = 1_000_000;
/// Most scenes.
const MOST_SCENES: usize = 2000;
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
        rules::sizes(spec, &mut mistakes);
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
            rules::content(index, scene, &mut mistakes);
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
            rules::sound(music, seconds, &mut mistakes);
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

#[cfg(test)]
mod tests;
