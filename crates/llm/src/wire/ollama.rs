//! `/api/chat` of Ollama.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Value>,
    options: Options,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct Options {
    /// Always sent: the server's own window is small, and what does not fit is dropped in silence.
    num_ctx: u64,
    num_predict: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
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
    Body {
        model: &model.name,
        messages: first.into_iter().chain(turns).collect(),
        stream: true,
        format: call.schema.as_ref().and_then(|schema| match quirks.format {
            Format::Schema => Some(schema::for_ollama(schema)),
            Format::Json => Some("json".into()),
            Format::Plain => None,
        }),
        options: Options {
            num_ctx: model.context,
            num_predict: call.max_output,
            temperature: call.temperature.filter(|_| !quirks.no_temperature),
        },
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: String,
}

pub(super) fn take(answer: &mut Answer, message: &str) -> Result<(), Trouble> {
    let value: Value = serde_json::from_str(message)?;
    vendor_error(&value)?;
    let line = Line::deserialize(value)?;
    answer
        .text
        .push_str(&line.message.map(|said| said.content).unwrap_or_default());
    if line.done {
        answer.ended = true;
        answer.stop = Some(match line.done_reason.as_deref() {
            // Older servers do not say.
            Some("stop") | None => Stop::Finished,
            Some("length") => Stop::Length,
            // Also `load` and `unload`, which are no answers.
            Some(_) => Stop::Refused,
        });
        if let (Some(input), Some(output)) = (line.prompt_eval_count, line.eval_count) {
            answer.usage = Some(Usage {
                input,
                cached: 0,
                output,
                estimated: false,
            });
        }
    }
    Ok(())
}
