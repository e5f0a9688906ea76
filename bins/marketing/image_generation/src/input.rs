//! What the tool takes.

mod aspect;
mod generate;

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use generate::Generate;

/// Makes pictures, or gives a picture a hand-made touch
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// Make pictures from a prompt
    Generate(#[garde(dive)] Box<Generate>),
    /// Add a little noise, sharpness, contrast and lens error to an existing picture
    Humanize(#[garde(dive)] Humanize),
    /// Show who can be asked for pictures, with prices and end dates
    Models(#[garde(skip)] Models),
}

/// Show who can be asked for pictures, with prices and end dates
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Models {}

fn seed() -> u64 {
    1
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
    use crate::provider::Provider;

    fn generate(json: &str) -> Generate {
        serde_json::from_str(json).unwrap()
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

    #[test]
    fn chains_are_read_and_slips_refused() {
        let chain = |text: &str| {
            let input = generate(&format!(r#"{{"prompt":"x","providers":"{text}"}}"#));
            input.chain().map_err(|error| error.message)
        };
        assert_eq!(
            chain("openai, gemini").unwrap(),
            [Provider::Openai, Provider::Gemini]
        );
        assert!(chain("opneai").unwrap_err().contains("stability"));
        assert!(chain("gemini,gemini").unwrap_err().contains("twice"));
        assert!(chain(" , ").is_err());
    }
}
