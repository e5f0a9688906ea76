//! Messages of Anthropic.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Format, Quirks, Trouble, system, vendor_error};
use crate::{
    call::{Call, Stop, Turn},
    model::Model,
    schema,
};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<Value>,
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: crate::call::Role,
    content: &'a str,
}

pub(super) fn body<'a>(model: &'a Model, call: &'a Call, quirks: Quirks) -> Body<'a> {
    let schema = call.schema.as_ref().filter(|_| quirks.format == Format::Schema);
    let message = |turn: &'a Turn| Message {
        role: turn.role,
        content: &turn.text,
    };
    Body {
        model: &model.name,
        max_tokens: call.max_output,
        system: system(call, quirks),
        messages: call.turns.iter().map(message).collect(),
        temperature: call
            .temperature
            // This vendor's scale ends at 1.
            .map(|temperature| temperature.min(1.0))
            .filter(|_| !quirks.no_temperature && !quirks.reasoning),
        output_config: schema.map(
            |schema| json!({"format": {"type": "json_schema", "schema": schema::for_anthropic(schema)}}),
        ),
        stream: true,
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Started,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    MessageDelta {
        delta: Ending,
        #[serde(default)]
        usage: Option<Counts>,
    },
    MessageStop,
    /// A whole answer.
    Message {
        content: Vec<Block>,
        #[serde(flatten)]
        ending: Ending,
        #[serde(default)]
        usage: Option<Counts>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Started {
    #[serde(default)]
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Ending {
    #[serde(default)]
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct Counts {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
}

pub(super) fn take(answer: &mut Answer, message: &str) -> Result<(), Trouble> {
    let value: Value = serde_json::from_str(message)?;
    vendor_error(&value)?;
    match Event::deserialize(value)? {
        Event::MessageStart { message } => count(answer, message.usage.as_ref()),
        Event::ContentBlockStart { content_block } if content_block.kind == "text" => {
            answer.text.push_str(&content_block.text);
        }
        Event::ContentBlockDelta { delta } if delta.kind == "text_delta" => answer.text.push_str(&delta.text),
        Event::MessageDelta { delta, usage } => {
            end(answer, &delta);
            count(answer, usage.as_ref());
        }
        Event::MessageStop => answer.ended = true,
        Event::Message {
            content,
            ending,
            usage,
        } => {
            let texts = content.iter().filter(|block| block.kind == "text");
            texts.for_each(|block| answer.text.push_str(&block.text));
            end(answer, &ending);
            count(answer, usage.as_ref());
            answer.ended = true;
        }
        Event::ContentBlockStart { .. } | Event::ContentBlockDelta { .. } | Event::Other => {}
    }
    Ok(())
}

fn end(answer: &mut Answer, ending: &Ending) {
    if let Some(reason) = &ending.stop_reason {
        answer.stop = Some(match reason.as_str() {
            "end_turn" | "stop_sequence" => Stop::Finished,
            "max_tokens" | "model_context_window_exceeded" | "pause_turn" => Stop::Length,
            _ => Stop::Refused,
        });
    }
}

/// Counts are cumulative; what was read from or written to the vendor's cache is not part of `input_tokens`.
fn count(answer: &mut Answer, tokens: Option<&Counts>) {
    let Some(tokens) = tokens else { return };
    let usage = answer.usage.get_or_insert_default();
    if let Some(input) = tokens.input_tokens {
        let cached = tokens.cache_read_input_tokens.unwrap_or(0);
        let written = tokens.cache_creation_input_tokens.unwrap_or(0);
        usage.cached = cached;
        usage.input = input.saturating_add(cached).saturating_add(written);
    }
    usage.output = tokens.output_tokens.unwrap_or(usage.output);
}
