//! Calls of the replaced functions: `generate_image` and `humanize_image`.

use std::path::Path;

use app_core::{ErrorKind, ToolError};
use raster::{Limits, decode};
use serde_json::{Value, json};

/// Pictures up to this many pixels are answered with their values, as before.
const SHOWN: u32 = 1024;
/// Where the old function left its result.
const HUMANIZED: &str = "humanized.png";

/// The old parameters as this tool's input.
pub fn input(call: &Value) -> Result<Value, Value> {
    let text = |key: &str| call.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    if is_humanize(call) {
        let Some(image) = text("input") else {
            return Err(json!({"error": "invalid_input", "message": "input is required"}));
        };
        let mut new = json!({
            "action": "humanize", "image": image, "output": HUMANIZED, "alpha": true,
            "noise": text("noise").unwrap_or("seed"),
        });
        if new["noise"] == "file" {
            new["noise_file"] = json!(text("noise_file").unwrap_or("noise.json"));
        } else if let Some(seed) = call.get("seed") {
            new["seed"] = seed.clone();
        }
        return Ok(new);
    }
    let Some(prompt) = text("prompt") else {
        return Err(json!({"status": "error", "message": "prompt is required."}));
    };
    // A reference goes to Gemini; else Stability is asked, and Gemini whenever that fails.
    let providers = if text("reference_image_path").is_some() {
        "gemini"
    } else {
        "stability,gemini"
    };
    let mut new = json!({
        "action": "generate", "prompt": prompt, "providers": providers, "as_before": true,
        "skip_unconfigured": true, "fallback_on_refusal": true, "fallback_on_unconfirmed": true,
    });
    for (old, key) in [
        ("campaign_dir", "output_dir"),
        ("reference_image_path", "reference"),
    ] {
        if let Some(value) = text(old) {
            new[key] = json!(value);
        }
    }
    Ok(new)
}

fn is_humanize(call: &Value) -> bool {
    call.get("function").is_some_and(|f| f == "humanize_image") || call.get("input").is_some()
}

/// The old answer: facts about the picture, or its path.
pub fn answer(call: &Value, outcome: Result<&Path, &ToolError>) -> Value {
    match outcome {
        Ok(path) if is_humanize(call) => facts(path).unwrap_or_else(|error| failure(&error)),
        Ok(path) => json!({"status": "success", "result": path}),
        Err(error) if is_humanize(call) => failure(error),
        Err(error) => json!({"status": "error", "message": sentence(error)}),
    }
}

/// The sentence of the replaced function for a failure, where it had one. It is never answered as a path.
fn sentence(error: &ToolError) -> String {
    let reason = match error.code.as_str() {
        "missing_secret" => "API key not set.",
        "no_picture" => "No image data.",
        "not_found" => "Reference image not found.",
        _ if error.kind == ErrorKind::BudgetExceeded => "Budget limit reached.",
        _ if error.field_paths.iter().any(|path| path == "reference") => "Could not open reference image.",
        _ => error.message.as_str(),
    };
    format!("Gemini image generation failed: {reason}")
}

fn failure(error: &ToolError) -> Value {
    json!({"error": error.code, "message": error.message})
}

fn facts(path: &Path) -> Result<Value, ToolError> {
    let bytes = std::fs::read(path).map_err(|e| ToolError::file("read", path, &e))?;
    let picture = decode(&bytes, &path.display().to_string(), &Limits::default())?;
    let mode = if picture.pixels.has_alpha() { "RGBA" } else { "RGB" };
    let image = picture.pixels.into_rgba();
    let alpha_min = image.pixels().map(|p| p[3]).min().unwrap_or(255);
    let (width, height) = image.dimensions();
    let count = f64::from(width) * f64::from(height);
    let mean: Vec<f64> = (0..3)
        .map(|channel| {
            let sum: u64 = image.pixels().map(|p| u64::from(p[channel])).sum();
            (sum as f64 / count * 1e4).round() / 1e4
        })
        .collect();
    let rows = (width * height <= SHOWN).then(|| -> Vec<Vec<[u8; 3]>> {
        image
            .rows()
            .map(|row| row.map(|p| [p[0], p[1], p[2]]).collect())
            .collect()
    });
    Ok(json!({"ok": {
        "format": "PNG", "mode": mode, "width": width, "height": height,
        "alpha_min": alpha_min, "mean_rgb": mean, "rows_rgb": rows,
    }}))
}
