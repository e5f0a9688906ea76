//! The rules of Gemini's `generateContent` for pictures, as google-genai 3.6 describes it.

use serde_json::{Value, json};

use super::{Asked, Judged, Refusal};

const PRESENT: [&str; 2] = ["gemini-3.1-flash-image", "gemini-3-pro-image"];
const RATIOS: [&str; 10] = [
    "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9",
];

pub(super) fn judge(asked: &Asked) -> Judged {
    Judged {
        verdict: verdict(asked),
    }
}

fn verdict(asked: &Asked) -> Result<(u32, u32), Refusal> {
    let wrong = |message: &str| Err(Refusal::google(400, "INVALID", message));
    let key = asked.header("x-goog-api-key").unwrap_or_default();
    if key.is_empty() || key.contains("wrong") {
        return Err(Refusal::google(400, "API_KEY_INVALID", "API key not valid."));
    }
    // The client of 3.6 asks `v1`; `v1beta` is what those before it asked.
    let name = asked
        .path
        .trim_start_matches("/v1beta/models/")
        .trim_start_matches("/v1/models/");
    let Some(model) = name.strip_suffix(":generateContent") else {
        return Err(Refusal::google(404, "NOT_FOUND", "there is no such method"));
    };
    if !PRESENT.contains(&model) {
        let message = format!("models/{model} is not found for API version v1beta");
        return Err(Refusal::google(404, "NOT_FOUND", &message));
    }
    let Some(body) = asked.json.as_object() else {
        return wrong("the body is not JSON");
    };
    let known = [
        "contents",
        "generationConfig",
        "safetySettings",
        "systemInstruction",
    ];
    if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return wrong(&format!("Unknown name \"{name}\""));
    }
    let parts = asked.json.pointer("/contents/0/parts").and_then(Value::as_array);
    let Some(parts) = parts.filter(|parts| parts.iter().any(|part| part["text"].is_string())) else {
        return wrong("there is no text in the first content");
    };
    for part in parts {
        let kind = part["inlineData"]["mimeType"].as_str();
        if kind.is_some_and(|kind| !["image/png", "image/jpeg", "image/webp"].contains(&kind)) {
            return wrong("Unsupported MIME type");
        }
    }
    let modalities = asked.json.pointer("/generationConfig/responseModalities");
    let modalities: Vec<&str> = modalities
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !modalities.contains(&"IMAGE") || !modalities.contains(&"TEXT") {
        return wrong("the response modalities must be TEXT and IMAGE");
    }
    let seed = asked
        .json
        .pointer("/generationConfig/seed")
        .and_then(Value::as_i64);
    if seed.is_some_and(|seed| i32::try_from(seed).is_err()) {
        return wrong("seed is not a 32-bit number");
    }
    let ratio = asked.json.pointer("/generationConfig/imageConfig/aspectRatio");
    match ratio.and_then(Value::as_str) {
        None => Ok((1024, 1024)),
        Some(ratio) if RATIOS.contains(&ratio) => Ok(pixels(ratio)),
        Some(_) => wrong("aspect_ratio is not one of the supported values"),
    }
}

fn pixels(ratio: &str) -> (u32, u32) {
    match ratio {
        "16:9" => (1344, 768),
        "9:16" => (768, 1344),
        "2:3" => (832, 1248),
        "3:2" => (1248, 832),
        _ => (1024, 1024),
    }
}

/// An answer with this picture.
pub(super) fn answer(encoded: &str, media_type: &str) -> Value {
    json!({
        "candidates": [{
            "index": 0, "finishReason": "STOP",
            "content": {"role": "model", "parts": [
                {"text": "Here it is."}, {"inlineData": {"mimeType": media_type, "data": encoded}},
            ]},
        }],
        "usageMetadata": {
            "promptTokenCount": 12, "candidatesTokenCount": 1124, "thoughtsTokenCount": 100, "totalTokenCount": 1236,
            "candidatesTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 1120}, {"modality": "TEXT", "tokenCount": 4},
            ],
        },
        "modelVersion": "fake", "responseId": "resp-1",
    })
}
