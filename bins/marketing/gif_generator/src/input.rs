//! What the tool takes, and what follows from it before any picture is opened.

use std::path::{Path, PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult};
use garde::Validate;
use gif::Repeat;
use raster::{Color, Filter, Format, Limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    dither::Dither,
    encode::{PaletteMode, Settings},
    fit::{Canvas, Fit},
};

/// Makes an animated GIF from images or a video.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Images in the order they are shown: files, patterns such as `shots/*.png`, or folders (by name, numbers by value)
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-cli" = {"positional": 1, "aliases": ["input-images"]}))]
    pub images: Vec<String>,
    /// Video to take the frames from instead of images; needs ffmpeg
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub video: Option<PathBuf>,
    /// The GIF to write
    #[garde(skip)]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out", "aliases": ["output-path"]}))]
    pub output: PathBuf,
    /// Frames per second
    #[serde(default = "default_rate")]
    #[garde(range(min = 0.01, max = 100.0))]
    #[schemars(extend("x-cli" = {"short": "r", "aliases": ["frame-rate"]}))]
    pub rate: f64,
    /// Seconds each image is shown, instead of the rate; the last one goes for all that follow
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(inner(range(min = 0.0, max = 655.0)))]
    pub delays: Vec<f64>,
    /// How often it plays: 0 for ever, -1 once (no loop mark), else repeated that many times
    #[serde(default)]
    #[garde(range(min = -1, max = 65535))]
    #[schemars(extend("x-cli" = {"aliases": ["loop"]}))]
    pub loop_count: i32,
    /// Width in pixels; with one side given the other follows the first image
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 16384))]
    #[schemars(extend("x-cli" = {"short": "W"}))]
    pub width: Option<u32>,
    /// Height in pixels
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 16384))]
    #[schemars(extend("x-cli" = {"short": "H"}))]
    pub height: Option<u32>,
    /// How an image of another shape is placed
    #[serde(default)]
    #[garde(skip)]
    pub fit: Fit,
    /// Colour around and behind images
    #[serde(default = "default_background")]
    #[garde(skip)]
    pub background: Color,
    /// How images are scaled
    #[serde(default)]
    #[garde(skip)]
    pub filter: Filter,
    /// Seconds of crossfade from each image to the next
    #[serde(default)]
    #[garde(range(min = 0.0, max = 60.0))]
    pub crossfade: f64,
    /// Frames per second during a crossfade
    #[serde(default = "default_fade_rate")]
    #[garde(range(min = 1.0, max = 50.0))]
    pub crossfade_rate: f64,
    /// Colours in a palette
    #[serde(default = "default_colors")]
    #[garde(range(min = 2, max = 256))]
    pub colors: usize,
    /// One palette for the whole animation, or one for each frame
    #[serde(default)]
    #[garde(skip)]
    pub palette: PaletteMode,
    /// How colours between those of the palette are shown
    #[serde(default)]
    #[garde(skip)]
    pub dither: Dither,
    /// Strength of dithering in percent
    #[serde(default = "default_strength")]
    #[garde(range(min = 0, max = 100))]
    pub dither_strength: i32,
    /// Levels by which a pixel may change and still count as unchanged: smaller files from noisy sources
    #[serde(default)]
    #[garde(range(max = 64))]
    pub tolerance: u8,
    /// Largest file allowed: colours, scale and frames are reduced to fit, and every attempt is reported
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 64))]
    pub max_bytes: Option<u64>,
    /// Video: seconds to leave out at the start
    #[serde(default)]
    #[garde(range(min = 0.0))]
    pub start: f64,
    /// Video: longest part in seconds
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.01))]
    pub duration: Option<f64>,
    /// Most frames
    #[serde(default = "default_max_frames")]
    #[garde(range(min = 1, max = 100_000))]
    pub max_frames: usize,
    /// Most pixels of one image
    #[serde(default = "default_max_pixels")]
    #[garde(range(min = 1))]
    pub max_pixels: u64,
    /// Refuse to replace an existing output
    #[serde(default)]
    #[garde(skip)]
    pub no_clobber: bool,
}

