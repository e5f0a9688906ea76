//! What the tool takes: a file that describes the video, or a text with pictures.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{rate::Rate, spec::Aspect};

/// Make a video from a file that describes it
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Render {
    /// YAML or JSON file with the scenes; paths in it start from its folder
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub spec: PathBuf,
    /// The MP4 to write; OUT.srt and OUT.poster.png lie beside it
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: PathBuf,
    /// What is written beside the video
    #[serde(flatten)]
    #[garde(dive)]
    pub beside: Beside,
}

/// Say what `render` would make, and everything that is wrong, without making it
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Check {
    /// YAML or JSON file with the scenes; paths in it start from its folder
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub spec: PathBuf,
    /// Refuse texts with characters that no font here has
    #[serde(default)]
    pub strict: bool,
}

/// Make a video from a text: each sentence a captioned scene over the next picture, or a card where there is none
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FromScript {
    /// Text or Markdown file
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub text: Option<PathBuf>,
    /// The text itself instead of a file
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 100_000))]
    pub script: Option<String>,
    /// Folder with pictures, taken by name, numbers by value
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    pub assets: Option<PathBuf>,
    /// Take only the pictures of the folder that this text names, in its order
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 100_000))]
    pub only_named: Option<String>,
    /// The MP4 to write
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: PathBuf,
    /// Length in seconds, kept to the frame; by the time it takes to read if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.1, max = 3600.0))]
    #[schemars(extend("x-cli" = {"short": "d"}))]
    pub duration: Option<f64>,
    /// Shape of the picture
    #[serde(default)]
    pub aspect: Aspect,
    /// Frames per second, as a number or a fraction such as 30000/1001
    #[serde(default)]
    pub fps: Rate,
    /// Seconds of crossfade between scenes; 0 cuts
    #[serde(default = "half")]
    #[garde(range(min = 0.0, max = 10.0))]
    pub crossfade: f64,
    /// Music, looped to the length
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub music: Option<PathBuf>,
    /// What is written beside the video
    #[serde(flatten)]
    #[garde(dive)]
    pub beside: Beside,
}

/// What is written beside the video.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Beside {
    /// Also write OUT.preview.png, a sheet of this many frames
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub preview: Option<u64>,
    /// Write no poster frame
    #[serde(default)]
    pub no_poster: bool,
    /// Write no subtitle file
    #[serde(default)]
    pub no_srt: bool,
    /// Refuse texts with characters that no font here has, instead of drawing boxes
    #[serde(default)]
    pub strict: bool,
}

fn half() -> f64 {
    0.5
}

/// Makes videos from pictures, colours and captions
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// Make a video from a file that describes it
    Render(#[garde(dive)] Render),
    /// Say what `render` would make, and everything that is wrong, without making it
    Check(#[garde(dive)] Check),
    /// Make a video from a text: each sentence a captioned scene over the next picture, or a card where there is none
    FromScript(#[garde(dive)] FromScript),
}
