//! Where a model is, what it can hold, and what it costs.

use std::collections::BTreeMap;

use app_core::{Secret, ToolError, ToolResult, config::Price, contract::settings::LlmProvider};
use url::Url;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// Chat completions of OpenAI and all who speak alike.
    OpenAi,
    /// Messages of Anthropic.
    Anthropic,
    /// `generateContent` of Gemini.
    Gemini,
    /// `/api/chat` of Ollama; its other face ignores the window that is asked for.
    Ollama,
}

impl Dialect {
    /// The dialect of a provider; `None` for the one that needs no model.
    pub const fn of(provider: LlmProvider) -> Option<Self> {
        match provider {
            LlmProvider::Openai => Some(Self::OpenAi),
            LlmProvider::Anthropic => Some(Self::Anthropic),
            LlmProvider::Gemini => Some(Self::Gemini),
            LlmProvider::Ollama => Some(Self::Ollama),
            LlmProvider::Offline => None,
        }
    }

    /// Name in messages, keys and the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    pub(crate) const fn default_base(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com/v1",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta",
            Self::Ollama => "http://localhost:11434",
        }
    }

    pub(crate) const fn default_model(self) -> &'static str {
        match self {
            Self::OpenAi => "gpt-4o-mini",
            Self::Anthropic => "claude-sonnet-4-5-20250929",
            Self::Gemini => "gemini-2.0-flash",
            Self::Ollama => "qwen2.5:3b",
        }
    }

    /// Window of the default models. Ollama's own default is so small that it cuts ordinary prompts in silence.
    pub(crate) const fn default_context(self) -> u64 {
        match self {
            Self::OpenAi => 128_000,
            Self::Anthropic => 200_000,
            Self::Gemini => 1_000_000,
            Self::Ollama => 16_384,
        }
    }

    pub(crate) const fn base_variables(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["OPENAI_BASE_URL"],
            Self::Anthropic => &["ANTHROPIC_BASE_URL"],
            Self::Gemini => &["GEMINI_BASE_URL"],
            Self::Ollama => &["OLLAMA_BASE_URL"],
        }
    }

    pub(crate) const fn key_variables(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["OPENAI_API_KEY"],
            Self::Anthropic => &["ANTHROPIC_API_KEY"],
            Self::Gemini => &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
            Self::Ollama => &[],
        }
    }

    /// The address that calls are made below, from what people write: with or without `/v1`, with a slash at the end,
    /// or the whole address of the call.
    pub(crate) fn base(self, text: &str) -> ToolResult<Url> {
        let wrong = |why: &str| {
            let shown = web::shown_text(text);
            ToolError::config(format!("the address `{shown}` of the model {why}")).code("invalid_base_url")
        };
        let mut url = Url::parse(text.trim()).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("is not an http(s) address"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(wrong("holds more than host and path; keys stand in variables"));
        }
        url.set_fragment(None);
        let mut path = url.path().trim_end_matches('/').to_owned();
        let (ends, version): (&[&str], &str) = match self {
            Self::OpenAi => (&["/chat/completions"], "/v1"),
            Self::Anthropic => (&["/messages"], "/v1"),
            Self::Gemini => (&["/models"], "/v1beta"),
            Self::Ollama => (&["/chat", "/api", "/v1"], ""),
        };
        for end in ends {
            if let Some(shorter) = path.strip_suffix(end) {
                path = shorter.to_owned();
            }
        }
        if path.is_empty() {
            version.clone_into(&mut path);
        }
        url.set_path(&path);
        Ok(url)
    }
}

/// A model at a server.
#[derive(Clone, Debug)]
pub struct Model {
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Where it is.
    pub base: Url,
    /// Its name there.
    pub name: String,
    /// Tokens it can hold, prompt and answer together.
    pub context: u64,
    /// What it costs.
    pub price: Price,
    /// Further headers of each request.
    pub headers: BTreeMap<String, String>,
    /// The key, where one is needed.
    pub key: Option<Secret>,
}

impl Model {
    /// The host, with its port where it is not the usual one: what prices, plans and kept answers name.
    pub fn host(&self) -> String {
        host_of(&self.base)
    }

    /// Whether `text` holds the key; such a text is shown to nobody.
    pub(crate) fn names_key(&self, text: &str) -> bool {
        self.key.as_ref().is_some_and(|key| text.contains(key.reveal()))
    }
}

pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_however_people_write_it() {
        for (dialect, text, base) in [
            (
                Dialect::OpenAi,
                "https://api.openai.com/v1",
                "https://api.openai.com/v1",
            ),
            (
                Dialect::OpenAi,
                "https://api.openai.com/",
                "https://api.openai.com/v1",
            ),
            (
                Dialect::OpenAi,
                "http://localhost:1234/v1/chat/completions",
                "http://localhost:1234/v1",
            ),
            (
                Dialect::OpenAi,
                "https://a.example/openai/v3/",
                "https://a.example/openai/v3",
            ),
            (
                Dialect::Anthropic,
                "https://api.anthropic.com",
                "https://api.anthropic.com/v1",
            ),
            (
                Dialect::Anthropic,
                "https://a.example/v1/messages",
                "https://a.example/v1",
            ),
            (Dialect::Gemini, "https://g.example", "https://g.example/v1beta"),
            (
                Dialect::Ollama,
                "http://localhost:11434/v1",
                "http://localhost:11434/",
            ),
            (
                Dialect::Ollama,
                "http://localhost:11434/api/chat",
                "http://localhost:11434/",
            ),
            (
                Dialect::Ollama,
                "https://a.example/ollama",
                "https://a.example/ollama",
            ),
        ] {
            assert_eq!(dialect.base(text).unwrap().as_str(), base, "{text}");
        }
        for bad in [
            "localhost:11434",
            "ftp://a.example",
            "https://u:p@a.example",
            "https://a.example/?key=CANARY",
        ] {
            let error = Dialect::OpenAi.base(bad).unwrap_err();
            assert_eq!(error.kind.exit_code(), 78, "{bad}");
            assert!(!error.message.contains("CANARY"), "{}", error.message);
        }
    }
}
