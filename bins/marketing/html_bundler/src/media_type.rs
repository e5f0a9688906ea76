//! Media types by content and by name, and data URLs (RFC 2397).

use base64::{Engine, engine::general_purpose::STANDARD};

/// Media types by file extension.
const EXTENSIONS: [(&str, &str); 34] = [
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("eot", "application/vnd.ms-fontobject"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("jxl", "image/jxl"),
    ("m4a", "audio/mp4"),
    ("mjs", "text/javascript"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tiff", "image/tiff"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("vtt", "text/vtt"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
];

/// The media type of a resource: what the server says unless that says nothing, else by content, else by name.
pub fn guess(stated: &str, name: &str, bytes: &[u8]) -> String {
    let vague = matches!(
        stated,
        "" | "application/octet-stream" | "text/plain" | "binary/octet-stream"
    );
    if !vague {
        return stated.to_owned();
    }
    let found = by_content(bytes).or_else(|| by_name(name));
    found.map_or_else(
        || {
            if stated.is_empty() {
                "application/octet-stream"
            } else {
                stated
            }
            .to_owned()
        },
        str::to_owned,
    )
}

fn by_name(name: &str) -> Option<&'static str> {
    let extension = name.rsplit_once('.')?.1;
    if extension == "woff2" {
        return Some("font/woff2");
    }
    EXTENSIONS
        .iter()
        .find(|(known, _)| *known == extension)
        .map(|(_, media_type)| *media_type)
}

fn by_content(bytes: &[u8]) -> Option<&'static str> {
    let brand = bytes.get(4..12).unwrap_or_default();
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'w', b'O', b'F', b'F', ..] => "font/woff",
        [b'w', b'O', b'F', b'2', ..] => "font/woff2",
        [b'O', b'T', b'T', b'O', ..] => "font/otf",
        [0, 1, 0, 0, ..] if bytes.len() > 12 => "font/ttf",
        [0, 0, 1, 0, ..] => "image/x-icon",
        [b'R', b'I', b'F', b'F', ..] if bytes.get(8..12) == Some(b"WEBP") => "image/webp",
        _ if brand == b"ftypavif" => "image/avif",
        _ if brand.starts_with(b"ftyp") => "video/mp4",
        _ if bytes.starts_with(b"%PDF-") => "application/pdf",
        _ => return None,
    })
}

/// The resource as a data URL; texts are percent-encoded where that is shorter than base64.
pub fn data_url(media_type: &str, bytes: &[u8]) -> String {
    let is_text = media_type.starts_with("text/") || media_type == "image/svg+xml";
    if is_text && let Ok(text) = std::str::from_utf8(bytes) {
        let plain = percent_encode(text);
        if plain.len() < bytes.len().div_ceil(3) * 4 {
            let charset = if media_type.starts_with("text/") {
                ";charset=utf-8"
            } else {
                ""
            };
            return format!("data:{media_type}{charset},{plain}");
        }
    }
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// Escapes what may not stand in an address, a quoted CSS text, an attribute or a `srcset`.
fn percent_encode(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len() * 5 / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&*+;=:@/?".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_name_fill_in_a_vague_answer() {
        assert_eq!(guess("", "a.woff2", b""), "font/woff2");
        assert_eq!(
            guess("application/octet-stream", "a.bin", b"\x89PNG\r\n"),
            "image/png"
        );
        assert_eq!(guess("image/webp", "a.png", b""), "image/webp");
        assert_eq!(guess("", "x", b""), "application/octet-stream");
    }

    #[test]
    fn data_urls_are_the_shorter_of_two_forms() {
        let long = "abcdefghijklmnopqrstuvwxyz ".repeat(9);
        assert!(data_url("image/svg+xml", long.as_bytes()).starts_with("data:image/svg+xml,abc"));
        assert_eq!(data_url("image/png", b"\x00\xff"), "data:image/png;base64,AP8=");
        assert!(data_url("text/css", "ж".repeat(30).as_bytes()).contains(";base64,"));
    }
}
