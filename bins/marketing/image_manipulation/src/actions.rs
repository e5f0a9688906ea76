//! The input: one struct per action, each with the same fields for files and formats.

use std::path::PathBuf;

use garde::Validate;
use raster::{Color, Filter, Format};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geometry::{Gravity, Mode};

/// Which files are read and how results are named and written. Every action has these fields.
pub struct Files<'a> {
    /// Files, patterns and folders.
    pub images: &'a [String],
    /// Output file or pattern.
    pub output: Option<&'a PathBuf>,
    /// Output folder.
    pub output_dir: Option<&'a PathBuf>,
    /// Output format where the name does not say.
    pub format: Option<Format>,
    /// JPEG quality.
    pub quality: u8,
    /// Drop metadata.
    pub strip: bool,
    /// What shows through.
    pub background: Color,
    /// Outputs may be inputs.
    pub in_place: bool,
    /// Outputs must not exist.
    pub no_clobber: bool,
    /// Bomb guard.
    pub max_pixels: u64,
    /// Memory cap of a batch.
    pub memory_mb: u64,
}

fn quality() -> u8 {
    85
}
fn white() -> Color {
    Color::WHITE
}
fn max_pixels() -> u64 {
    100_000_000
}
fn memory_mb() -> u64 {
    1024
}
fn one() -> f64 {
    1.0
}
fn yes() -> bool {
    true
}

/// Declares an action: its own fields, then the common ones.
macro_rules! action {
    ($(#[$about:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
        #[allow(clippy::struct_field_names, reason = "the flags are called what users call them: watermark, text")]
        pub struct $name {
            /// Images: files, patterns such as `shots/*.jpg`, or folders
            #[garde(length(min = 1))]
            #[schemars(extend("x-cli" = {"positional": 1}))]
            pub images: Vec<String>,
            $($(#[$meta])* pub $field: $kind,)*
            /// Output file; for several images a pattern with {stem}, {name}, {ext}, {index} or {dir}
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[garde(skip)]
            #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
            pub output: Option<PathBuf>,
            /// Output folder; the names stay
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[garde(skip)]
            #[schemars(extend("x-cli" = {"short": "O", "path": "out"}))]
            pub output_dir: Option<PathBuf>,
            /// Output format; otherwise the extension of the output says it
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[garde(skip)]
            pub format: Option<Format>,
            /// Quality of a JPEG
            #[serde(default = "quality")]
            #[garde(range(min = 1, max = 100))]
            #[schemars(extend("x-cli" = {"short": "Q"}))]
            pub quality: u8,
            /// Leave out EXIF, XMP, comments and the colour profile
            #[serde(default)]
            #[garde(skip)]
            pub strip: bool,
            /// Colour behind transparency where the format has none, and in added areas
            #[serde(default = "white")]
            #[garde(skip)]
            pub background: Color,
            /// Allow an output to replace its own input
            #[serde(default)]
            #[garde(skip)]
            pub in_place: bool,
            /// Refuse to replace any existing file
            #[serde(default)]
            #[garde(skip)]
            pub no_clobber: bool,
            /// Most pixels of one image, all frames together
            #[serde(default = "max_pixels")]
            #[garde(range(min = 1))]
            pub max_pixels: u64,
            /// Memory that images being worked on at the same time may take, in MiB
            #[serde(default = "memory_mb")]
            #[garde(range(min = 16))]
            pub memory_mb: u64,
        }

        impl $name {
            /// The common fields.
            pub fn files(&self) -> Files<'_> {
                Files {
                    images: &self.images,
                    output: self.output.as_ref(),
                    output_dir: self.output_dir.as_ref(),
                    format: self.format,
                    quality: self.quality,
                    strip: self.strip,
                    background: self.background,
                    in_place: self.in_place,
                    no_clobber: self.no_clobber,
                    max_pixels: self.max_pixels,
                    memory_mb: self.memory_mb,
                }
            }
        }
    };
}

action! {
    /// Scale to a size; with one side given the other follows
    Resize {
        /// Width in pixels
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(range(min = 1, max = 65535))]
        #[schemars(extend("x-cli" = {"short": "W"}))]
        width: Option<u32>,
        /// Height in pixels
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(range(min = 1, max = 65535))]
        #[schemars(extend("x-cli" = {"short": "H"}))]
        height: Option<u32>,
        /// With both sides given: fit inside, fill the box with background around, cover it and cut, or stretch
        #[serde(default)]
        #[garde(skip)]
        mode: Mode,
        /// Which part stays when covering, where the image lies when filling
        #[serde(default)]
        #[garde(skip)]
        #[schemars(extend("x-cli" = {"short": "g"}))]
        gravity: Gravity,
        /// Resampling filter
        #[serde(default)]
        #[garde(skip)]
        filter: Filter,
        /// Make images larger where they are smaller than asked
        #[serde(default = "yes")]
        #[garde(skip)]
        enlarge: bool,
    }
}

