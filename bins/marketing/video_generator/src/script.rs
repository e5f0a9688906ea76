//! From a text and a folder of pictures to a description of a video.

use std::path::{Path, PathBuf};

use app_core::{ToolError, ToolResult};
use raster::Color;

use crate::{
    rate::Rate,
    spec::{Aspect, Card, Fit, Motion, Music, Scene, Spec, Transition},
};

/// Endings of pictures.
const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"];
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

/// The pictures of a folder in order, or those that `named` names in its order; what is remarkable goes into `notes`.
pub fn pictures(folder: &Path, named: Option<&str>, notes: &mut Vec<String>) -> ToolResult<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).map_err(|e| ToolError::file("list", folder, &e).field("assets"))?;
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| ToolError::file("list", folder, &e))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // What an earlier run left there is no material.
        let ours = name.ends_with(".poster.png") || name.ends_with(".preview.png");
        if !ours && !name.starts_with('.') && is_picture(&name) && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort_by_cached_key(|name| (natural(name), name.clone()));
    if let Some(text) = named {
        let text = text.to_lowercase();
        let all = names.len();
        let mut placed: Vec<(usize, String)> = names
            .into_iter()
            .filter_map(|name| Some((whole_name(&text, &name.to_lowercase())?, name)))
            .collect();
        placed.sort();
        let words = text.split([' ', ',', ';', '"', '\'', '`', '(', ')', '\n', '\t']);
        for word in words.map(|word| word.trim_end_matches(['.', ':', '!', '?'])) {
            let known = placed.iter().any(|(_, name)| name.to_lowercase().ends_with(word));
            if is_picture(word) && !known {
                notes.push(format!("`{word}` is named but is not in `{}`", folder.display()));
            }
        }
        if placed.is_empty() && all > 0 {
            notes.push(format!(
                "none of the {all} pictures in `{}` is named: cards are drawn",
                folder.display()
            ));
        }
        names = placed.into_iter().map(|(_, name)| name).collect();
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

fn is_picture(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(stem, ending)| !stem.is_empty() && PICTURES.contains(&ending.to_lowercase().as_str()))
}

/// Where `name` stands in `text`, not as a part of a longer name.
fn whole_name(text: &str, name: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// A key by which `shot2` comes before `shot10`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = rest[..digits].parse().unwrap_or(u64::MAX);
        let after = &rest[digits..];
        let words = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        key.push((
            if digits == 0 { 0 } else { number },
            after[..words].to_lowercase(),
        ));
        rest = &after[words..];
    }
    key
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
mod tests {
    use super::*;
    use crate::timeline::Timeline;

    fn wish(duration: Option<f64>) -> Wish {
        Wish {
            duration,
            aspect: Aspect::Wide,
            fps: Rate::default(),
            crossfade: 0.5,
            music: None,
        }
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        assert_eq!(
            sentences("# Tea, 3.5 grams!\n\n- It costs 4.99 **today**. Really?! Да… Нет\n---\n茶。水。"),
            [
                "Tea, 3.5 grams!",
                "It costs 4.99 today.",
                "Really?!",
                "Да…",
                "Нет",
                "茶。",
                "水。"
            ]
        );
    }

    #[test]
    fn the_length_is_kept_to_the_frame_whatever_there_is_to_show() {
        for (sentences, pictures) in [(1, 0), (7, 3), (2, 9), (40, 0), (0, 5), (3, 3)] {
            let said: Vec<String> = (0..sentences).map(|i| "word ".repeat(i * i % 17 + 1)).collect();
            let shown: Vec<PathBuf> = (0..pictures).map(|i| PathBuf::from(format!("{i}.png"))).collect();
            for seconds in [0.1, 0.5, 1.0, 2.0, 5.0, 12.34, 61.7] {
                let spec = compose(&said, &shown, &wish(Some(seconds)), &mut Vec::new()).unwrap();
                let timeline = Timeline::of(&spec).unwrap();
                assert_eq!(
                    timeline.frames,
                    (seconds * 30.0).round() as u64,
                    "{sentences} {pictures} {seconds}"
                );
            }
            let free = compose(&said, &shown, &wish(None), &mut Vec::new()).unwrap();
            assert_eq!(free.scenes.len(), sentences.max(pictures));
            assert!(Timeline::of(&free).is_ok());
        }
        assert!(compose(&[], &[], &wish(None), &mut Vec::new()).is_err());
    }

    #[test]
    fn no_sentence_is_lost() {
        let said: Vec<String> = (0..11).map(|i| format!("s{i}.")).collect();
        let spec = compose(&said, &[], &wish(Some(4.0)), &mut Vec::new()).unwrap();
        let all: Vec<String> = spec
            .scenes
            .iter()
            .filter_map(|s| Some(s.card.as_ref()?.title.clone()))
            .collect();
        assert_eq!((all.len(), all.join(" ")), (4, said.join(" ")));
    }

    #[test]
    fn pictures_are_taken_as_named_or_by_number() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "shot10.png",
            "shot2.JPG",
            "notes.txt",
            "old.poster.png",
            "a shot.webp",
        ] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        let names = |named: Option<&str>, notes: &mut Vec<String>| -> Vec<String> {
            let found = pictures(dir.path(), named, notes).unwrap();
            found
                .iter()
                .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        };
        let mut notes = Vec::new();
        assert_eq!(
            names(None, &mut notes),
            ["a shot.webp", "shot2.JPG", "shot10.png"]
        );
        assert_eq!(
            names(Some("first shot10.png, then `a shot.webp`"), &mut notes),
            ["shot10.png", "a shot.webp"]
        );
        assert!(notes.is_empty(), "{notes:?}");
        assert!(names(Some("gone.png and myshot2.jpg"), &mut notes).is_empty());
        assert_eq!(notes.len(), 3, "{notes:?}");
    }
}