fn default_rate() -> f64 {
    10.0
}
fn default_background() -> Color {
    Color::BLACK
}
fn default_fade_rate() -> f64 {
    20.0
}
fn default_colors() -> usize {
    256
}
fn default_strength() -> i32 {
    80
}
fn default_max_frames() -> usize {
    3000
}
fn default_max_pixels() -> u64 {
    100_000_000
}

impl Input {
    /// Refuses an output that must not be written, before any work is done.
    pub fn check_output(&self) -> ToolResult<()> {
        let path = self.output.display();
        if self.no_clobber && self.output.exists() {
            return Err(
                ToolError::new(ErrorKind::Conflict, format!("`{path}` exists already"))
                    .field("output")
                    .hint("choose another name, or leave out --no-clobber"),
            );
        }
        if self.output.is_dir() {
            return Err(ToolError::invalid("output", format!("`{path}` is a directory")));
        }
        match (self.images.is_empty(), &self.video) {
            (true, None) => Err(ToolError::invalid("images", "no images and no video given")
                .hint("name some images, a folder, a pattern, or --video FILE")),
            (false, Some(_)) => {
                Err(ToolError::invalid("video", "images and a video cannot be mixed")
                    .hint("give one of them"))
            }
            _ => Ok(()),
        }
    }

    /// The files meant by `images`, in order. The output itself is never taken for an input of a folder or pattern.
    pub fn pictures(&self) -> ToolResult<Vec<PathBuf>> {
        let mut found = Vec::new();
        for (index, name) in self.images.iter().enumerate() {
            let field = format!("images[{index}]");
            let path = Path::new(name);
            if path.is_file() {
                found.push(path.to_owned());
            } else if path.is_dir() {
                let mut inside = in_folder(path)?;
                inside.retain(|p| !same(p, &self.output));
                if inside.is_empty() {
                    return Err(
                        ToolError::not_found(format!("no images in the folder `{name}`")).field(field)
                    );
                }
                found.append(&mut inside);
            } else if name.contains(['*', '?', '[']) {
                let pattern = glob::glob(name).map_err(|e| {
                    ToolError::invalid(&field, format!("`{name}` is not a pattern: {}", e.msg))
                })?;
                let mut inside: Vec<PathBuf> = pattern
                    .flatten()
                    .filter(|p| p.is_file() && !same(p, &self.output))
                    .collect();
                if inside.is_empty() {
                    return Err(ToolError::not_found(format!("no file matches `{name}`")).field(field));
                }
                inside.sort_by_key(|path| natural(path));
                found.append(&mut inside);
            } else {
                return Err(
                    ToolError::not_found(format!("input image `{name}` does not exist")).field(field),
                );
            }
        }
        Ok(found)
    }

    /// The canvas for a first picture of this size.
    pub fn canvas(&self, first: (u32, u32), limits: &Limits) -> ToolResult<Canvas> {
        let (width, height) = Canvas::size(self.width, self.height, first);
        let most = u32::from(u16::MAX);
        if width.max(height) > most || u64::from(width) * u64::from(height) > limits.max_pixels {
            return Err(ToolError::invalid(
                "width",
                format!("a GIF of {width}x{height} is too large"),
            ));
        }
        let (fit, background, filter) = (self.fit, self.background, self.filter);
        Ok(Canvas {
            width,
            height,
            fit,
            background,
            filter,
        })
    }

