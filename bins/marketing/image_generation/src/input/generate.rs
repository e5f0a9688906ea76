//! What `generate` takes.

use std::path::PathBuf;

use app_core::{ToolError, ToolResult, Usd};
use garde::Validate;
use raster::Color;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::aspect::Aspect;
use crate::{
    card::Layout,
    provider::{Provider, Quality},
};

/// Most pixels of one picture.
const LARGEST: u64 = 34_000_000;
/// Most pixels of all pictures of a run: 64 stories.
const MOST: u64 = 140_000_000;
/// Most pictures of a run that are asked of others.
const MOST_PAID: u32 = 10;

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
    /// Who is asked one after the other, in place of `provider`: `openai,gemini`. The next one is asked when the one
    /// before it fails
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 200))]
    pub providers: Option<String>,
    /// Model, in place of the provider's usual one or that of onejob.toml; with one provider only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 200))]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    pub model: Option<String>,
    /// How much care it takes, where the provider knows that
    #[serde(default)]
    pub quality: Quality,
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
    /// Seed of the first picture: the same input and seed give the same card, and a like picture where the provider
    /// knows seeds. Cards have 1 if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Picture to show or to start from
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub reference: Option<PathBuf>,
    /// Further pictures to start from
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 16))]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub references: Vec<PathBuf>,
    /// PNG that is transparent where the reference may change
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub mask: Option<PathBuf>,
    /// How far the picture may go from the reference, from 0 to 1, where the provider knows that
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.0, max = 1.0))]
    pub strength: Option<f64>,
    /// Most dollars that this run may come to
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_usd: Option<Usd>,
    /// Go on with the next provider where one has no key, or does not take it
    #[serde(default)]
    pub skip_unconfigured: bool,
    /// Ask the next provider also when one refuses to draw this
    #[serde(default)]
    pub fallback_on_refusal: bool,
    /// Ask the next provider also when an answer is lost and may be charged for
    #[serde(default)]
    pub fallback_on_unconfirmed: bool,
    /// Name files by the prompt and the time, and touch Stability's pictures, as the replaced script did
    #[serde(default)]
    pub as_before: bool,
    /// File to write; further pictures get -2, -3 and so on. Named after the prompt if not given. Paid pictures are
    /// converted to what its name asks for, else kept as they came
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
    /// Who is asked, in order, each once.
    pub fn chain(&self) -> ToolResult<Vec<Provider>> {
        let Some(text) = &self.providers else {
            return Ok(vec![self.provider]);
        };
        let mut chain = Vec::new();
        for name in text.split(',').filter(|name| !name.trim().is_empty()) {
            let provider: Provider = name
                .parse()
                .map_err(|message: String| ToolError::invalid("providers", message))?;
            if chain.contains(&provider) {
                return Err(ToolError::invalid(
                    "providers",
                    format!("`{provider}` stands there twice"),
                ));
            }
            chain.push(provider);
        }
        if chain.is_empty() {
            return Err(ToolError::invalid("providers", "names no provider"));
        }
        if self.model.is_some() && (chain.len() > 1 || chain == [Provider::Canvas]) {
            return Err(ToolError::invalid(
                "model",
                "a model needs exactly one provider that has models",
            ));
        }
        Ok(chain)
    }

    /// Whether anybody beside this machine is asked.
    pub fn asks_others(&self) -> ToolResult<bool> {
        Ok(self.chain()?.iter().any(|provider| *provider != Provider::Canvas))
    }

    /// Refuses what no provider takes, or only a card has.
    pub fn check(&self) -> ToolResult<()> {
        self.check_total()?;
        if !self.asks_others()? {
            let fields = [
                ("references", !self.references.is_empty()),
                ("mask", self.mask.is_some()),
                ("model", self.model.is_some()),
                ("strength", self.strength.is_some()),
            ];
            if let Some((field, _)) = fields.iter().find(|(_, given)| *given) {
                return Err(ToolError::invalid(*field, format!("a card has no {field}"))
                    .hint("name a provider: --provider openai"));
            }
        } else if self.count > MOST_PAID {
            return Err(ToolError::invalid(
                "count",
                format!(
                    "at most {MOST_PAID} paid pictures are made in one run, not {}",
                    self.count
                ),
            ));
        }
        Ok(())
    }

    /// Seed of a card and of a name.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }

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
}
