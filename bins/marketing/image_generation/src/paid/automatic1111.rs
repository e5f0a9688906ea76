//! The API of AUTOMATIC1111's web UI for Stable Diffusion.

use app_core::{
    ToolResult,
    config::{ImageTokens, Price},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use web::{HttpMethod, Response, http::Request as HttpRequest};

use super::{
    Ask, Charge, Fit, Remote, Sent, Target, Verdict, Whereabouts,
    answer::{self, by_status, no_picture, none, picture, unreadable},
    sizes,
};
use crate::provider::Provider;

/// How far a picture may go from its reference where nobody says.
const STRENGTH: f64 = 0.6;

/// A web UI for Stable Diffusion, usually on this machine.
#[derive(Debug)]
pub struct Automatic1111;

impl Remote for Automatic1111 {
    fn provider(&self) -> Provider {
        Provider::Automatic1111
    }

    fn usual_model(&self) -> &'static str {
        LOADED
    }

    fn models(&self) -> &'static [&'static str] {
        &[LOADED]
    }

    fn usual_base(&self) -> &'static str {
        "http://127.0.0.1:7860"
    }

    fn keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// Its checkpoints are files of the user's; the price is the machine's.
    fn priced_as<'a>(&self, _: &'a str) -> &'a str {
        "automatic1111"
    }

    fn fit(&self, ask: &Ask, _: &str, own: &[(u32, u32)]) -> Result<Fit, String> {
        if ask.references.len() > 1 {
            return Err("takes one reference".to_owned());
        }
        if let Some(mask) = &ask.mask {
            mask.fits(ask.references.first(), usize::MAX)?;
        }
        if ask.seed.is_some_and(|seed| i64::try_from(seed).is_err()) {
            return Err(format!("takes seeds up to {}", i64::MAX));
        }
        let shape = if own.is_empty() {
            sizes::in_steps(ask.size, 8, (64 * 64, 2048 * 2048), 16.0)
        } else {
            sizes::nearest(ask.size, own)
        };
        Ok(Fit {
            notes: shape.note(ask.size).into_iter().collect(),
            shape,
        })
    }

    fn most_tokens(&self, _: &Ask) -> ImageTokens {
        ImageTokens::default()
    }

    fn request<'a>(&self, to: Target<'a>, ask: &Ask, fit: &Fit) -> ToolResult<HttpRequest<'a>> {
        let (width, height) = fit.shape.pixels();
        let mut body = json!({
            "prompt": ask.prompt, "negative_prompt": ask.negative_prompt.as_deref().unwrap_or_default(),
            "width": width, "height": height, "batch_size": 1, "n_iter": 1,
            "seed": ask.seed.map_or(json!(-1), |seed| json!(seed)),
        });
        if to.model != LOADED {
            body["override_settings"] = json!({"sd_model_checkpoint": to.model});
        }
        let mut path = "txt2img";
        if let Some(reference) = ask.references.first() {
            path = "img2img";
            body["init_images"] = json!([reference.data_address()]);
            body["denoising_strength"] = json!(ask.strength.unwrap_or(STRENGTH));
            if let Some(mask) = &ask.mask {
                body["mask"] = json!(mask.data_address());
            }
        }
        let request = to
            .http
            .request(HttpMethod::POST, &format!("{}/sdapi/v1/{path}", to.base))?;
        request.json(&body)
    }

    fn read(&self, answer: &Response, price: &Price) -> Verdict {
        let us = Provider::Automatic1111;
        let body = answer::json(answer);
        if !answer.is_success() {
            let said = body.as_ref().and_then(|body| {
                let keys = ["detail", "errors", "error"];
                keys.iter().find_map(|key| body.get(key).and_then(Value::as_str))
            });
            return by_status(us, answer, said.unwrap_or_default());
        }
        let Some(body) = body.filter(Value::is_object) else {
            return unreadable(us, "it is not JSON");
        };
        let piece = Charge::Known(price.per_image.unwrap_or_default());
        let Some(encoded) = body.pointer("/images/0").and_then(Value::as_str) else {
            return none(no_picture(us, "", ""), piece);
        };
        let encoded = encoded.split_once("base64,").map_or(encoded, |(_, data)| data);
        let Ok(bytes) = STANDARD.decode(encoded.trim()) else {
            return unreadable(us, "the picture is not base64");
        };
        let info = body.get("info").and_then(Value::as_str).unwrap_or_default();
        let info: Value = serde_json::from_str(info).unwrap_or_default();
        let sent = Sent {
            file: Whereabouts::Bytes(bytes),
            seed: info.get("seed").and_then(Value::as_u64),
        };
        picture(sent, piece)
    }
}

/// Stands for the checkpoint that is loaded there.
const LOADED: &str = "loaded";