    /// Hundredths of a second for each of `count` pictures.
    pub fn picture_delays(&self, count: usize) -> ToolResult<Vec<u16>> {
        if self.delays.len() > count {
            let message = format!("{} delays for {count} images", self.delays.len());
            return Err(ToolError::invalid("delays", message));
        }
        if let Some(&last) = self.delays.last() {
            let all = self.delays.iter().copied().chain(std::iter::repeat(last));
            return Ok(all.take(count).map(|s| (s * 100.0).round() as u16).collect());
        }
        if count == 1 && self.loop_count == -1 {
            // A single frame that plays once is a still; its delay means nothing.
            return Ok(vec![0]);
        }
        // Whole hundredths that never drift from the true time.
        let at = |index: usize| (index as f64 * 100.0 / self.rate).round() as u64;
        Ok((0..count)
            .map(|i| u16::try_from(at(i + 1) - at(i)).unwrap_or(u16::MAX))
            .collect())
    }

    /// Frames of a crossfade and hundredths of a second for each.
    pub fn fade(&self) -> (usize, u16) {
        if self.crossfade <= 0.0 {
            return (0, 0);
        }
        let delay = (100.0 / self.crossfade_rate).round().max(2.0);
        let frames = (self.crossfade * 100.0 / delay).round().max(1.0);
        (frames as usize, delay as u16)
    }

    /// How to encode.
    pub fn settings(&self) -> Settings {
        Settings {
            colors: self.colors,
            palette: self.palette,
            dither: self.dither,
            strength: self.dither_strength * 256 / 100,
            tolerance: self.tolerance,
            repeat: match self.loop_count {
                ..=-1 => None,
                0 => Some(Repeat::Infinite),
                n => Some(Repeat::Finite(u16::try_from(n).unwrap_or(u16::MAX))),
            },
        }
    }
}

fn in_folder(folder: &Path) -> ToolResult<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|e| ToolError::file("read", folder, &e))?;
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        path.is_file() && Format::from_extension(extension).is_some()
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_picture)
        .collect();
    found.sort_by_key(|path| natural(path));
    Ok(found)
}

fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// A sort key in which `shot9` comes before `shot10`.
fn natural(path: &Path) -> Vec<(String, u64, String)> {
    let text = path.to_string_lossy();
    let mut parts: Vec<(String, u64, String)> = vec![(String::new(), 0, String::new())];
    let mut in_number = false;
    for character in text.chars() {
        let last = parts.len() - 1;
        if character.is_ascii_digit() {
            in_number = true;
            parts[last].2.push(character);
        } else {
            if in_number {
                parts.push((String::new(), 0, String::new()));
                in_number = false;
            }
            let last = parts.len() - 1;
            parts[last].0.push(character);
        }
    }
    for part in &mut parts {
        part.1 = part.2.parse().unwrap_or(u64::MAX);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(json: &str) -> Input {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_in_names_sort_by_value() {
        let mut names = ["shot10.png", "shot9.png", "shot1.png", "a.png"].map(PathBuf::from);
        names.sort_by_key(|name| natural(name));
        assert_eq!(
            names,
            ["a.png", "shot1.png", "shot9.png", "shot10.png"].map(PathBuf::from)
        );
    }

    #[test]
    fn delays_follow_the_rate_without_drift() {
        let delays = input(r#"{"output":"o.gif","rate":30}"#)
            .picture_delays(30)
            .unwrap();
        assert_eq!(delays.iter().map(|&d| u32::from(d)).sum::<u32>(), 100);
        let delays = input(r#"{"output":"o.gif","delays":[1,0.5]}"#)
            .picture_delays(4)
            .unwrap();
        assert_eq!(delays, [100, 50, 50, 50]);
        assert!(
            input(r#"{"output":"o.gif","delays":[1,1]}"#)
                .picture_delays(1)
                .is_err()
        );
    }

    #[test]
    fn the_loop_count_means_what_it_meant() {
        let repeat = |n: i32| {
            input(&format!(r#"{{"output":"o.gif","loop_count":{n}}}"#))
                .settings()
                .repeat
        };
        assert!(matches!(repeat(0), Some(Repeat::Infinite)));
        assert!(matches!(repeat(3), Some(Repeat::Finite(3))));
        assert!(repeat(-1).is_none());
    }
}
