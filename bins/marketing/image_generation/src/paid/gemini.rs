//! Google Gemini's `generateContent` with text and picture as the answer.

use app_core::{
    ToolResult,
    config::{ImageTokens, Price},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use web::{HttpMethod, Response, http::Request as HttpRequest};

use super::{
    Ask, Charge, Fit, Remote, Sent, Target, Verdict, Whereabouts,
    answer::{self, by_status, no_picture, no_such_model, none, picture, refused, unreadable},
    sizes,
};
use crate::provider::Provider;

/// Reasons for which an answer ends that mean: not this picture.
const REFUSALS: [&str; 8] = [
    "SAFETY",
    "IMAGE_SAFETY",
    "PROHIBITED_CONTENT",
    "IMAGE_PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
    "RECITATION",
    "IMAGE_RECITATION",
];
/// What `imageConfig.aspectRatio` may say.
const RATIOS: [(u32, u32); 10] = [
    (1, 1),
    (2, 3),
    (3, 2),
    (3, 4),
    (4, 3),
    (4, 5),
    (5, 4),
    (9, 16),
    (16, 9),
    (21, 9),
];
/// Most references of a request.
const MOST_REFERENCES: usize = 14;
/// Most tokens that one reference is counted as.
const REFERENCE_TOKENS: u64 = 3_000;
/// Tokens of thoughts and words beside the picture that are set aside for.
const BESIDE: u64 = 4_096;

/// Google Gemini.
#[derive(Debug)]
pub struct Gemini;

impl Remote for Gemini {
    fn provider(&self) -> Provider {
        Provider::Gemini
    }

    fn usual_model(&self) -> &'static str {
        "gemini-3.1-flash-image"
    }

    fn models(&self) -> &'static [&'static str] {
        &["gemini-3.1-flash-image", "gemini-3-pro-image"]
    }

    fn usual_base(&self) -> &'static str {
        "https://generativelanguage.googleapis.com"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["GEMINI_API_KEY", "GOOGLE_API_KEY"]
    }

    fn priced_as<'a>(&self, model: &'a str) -> &'a str {
        model.strip_prefix("models/").unwrap_or(model)
    }

    fn fit(&self, ask: &Ask, _: &str, own: &[(u32, u32)]) -> Result<Fit, String> {
        if ask.references.len() > MOST_REFERENCES {
            return Err(format!("takes at most {MOST_REFERENCES} references"));
        }
        if ask.mask.is_some() {
            return Err("takes no mask".to_owned());
        }
        if ask.seed.is_some_and(|seed| i32::try_from(seed).is_err()) {
            return Err(format!("takes seeds up to {}", i32::MAX));
        }
        let shape = sizes::ratio(ask.size, if own.is_empty() { &RATIOS } else { own }, 1024);
        let mut notes: Vec<String> = shape.note(ask.size).into_iter().collect();
        if ask.negative_prompt.is_some() {
            notes.push("knows no negative prompt: it is left out".to_owned());
        }
        if ask.strength.is_some() && !ask.references.is_empty() {
            notes.push("knows no strength: it is left out".to_owned());
        }
        Ok(Fit { shape, notes })
    }

    fn most_tokens(&self, ask: &Ask) -> ImageTokens {
        ImageTokens {
            text: ask.prompt.len() as u64 + 100,
            image: ask.references.len() as u64 * REFERENCE_TOKENS,
            output: BESIDE,
        }
    }

    fn request<'a>(&self, to: Target<'a>, ask: &Ask, fit: &Fit) -> ToolResult<HttpRequest<'a>> {
        let url = format!(
            "{}/v1/models/{}:generateContent",
            to.base,
            self.priced_as(to.model)
        );
        let mut request = to.http.request(HttpMethod::POST, &url)?;
        if let Some(key) = to.key {
            request = request.secret_header("x-goog-api-key", key)?;
        }
        let mut parts: Vec<Value> = ask
            .references
            .iter()
            .map(|reference| {
                let data = STANDARD.encode(&reference.bytes);
                json!({"inlineData": {"mimeType": reference.media_type(), "data": data}})
            })
            .collect();
        parts.push(json!({"text": ask.prompt}));
        let mut settings = json!({
            // Words are asked for too: without them nobody learns why there is no picture.
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": fit.shape.to_string()},
        });
        if let Some(seed) = ask.seed {
            settings["seed"] = json!(seed);
        }
        request.json(&json!({
            "contents": [{"role": "user", "parts": parts}],
            "generationConfig": settings,
        }))
    }

    fn read(&self, answer: &Response, price: &Price) -> Verdict {
        let body = answer::json(answer);
        let mut verdict = if answer.is_success() {
            success(body.as_ref(), price)
        } else {
            failure(answer, body.as_ref())
        };
        let whole = body.as_ref();
        verdict.usage = whole.and_then(|body| body.get("usageMetadata")).cloned();
        verdict.request_id = whole
            .and_then(|body| body.get("responseId"))
            .and_then(Value::as_str)
            .map(answer::words);
        verdict
    }
}

