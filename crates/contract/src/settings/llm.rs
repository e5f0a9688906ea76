//! `[llm]`: which model is asked, within which limits, and what may leave the machine.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Usd;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LlmProvider {
    /// OpenAI, and every server that speaks its chat completions.
    Openai,
    /// Anthropic.
    #[serde(alias = "claude")]
    Anthropic,
    /// Google Gemini.
    #[serde(alias = "google")]
    Gemini,
    /// Ollama, in its own dialect.
    Ollama,
    /// No model: sentences are chosen by counting words, on this machine.
    Offline,
}

/// What of people's names and numbers a model may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LlmPrivacy {
    /// Names on this machine and its network, pseudonyms everywhere else.
    #[default]
    Auto,
    /// Names as they are.
    Names,
    /// `P1`, `P2` in place of names.
    Pseudonyms,
    /// Pseudonyms, and phones, mail addresses and card numbers are taken out as well.
    Redacted,
}

/// `[llm]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LlmSettings {
    /// Who answers; OpenAI if neither this nor the call says so.
    pub provider: Option<LlmProvider>,
    /// Name of the model, as the provider knows it.
    #[schemars(extend("minLength" = 1))]
    pub model: Option<String>,
    /// Where the provider is, for example `http://localhost:11434`. This host may lie inside, and no other.
    #[schemars(extend("minLength" = 1))]
    pub base_url: Option<String>,
    /// Variable that holds the key, in place of the provider's usual one.
    #[schemars(extend("minLength" = 1))]
    pub key_variable: Option<String>,
    /// Further headers of each request. Not for keys: they are printed by `onejob config`.
    pub headers: BTreeMap<String, String>,
    /// Tokens that the model can hold, prompt and answer together. For Ollama the window that is asked for.
    #[schemars(range(min = 256, max = 100_000_000))]
    pub context: Option<u64>,
    /// Most dollars that one run may come to; a plan above it does not start.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_usd: Usd,
    /// Whether hosts outside this machine and its network may be asked at all.
    pub remote: bool,
    /// What of people's names and numbers leaves.
    pub privacy: LlmPrivacy,
    /// Whether tools whose product is personal data may send it to a host outside.
    pub allow_personal_data: bool,
    /// Days for which an answer is kept to be used again; 0 keeps none.
    #[schemars(range(max = 3_650))]
    pub cache_days: u32,
    /// Seconds to connect.
    #[schemars(range(min = 1, max = 600))]
    pub connect_s: u64,
    /// Seconds until the first byte of an answer.
    #[schemars(range(min = 1, max = 3_600))]
    pub first_byte_s: u64,
    /// Seconds of silence within an answer.
    #[schemars(range(min = 1, max = 3_600))]
    pub silence_s: u64,
    /// Seconds for one call as a whole.
    #[schemars(range(min = 1, max = 86_400))]
    pub call_s: u64,
}

impl Default for LlmSettings {
    fn default() -> Self {
        Self {
            provider: None,
            model: None,
            base_url: None,
            key_variable: None,
            headers: BTreeMap::new(),
            context: None,
            max_usd: Usd::from_cents(25),
            remote: true,
            privacy: LlmPrivacy::Auto,
            allow_personal_data: false,
            cache_days: 30,
            connect_s: 10,
            first_byte_s: 60,
            silence_s: 30,
            call_s: 600,
        }
    }
}
