//! What the tool takes.

use std::path::PathBuf;

use app_core::{ToolError, ToolResult};
use garde::Validate;
use raster::{Color, Format};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{card::Layout, provider::Provider};

/// Makes pictures, or gives a picture a hand-made touch
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// Make pictures from a prompt
    Generate(#[garde(dive)] Generate),
    /// Add a little noise, sharpness, contrast and lens error to an existing picture
    Humanize(#[garde(dive)] Humanize),
}

/// Most pixels of one picture.
const LARGEST: u64 = 34_000_000;
/// Most pixels of all pictures of a run: 64 stories.
const MOST: u64 = 140_000_000;

/// Shapes for the usual places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// 1080x1080.
    Square,
    /// 1080x1350 (4:5).
    Portrait,
    /// 1080x1920 (9:16).
    Story,
    /// 1920x1080 (16:9).
    Landscape,
    /// 1200x630, as link previews show it.
    Banner,
}

impl Aspect {
    const fn size(self) -> (u32, u32) {
        match self {
            Self::Square => (1080, 1080),
            Self::Portrait => (1080, 1350),
            Self::Story => (1080, 1920),
            Self::Landscape => (1920, 1080),
            Self::Banner => (1200, 630),
        }
    }
}

/// Make pictures from a prompt
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Generate {
    /// What the picture shows
    #[garde(length(min = 1, max = 8000), custom(not_blank))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub prompt: String,
    /// Who makes it
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "p"}))]
    pub provider: Provider,
    /// What it must not show
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 8000))]
    pub negative_prompt: Option<String>,
    /// Shape
    #[serde(default = "square")]
    #[schemars(extend("x-cli" = {"short": "a"}))]
    pub aspect: Aspect,
    /// Size in pixels instead of a shape, for example 1200x800
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "s"}))]
    pub size: Option<String>,
    /// How many; each has the next seed
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 64))]
    #[schemars(extend("x-cli" = {"short": "n"}))]
    pub count: u32,
    /// Seed of the first picture: the same input and seed give the same picture
    #[serde(default = "seed")]
    pub seed: u64,
    /// Picture to show or to start from
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub reference: Option<PathBuf>,
    /// File to write; further pictures get -2, -3 and so on. Named after the prompt if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Folder to write to
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "O", "path": "out", "aliases": ["campaign-dir"]}))]
    pub output_dir: Option<PathBuf>,
    /// Canvas: large words; the start of the prompt if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 300))]
    pub title: Option<String>,
    /// Canvas: smaller words
    #[serde(default)]
    #[garde(length(max = 600))]
    pub subtitle: String,
    /// Canvas: a few words in a pill
    #[serde(default)]
    #[garde(length(max = 60))]
    pub badge: String,
    /// Canvas: brand name at the foot
    #[serde(default)]
    #[garde(length(max = 100))]
    pub brand: String,
    /// Canvas: brand colours: main, accent, second
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 3))]
    pub colors: Vec<Color>,
    /// Canvas: arrangement; chosen by the seed if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Give the pictures a hand-made touch
    #[serde(default)]
    pub humanize: bool,
    /// With the touch: darken the corners by a fifth
    #[serde(default)]
    pub vignette: bool,
}

fn square() -> Aspect {
    Aspect::Square
}
fn one() -> u32 {
    1
}
fn seed() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "garde passes the context by reference"
)]
fn not_blank(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() {
        Err(garde::Error::new("must not be blank"))
    } else {
        Ok(())
    }
}

impl Generate {
    /// Size of the pictures.
    pub fn pixels(&self) -> ToolResult<(u32, u32)> {
        let Some(size) = &self.size else {
            return Ok(self.aspect.size());
        };
        let side = |text: &str| {
            text.trim()
                .parse::<u32>()
                .ok()
                .filter(|v| (64..=8192).contains(v))
        };
        size.split_once(['x', 'X', '×'])
            .and_then(|(w, h)| Some((side(w)?, side(h)?)))
            .ok_or_else(|| {
                ToolError::invalid("size", format!("`{size}` is not a size"))
                    .hint("write it as 1200x800; each side from 64 to 8192")
            })
    }

