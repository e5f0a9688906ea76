//! The four dialects: how a call is written, and how an answer is read message by message.
//!
//! Every call asks for a stream, so that one set of time limits serves all answers. A server that answers with one whole
//! JSON document all the same is understood too: each dialect reads both shapes.

mod anthropic;
mod gemini;
mod ollama;
mod openai;

use app_core::{ToolError, ToolResult};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    call::{Call, Stop, Usage},
    failure::VendorError,
    model::{Dialect, Model},
    stream::Framing,
};

/// How an answer that fits a schema is asked for, from the strictest way down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    #[default]
    Schema,
    /// "Some JSON", and the schema in words.
    Json,
    /// The schema in words alone.
    Plain,
}

/// What was learnt of a model at a server: what of the dialect it does not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Quirks {
    pub(crate) format: Format,
    /// `max_completion_tokens` in place of `max_tokens`, and no temperature: models that reason.
    pub(crate) reasoning: bool,
    pub(crate) no_temperature: bool,
    /// The server knows no `stream_options`.
    pub(crate) no_usage_option: bool,
}

/// A request, ready to be sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// An answer as it comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) usage: Option<Usage>,
    pub(crate) stop: Option<Stop>,
    /// The dialect's mark that the text is whole.
    pub(crate) ended: bool,
    /// Nothing more is to be waited for.
    pub(crate) closed: bool,
}

/// What can be wrong with a message of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trouble {
    /// The server says that it failed.
    Vendor(VendorError),
    /// It is not what the dialect says.
    Unreadable(String),
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        // Not with the text: an error of serde quotes what it read.
        Self::Unreadable(format!("line {}, column {}", error.line(), error.column()))
    }
}

/// Writes a call in the dialect of the model.
pub(crate) fn request(model: &Model, call: &Call, quirks: Quirks) -> ToolResult<Request> {
    let (path, query, body) = match model.dialect {
        Dialect::OpenAi => (
            "chat/completions".to_owned(),
            None,
            json(&openai::body(model, call, quirks))?,
        ),
        Dialect::Anthropic => (
            "messages".to_owned(),
            None,
            json(&anthropic::body(model, call, quirks))?,
        ),
        Dialect::Gemini => (
            format!(
                "models/{}:streamGenerateContent",
                model.name.trim_start_matches("models/")
            ),
            Some("alt=sse"),
            json(&gemini::body(call, quirks))?,
        ),
        Dialect::Ollama => (
            "api/chat".to_owned(),
            None,
            json(&ollama::body(model, call, quirks))?,
        ),
    };
    let mut url = model.base.clone();
    url.path_segments_mut()
        .map_err(|()| ToolError::internal("the base of a model cannot have a path"))?
        .pop_if_empty()
        .extend(path.split('/'));
    url.set_query(query);
    Ok(Request {
        url,
        headers: headers(model)?,
        body,
    })
}

fn json(body: &impl Serialize) -> ToolResult<Vec<u8>> {
    serde_json::to_vec(body).map_err(|error| ToolError::internal(format!("body of a model call: {error}")))
}

fn headers(model: &Model) -> ToolResult<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert(
        "accept",
        HeaderValue::from_static("text/event-stream, application/x-ndjson, application/json"),
    );
    if model.dialect == Dialect::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    if let Some(key) = &model.key {
        let (name, text) = match model.dialect {
            Dialect::Anthropic => ("x-api-key", key.reveal().to_owned()),
            Dialect::Gemini => ("x-goog-api-key", key.reveal().to_owned()),
            Dialect::OpenAi | Dialect::Ollama => ("authorization", format!("Bearer {}", key.reveal())),
        };
        let mut value: HeaderValue = text
            .parse()
            .map_err(|_| ToolError::config("the key of the model has characters that cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    for (name, value) in &model.headers {
        let refused = || ToolError::config(format!("`llm.headers.{name}` is not a header that can be sent"));
        let parsed: HeaderName = name.parse().map_err(|_| refused())?;
        headers.insert(parsed, value.parse().map_err(|_| refused())?);
    }
    Ok(headers)
}

/// The instructions, with the schema in words where the server is not asked to keep to it.
fn system(call: &Call, quirks: Quirks) -> String {
    match &call.schema {
        Some(schema) if quirks.format != Format::Schema => {
            let blank = if call.system.is_empty() { "" } else { "\n\n" };
            format!(
                "{}{blank}Answer with one JSON object and nothing else. It must fit this JSON Schema:\n{schema}",
                call.system
            )
        }
        _ => call.system.clone(),
    }
}

/// How the messages of an answer are told apart; `None` when it is one whole document.
pub(crate) fn framing(dialect: Dialect, content_type: &str) -> Option<Framing> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    match dialect {
        Dialect::Ollama => Some(Framing::Lines),
        _ if kind.eq_ignore_ascii_case("application/json") => None,
        _ => Some(Framing::Events),
    }
}

/// Reads one message of an answer.
pub(crate) fn take(dialect: Dialect, answer: &mut Answer, message: &str) -> Result<(), Trouble> {
    match dialect {
        Dialect::OpenAi => openai::take(answer, message)?,
        Dialect::Anthropic => anthropic::take(answer, message)?,
        Dialect::Gemini => gemini::take(answer, message)?,
        Dialect::Ollama => ollama::take(answer, message)?,
    }
    // Chat completions tell the usage after the end.
    answer.closed |= answer.ended && (dialect != Dialect::OpenAi || answer.usage.is_some());
    Ok(())
}

/// Reads an answer that came as one document; it is complete, whatever it says of its end.
pub(crate) fn take_whole(dialect: Dialect, answer: &mut Answer, body: &[u8]) -> Result<(), Trouble> {
    let text = std::str::from_utf8(body).map_err(|_| Trouble::Unreadable("no UTF-8".to_owned()))?;
    take(dialect, answer, text)?;
    answer.stop = answer.stop.or(Some(Stop::Finished));
    (answer.ended, answer.closed) = (true, true);
    Ok(())
}

/// An error object inside an answer, if it is one.
fn vendor_error(value: &serde_json::Value) -> Result<(), Trouble> {
    match value.get("error") {
        None | Some(serde_json::Value::Null) => Ok(()),
        Some(_) => Err(Trouble::Vendor(VendorError::read(value))),
    }
}

#[cfg(test)]
mod tests;
