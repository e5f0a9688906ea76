//! Which dialect a call is in, and what it asks.

use serde_json::Value;

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// `POST .../chat/completions`.
    OpenAi,
    /// `POST .../messages`.
    Anthropic,
    /// `POST .../models/NAME:generateContent` or `:streamGenerateContent`.
    Gemini,
    /// `POST /api/chat`.
    Ollama,
}

/// What a call asks, whatever its dialect.
pub(super) struct Question {
    pub(super) dialect: Spoken,
    pub(super) stream: bool,
    /// All text of it.
    pub(super) prompt: String,
    /// The last turn.
    pub(super) last: String,
    pub(super) max_output: Option<u64>,
    pub(super) usage: bool,
}

/// The dialect that is spoken at a path.
pub(super) fn of(path: &str) -> Option<Spoken> {
    match path {
        _ if path.ends_with("/chat/completions") => Some(Spoken::OpenAi),
        _ if path.ends_with("/messages") => Some(Spoken::Anthropic),
        _ if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") => {
            Some(Spoken::Gemini)
        }
        _ if path.ends_with("/api/chat") => Some(Spoken::Ollama),
        _ => None,
    }
}

pub(super) fn question(dialect: Spoken, path: &str, body: &Value) -> Question {
    let turns: Vec<String> = match dialect {
        Spoken::Gemini => listed(&body["contents"])
            .map(|turn| texts(&turn["parts"]))
            .collect(),
        _ => listed(&body["messages"])
            .map(|turn| texts(&turn["content"]))
            .collect(),
    };
    let system = match dialect {
        Spoken::Anthropic => texts(&body["system"]),
        Spoken::Gemini => texts(&body["systemInstruction"]["parts"]),
        _ => String::new(),
    };
    let max_output = match dialect {
        Spoken::OpenAi => body["max_tokens"]
            .as_u64()
            .or(body["max_completion_tokens"].as_u64()),
        Spoken::Anthropic => body["max_tokens"].as_u64(),
        Spoken::Gemini => body["generationConfig"]["maxOutputTokens"].as_u64(),
        Spoken::Ollama => body["options"]["num_predict"].as_u64(),
    };
    Question {
        dialect,
        stream: match dialect {
            Spoken::Gemini => path.ends_with(":streamGenerateContent"),
            // Ollama streams unless told otherwise.
            Spoken::Ollama => body["stream"] != false,
            _ => body["stream"] == true,
        },
        prompt: format!("{system}\n{}", turns.join("\n")),
        last: turns.last().cloned().unwrap_or_default(),
        max_output,
        usage: dialect != Spoken::OpenAi
            || body["stream_options"]["include_usage"] == true
            || body["stream"] != true,
    }
}

fn listed(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text, or the texts of a list of parts.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// Tokens of a text, as the fake counts them: one for each four bytes.
pub(super) fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}
