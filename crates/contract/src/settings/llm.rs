//! `[llm]`: which model is asked, within which limits, and what may leave the machine.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Usd;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LlmProvider {
    /// OpenAI, and every server that speaks its chat completions.
    Openai,
    /// Anthropic; `claude` is what the replaced scripts called it.
    #[serde(alias = "claude")]
    Anthropic,
    /// Google Gemini.
    Gemini,
    /// Ollama, in its own dialect.
    Ollama,
    /// No model: sentences are chosen by counting words, on this machine.
    Offline,
}

/// By hand, because a derived one does not know the older name.
impl JsonSchema for LlmProvider {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "LlmProvider".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": ["openai", "anthropic", "claude", "gemini", "ollama", "offline"]})
    }
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
    /// Further headers of each request. Not for keys: a settings file is no place for secrets.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_older_name_of_a_provider_is_known_and_no_other() {
        let read = |name: &str| Settings::read(json!({"llm": {"provider": name, "max_usd": 1}}));
        assert_eq!(read("claude").unwrap().llm.provider, Some(LlmProvider::Anthropic));
        let mistakes = read("mistral").unwrap_err();
        assert!(
            mistakes[0].0 == "llm.provider" && mistakes[0].1.contains("ollama"),
            "{mistakes:?}"
        );
        let defaults = Settings::default().llm;
        assert_eq!(
            (defaults.max_usd, defaults.remote, defaults.call_s),
            (Usd::from_cents(25), true, 600)
        );
    }
}
