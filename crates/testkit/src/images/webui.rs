//! The rules of AUTOMATIC1111's API.

use serde_json::{Value, json};

use super::{Asked, Judged, Refusal};

pub(super) fn judge(asked: &Asked) -> Judged {
    Judged {
        verdict: verdict(asked),
    }
}

fn verdict(asked: &Asked) -> Result<(u32, u32), Refusal> {
    let wrong = |message: &str| {
        Err(Refusal {
            status: 422,
            body: json!({"detail": message}),
            why: message.to_owned(),
        })
    };
    let Some(body) = asked.json.as_object() else {
        return wrong("the body is not JSON");
    };
    let known = [
        "prompt",
        "negative_prompt",
        "width",
        "height",
        "batch_size",
        "n_iter",
        "seed",
        "steps",
        "cfg_scale",
        "init_images",
        "denoising_strength",
        "mask",
        "override_settings",
    ];
    if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return wrong(&format!("{name} is not a field"));
    }
    let from_image = asked.path.ends_with("/img2img");
    if !from_image && !asked.path.ends_with("/txt2img") {
        return wrong("there is no such method");
    }
    if from_image
        && body
            .get("init_images")
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty)
    {
        return wrong("Init image not found");
    }
    let side = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or(512);
    let (width, height) = (side("width"), side("height"));
    if width % 8 != 0 || height % 8 != 0 || !(64..=2048).contains(&width) || !(64..=2048).contains(&height) {
        return wrong("width and height must be multiples of 8 from 64 to 2048");
    }
    Ok((width as u32, height as u32))
}
