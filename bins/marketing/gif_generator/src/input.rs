//! What the tool takes.

use std::path::PathBuf;

use garde::Validate;
use raster::{Color, Filter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{dither::Dither, encode::PaletteMode, fit::Fit};

/// Makes an animated GIF from images or a video.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Images in the order they are shown: files, patterns such as `shots/*.png`, or folders (by name, numbers by value); animations with all their frames
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any", "aliases": ["input-images"]}))]
    pub images: Vec<String>,
    /// Video to take the frames from instead of images; needs ffmpeg
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub video: Option<PathBuf>,
    /// The GIF to write
    #[schemars(extend("x-cli" = {"short": "o", "path": "out", "aliases": ["output-path"]}))]
    pub output: PathBuf,
    /// Frames per second; if not given 10, and frames of an animation are shown for as long as they were
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.01, max = 100.0))]
    #[schemars(extend("x-cli" = {"short": "r", "aliases": ["frame-rate"]}))]
    pub rate: Option<f64>,
    /// Seconds each image is shown, instead of the rate; the last one goes for all that follow, each frame of an animation counts
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
    pub fit: Fit,
    /// Colour around and behind images
    #[serde(default = "default_background")]
    pub background: Color,
    /// How images are scaled
    #[serde(default)]
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
    pub palette: PaletteMode,
    /// How colours between those of the palette are shown
    #[serde(default)]
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
    pub no_clobber: bool,
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
