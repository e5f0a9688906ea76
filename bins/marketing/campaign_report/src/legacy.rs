//! Calls of the replaced functions: `{post, spec, goal, image_path, pdf?}`, answered with one entry per file.

use app_core::ToolError;
use serde_json::{Value, json};

use crate::Output;

/// Folder the replaced functions were called with.
const FOLDER: &str = "camp";

/// Turns an old call into this tool's input.
pub fn from_legacy(call: &Value) -> Result<Value, Value> {
    let Some(post) = call.get("post").filter(|post| post.is_object()) else {
        return Err(json!([{"error": "ValidationError", "message": "a post is required"}]));
    };
    let folder = call.get("campaign_dir").and_then(Value::as_str).unwrap_or(FOLDER);
    let mut input = json!({
        "action": "post",
        "campaign_dir": folder,
        "post": post,
        "spec": call.get("spec"),
        "embed": "relative",
        "pdf": call.get("pdf").is_some_and(|pdf| !pdf.is_null() && pdf != false),
    });
    let named = [
        ("goal", "goal"),
        ("image_path", "image"),
        ("generated_image_path", "image"),
        ("video_path", "video"),
    ];
    for (old, new) in named {
        if let Some(value) = call.get(old).filter(|value| value.is_string()) {
            input[new] = value.clone();
        }
    }
    Ok(input)
}

/// The old answer to an old call.
pub fn to_legacy(_call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
    match outcome {
        Ok(output) => {
            let mut answers = vec![json!({"ok": output.report})];
            if let Some(pdf) = &output.pdf {
                let bytes = std::fs::read(pdf).unwrap_or_default();
                answers.push(json!({"ok": pdf, "pdf": facts(&bytes)}));
            }
            Value::from(answers)
        }
        Err(error) => json!([{"error": "ValidationError", "message": error.message}]),
    }
}

/// What the replaced driver said about a PDF.
fn facts(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let pages = text.matches("/Type /Page").count() - text.matches("/Type /Pages").count();
    let media_box = text
        .find("/MediaBox")
        .and_then(|at| text[at..].find(']').map(|end| text[at..=at + end].to_owned()));
    json!({"starts_with": text.get(..5).unwrap_or(""), "pages": pages, "media_box": media_box})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_pdf_are_read() {
        let pdf = b"%PDF-1.4 /Type /Pages /Type /Page /MediaBox [0 0 612 792] /Type /Page ";
        let wanted = json!({"starts_with": "%PDF-", "pages": 2, "media_box": "/MediaBox [0 0 612 792]"});
        assert_eq!(facts(pdf), wanted);
    }
}
