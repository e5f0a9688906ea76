//! Who makes pictures.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::paid::{self, Remote};

/// The providers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Offline: a brand card with the given words, drawn here. Free.
    #[default]
    Canvas,
    /// OpenAI, or a server that speaks its images API. Needs `OPENAI_API_KEY`.
    Openai,
    /// Google Gemini. Needs `GEMINI_API_KEY` or `GOOGLE_API_KEY`.
    Gemini,
    /// Stability AI. Needs `STABILITY_API_KEY`.
    Stability,
    /// A Stable Diffusion web UI with its API switched on, usually on this machine.
    Automatic1111,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Canvas,
        Self::Openai,
        Self::Gemini,
        Self::Stability,
        Self::Automatic1111,
    ];

    /// Name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canvas => "canvas",
            Self::Openai => "openai",
            Self::Gemini => "gemini",
            Self::Stability => "stability",
            Self::Automatic1111 => "automatic1111",
        }
    }

    /// How it is reached; `None` for the one that is no far side.
    pub fn remote(self) -> Option<&'static dyn Remote> {
        paid::remote(self)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let found = Self::ALL.into_iter().find(|provider| provider.name() == text);
        found.ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|provider| provider.name()).collect();
            format!("`{text}` is not a provider: {}", known.join(", "))
        })
    }
}

/// How much care a picture takes; more costs more, where the provider knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// A draft.
    Low,
    /// Good for most uses.
    #[default]
    Medium,
    /// The best.
    High,
}

impl Quality {
    /// Name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
