//! The fields that every action has: which files are read, and how results are named and written.

use std::path::PathBuf;

use garde::Validate;
use raster::{Color, Format};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which files are read and how results are named and written. Every action has these fields.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Files {
    /// Images: files, patterns such as `shots/*.jpg`, or folders
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any"}))]
    pub images: Vec<String>,
    /// Output file; for several images a pattern with {stem}, {name}, {ext}, {index} or {dir}
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Output folder; the names stay
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "O", "path": "out"}))]
    pub output_dir: Option<PathBuf>,
    /// Output format; otherwise the extension of the output says it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Quality of a JPEG
    #[serde(default = "quality")]
    #[garde(range(min = 1, max = 100))]
    #[schemars(extend("x-cli" = {"short": "Q"}))]
    pub quality: u8,
    /// Leave out EXIF, XMP, IPTC, comments and the colour profile; thumbnails are always left out
    #[serde(default)]
    pub strip: bool,
    /// Colour behind transparency where the format has none, and in added areas
    #[serde(default = "white")]
    pub background: Color,
    /// Allow an output to replace its own input
    #[serde(default)]
    pub in_place: bool,
    /// Refuse to replace any existing file
    #[serde(default)]
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
