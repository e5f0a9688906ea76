//! The rules of Stability's `v2beta` services.

use super::{Asked, Judged, Refusal, pictures};

const RATIOS: [&str; 9] = ["1:1", "2:3", "3:2", "4:5", "5:4", "9:16", "16:9", "9:21", "21:9"];

pub(super) fn judge(asked: &Asked) -> Judged {
    Judged {
        verdict: verdict(asked),
    }
}

fn verdict(asked: &Asked) -> Result<(u32, u32), Refusal> {
    let wrong = |message: &str| Err(Refusal::stability(400, "bad_request", message));
    let key = asked.header("authorization").unwrap_or_default();
    if !key.starts_with("Bearer ") || key.contains("wrong") {
        return Err(Refusal::stability(
            401,
            "unauthorized",
            "missing or invalid API key",
        ));
    }
    let service = asked.path.trim_start_matches("/v2beta/stable-image/generate/");
    if !["core", "ultra", "sd3"].contains(&service) {
        return Err(Refusal::stability(404, "not_found", "there is no such service"));
    }
    // Also a request without a file is a form.
    let content_type = asked.header("content-type").unwrap_or_default();
    if !content_type.starts_with("multipart/form-data") || asked.form.is_empty() {
        return wrong("content-type: must be multipart/form-data");
    }
    let accept = asked.header("accept").unwrap_or_default();
    if !["image/*", "application/json"].contains(&accept) {
        return wrong("accept: must be image/* or application/json");
    }
    let mut known = vec![
        "prompt",
        "negative_prompt",
        "seed",
        "output_format",
        "aspect_ratio",
        "style_preset",
    ];
    if service != "core" {
        known.extend(["image", "strength"]);
    }
    if service == "sd3" {
        known.extend(["model", "mode", "cfg_scale"]);
    }
    if let Some(field) = asked
        .form
        .iter()
        .find(|field| !known.contains(&field.name.as_str()))
    {
        return wrong(&format!("{}: is not a field of {service}", field.name));
    }
    if asked.field("prompt").is_empty() || asked.field("prompt").chars().count() > 10_000 {
        return wrong("prompt: must have 1 to 10000 characters");
    }
    let seed = asked.field("seed");
    if !seed.is_empty() && seed.parse::<u64>().map_or(true, |seed| seed > 4_294_967_294) {
        return wrong("seed: must be from 0 to 4294967294");
    }
    let models = ["", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium"];
    if !models.contains(&asked.field("model").as_str()) {
        return wrong("model: is not one of sd3.5-large, sd3.5-large-turbo, sd3.5-medium");
    }
    let image = asked.form.iter().find(|field| field.name == "image");
    if let Some(image) = image {
        if !pictures::media_type(&image.bytes).starts_with("image/") {
            return wrong("image: is not a picture");
        }
        if asked.field("strength").parse::<f64>().is_err() {
            return wrong("strength: is required beside image");
        }
        if service == "sd3" && asked.field("mode") != "image-to-image" {
            return wrong("mode: must be image-to-image beside image");
        }
    }
    let ratio = asked.field("aspect_ratio");
    if !ratio.is_empty() && (image.is_some() || !RATIOS.contains(&ratio.as_str())) {
        return wrong("aspect_ratio: is not one of the supported values, or stands beside image");
    }
    Ok(match ratio.as_str() {
        "16:9" => (1344, 768),
        "9:16" => (768, 1344),
        "2:3" => (832, 1248),
        "3:2" => (1248, 832),
        _ => (1024, 1024),
    })
}
