//! The input: one struct per action; the fields for files and formats are the same in each.

use std::path::PathBuf;

use garde::Validate;
use raster::{Color, Filter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    files::Files,
    geometry::{Gravity, Mode},
};

fn white() -> Color {
    Color::WHITE
}
fn one() -> f64 {
    1.0
}
fn yes() -> bool {
    true
}

/// Scale to a size; with one side given the other follows
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Resize {
    /// Width in pixels
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 65535))]
    #[schemars(extend("x-cli" = {"short": "W"}))]
    pub width: Option<u32>,
    /// Height in pixels
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 65535))]
    #[schemars(extend("x-cli" = {"short": "H"}))]
    pub height: Option<u32>,
    /// With both sides given: fit inside, fill the box with background around, cover it and cut, or stretch
    #[serde(default)]
    pub mode: Mode,
    /// Which part stays when covering, where the image lies when filling
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "g"}))]
    pub gravity: Gravity,
    /// Resampling filter
    #[serde(default)]
    pub filter: Filter,
    /// Make images larger where they are smaller than asked
    #[serde(default = "yes")]
    pub enlarge: bool,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

/// Lay another image over
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[expect(clippy::struct_field_names, reason = "the flag is called what users call it")]
pub struct Watermark {
    /// Image to lay over
    #[schemars(extend("x-cli" = {"short": "w", "path": "file", "exists": true}))]
    pub watermark: PathBuf,
    /// Where it lies
    #[serde(default = "Gravity::south_east")]
    #[schemars(extend("x-cli" = {"short": "g"}))]
    pub gravity: Gravity,
    /// Opacity from 0 to 1
    #[serde(default = "one")]
    #[garde(range(min = 0.0, max = 1.0))]
    pub opacity: f64,
    /// Distance from the edge in pixels
    #[serde(default)]
    #[garde(range(max = 65535))]
    pub margin: u32,
    /// Width of the watermark as a share of the image's width; its own size otherwise
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.001, max = 10.0))]
    pub scale: Option<f64>,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

/// Cut out a rectangle
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Crop {
    /// Width in pixels
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    #[schemars(extend("x-cli" = {"short": "W"}))]
    pub width: Option<u32>,
    /// Height in pixels
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    #[schemars(extend("x-cli" = {"short": "H"}))]
    pub height: Option<u32>,
    /// Largest rectangle of this shape instead of a size, for example 16:9
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<String>,
    /// Pixels from the left, or away from the side that gravity names
    #[serde(default)]
    pub x: u32,
    /// Pixels from the top, or away from the side that gravity names
    #[serde(default)]
    pub y: u32,
    /// The corner, side or centre that x and y start from
    #[serde(default = "Gravity::north_west")]
    #[schemars(extend("x-cli" = {"short": "g"}))]
    pub gravity: Gravity,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

/// Turn clockwise and mirror
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Rotate {
    /// Degrees clockwise; multiples of 90 are exact
    #[serde(default)]
    #[garde(range(min = -360.0, max = 360.0))]
    #[schemars(extend("x-cli" = {"short": "d"}))]
    pub degrees: f64,
    /// Mirror left to right, before turning
    #[serde(default)]
    pub mirror: bool,
    /// Mirror top to bottom, before turning
    #[serde(default)]
    pub flip: bool,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

/// Write text on the image
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Text {
    /// The text; \n starts a new line
    #[garde(length(min = 1, max = 2000))]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    pub caption: String,
    /// Height of the letters in pixels; a twelfth of the image's smaller side if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1.0, max = 4000.0))]
    pub size: Option<f64>,
    /// Colour of the letters
    #[serde(default = "white")]
    pub fill: Color,
    /// Colour of an outline around the letters
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Color>,
    /// Colour of a box behind the text, for example #00000080
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<Color>,
    /// Bold letters
    #[serde(default)]
    pub bold: bool,
    /// Font file (TrueType or OpenType) instead of the built-in font
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub font: Option<PathBuf>,
    /// Where the text lies
    #[serde(default = "Gravity::south")]
    #[schemars(extend("x-cli" = {"short": "g"}))]
    pub gravity: Gravity,
    /// Distance from the edge in pixels; half the letter size if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(max = 65535))]
    pub margin: Option<u32>,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

/// Write in another format
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Convert {
    /// Spend more time on a smaller PNG, and write JPEG in several passes
    #[serde(default)]
    pub best: bool,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

/// Remove metadata and whatever lies behind the image; pixels and frames of JPEG, PNG, WebP and GIF stay bit for bit
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Strip {
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

/// Make a small copy without metadata; never larger than the image
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Thumbnail {
    /// Longest side in pixels
    #[serde(default = "thumbnail_size")]
    #[garde(range(min = 1, max = 8192))]
    #[schemars(extend("x-cli" = {"short": "s"}))]
    pub size: u32,
    /// Cut to a square
    #[serde(default)]
    pub square: bool,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

fn thumbnail_size() -> u32 {
    256
}

/// Shrink the file to a number of bytes: first JPEG quality, then size
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Compress {
    /// Largest file allowed
    #[garde(range(min = 100))]
    #[schemars(extend("x-cli" = {"short": "b"}))]
    pub max_bytes: u64,
    /// Lowest JPEG quality before the image is made smaller
    #[serde(default = "min_quality")]
    #[garde(range(min = 1, max = 100))]
    pub min_quality: u8,
    /// What every action has
    #[serde(flatten)]
    #[garde(dive)]
    pub files: Files,
}

fn min_quality() -> u8 {
    50
}

/// Resizes, crops, rotates, marks, converts and shrinks images
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// Scale to a size
    Resize(#[garde(dive)] Resize),
    /// Lay another image over
    Watermark(#[garde(dive)] Watermark),
    /// Cut out a rectangle
    Crop(#[garde(dive)] Crop),
    /// Turn clockwise and mirror
    Rotate(#[garde(dive)] Rotate),
    /// Write text on the image
    Text(#[garde(dive)] Text),
    /// Write in another format
    Convert(#[garde(dive)] Convert),
    /// Remove metadata
    Strip(#[garde(dive)] Strip),
    /// Make a small copy
    Thumbnail(#[garde(dive)] Thumbnail),
    /// Shrink the file to a number of bytes
    Compress(#[garde(dive)] Compress),
}
