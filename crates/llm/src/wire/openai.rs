//! Chat completions of OpenAI and its many neighbours.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Format, Quirks, Trouble, system, vendor_error};
use crate::{
    call::{Call, Role, Stop, Usage},
    model::Model,
    schema,
};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

pub(super) fn body<'a>(model: &'a Model, call: &'a Call, quirks: Quirks) -> Body<'a> {
    let instructions = system(call, quirks);
    let first = (!instructions.is_empty()).then(|| Message {
        role: "system",
        content: instructions.into(),
    });
    let turns = call.turns.iter().map(|turn| Message {
        role: match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        },
        content: turn.text.as_str().into(),
    });
    let response_format = call.schema.as_ref().and_then(|schema| match quirks.format {
        Format::Schema => {
            let (schema, strict) = schema::for_openai(schema);
            Some(json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": strict, "schema": schema}}))
        }
        Format::Json => Some(json!({"type": "json_object"})),
        Format::Plain => None,
    });
    Body {
        model: &model.name,
        messages: first.into_iter().chain(turns).collect(),
        max_tokens: (!quirks.reasoning).then_some(call.max_output),
        max_completion_tokens: quirks.reasoning.then_some(call.max_output),
        temperature: call
            .temperature
            .filter(|_| !quirks.reasoning && !quirks.no_temperature),
        response_format,
        stream: true,
        stream_options: (!quirks.no_usage_option).then_some(StreamOptions { include_usage: true }),
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    /// A piece of a stream.
    #[serde(default)]
    delta: Option<Said>,
    /// A whole answer.
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

pub(super) fn take(answer: &mut Answer, message: &str) -> Result<(), Trouble> {
    if message.trim() == "[DONE]" {
        // Some servers end with it without having said why: then nobody knows whether the answer is whole.
        answer.ended = answer.stop.is_some();
        answer.closed = true;
        return Ok(());
    }
    let value: Value = serde_json::from_str(message)?;
    vendor_error(&value)?;
    let chunk = Chunk::deserialize(value)?;
    for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
        if let Some(said) = choice.delta.or(choice.message) {
            answer.text.push_str(said.content.as_deref().unwrap_or_default());
            if said.refusal.is_some_and(|text| !text.is_empty()) {
                answer.stop = Some(Stop::Refused);
            }
        }
        if let Some(reason) = choice.finish_reason {
            let stop = match reason.as_str() {
                "stop" | "eos" | "end_turn" => Stop::Finished,
                "length" | "max_tokens" => Stop::Length,
                "content_filter" => Stop::Filtered,
                // No tool was offered, so a call of one is no answer.
                _ => Stop::Refused,
            };
            answer.stop.get_or_insert(stop);
            answer.ended = true;
        }
    }
    if let Some(tokens) = chunk.usage
        && let (Some(input), Some(output)) = (tokens.prompt_tokens, tokens.completion_tokens)
    {
        let cached = tokens
            .prompt_tokens_details
            .and_then(|details| details.cached_tokens);
        answer.usage = Some(Usage {
            input,
            cached: cached.unwrap_or(0),
            output,
            estimated: false,
        });
    }
    Ok(())
}
