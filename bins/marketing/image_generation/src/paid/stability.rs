//! Stability AI, `v2beta`: always a form, the picture itself as the answer, the verdict in a header.

use app_core::{
    ToolResult,
    config::{ImageTokens, Price},
};
use serde_json::Value;
use web::{
    HttpMethod, Response,
    http::{Form, Request as HttpRequest},
};

use super::{
    Ask, Charge, Fit, Remote, Sent, Target, Verdict, Whereabouts,
    answer::{self, by_status, none, picture, refused, unreadable},
    sizes,
};
use crate::provider::Provider;

/// What `aspect_ratio` may say.
const RATIOS: [(u32, u32); 9] = [
    (1, 1),
    (2, 3),
    (3, 2),
    (4, 5),
    (5, 4),
    (9, 16),
    (16, 9),
    (9, 21),
    (21, 9),
];
/// Largest seed.
const LARGEST_SEED: u64 = 4_294_967_294;
/// How far a picture may go from its reference where nobody says.
const STRENGTH: f64 = 0.6;

/// Stability AI.
#[derive(Debug)]
pub struct Stability;

/// Last part of the address for a model.
fn service(model: &str) -> &'static str {
    match model {
        "stable-image-core" => "core",
        "stable-image-ultra" => "ultra",
        _ => "sd3",
    }
}

impl Remote for Stability {
    fn provider(&self) -> Provider {
        Provider::Stability
    }

    fn usual_model(&self) -> &'static str {
        "stable-image-core"
    }

    fn models(&self) -> &'static [&'static str] {
        &[
            "stable-image-core",
            "stable-image-ultra",
            "sd3.5-large",
            "sd3.5-large-turbo",
            "sd3.5-medium",
        ]
    }

    fn usual_base(&self) -> &'static str {
        "https://api.stability.ai"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["STABILITY_API_KEY"]
    }

    fn fit(&self, ask: &Ask, model: &str, own: &[(u32, u32)]) -> Result<Fit, String> {
        if ask.mask.is_some() {
            return Err("takes no mask".to_owned());
        }
        match ask.references.len() {
            1 if service(model) == "core" => return Err(format!("takes no reference with `{model}`")),
            0 | 1 => {}
            _ => return Err("takes one reference".to_owned()),
        }
        if ask.seed.is_some_and(|seed| seed > LARGEST_SEED) {
            return Err(format!("takes seeds up to {LARGEST_SEED}"));
        }
        let edge = if service(model) == "core" { 1536 } else { 1024 };
        let shape = sizes::ratio(ask.size, if own.is_empty() { &RATIOS } else { own }, edge);
        let notes = if ask.references.is_empty() {
            shape.note(ask.size)
        } else {
            Some("keeps the shape of the reference".to_owned())
        };
        Ok(Fit {
            shape,
            notes: notes.into_iter().collect(),
        })
    }

    fn most_tokens(&self, _: &Ask) -> ImageTokens {
        ImageTokens::default()
    }

    fn request<'a>(&self, to: Target<'a>, ask: &Ask, fit: &Fit) -> ToolResult<HttpRequest<'a>> {
        let service = service(to.model);
        let url = format!("{}/v2beta/stable-image/generate/{service}", to.base);
        let mut request = to
            .http
            .request(HttpMethod::POST, &url)?
            .header("accept", "image/*")?;
        if let Some(key) = to.key {
            request = request.bearer(key)?;
        }
        let mut form = Form::default()
            .text("prompt", &ask.prompt)
            .text("output_format", "png");
        if service == "sd3" {
            form = form.text("model", to.model);
        }
        if let Some(negative) = &ask.negative_prompt {
            form = form.text("negative_prompt", negative);
        }
        if let Some(seed) = ask.seed {
            form = form.text("seed", seed.to_string());
        }
        match ask.references.first() {
            None => form = form.text("aspect_ratio", fit.shape.to_string()),
            Some(reference) => {
                if service == "sd3" {
                    form = form.text("mode", "image-to-image");
                }
                let strength = ask.strength.unwrap_or(STRENGTH);
                form = reference.add_to(form.text("strength", strength.to_string()), "image");
            }
        }
        request.multipart(&form)
    }

    fn read(&self, answer: &Response, price: &Price) -> Verdict {
        let mut verdict = if answer.is_success() {
            success(answer, price)
        } else {
            failure(answer)
        };
        verdict.request_id = answer::header(answer, &["x-request-id"]);
        verdict
    }
}

fn success(answer: &Response, price: &Price) -> Verdict {
    let us = Provider::Stability;
    let piece = Charge::Known(price.per_image.unwrap_or_default());
    let reason = answer.header("finish-reason").unwrap_or("SUCCESS").trim();
    if reason.eq_ignore_ascii_case("CONTENT_FILTERED") {
        // What came is blurred; it is not kept.
        let charge = if price.filtered_is_free {
            Charge::Nothing
        } else {
            piece
        };
        return none(refused(us, reason, ""), charge);
    }
    if !reason.eq_ignore_ascii_case("SUCCESS") {
        return none(answer::no_picture(us, reason, ""), piece);
    }
    if !answer.media_type().starts_with("image/") {
        return unreadable(
            us,
            &format!("it is `{}`, no picture", answer::words(&answer.media_type())),
        );
    }
    let sent = Sent {
        file: Whereabouts::Bytes(answer.body.clone()),
        seed: answer.header("seed").and_then(|seed| seed.trim().parse().ok()),
    };
    picture(sent, piece)
}

fn failure(answer: &Response) -> Verdict {
    let body = answer::json(answer).unwrap_or_default();
    let errors = body.get("errors").and_then(Value::as_array);
    let said: Vec<&str> = errors.into_iter().flatten().filter_map(Value::as_str).collect();
    let said = said.join("; ");
    match body.get("name").and_then(Value::as_str) {
        Some(name @ ("content_moderation" | "content_filtered")) => {
            none(refused(Provider::Stability, name, &said), Charge::Nothing)
        }
        _ => by_status(Provider::Stability, answer, &said),
    }
}
