//! Calls of the replaced script: its parameters, its file name, its messages.
//!
//! The style was only ever written on a card; here it names the file, and is shown where there is no script at all.

use std::path::Path;

use app_core::ToolError;
use serde_json::{Value, json};

/// The old parameters as this tool's input, or the old answer where it is clear without running anything.
pub fn input(call: &Value) -> Result<Value, Value> {
    let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
    let folder = text("campaign_dir");
    if folder.is_empty() {
        return Err(error(
            "the field `campaign_dir` is missing: it names the folder for the video",
        ));
    }
    let seconds = call.get("video_duration_seconds").cloned().unwrap_or(json!(5));
    let seconds = match seconds.as_str().map(str::parse::<f64>) {
        Some(Ok(number)) => json!(number),
        Some(Err(_)) => return Err(error("`video_duration_seconds` is not a number")),
        None => seconds,
    };
    let style = Some(text("video_style"))
        .filter(|style| !style.is_empty())
        .unwrap_or("default");
    let script = Some(text("video_script")).filter(|script| script.chars().any(char::is_alphanumeric));
    let mut input = json!({
        "action": "from_script",
        "script": script.unwrap_or(style),
        "duration": seconds,
        "fps": "25",
        "output": Path::new(folder).join(file_name(&seconds, style)),
        "no_srt": true,
        "no_poster": true,
    });
    if Path::new(folder).is_dir() {
        input["assets"] = json!(folder);
        input["only_named"] = json!(text("video_assets_description"));
    }
    Ok(input)
}

/// `/` in a style is no folder.
fn file_name(seconds: &Value, style: &str) -> String {
    let style: String = style
        .chars()
        .map(|c| {
            if c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\') {
                '_'
            } else {
                c
            }
        })
        .take(100)
        .collect();
    format!("generated_video_{seconds}s_{style}.mp4")
}

/// The old answer: the path as it was put together, or a sentence.
pub fn answer(outcome: Result<Option<&Path>, &ToolError>) -> Value {
    match outcome {
        Ok(path) => json!(path),
        Err(error) if error.code == "missing_program" => {
            self::error("Error: ffmpeg is not installed or not in PATH. Cannot generate video.")
        }
        Err(error) => self::error(&format!("Error generating video: {}", error.message)),
    }
}

fn error(message: &str) -> Value {
    json!({"status": "error", "message": message})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_name_is_kept_and_stays_in_its_folder() {
        let call = json!({"video_script": "Show it", "video_style": "a/b c", "video_duration_seconds": 2, "campaign_dir": "absent"});
        let input = input(&call).unwrap();
        assert_eq!(input["output"], "absent/generated_video_2s_a_b_c.mp4");
        assert_eq!(input["script"], "Show it");
        assert!(input.get("assets").is_none());
    }

    #[test]
    fn the_old_defaults_hold_and_the_folder_is_required() {
        let made = input(&json!({"campaign_dir": "c", "video_script": " "})).unwrap();
        assert_eq!(
            (&made["duration"], &made["script"]),
            (&json!(5), &json!("default"))
        );
        let missing = input(&json!({"video_script": "x"})).unwrap_err();
        assert_eq!(missing["status"], "error");
        assert!(missing["message"].as_str().unwrap().contains("campaign_dir"));
    }
}
