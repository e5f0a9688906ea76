//! The file that describes a video.

mod size;

use std::path::PathBuf;

use app_core::{ErrorKind, ToolError, ToolResult};
use raster::Color;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rate::Rate;
pub use size::{Aspect, Size};

/// A video: its shape, its scenes in order, its music.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Width and height in pixels such as 1280x720, both even; by `aspect` if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Shape: 16:9 is 1280x720, 1:1 is 1080x1080, 9:16 is 1080x1920
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<Aspect>,
    /// Frames per second, a whole number or a fraction such as 30000/1001
    #[serde(default)]
    pub fps: Rate,
    /// Colour behind and around pictures
    #[serde(default = "black")]
    pub background: Color,
    /// How pictures of another shape are placed, unless their scene says otherwise
    #[serde(default)]
    pub fit: Fit,
    /// How captions look
    #[serde(default)]
    pub captions: Captions,
    /// The scenes in order
    pub scenes: Vec<Scene>,
    /// Music below it all
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music: Option<Music>,
    /// Second whose frame is the poster; the middle of the first scene if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<f64>,
}

/// One scene: a picture, a colour or a card, with what happens to it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Picture file
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<PathBuf>,
    /// A plain colour instead of a picture
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// A drawn card instead of a picture
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// Read so that it can be refused in plain words.
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    pub video: Option<PathBuf>,
    /// Seconds it is seen, its transitions included
    pub duration: f64,
    /// Text over the picture
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// How it comes after the scene before it
    #[serde(default)]
    pub transition: Transition,
    /// Seconds that takes, in which both scenes run; half a second if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_s: Option<f64>,
    /// How the camera moves
    #[serde(default)]
    pub motion: Motion,
    /// How far the camera is in at the end of a zoom or all through a pan, 1 to 2; 1.12 if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoom: Option<f64>,
    /// Point of the picture that matters, as shares from left and top: it is kept when cutting and stays still in a zoom
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<[f64; 2]>,
    /// How a picture of another shape is placed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
}

/// A card with a title, drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Large text
    pub title: String,
    /// Smaller text below
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Colour of the letters
    #[serde(default = "white")]
    pub color: Color,
    /// Colour of the card
    #[serde(default = "night")]
    pub background: Color,
}

/// How captions look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Captions {
    /// Where they stand
    pub position: Position,
    /// Height of the letters in pixels; an eighteenth of the smaller side if not given
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// Colour of the letters
    pub color: Color,
    /// Colour of the box behind them; `transparent` for none
    pub plate: Color,
    /// Bold letters
    pub bold: bool,
    /// Font file (TrueType or OpenType) for captions and cards instead of the built-in font
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font: Option<PathBuf>,
}

impl Default for Captions {
    fn default() -> Self {
        Self {
            position: Position::Bottom,
            size: None,
            color: Color::WHITE,
            plate: Color::new([0, 0, 0, 160]),
            bold: false,
            font: None,
        }
    }
}

/// Music below the picture; it never changes the length of the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Music {
    /// Sound file
    pub file: PathBuf,
    /// Play it once and then be silent, instead of again and again
    #[serde(default)]
    pub once: bool,
    /// Seconds in which it comes
    #[serde(default)]
    pub fade_in_s: f64,
    /// Seconds in which it goes at the end; one second, or half the video where that is less, if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fade_out_s: Option<f64>,
    /// Integrated loudness to bring it to, in LUFS (ITU-R BS.1770), such as -16; as it is if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<f64>,
}

/// How a scene comes after the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// At once.
    #[default]
    Cut,
    /// One fades into the other.
    #[serde(alias = "fade")]
    Crossfade,
    /// The new one is uncovered from left to right.
    Wipe,
}

/// How the camera moves over a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Not at all.
    #[default]
    None,
    /// Closer to the focus.
    ZoomIn,
    /// Away from the focus.
    ZoomOut,
    /// To the left.
    PanLeft,
    /// To the right.
    PanRight,
    /// Upwards.
    PanUp,
    /// Downwards.
    PanDown,
}

/// How a picture of another shape is placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Whole, with the background around it.
    #[serde(rename = "fit")]
    Whole,
    /// Filling the frame; what lies outside is cut, around the focus.
    #[default]
    Fill,
    /// Whole, over a blurred copy of itself.
    Blur,
}

/// Where captions stand, within the part that every screen shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// At the top.
    Top,
    /// In the middle.
    Middle,
    /// At the bottom.
    #[default]
    Bottom,
}

fn black() -> Color {
    Color::BLACK
}
fn white() -> Color {
    Color::WHITE
}
fn night() -> Color {
    Color::new([0x1b, 0x26, 0x3b, 255])
}

impl Spec {
    /// These scenes with nothing else said.
    pub fn of(scenes: Vec<Scene>) -> Self {
        Self {
            size: None,
            aspect: None,
            fps: Rate::default(),
            background: Color::BLACK,
            fit: Fit::default(),
            captions: Captions::default(),
            scenes,
            music: None,
            poster: None,
        }
    }

    /// Reads YAML or JSON; `name` is what errors call it.
    pub fn parse(bytes: Vec<u8>, name: &str) -> ToolResult<Self> {
        let fault = |problem: &str| {
            ToolError::new(ErrorKind::InvalidInput, format!("`{name}`: {problem}"))
                .from_source("input")
                .field("spec")
        };
        let text = String::from_utf8(bytes).map_err(|_| fault("is not UTF-8"))?;
        serde_saphyr::from_str(&text).map_err(|e| {
            let told = e.to_string();
            fault(told.lines().next().unwrap_or("is not a description of a video"))
                .hint("`video_generator --describe` has the schema: output_schema, field `spec`")
        })
    }

    /// Size of the frames.
    pub fn size(&self) -> Size {
        self.size
            .unwrap_or_else(|| self.aspect.unwrap_or_default().size())
    }
}
