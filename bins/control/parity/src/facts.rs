//! What is compared of a file: pixels of a picture, frames of a GIF, streams of a video, texts of a page.

use std::{fs::File, path::Path};

use scraper::{Html, Node};
use serde_json::{Value, json};

/// Facts of a file by its kind; `null` when it is missing.
pub fn of(path: &Path) -> Value {
    let Ok(bytes) = std::fs::read(path) else {
        return Value::Null;
    };
    match path.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "png" | "jpg" => picture(&bytes),
        "gif" => animation(path),
        "mp4" => video(path),
        "html" => page(&String::from_utf8_lossy(&bytes)),
        "json" => {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes)))
        }
        "pdf" => json!({"starts_with": String::from_utf8_lossy(&bytes[..bytes.len().min(5)])}),
        _ => Value::from(String::from_utf8_lossy(&bytes)),
    }
}

/// Size and every pixel (small pictures only).
fn picture(bytes: &[u8]) -> Value {
    match image::load_from_memory(bytes) {
        Ok(picture) => {
            let picture = picture.to_rgba8();
            let rows: Vec<Vec<[u8; 4]>> = picture
                .rows()
                .map(|row| row.map(|pixel| pixel.0).collect())
                .collect();
            json!({"width": picture.width(), "height": picture.height(), "rows": rows})
        }
        Err(_) => json!({"not_an_image": true, "size_bytes": bytes.len()}),
    }
}

/// Size, loop, and of each frame its duration and the colour in the middle, composed as a viewer shows it.
fn animation(path: &Path) -> Value {
    let broken =
        || json!({"not_an_image": true, "size_bytes": std::fs::metadata(path).map_or(0, |m| m.len())});
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let Ok(mut decoder) = File::open(path)
        .map_err(gif::DecodingError::from)
        .and_then(|file| options.read_info(file))
    else {
        return broken();
    };
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let mut canvas = vec![0_u8; width * height * 4];
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = decoder.read_next_frame() {
        let before = canvas.clone();
        for y in 0..usize::from(frame.height) {
            for x in 0..usize::from(frame.width) {
                let from = (y * usize::from(frame.width) + x) * 4;
                let to = ((y + usize::from(frame.top)) * width + x + usize::from(frame.left)) * 4;
                if let (Some(source), Some(target)) =
                    (frame.buffer.get(from..from + 4), canvas.get_mut(to..to + 4))
                    && source[3] > 0
                {
                    target.copy_from_slice(source);
                }
            }
        }
        let centre = (height / 2 * width + width / 2) * 4;
        frames.push(
            json!({"duration_ms": u32::from(frame.delay) * 10, "centre_rgb": canvas.get(centre..centre + 3)}),
        );
        match frame.dispose {
            gif::DisposalMethod::Previous => canvas = before,
            gif::DisposalMethod::Background => canvas.fill(0),
            _ => {}
        }
    }
    let repeat = match decoder.repeat() {
        gif::Repeat::Infinite => json!(0),
        gif::Repeat::Finite(0) => Value::Null,
        gif::Repeat::Finite(times) => json!(times),
    };
    json!({"width": width, "height": height, "frames": frames.len(), "loop": repeat, "frame": frames})
}

/// Codec, size, length and number of streams, as ffprobe tells them.
fn video(path: &Path) -> Value {
    let asked = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file", "-of", "json"])
        .args([
            "-show_entries",
            "stream=codec_type,codec_name,width,height,pix_fmt,r_frame_rate:format=duration",
        ])
        .arg(path)
        .stdin(std::process::Stdio::null())
        .output();
    let told: Value = match asked {
        Ok(output) => serde_json::from_slice(&output.stdout).unwrap_or_default(),
        Err(error) => return json!({"not_probed": error.to_string()}),
    };
    let streams = told["streams"].as_array().cloned().unwrap_or_default();
    let Some(video) = streams.iter().find(|stream| stream["codec_type"] == "video") else {
        return json!({"not_a_video": true});
    };
    let seconds = told["format"]["duration"]
        .as_str()
        .and_then(|s| s.parse::<f64>().ok());
    json!({"codec": video["codec_name"], "width": video["width"], "height": video["height"], "pix_fmt": video["pix_fmt"],
           "duration_s": seconds, "frame_rate": video["r_frame_rate"], "streams": streams.len()})
}

/// The title, then every heading, text, link and image source in order. Style, indentation and comments do not count.
fn page(text: &str) -> Value {
    let document = Html::parse_document(text);
    let mut parts: Vec<String> = Vec::new();
    for node in document.tree.root().descendants() {
        match node.value() {
            Node::Element(element) => match element.name() {
                name @ ("h1" | "h2" | "h3" | "pre" | "title" | "ul" | "li" | "strong") => {
                    parts.push(format!("<{name}>"));
                }
                "a" => parts.push(format!("<a href={}>", element.attr("href").unwrap_or_default())),
                "img" => parts.push(format!(
                    "<img src={} alt={}>",
                    element.attr("src").unwrap_or_default(),
                    element.attr("alt").unwrap_or_default()
                )),
                "script" | "iframe" | "object" | "b" | "i" => parts.push(format!("<{}>", element.name())),
                _ => {}
            },
            Node::Text(text) => {
                let hidden = node
                    .parent()
                    .and_then(|p| p.value().as_element())
                    .is_some_and(|e| e.name() == "style");
                let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if !hidden && !words.is_empty() {
                    parts.push(words);
                }
            }
            _ => {}
        }
    }
    json!(parts)
}
