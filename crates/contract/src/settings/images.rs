//! `[images]`: who draws pictures, and with which model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[images]`: one section for each provider of pictures, `[images.openai]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImagesSettings {
    /// OpenAI, and servers that speak its images API.
    pub openai: ImageProviderSettings,
    /// Google Gemini.
    pub gemini: ImageProviderSettings,
    /// Stability AI.
    pub stability: ImageProviderSettings,
    /// The web UI for Stable Diffusion by AUTOMATIC1111, and what speaks its API.
    pub automatic1111: ImageProviderSettings,
}

/// `[images.NAME]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageProviderSettings {
    /// Model, as the provider calls it; `prices.toml` must know what it costs.
    #[schemars(extend("minLength" = 1))]
    pub model: Option<String>,
    /// Where the provider is, in place of its usual address. This host may lie inside. Where a key is sent, it counts
    /// only in the operator's own file.
    #[schemars(extend("minLength" = 1))]
    pub base_url: Option<String>,
    /// Sizes that the model makes, in place of those known here: `["1024x1024", "1536x1024"]`.
    pub sizes: Vec<String>,
}
