//! The rules of OpenAI's images API, as its Python client 3.57 describes them.

use serde_json::{Value, json};

use super::{Asked, Judged, Refusal, form::Field, pictures, size_of};

const PRESENT: [&str; 5] = [
    "gpt-image-2",
    "gpt-image-2.5-sunburst",
    "gpt-image-2.5-flare",
    "gpt-image-2.6-sunburst",
    "gpt-image-1-mini",
];
const RETIRED: [(&str, &str); 3] = [
    ("gpt-image-1", "has been shut down on October 23, 2026"),
    ("dall-e-3", "was retired on May 12, 2026"),
    ("dall-e-2", "was retired on May 12, 2026"),
];
const FIELDS: [&str; 12] = [
    "model",
    "prompt",
    "n",
    "size",
    "quality",
    "output_format",
    "output_compression",
    "background",
    "moderation",
    "user",
    "stream",
    "partial_images",
];
/// A mask must be smaller.
const MASK_BYTES: usize = 4 << 20;
/// A reference must be smaller.
const REFERENCE_BYTES: usize = 50 << 20;

pub(super) fn judge(asked: &Asked) -> Judged {
    Judged {
        verdict: verdict(asked),
    }
}

fn verdict(asked: &Asked) -> Result<(u32, u32), Refusal> {
    let key = asked.header("authorization").unwrap_or_default();
    if !key.starts_with("Bearer ") || key.contains("wrong") {
        return Err(Refusal::openai(
            401,
            "invalid_api_key",
            "Incorrect API key provided.",
        ));
    }
    match asked.path.as_str() {
        "/v1/images/generations" => {
            let Some(fields) = asked.json.as_object() else {
                return Err(Refusal::openai(
                    400,
                    "invalid_json",
                    "generations are asked for as JSON",
                ));
            };
            for name in fields.keys() {
                known(name, &[])?;
            }
            settings(&|name| plain(fields.get(name)))
        }
        "/v1/images/edits" => {
            if asked.form.is_empty() {
                return Err(Refusal::openai(
                    400,
                    "invalid_form",
                    "edits are asked for as a form",
                ));
            }
            for field in &asked.form {
                known(&field.name, &["image", "image[]", "mask", "input_fidelity"])?;
            }
            pictures_of(asked)?;
            settings(&|name| asked.field(name))
        }
        _ => Err(Refusal::openai(404, "unknown_url", "Unknown request URL")),
    }
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn known(name: &str, more: &[&str]) -> Result<(), Refusal> {
    if FIELDS.contains(&name) || more.contains(&name) {
        return Ok(());
    }
    Err(Refusal::openai(
        400,
        "unknown_parameter",
        &format!("Unknown parameter: '{name}'."),
    ))
}

fn settings(field: &dyn Fn(&str) -> String) -> Result<(u32, u32), Refusal> {
    let model = field("model");
    if let Some((_, how)) = RETIRED.iter().find(|(name, _)| *name == model) {
        let message = format!("The model `{model}` {how}.");
        return Err(Refusal::openai(404, "model_not_found", &message));
    }
    if !PRESENT.contains(&model.as_str()) {
        let message = format!("The model `{model}` does not exist.");
        return Err(Refusal::openai(404, "model_not_found", &message));
    }
    let wrong = |message: &str| Err(Refusal::openai(400, "invalid_value", message));
    if field("prompt").is_empty() || field("prompt").chars().count() > 32_000 {
        return wrong("prompt must have 1 to 32000 characters");
    }
    if !matches!(
        field("n").as_str(),
        "" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "10"
    ) {
        return wrong("n must be from 1 to 10");
    }
    if !matches!(field("quality").as_str(), "" | "auto" | "low" | "medium" | "high") {
        return wrong("quality is not one of auto, low, medium, high");
    }
    if !matches!(field("output_format").as_str(), "" | "png" | "jpeg" | "webp") {
        return wrong("output_format is not one of png, jpeg, webp");
    }
    let size = field("size");
    if matches!(size.as_str(), "" | "auto") {
        return Ok((1024, 1024));
    }
    let Some((width, height)) = size_of(&size) else {
        return wrong("size is not WIDTHxHEIGHT");
    };
    let fits = if model.starts_with("gpt-image-1") {
        [(1024, 1024), (1536, 1024), (1024, 1536)].contains(&(width, height))
    } else {
        let (long, short) = (width.max(height), width.min(height));
        width % 16 == 0
            && height % 16 == 0
            && long <= short * 3
            && u64::from(width) * u64::from(height) <= 8_294_400
    };
    if fits {
        Ok((width, height))
    } else {
        wrong("the size is not one that this model makes")
    }
}

/// References and mask of an edit.
fn pictures_of(asked: &Asked) -> Result<(), Refusal> {
    let wrong = |code: &str, message: &str| Err(Refusal::openai(400, code, message));
    let of = |names: &[&str]| -> Vec<&Field> {
        asked
            .form
            .iter()
            .filter(|field| names.contains(&field.name.as_str()))
            .collect()
    };
    let (images, masks) = (of(&["image", "image[]"]), of(&["mask"]));
    if images.is_empty() || images.len() > 16 {
        return wrong("invalid_image", "1 to 16 images are edited");
    }
    for image in &images {
        let kind = pictures::media_type(&image.bytes);
        if !["image/png", "image/jpeg", "image/webp"].contains(&kind) || image.bytes.len() >= REFERENCE_BYTES
        {
            return wrong(
                "invalid_image_file",
                "an image must be PNG, JPEG or WebP of less than 50MB",
            );
        }
        if image.media_type.as_deref() != Some(kind) {
            return wrong("invalid_image_file", "the media type is not that of the image");
        }
    }
    for mask in masks {
        if mask.bytes.len() >= MASK_BYTES {
            return wrong("image_too_large", "a mask must be smaller than 4MB");
        }
        let size = pictures::png_size(&mask.bytes);
        if size.is_none() || (pictures::png_size(&images[0].bytes).is_some_and(|first| Some(first) != size)) {
            return wrong(
                "invalid_mask",
                "a mask must be a PNG of the size of the first image",
            );
        }
    }
    Ok(())
}

/// An answer with this picture.
pub(super) fn answer(encoded: &str, asked: &Asked) -> Value {
    let images = asked
        .form
        .iter()
        .filter(|field| field.name.starts_with("image"))
        .count();
    json!({
        "created": 1_764_300_000, "background": "opaque", "output_format": "png", "quality": "medium",
        "size": "1024x1024", "data": [{"b64_json": encoded}],
        "usage": {
            "input_tokens": 20 + 300 * images, "output_tokens": 1056, "total_tokens": 1076 + 300 * images,
            "input_tokens_details": {"text_tokens": 20, "image_tokens": 300 * images},
        },
    })
}
