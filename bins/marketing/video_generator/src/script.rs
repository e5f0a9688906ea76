//! From a text and a folder of pictures to a description of a video.

mod assets;

use std::path::PathBuf;

use app_core::{ToolError, ToolResult};
use raster::Color;

pub use assets::pictures;

use crate::{
    rate::Rate,
    spec::{Aspect, Card, Fit, Motion, Music, Scene, Spec, Transition},
};

/// Where the length is given, no scene is planned shorter than this.
const SHORTEST: f64 = 1.0;
/// Letters that are read in a second.
const READ: f64 = 14.0;
/// How far pictures are zoomed.
const ZOOM: f64 = 1.08;
/// Colours of cards, in turn.
const CARDS: [[u8; 4]; 3] = [
    [0x1b, 0x26, 0x3b, 255],
    [0x3a, 0x20, 0x3f, 255],
    [0x12, 0x3a, 0x36, 255],
];

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Seconds, or as long as it takes to read.
    pub duration: Option<f64>,
    /// Shape.
    pub aspect: Aspect,
    /// Frames per second.
    pub fps: Rate,
    /// Seconds of crossfade.
    pub crossfade: f64,
    /// Music file.
    pub music: Option<PathBuf>,
}

/// The sentences of a text; marks of Markdown at the start of lines and around words are left out.
pub fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line
            .trim_start_matches(['#', '>', '-', '*', '+', ' ', '\t'])
            .replace("**", "");
        let mut sentence = String::new();
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            sentence.push(letter);
            let wide = "。！？".contains(letter);
            let ends = wide || ".!?…".contains(letter);
            let over = letters.peek().is_none_or(|next| wide || next.is_whitespace());
            if ends && over && !letters.peek().is_some_and(|next| ".!?…。！？".contains(*next)) {
                found.push(std::mem::take(&mut sentence));
            }
        }
        found.push(sentence);
    }
    found.retain_mut(|sentence| {
        *sentence = sentence.trim().to_owned();
        sentence.chars().any(char::is_alphanumeric)
    });
    found
}

/// Puts sentences and pictures side by side, each scene as long as it takes to read or as the length allows.
pub fn compose(
    sentences: &[String],
    pictures: &[PathBuf],
    wish: &Wish,
    notes: &mut Vec<String>,
) -> ToolResult<Spec> {
    let wanted = sentences.len().max(pictures.len());
    if wanted == 0 {
        return Err(ToolError::invalid(
            "text",
            "there is nothing to show: the text has no sentence and there is no picture",
        ));
    }
    let most = wish
        .duration
        .map_or(usize::MAX, |seconds| ((seconds / SHORTEST) as usize).max(1));
    let count = wanted.min(most);
    if pictures.len() > count {
        notes.push(format!(
            "{} of {} pictures are shown: the video is too short for more",
            count,
            pictures.len()
        ));
    }
    let texts: Vec<String> = (0..count).map(|scene| said(sentences, scene, count)).collect();
    let reading: Vec<f64> = texts
        .iter()
        .map(|text| (1.2 + text.chars().count() as f64 / READ).clamp(2.0, 12.0))
        .collect();
    let asked = wish.fps.frames_in(wish.crossfade);
    let (frames, entry) = match wish.duration {
        Some(seconds) => shared_out(wish.fps.frames_in(seconds).max(1), &reading, asked),
        None => {
            let frames: Vec<u64> = reading.iter().map(|&s| wish.fps.frames_in(s).max(1)).collect();
            let shortest = frames.iter().copied().min().unwrap_or(1);
            (frames, asked.min(shortest / 3))
        }
    };
    if entry < asked && count > 1 {
        notes.push(format!(
            "crossfades take {:.2} seconds: the scenes are too short for more",
            wish.fps.seconds_of(entry)
        ));
    }
    let scenes = texts
        .into_iter()
        .zip(frames)
        .enumerate()
        .map(|(index, (text, frames))| {
            let fades = index > 0 && entry > 0;
            let scene = Scene {
                duration: wish.fps.seconds_of(frames),
                transition: if fades {
                    Transition::Crossfade
                } else {
                    Transition::Cut
                },
                transition_s: fades.then(|| wish.fps.seconds_of(entry)),
                ..Scene::default()
            };
            if pictures.is_empty() {
                let card = Card {
                    title: text,
                    text: None,
                    color: Color::WHITE,
                    background: Color::new(CARDS[index % CARDS.len()]),
                };
                return Scene {
                    card: Some(card),
                    ..scene
                };
            }
            let picture = if pictures.len() > count {
                index
            } else {
                index * pictures.len() / count
            };
            Scene {
                image: Some(pictures[picture].clone()),
                caption: Some(text).filter(|text| !text.is_empty()),
                motion: if index % 2 == 0 {
                    Motion::ZoomIn
                } else {
                    Motion::ZoomOut
                },
                zoom: Some(ZOOM),
                fit: Some(Fit::Blur),
                ..scene
            }
        })
        .collect();
    let music = wish.music.clone().map(|file| Music {
        file,
        once: false,
        fade_in_s: 0.0,
        fade_out_s: None,
        loudness: None,
    });
    Ok(Spec {
        aspect: Some(wish.aspect),
        fps: wish.fps,
        music,
        ..Spec::of(scenes)
    })
}

/// What is said in a scene: several sentences where there are more of them, one over several scenes where there are fewer.
fn said(sentences: &[String], scene: usize, count: usize) -> String {
    let total = sentences.len();
    if total == 0 {
        return String::new();
    }
    if total <= count {
        return sentences[scene * total / count].clone();
    }
    sentences[scene * total / count..(scene + 1) * total / count].join(" ")
}

/// Frames of each scene and of each crossfade, so that the whole has exactly `total`.
fn shared_out(total: u64, weights: &[f64], asked: u64) -> (Vec<u64>, u64) {
    let count = weights.len() as u64;
    // A third of an average scene at most: then each has frames of its own, and some are left to share out.
    let entry = if count > 1 {
        asked.min(total / (3 * count))
    } else {
        0
    };
    let least = 2 * entry + 1;
    let spare = (total + (count - 1) * entry).saturating_sub(count * least);
    let sum: f64 = weights.iter().sum();
    let (mut done, mut before) = (0.0, 0);
    let frames = weights
        .iter()
        .map(|weight| {
            done += weight;
            let until = ((spare as f64 * done / sum).round() as u64).min(spare);
            let part = until - before;
            before = until;
            least + part
        })
        .collect();
    (frames, entry)
}

#[cfg(test)]
mod tests;
