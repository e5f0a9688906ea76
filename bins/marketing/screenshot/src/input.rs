//! What the actions take.

mod page;

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use page::{Area, Consent, Framing, Media, Opening};

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// Take a picture of a page. This is what is done when no command is named.
    Take(#[garde(dive)] Take),
    /// Take many pictures with one browser, as a file lists them; exit code 3 when one failed.
    Run(#[garde(dive)] Run),
    /// Compare two pictures; exit code 3 when they differ.
    Diff(#[garde(dive)] Diff),
    /// Take the pictures of a file and compare each with an earlier one; exit code 3 when one differs, is new or failed.
    Check(#[garde(dive)] Check),
    /// Print a page as PDF.
    Pdf(#[garde(dive)] Pdf),
}

/// Fields of `take`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Take {
    /// Address of the page; without it `url` of `[tools.screenshot.settings]` in onejob.toml
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 20_000))]
    pub url: Option<String>,
    /// The picture to write: .png, .jpg or .webp; OUT.json with the report lies beside it
    #[serde(default = "homepage")]
    #[schemars(extend("x-cli" = {"positional": 2, "path": "out"}))]
    pub output: PathBuf,
    /// What is in it.
    #[serde(flatten)]
    #[garde(dive)]
    pub framing: Framing,
    /// How the page is opened.
    #[serde(flatten)]
    #[garde(dive)]
    pub opening: Opening,
}

/// Fields of `run`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Run {
    /// YAML file with `defaults` and a list `shots`; each shot has the fields of `take`
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub shots: PathBuf,
    /// Folder that the outputs start from; the file's own if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "dir"}))]
    pub output: Option<PathBuf>,
    /// Pages open at a time; fewer where memory is short
    #[serde(default = "two")]
    #[schemars(extend("x-cli" = {"short": "p"}))]
    #[garde(range(min = 1, max = 16))]
    pub parallel: usize,
}

/// When two pictures differ.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Tolerance {
    /// How far the colours of a pixel may lie apart, from 0 to 1
    #[serde(default = "tenth")]
    #[garde(range(min = 0.0, max = 1.0))]
    pub threshold: f64,
    /// Pixels that may differ
    #[serde(default)]
    pub allow_pixels: u64,
    /// Count pixels too that differ only in the smoothing of an edge
    #[serde(default)]
    pub count_smoothing: bool,
}

/// Fields of `diff`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Diff {
    /// The earlier picture
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub before: PathBuf,
    /// The later picture
    #[schemars(extend("x-cli" = {"positional": 2, "path": "file", "exists": true}))]
    pub after: PathBuf,
    /// Write a picture of the differences (.png)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
    /// When they differ.
    #[serde(flatten)]
    #[garde(dive)]
    pub tolerance: Tolerance,
}

/// Fields of `check`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Check {
    /// YAML file with `defaults` and a list `shots`; each shot has the fields of `take`, and may have `baseline`
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub shots: PathBuf,
    /// Folder with the earlier pictures, as PNG
    #[schemars(extend("x-cli" = {"short": "b", "path": "dir"}))]
    pub baseline: PathBuf,
    /// Folder for the pictures, their differences and report.html
    #[serde(default = "check_folder")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "dir"}))]
    pub output: PathBuf,
    /// Put the new pictures in the place of those that differ or are missing
    #[serde(default)]
    pub update: bool,
    /// Pages open at a time; fewer where memory is short
    #[serde(default = "two")]
    #[schemars(extend("x-cli" = {"short": "p"}))]
    #[garde(range(min = 1, max = 16))]
    pub parallel: usize,
    /// When they differ.
    #[serde(flatten)]
    #[garde(dive)]
    pub tolerance: Tolerance,
}

/// Size of paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sheet {
    /// 297 x 420 mm.
    A3,
    /// 210 x 297 mm.
    #[default]
    A4,
    /// 148 x 210 mm.
    A5,
    /// 8.5 x 11 inches.
    Letter,
    /// 8.5 x 14 inches.
    Legal,
}

/// Fields of `pdf`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Pdf {
    /// Address of the page
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 20_000))]
    pub url: String,
    /// The PDF to write
    #[schemars(extend("x-cli" = {"positional": 2, "path": "out"}))]
    pub output: PathBuf,
    /// Paper, where the page does not say its own
    #[serde(default)]
    pub paper: Sheet,
    /// Turn the paper
    #[serde(default)]
    pub landscape: bool,
    /// Margin on all sides in millimetres, where the page does not say its own
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.0, max = 100.0))]
    pub margin: Option<f64>,
    /// Leave out colours and pictures behind the text
    #[serde(default)]
    pub no_background: bool,
    /// How the page is opened.
    #[serde(flatten)]
    #[garde(dive)]
    pub opening: Opening,
}

fn homepage() -> PathBuf {
    "screenshots/homepage.png".into()
}

fn check_folder() -> PathBuf {
    "screenshots/check".into()
}

const fn two() -> usize {
    2
}

const fn tenth() -> f64 {
    0.1
}
