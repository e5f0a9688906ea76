//! OpenAI's images API: `generations` as JSON, `edits` as a form.

use app_core::{
    ToolResult, Usd,
    config::{ImageTokens, Price},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use web::{
    HttpMethod, Response,
    http::{Form, Request as HttpRequest},
};

use super::{
    Ask, Charge, Fit, Remote, Sent, Target, Verdict, Whereabouts,
    answer::{self, by_status, no_credit, no_picture, no_such_model, none, picture, refused, unreadable},
    sizes,
};
use crate::provider::Provider;

/// Codes that mean: not this picture.
const REFUSALS: [&str; 4] = [
    "moderation_blocked",
    "content_policy_violation",
    "content_filter",
    "safety_violation",
];
/// Codes that mean: no money.
const NO_CREDIT: [&str; 3] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
];
/// Sizes of the first generation of models.
const FIRST_SIZES: [(u32, u32); 3] = [(1024, 1024), (1536, 1024), (1024, 1536)];
/// Most references of an edit.
const MOST_REFERENCES: usize = 16;
/// A mask must be smaller than this.
const MASK_BYTES: usize = 4 << 20;
/// Most tokens that one reference is counted as.
const REFERENCE_TOKENS: u64 = 7_000;

/// OpenAI, and servers that speak its images API.
#[derive(Debug)]
pub struct OpenAi;

impl Remote for OpenAi {
    fn provider(&self) -> Provider {
        Provider::Openai
    }

    fn usual_model(&self) -> &'static str {
        "gpt-image-2"
    }

    fn models(&self) -> &'static [&'static str] {
        &["gpt-image-2", "gpt-image-2.6-sunburst", "gpt-image-1-mini"]
    }

    fn usual_base(&self) -> &'static str {
        "https://api.openai.com"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["OPENAI_API_KEY"]
    }

    fn fit(&self, ask: &Ask, model: &str, own: &[(u32, u32)]) -> Result<Fit, String> {
        if ask.references.len() > MOST_REFERENCES {
            return Err(format!("takes at most {MOST_REFERENCES} references"));
        }
        if let Some(mask) = &ask.mask {
            mask.fits(ask.references.first(), MASK_BYTES)?;
        }
        let shape = if !own.is_empty() {
            sizes::nearest(ask.size, own)
        } else if model.starts_with("gpt-image-1") {
            sizes::nearest(ask.size, &FIRST_SIZES)
        } else {
            sizes::in_steps(ask.size, 16, (655_360, 3_686_400), 3.0)
        };
        let mut notes: Vec<String> = shape.note(ask.size).into_iter().collect();
        if ask.seed.is_some() {
            notes.push("knows no seed: it is left out".to_owned());
        }
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
            // No token is shorter than a byte.
            text: ask.prompt.len() as u64 + 100,
            image: (ask.references.len() + usize::from(ask.mask.is_some())) as u64 * REFERENCE_TOKENS,
            output: 0,
        }
    }

    fn request<'a>(&self, to: Target<'a>, ask: &Ask, fit: &Fit) -> ToolResult<HttpRequest<'a>> {
        let size = fit.shape.to_string();
        let path = if ask.references.is_empty() {
            "generations"
        } else {
            "edits"
        };
        let url = format!("{}/v1/images/{path}", to.base);
        let mut request = to.http.request(HttpMethod::POST, &url)?;
        if let Some(key) = to.key {
            request = request.bearer(key)?;
        }
        if ask.references.is_empty() {
            return request.json(&json!({
                "model": to.model, "prompt": ask.prompt, "size": size, "n": 1,
                "quality": ask.quality.name(), "output_format": "png",
            }));
        }
        let mut form = Form::default()
            .text("model", to.model)
            .text("prompt", &ask.prompt)
            .text("size", size)
            .text("n", "1")
            .text("quality", ask.quality.name())
            .text("output_format", "png");
        for reference in &ask.references {
            form = reference.add_to(form, "image[]");
        }
        if let Some(mask) = &ask.mask {
            form = mask.add_to(form, "mask");
        }
        request.multipart(&form)
    }

    fn read(&self, answer: &Response, price: &Price) -> Verdict {
        let body = answer::json(answer);
        let mut verdict = if answer.is_success() {
            success(body.as_ref(), price)
        } else {
            failure(answer, body.as_ref())
        };
        verdict.usage = body.as_ref().and_then(|body| body.get("usage")).cloned();
        verdict.request_id = answer::header(answer, &["x-request-id"]);
        verdict
    }
}

fn success(body: Option<&Value>, price: &Price) -> Verdict {
    let us = Provider::Openai;
    let Some(body) = body.filter(|body| body.is_object()) else {
        return unreadable(us, "it is not JSON");
    };
    let first = body.pointer("/data/0");
    let text = |key: &str| first.and_then(|first| first.get(key)).and_then(Value::as_str);
    let charge = |delivered: bool| charge(body.get("usage"), price, delivered);
    if let Some(encoded) = text("b64_json") {
        let Ok(bytes) = STANDARD.decode(encoded.trim()) else {
            return unreadable(us, "the picture is not base64");
        };
        let file = Whereabouts::Bytes(bytes);
        return picture(Sent { file, seed: None }, charge(true));
    }
    match text("url") {
        Some(url) => {
            let file = Whereabouts::At(url.to_owned());
            picture(Sent { file, seed: None }, charge(true))
        }
        None => none(no_picture(us, "", ""), charge(false)),
    }
}

/// What the answer cost by its usage, else by the piece.
fn charge(usage: Option<&Value>, price: &Price, delivered: bool) -> Charge {
    let count = |path: &str| {
        usage
            .and_then(|usage| usage.pointer(path))
            .and_then(Value::as_u64)
    };
    if !price.charges_tokens() {
        return Charge::Known(price.per_image.filter(|_| delivered).unwrap_or(Usd::ZERO));
    }
    let (Some(input), Some(output)) = (count("/input_tokens"), count("/output_tokens")) else {
        return Charge::Unknown;
    };
    let image = count("/input_tokens_details/image_tokens").unwrap_or(0);
    Charge::Known(price.image_tokens(ImageTokens {
        text: input.saturating_sub(image),
        image,
        output,
    }))
}

fn failure(answer: &Response, body: Option<&Value>) -> Verdict {
    let us = Provider::Openai;
    let text = |path: &str| {
        body.and_then(|body| body.pointer(path))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (code, said) = (text("/error/code"), text("/error/message"));
    if REFUSALS.contains(&code) {
        return none(refused(us, code, said), Charge::Nothing);
    }
    if NO_CREDIT.contains(&code) {
        return none(no_credit(us, said), Charge::Nothing);
    }
    if code == "model_not_found" {
        return none(no_such_model(us, said), Charge::Nothing);
    }
    by_status(us, answer, said)
}
