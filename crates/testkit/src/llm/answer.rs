//! Answers in the form of each dialect, whole and as streams.

use serde_json::{Value, json};

use super::{
    Fault, Manners, Script,
    dialect::{Question, Spoken, tokens},
    refuse,
};

/// What the script says to a question.
pub(super) fn said(script: &Script, question: &Question, number: usize) -> String {
    match script {
        Script::Canned(answers) => answers
            .get(number.min(answers.len().saturating_sub(1)))
            .cloned()
            .unwrap_or_default(),
        Script::Echo => question.last.clone(),
        Script::Inventor => json!({"claims": [
            {"text": "The budget is 731945 dollars", "cites": ["m1"], "quote": "nobody wrote this", "links": []},
            {"text": "See the page", "cites": ["m99999"], "quote": "", "links": ["L77", "https://made-up.example/"]},
        ]})
        .to_string(),
        Script::Obedient => {
            let order = question.prompt.lines().find_map(|line| line.split_once("INJECT:"));
            order.map_or_else(|| question.last.clone(), |(_, order)| order.trim().to_owned())
        }
    }
}

pub(super) struct Told {
    text: String,
    reason: &'static str,
    input: u64,
    output: u64,
    usage: bool,
}

pub(super) fn told(
    question: &Question,
    manners: &Manners,
    text: String,
    fault: Option<&Fault>,
    window: u64,
) -> Told {
    let mut text = text;
    let mut reason = "stop";
    match fault {
        Some(Fault::Length) => {
            text.truncate(
                text.char_indices()
                    .nth(text.chars().count() / 2)
                    .map_or(0, |(at, _)| at),
            );
            reason = "length";
        }
        Some(Fault::Refusal) => {
            text = String::new();
            reason = "refusal";
        }
        Some(Fault::Empty) => text = String::new(),
        _ => {}
    }
    let mut input = tokens(&question.prompt);
    // Ollama answers with what half of its window still holds, and says so only here.
    if question.dialect == Spoken::Ollama {
        let window = if manners.context > 0 {
            manners.context.min(window)
        } else {
            window
        };
        if input + question.max_output.unwrap_or(0) > window {
            input = window / 2;
        }
    }
    Told {
        output: tokens(&text),
        text,
        reason,
        input,
        usage: question.usage && fault != Some(&Fault::NoUsage),
    }
}

/// The answer as one document.
pub(super) fn whole(dialect: Spoken, told: &Told) -> Value {
    let mut body = match dialect {
        Spoken::OpenAi => json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "fake",
            "choices": [{"index": 0, "message": openai_said(told), "finish_reason": reason(dialect, told)}],
            "usage": openai_usage(told),
        }),
        Spoken::Anthropic => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "fake",
            "content": [{"type": "text", "text": told.text}],
            "stop_reason": reason(dialect, told), "stop_sequence": null,
            "usage": {"input_tokens": told.input, "output_tokens": told.output},
        }),
        Spoken::Gemini => gemini(&told.text, Some(told)),
        Spoken::Ollama => ollama(&told.text, Some(told)),
    };
    if !told.usage
        && let Some(body) = body.as_object_mut()
    {
        body.remove("usage");
    }
    body
}

fn openai_said(told: &Told) -> Value {
    if told.reason == "refusal" {
        json!({"role": "assistant", "content": null, "refusal": "I cannot help with that."})
    } else {
        json!({"role": "assistant", "content": told.text, "refusal": null})
    }
}

fn openai_usage(told: &Told) -> Value {
    json!({"prompt_tokens": told.input, "completion_tokens": told.output, "total_tokens": told.input + told.output})
}

fn reason(dialect: Spoken, told: &Told) -> &'static str {
    match (dialect, told.reason) {
        (Spoken::OpenAi | Spoken::Ollama, "length") => "length",
        (Spoken::Ollama, "refusal") => "unload",
        (Spoken::OpenAi | Spoken::Ollama, _) => "stop",
        (Spoken::Anthropic, "length") => "max_tokens",
        (Spoken::Anthropic, "refusal") => "refusal",
        (Spoken::Anthropic, _) => "end_turn",
        (Spoken::Gemini, "length") => "MAX_TOKENS",
        (Spoken::Gemini, "refusal") => "SAFETY",
        (Spoken::Gemini, _) => "STOP",
    }
}