action! {
    /// Lay another image over
    Watermark {
        /// Image to lay over
        #[garde(skip)]
        #[schemars(extend("x-cli" = {"short": "w", "path": "file", "exists": true}))]
        watermark: PathBuf,
        /// Where it lies
        #[serde(default = "Gravity::south_east")]
        #[garde(skip)]
        #[schemars(extend("x-cli" = {"short": "g"}))]
        gravity: Gravity,
        /// Opacity from 0 to 1
        #[serde(default = "one")]
        #[garde(range(min = 0.0, max = 1.0))]
        opacity: f64,
        /// Distance from the edge in pixels
        #[serde(default)]
        #[garde(range(max = 65535))]
        margin: u32,
        /// Width of the watermark as a share of the image's width; its own size otherwise
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(range(min = 0.001, max = 10.0))]
        scale: Option<f64>,
    }
}

action! {
    /// Cut out a rectangle
    Crop {
        /// Width in pixels
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(range(min = 1))]
        #[schemars(extend("x-cli" = {"short": "W"}))]
        width: Option<u32>,
        /// Height in pixels
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(range(min = 1))]
        #[schemars(extend("x-cli" = {"short": "H"}))]
        height: Option<u32>,
        /// Largest rectangle of this shape instead of a size, for example 16:9
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(skip)]
        aspect: Option<String>,
        /// Pixels from the left, or away from the side that gravity names
        #[serde(default)]
        #[garde(skip)]
        x: u32,
        /// Pixels from the top, or away from the side that gravity names
        #[serde(default)]
        #[garde(skip)]
        y: u32,
        /// The corner, side or centre that x and y start from
        #[serde(default = "Gravity::north_west")]
        #[garde(skip)]
        #[schemars(extend("x-cli" = {"short": "g"}))]
        gravity: Gravity,
    }
}

action! {
    /// Turn clockwise and mirror
    Rotate {
        /// Degrees clockwise; multiples of 90 are exact
        #[serde(default)]
        #[garde(range(min = -360.0, max = 360.0))]
        #[schemars(extend("x-cli" = {"short": "d"}))]
        degrees: f64,
        /// Mirror left to right, before turning
        #[serde(default)]
        #[garde(skip)]
        mirror: bool,
        /// Mirror top to bottom, before turning
        #[serde(default)]
        #[garde(skip)]
        flip: bool,
    }
}

action! {
    /// Write text on the image
    Text {
        /// The text; \n starts a new line
        #[garde(length(min = 1, max = 2000))]
        #[schemars(extend("x-cli" = {"short": "t"}))]
        caption: String,
        /// Height of the letters in pixels; a twelfth of the image's smaller side if not given
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(range(min = 1.0, max = 4000.0))]
        size: Option<f64>,
        /// Colour of the letters
        #[serde(default = "white")]
        #[garde(skip)]
        fill: Color,
        /// Colour of an outline around the letters
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(skip)]
        outline: Option<Color>,
        /// Colour of a box behind the text, for example #00000080
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(skip)]
        plate: Option<Color>,
        /// Bold letters
        #[serde(default)]
        #[garde(skip)]
        bold: bool,
        /// Font file (TrueType or OpenType) instead of the built-in font
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(skip)]
        #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
        font: Option<PathBuf>,
        /// Where the text lies
        #[serde(default = "Gravity::south")]
        #[garde(skip)]
        #[schemars(extend("x-cli" = {"short": "g"}))]
        gravity: Gravity,
        /// Distance from the edge in pixels; half the letter size if not given
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[garde(range(max = 65535))]
        margin: Option<u32>,
    }
}

action! {
    /// Write in another format
    Convert {
        /// Spend more time on a smaller PNG, and write JPEG in several passes
        #[serde(default)]
        #[garde(skip)]
        best: bool,
    }
}

action! {
    /// Remove metadata; JPEG and PNG pixels stay bit for bit
    Strip {}
}

action! {
    /// Make a small copy without metadata; never larger than the image
    Thumbnail {
        /// Longest side in pixels
        #[serde(default = "thumbnail_size")]
        #[garde(range(min = 1, max = 8192))]
        #[schemars(extend("x-cli" = {"short": "s"}))]
        size: u32,
        /// Cut to a square
        #[serde(default)]
        #[garde(skip)]
        square: bool,
    }
}

fn thumbnail_size() -> u32 {
    256
}

action! {
    /// Shrink the file to a number of bytes: first JPEG quality, then size
    Compress {
        /// Largest file allowed
        #[garde(range(min = 100))]
        #[schemars(extend("x-cli" = {"short": "b"}))]
        max_bytes: u64,
        /// Lowest JPEG quality before the image is made smaller
        #[serde(default = "min_quality")]
        #[garde(range(min = 1, max = 100))]
        min_quality: u8,
    }
}

fn min_quality() -> u8 {
    50
}

/// Resizes, crops, rotates, marks, converts and shrinks images
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
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

impl Input {
    /// The fields that every action has.
    pub fn files(&self) -> Files<'_> {
        match self {
            Self::Resize(action) => action.files(),
            Self::Watermark(action) => action.files(),
            Self::Crop(action) => action.files(),
            Self::Rotate(action) => action.files(),
            Self::Text(action) => action.files(),
            Self::Convert(action) => action.files(),
            Self::Strip(action) => action.files(),
            Self::Thumbnail(action) => action.files(),
            Self::Compress(action) => action.files(),
        }
    }
}