fn success(body: Option<&Value>, price: &Price) -> Verdict {
    let us = Provider::Gemini;
    let Some(body) = body.filter(|body| body.is_object()) else {
        return unreadable(us, "it is not JSON");
    };
    if let Some(reason) = body
        .pointer("/promptFeedback/blockReason")
        .and_then(Value::as_str)
    {
        // Stopped at the door: no model has seen it.
        return none(refused(us, reason, ""), Charge::Nothing);
    }
    let parts = body
        .pointer("/candidates/0/content/parts")
        .and_then(Value::as_array);
    let parts = || parts.into_iter().flatten();
    let is_thought = |part: &&Value| part.get("thought").and_then(Value::as_bool).unwrap_or(false);
    let data = |part: &Value| -> Option<String> {
        let inline = part.get("inlineData").or_else(|| part.get("inline_data"))?;
        inline.get("data").and_then(Value::as_str).map(str::to_owned)
    };
    // The last picture is the result; those in thoughts are drafts, and count only where there is no other.
    let last = parts()
        .filter(|part| !is_thought(part))
        .filter_map(data)
        .next_back();
    let found = last.or_else(|| parts().filter_map(data).next_back());
    if let Some(encoded) = found {
        let Ok(bytes) = STANDARD.decode(encoded.trim()) else {
            return unreadable(us, "the picture is not base64");
        };
        let sent = Sent {
            file: Whereabouts::Bytes(bytes),
            seed: None,
        };
        return picture(sent, charge(body, price, true));
    }
    let reason = body
        .pointer("/candidates/0/finishReason")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let said: Vec<&str> = parts()
        .filter(|part| !is_thought(part))
        .filter_map(|part| part.get("text").and_then(Value::as_str))
        .collect();
    let trouble = if REFUSALS.contains(&reason) {
        refused(us, reason, &said.join(" "))
    } else {
        no_picture(us, reason, &said.join(" "))
    };
    none(trouble, charge(body, price, false))
}

/// The picture by the piece, the words by their tokens.
fn charge(body: &Value, price: &Price, delivered: bool) -> Charge {
    let piece = price.per_image.filter(|_| delivered).unwrap_or_default();
    let Some(usage) = body.get("usageMetadata") else {
        // Only the model was reached for nothing, or it is not told what it read.
        return Charge::Estimated(piece);
    };
    let count = |key: &str| usage.get(key).and_then(Value::as_u64).unwrap_or(0);
    let details = usage.get("candidatesTokensDetails").and_then(Value::as_array);
    let words: u64 = match details {
        Some(details) => details
            .iter()
            .filter(|entry| entry.get("modality").is_some_and(|modality| modality == "TEXT"))
            .filter_map(|entry| entry.get("tokenCount").and_then(Value::as_u64))
            .sum(),
        // Without details they are all the picture's, if there is one.
        None if delivered => 0,
        None => count("candidatesTokenCount"),
    };
    let tokens = price.image_tokens(ImageTokens {
        text: count("promptTokenCount"),
        image: 0,
        output: words.saturating_add(count("thoughtsTokenCount")),
    });
    Charge::Known(piece + tokens)
}

fn failure(answer: &Response, body: Option<&Value>) -> Verdict {
    let said = body
        .and_then(|body| body.pointer("/error/message"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    if answer.status == 404 {
        return none(no_such_model(Provider::Gemini, said), Charge::Nothing);
    }
    let wrong_key = body
        .and_then(|body| body.pointer("/error/details"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|detail| {
            detail
                .get("reason")
                .is_some_and(|reason| reason == "API_KEY_INVALID")
        });
    let mut verdict = by_status(Provider::Gemini, answer, said);
    if wrong_key && let Err(trouble) = &mut verdict.result {
        // Google answers 400 for it.
        trouble.kind = super::TroubleKind::Unauthorised;
        trouble.error.kind = app_core::ErrorKind::Unauthorised;
        trouble.error.code = "unauthorised".to_owned();
    }
    verdict
}