fn gemini(text: &str, end: Option<&Told>) -> Value {
    let mut chunk = json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}], "modelVersion": "fake"});
    if let Some(told) = end {
        chunk["candidates"][0]["finishReason"] = reason(Spoken::Gemini, told).into();
        if told.usage {
            chunk["usageMetadata"] = json!({
                "promptTokenCount": told.input, "candidatesTokenCount": told.output,
                "totalTokenCount": told.input + told.output
            });
        }
    }
    chunk
}

fn ollama(text: &str, end: Option<&Told>) -> Value {
    let mut line = json!({
        "model": "fake", "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text}, "done": end.is_some()
    });
    if let Some(told) = end {
        line["done_reason"] = reason(Spoken::Ollama, told).into();
        if told.usage {
            line["prompt_eval_count"] = told.input.into();
            line["eval_count"] = told.output.into();
        }
    }
    line
}

/// The bytes of the answer as a stream. With [`Fault::NoEnd`] the end mark is missing, with [`Fault::ErrorEvent`] an
/// error stands in its place.
pub(super) fn stream(dialect: Spoken, told: &Told, fault: Option<&Fault>) -> Vec<u8> {
    let middle = told
        .text
        .char_indices()
        .nth(told.text.chars().count() / 2)
        .map_or(0, |(at, _)| at);
    let halves = [&told.text[..middle], &told.text[middle..]];
    let broken = matches!(fault, Some(Fault::NoEnd | Fault::ErrorEvent));
    let mut out = String::new();
    let mut event = |name: Option<&str>, data: &Value| match (dialect, name) {
        (Spoken::Ollama, _) => out.push_str(&format!("{data}\n")),
        (Spoken::Gemini, _) => out.push_str(&format!("data: {data}\r\n\r\n")),
        (_, Some(name)) => out.push_str(&format!("event: {name}\ndata: {data}\n\n")),
        (_, None) => out.push_str(&format!("data: {data}\n\n")),
    };
    match dialect {
        Spoken::OpenAi => {
            let chunk = |delta: Value, end: Option<&str>| {
                json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
            };
            event(None, &chunk(json!({"role": "assistant", "content": ""}), None));
            if told.reason == "refusal" {
                event(None, &chunk(json!({"refusal": "I cannot help with that."}), None));
            }
            for half in halves.into_iter().filter(|half| !half.is_empty()) {
                event(None, &chunk(json!({"content": half}), None));
            }
            if !broken {
                event(None, &chunk(json!({}), Some(reason(dialect, told))));
                if told.usage {
                    let mut last = chunk(json!({}), None);
                    last["choices"] = json!([]);
                    last["usage"] = openai_usage(told);
                    event(None, &last);
                }
            }
        }
        Spoken::Anthropic => {
            let mut start = json!({"type": "message_start", "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "fake", "content": [],
                "stop_reason": null, "stop_sequence": null,
                "usage": {"input_tokens": told.input, "output_tokens": 1}}});
            if !told.usage
                && let Some(message) = start["message"].as_object_mut()
            {
                message.remove("usage");
            }
            event(Some("message_start"), &start);
            let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
            event(Some("content_block_start"), &block);
            event(Some("ping"), &json!({"type": "ping"}));
            for half in halves.into_iter().filter(|half| !half.is_empty()) {
                let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": half}});
                event(Some("content_block_delta"), &delta);
            }
            if !broken {
                event(
                    Some("content_block_stop"),
                    &json!({"type": "content_block_stop", "index": 0}),
                );
                let mut delta = json!({"type": "message_delta", "delta": {"stop_reason": reason(dialect, told), "stop_sequence": null}});
                if told.usage {
                    delta["usage"] = json!({"output_tokens": told.output});
                }
                event(Some("message_delta"), &delta);
                event(Some("message_stop"), &json!({"type": "message_stop"}));
            }
        }
        Spoken::Gemini => {
            event(None, &gemini(halves[0], None));
            if !broken {
                event(None, &gemini(halves[1], Some(told)));
            }
        }
        Spoken::Ollama => {
            for half in halves.into_iter().filter(|half| !half.is_empty()) {
                event(None, &ollama(half, None));
            }
            if !broken {
                event(None, &ollama("", Some(told)));
            }
        }
    }
    if fault == Some(&Fault::ErrorEvent) {
        let status = if dialect == Spoken::Anthropic { 529 } else { 500 };
        event(Some("error"), &refuse::error(dialect, status, "It broke", None));
    }
    if dialect == Spoken::OpenAi && !broken {
        out.push_str("data: [DONE]\n\n");
    }
    out.into_bytes()
}
