//! What the tool is asked.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    media::Embed,
    post::{DesignSpec, Post},
};

/// Paper of the PDF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// 8.5 x 11 inches.
    #[default]
    Letter,
    /// 210 x 297 mm.
    A4,
}

impl Paper {
    /// As CSS says it.
    pub const fn css(self) -> &'static str {
        match self {
            Self::Letter => "Letter",
            Self::A4 => "A4",
        }
    }
}

const fn default_pdf_timeout() -> u64 {
    60
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one value per process")]
pub enum Input {
    /// Report of one post
    Post(#[garde(dive)] PostInput),
    /// Report of a campaign run
    Run(#[garde(dive)] RunInput),
}

/// Report of one post
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct PostInput {
    /// Folder of the campaign; the report goes there
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir"}))]
    pub campaign_dir: PathBuf,
    /// The post; by default `marketing_content_FINAL.json` of the folder
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// The design specification; by default `design_specs_FINAL.json` of the folder
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<DesignSpec>,
    /// Goal of the campaign; by default `campaign_goal.md` of the folder, if there is one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// Picture; by default the file that `generated_image_path.txt` of the folder names
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<PathBuf>,
    /// Video; by default the file that `generated_video_path.txt` of the folder names
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<PathBuf>,
    /// Whether picture and video go into the report or stay beside it
    #[serde(default)]
    pub embed: Embed,
    /// File of the report; `report.html` of the folder by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Write a PDF beside the report too (needs Chromium)
    #[serde(default)]
    pub pdf: bool,
    /// Paper of the PDF
    #[serde(default)]
    pub paper: Paper,
    /// Longest time for the PDF in seconds
    #[garde(range(min = 1, max = 3600))]
    #[serde(default = "default_pdf_timeout")]
    pub pdf_timeout: u64,
}

/// Report of a campaign run
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RunInput {
    /// Folder of the run, with its `run.json`
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir"}))]
    pub run_dir: PathBuf,
    /// Whether pictures and pages go into the report or stay beside it
    #[serde(default)]
    pub embed: Embed,
    /// File of the report; `report.html` of the folder by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Write a PDF beside the report too (needs Chromium)
    #[serde(default)]
    pub pdf: bool,
    /// Paper of the PDF
    #[serde(default)]
    pub paper: Paper,
    /// Longest time for the PDF in seconds
    #[garde(range(min = 1, max = 3600))]
    #[serde(default = "default_pdf_timeout")]
    pub pdf_timeout: u64,
}