    /// Refuses more pixels than can be drawn in reasonable time and memory.
    pub fn check_total(&self) -> ToolResult<()> {
        let (width, height) = self.pixels()?;
        let one = u64::from(width) * u64::from(height);
        if one > LARGEST {
            return Err(ToolError::invalid(
                "size",
                format!(
                    "a picture of {width}x{height} is too large: the limit is {} megapixels",
                    LARGEST / 1_000_000
                ),
            ));
        }
        if one * u64::from(self.count) > MOST {
            return Err(ToolError::invalid(
                "count",
                format!(
                    "{} pictures of {width}x{height} are too much for one run: the limit is {} megapixels together",
                    self.count,
                    MOST / 1_000_000
                ),
            )
            .hint("make fewer at a time, and go on with another --seed"));
        }
        Ok(())
    }

    /// Where the pictures go; checked before the first is made.
    pub fn outputs(&self) -> ToolResult<Vec<PathBuf>> {
        let folder = self.output_dir.clone().unwrap_or_default();
        let first = match &self.output {
            Some(output) => {
                if Format::from_path(output, "output")? != Format::Png {
                    return Err(ToolError::invalid(
                        "output",
                        format!("`{}` must end in .png", output.display()),
                    )
                    .hint("use image_manipulation convert for other formats"));
                }
                folder.join(output)
            }
            None => folder.join(format!("{}.png", stem(&self.prompt, self.seed))),
        };
        Ok((1..=self.count)
            .map(|number| match number {
                1 => first.clone(),
                _ => {
                    let stem = first
                        .file_stem()
                        .map(|s| s.to_string_lossy().into_owned())
                        .unwrap_or_default();
                    first.with_file_name(format!("{stem}-{number}.png"))
                }
            })
            .collect())
    }
}

/// A file name from the first words of a prompt: letters and digits of any script, joined by dashes.
fn stem(prompt: &str, seed: u64) -> String {
    let mut out = String::new();
    for character in prompt.chars().take(50) {
        if character.is_alphanumeric() {
            out.extend(character.to_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let stem = out.trim_end_matches('-');
    let stem = if stem.is_empty() { "picture" } else { stem };
    format!("{stem}_{seed}")
}

/// Where the noise of `humanize` comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseSource {
    /// No noise.
    Off,
    /// From the seed.
    #[default]
    Seed,
    /// Values from a JSON file: rows of pixels of three whole numbers.
    File,
}

/// Give a picture a hand-made touch
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Humanize {
    /// The picture
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub image: PathBuf,
    /// The PNG to write
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: PathBuf,
    /// Where the noise comes from
    #[serde(default)]
    pub noise: NoiseSource,
    /// Seed of the noise
    #[serde(default = "seed")]
    pub seed: u64,
    /// The file with the noise
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub noise_file: Option<PathBuf>,
    /// Darken the corners by a fifth
    #[serde(default)]
    pub vignette: bool,
    /// Write an alpha channel also where the picture has none
    #[serde(default)]
    pub alpha: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generate(json: &str) -> Generate {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn names_follow_the_prompt_and_are_safe() {
        let names = generate(r#"{"prompt":"../A \"cat\": on/the\nroof","count":2,"output_dir":"c"}"#)
            .outputs()
            .unwrap();
        assert_eq!(
            names,
            [
                PathBuf::from("c/a-cat-on-the-roof_1.png"),
                PathBuf::from("c/a-cat-on-the-roof_1-2.png")
            ]
        );
        assert_eq!(
            generate(r#"{"prompt":"Кот","seed":7}"#).outputs().unwrap(),
            [PathBuf::from("кот_7.png")]
        );
        assert!(generate(r#"{"prompt":"x","output":"a.jpg"}"#).outputs().is_err());
    }

    #[test]
    fn a_size_wins_over_a_shape() {
        assert_eq!(
            generate(r#"{"prompt":"x","aspect":"story"}"#).pixels().unwrap(),
            (1080, 1920)
        );
        assert_eq!(
            generate(r#"{"prompt":"x","size":"300x200"}"#).pixels().unwrap(),
            (300, 200)
        );
        assert!(generate(r#"{"prompt":"x","size":"300"}"#).pixels().is_err());
    }
}
