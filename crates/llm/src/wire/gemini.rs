//! `generateContent` of Gemini.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Format, Quirks, Trouble, system, vendor_error};
use crate::{
    call::{Call, Role, Stop, Usage},
    schema,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    contents: Vec<Content<'a>>,
    generation_config: Generation,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Generation {
    max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<Value>,
}

pub(super) fn body(call: &Call, quirks: Quirks) -> Body<'_> {
    let instructions = system(call, quirks);
    let json = call.schema.is_some() && quirks.format != Format::Plain;
    let schema = call.schema.as_ref().filter(|_| quirks.format == Format::Schema);
    Body {
        system_instruction: (!instructions.is_empty()).then(|| Content {
            role: None,
            parts: [Part {
                text: instructions.into(),
            }],
        }),
        contents: call
            .turns
            .iter()
            .map(|turn| Content {
                role: Some(match turn.role {
                    Role::User => "user",
                    Role::Assistant => "model",
                }),
                parts: [Part {
                    text: turn.text.as_str().into(),
                }],
            })
            .collect(),
        generation_config: Generation {
            max_output_tokens: call.max_output,
            temperature: call
                .temperature
                .filter(|_| !quirks.no_temperature && !quirks.reasoning),
            response_mime_type: json.then_some("application/json"),
            response_json_schema: schema.map(schema::for_gemini),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    prompt_feedback: Option<Feedback>,
    #[serde(default)]
    usage_metadata: Option<Counts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    content: Option<Said>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    parts: Vec<SaidPart>,
}

#[derive(Deserialize)]
struct SaidPart {
    #[serde(default)]
    text: String,
    /// What the model thinks is no part of its answer.
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    #[serde(default)]
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct Counts {
    #[serde(default)]
    prompt_token_count: Option<u64>,
    #[serde(default)]
    cached_content_token_count: Option<u64>,
    #[serde(default)]
    candidates_token_count: Option<u64>,
    #[serde(default)]
    thoughts_token_count: Option<u64>,
}

pub(super) fn take(answer: &mut Answer, message: &str) -> Result<(), Trouble> {
    let value: Value = serde_json::from_str(message)?;
    // Without `alt=sse` the pieces come as one array; some gateways do that whatever is asked.
    let chunks = match value {
        Value::Array(chunks) => chunks,
        one => vec![one],
    };
    for value in chunks {
        vendor_error(&value)?;
        chunk(answer, Chunk::deserialize(value)?);
    }
    Ok(())
}

fn chunk(answer: &mut Answer, chunk: Chunk) {
    for candidate in chunk
        .candidates
        .into_iter()
        .filter(|candidate| candidate.index == 0)
    {
        let parts = candidate.content.into_iter().flat_map(|said| said.parts);
        parts
            .filter(|part| !part.thought)
            .for_each(|part| answer.text.push_str(&part.text));
        if let Some(reason) = candidate.finish_reason {
            answer.stop = Some(match reason.as_str() {
                "STOP" => Stop::Finished,
                "MAX_TOKENS" => Stop::Length,
                "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
                    Stop::Filtered
                }
                _ => Stop::Refused,
            });
            answer.ended = true;
        }
    }
    if chunk
        .prompt_feedback
        .and_then(|feedback| feedback.block_reason)
        .is_some()
    {
        answer.stop = Some(Stop::Filtered);
        answer.ended = true;
    }
    if let Some(tokens) = chunk.usage_metadata
        && let Some(input) = tokens.prompt_token_count
    {
        // Thinking is billed as output.
        let output = tokens.candidates_token_count.unwrap_or(0);
        answer.usage = Some(Usage {
            input,
            cached: tokens.cached_content_token_count.unwrap_or(0),
            output: output.saturating_add(tokens.thoughts_token_count.unwrap_or(0)),
            estimated: false,
        });
    }
}
