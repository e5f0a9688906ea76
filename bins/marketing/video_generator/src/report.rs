//! What is told of a video.

use std::{fmt, path::PathBuf};

use app_core::{Source, text::visible_line};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{project::Project, sound::SoundReport, spec::Spec};

/// What was made, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The video; absent where nothing was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second, as a whole number or a fraction.
    pub fps: String,
    /// Frames, by the description.
    pub frames: u64,
    /// Frames that ffprobe counted in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_counted: Option<u64>,
    /// Length in seconds.
    pub seconds: f64,
    /// The scenes in order.
    pub scenes: Vec<SceneReport>,
    /// The captions as SubRip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitles: Option<PathBuf>,
    /// The poster frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster: Option<PathBuf>,
    /// The sheet of frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<PathBuf>,
    /// What was done to the music.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundReport>,
    /// Version of ffmpeg; the same version makes the same bytes from the same description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ffmpeg: Option<String>,
    /// Everything it is made from, with its SHA-256.
    pub sources: Vec<Source>,
    /// The description as it was understood; `render` takes it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Spec>,
    /// What could not be done as one would expect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One scene.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SceneReport {
    /// The file, the colour, or `card`.
    pub shows: String,
    /// Second at which it begins to be seen.
    pub start_s: f64,
    /// Frames in which it is seen.
    pub frames: u64,
    /// Of these, frames that it shares with the scene before it.
    pub transition_frames: u64,
}

impl Output {
    /// What is known before anything is made.
    pub fn of(project: &Project) -> Self {
        let (spec, timeline) = (&project.spec, &project.timeline);
        let scenes = spec
            .scenes
            .iter()
            .zip(&timeline.spans)
            .map(|(scene, span)| SceneReport {
                shows: match (&scene.image, scene.color) {
                    (Some(path), _) => path.display().to_string(),
                    (None, Some(color)) => color.to_string(),
                    (None, None) => "card".to_owned(),
                },
                start_s: rounded(spec.fps.seconds_of(span.start)),
                frames: span.frames,
                transition_frames: span.entry,
            })
            .collect();
        Self {
            path: None,
            width: project.size.width,
            height: project.size.height,
            fps: spec.fps.to_string(),
            frames: timeline.frames,
            frames_counted: None,
            seconds: rounded(spec.fps.seconds_of(timeline.frames)),
            scenes,
            subtitles: None,
            poster: None,
            preview: None,
            sound: None,
            ffmpeg: None,
            sources: project.sources(),
            spec: None,
            warnings: project.warnings.clone(),
        }
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

/// For people: what there is, then the scenes.
pub fn render(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    let name = output.path.as_ref().map(|path| path.display().to_string());
    if let Some(name) = &name {
        write!(out, "{}: ", visible_line(name))?;
    }
    writeln!(
        out,
        "{}x{}, {} frames at {} a second, {:.3} s",
        output.width, output.height, output.frames, output.fps, output.seconds
    )?;
    for (index, scene) in output.scenes.iter().enumerate() {
        writeln!(
            out,
            "  {:>3}  from {:>8.3} s  {:>5} frames, {:>3} shared  {}",
            index + 1,
            scene.start_s,
            scene.frames,
            scene.transition_frames,
            visible_line(&scene.shows)
        )?;
    }
    if let Some(sound) = &output.sound {
        writeln!(
            out,
            "music: {:+.2} dB, by {}{}",
            sound.gain_db,
            sound.level_by.replace('_', " "),
            if sound.looped { ", looped" } else { "" }
        )?;
    }
    for (what, path) in [
        ("subtitles", &output.subtitles),
        ("poster", &output.poster),
        ("preview", &output.preview),
    ] {
        if let Some(path) = path {
            writeln!(out, "{what}: {}", visible_line(&path.display().to_string()))?;
        }
    }
    for warning in &output.warnings {
        writeln!(out, "note: {}", visible_line(warning))?;
    }
    Ok(())
}
