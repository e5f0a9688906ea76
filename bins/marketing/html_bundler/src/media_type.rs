//! Media types by content and by name, and data URLs (RFC 2397).

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::embed::Kind;

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
    let riff = bytes.starts_with(b"RIFF").then(|| bytes.get(8..12)).flatten();
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "image/tiff",
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', b' ', ..] => "image/jxl",
        [0, 0, 1 | 2, 0, ..] => "image/x-icon",
        [b'w', b'O', b'F', b'F', ..] => "font/woff",
        [b'w', b'O', b'F', b'2', ..] => "font/woff2",
        [b'O', b'T', b'T', b'O', ..] => "font/otf",
        [b't', b't', b'c', b'f', ..] => "font/collection",
        [0, 1, 0, 0, ..] | [b't', b'r', b'u', b'e', ..] if bytes.len() > 12 => "font/ttf",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "video/webm",
        [b'O', b'g', b'g', b'S', ..] => "video/ogg",
        [0, 0, 1, 0xb3 | 0xba, ..] => "video/mpeg",
        [b'I', b'D', b'3', ..] | [0xff, 0xe2 | 0xe3 | 0xf2 | 0xf3 | 0xfa | 0xfb, ..] => "audio/mpeg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        _ if riff == Some(b"WEBP") => "image/webp",
        _ if riff == Some(b"WAVE") => "audio/wav",
        _ if riff == Some(b"AVI ") => "video/x-msvideo",
        _ if brand == b"ftypavif" || brand == b"ftypavis" => "image/avif",
        _ if brand.starts_with(b"ftypM4A") => "audio/mp4",
        _ if brand.starts_with(b"ftyp") => "video/mp4",
        _ if bytes.starts_with(b"BM") && bytes.len() > 26 && bytes[6..10] == [0; 4] => "image/bmp",
        _ if bytes.get(34..36) == Some(b"LP") => "application/vnd.ms-fontobject",
        _ if bytes.starts_with(b"%PDF-") => "application/pdf",
        _ if bytes.starts_with(b"WEBVTT") || bytes.starts_with(b"\xef\xbb\xbfWEBVTT") => "text/vtt",
        _ if is_svg(bytes) => "image/svg+xml",
        _ => return None,
    })
}

/// Whether the first element of a text is `<svg>`.
fn is_svg(bytes: &[u8]) -> bool {
    let mut rest = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    loop {
        let end: &[u8] = match rest {
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            // A doctype may hold declarations in brackets, which hold `>`.
            [b'<', b'!', ..] if rest.iter().take_while(|b| **b != b'>').any(|b| *b == b'[') => b"]>",
            [b'<', b'?' | b'!', ..] => b">",
            _ => {
                let name = rest.get(1..4) == Some(b"svg") && rest.first() == Some(&b'<');
                return name
                    && rest
                        .get(4)
                        .is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
            }
        };
        let Some(at) = rest.windows(end.len()).position(|window| window == end) else {
            return false;
        };
        rest = rest[at + end.len()..].trim_ascii_start();
    }
}

/// Extensions of files that pages use as scripts; some are translated in the browser.
const SCRIPTS: [&str; 8] = ["js", "mjs", "cjs", "jsx", "ts", "tsx", "es6", "jsonp"];

/// Whether a local file is of a kind that a page may show: by its content where that tells, by its name else. Anything
/// beside a page may be named as its picture, a session or a settings file too.
pub fn serves(kind: Kind, name: &str, bytes: &[u8]) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let found = by_content(bytes).unwrap_or_default();
    let family = |prefix: &str| found.starts_with(prefix);
    let text = !bytes[..bytes.len().min(4096)].contains(&0)
        || bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff");
    match kind {
        Kind::Images | Kind::Icons => family("image/"),
        Kind::Fonts => family("font/") || matches!(found, "application/vnd.ms-fontobject" | "image/svg+xml"),
        Kind::Video | Kind::Audio => family("video/") || family("audio/") || found == "text/vtt",
        Kind::Css => extension == "css" && text,
        Kind::Scripts => SCRIPTS.contains(&extension) && text,
        Kind::Frames => {
            let media =
                family("image/") || family("video/") || family("audio/") || found == "application/pdf";
            media || text && matches!(extension, "html" | "htm" | "xhtml" | "xht" | "txt")
        }
    }
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
    fn a_local_file_serves_only_what_it_is() {
        let png = b"\x89PNG\r\n\x1a\n";
        let svg = b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><!-- x --><svg xmlns='x'/>";
        assert!(serves(Kind::Images, "a.png", png) && serves(Kind::Icons, "a.svg", svg));
        assert!(serves(Kind::Frames, "a.svg", svg) && serves(Kind::Frames, "a.html", b"<p>"));
        assert!(serves(Kind::Css, "a.css", b"a{}") && serves(Kind::Scripts, "a.mjs", b"x"));
        assert!(serves(Kind::Video, "a.vtt", b"WEBVTT\n") && serves(Kind::Audio, "a.mp3", b"ID3\x03"));
        let session = b"SQLite format 3\0";
        for kind in Kind::ALL {
            assert!(!serves(kind, "telegram_session.session", session), "{kind:?}");
            assert!(!serves(kind, "config.yml", b"api_hash: x"), "{kind:?}");
        }
        assert!(!serves(Kind::Images, "a.png", session) && !serves(Kind::Frames, "a.html", session));
    }

    #[test]
    fn data_urls_are_the_shorter_of_two_forms() {
        let long = "abcdefghijklmnopqrstuvwxyz ".repeat(9);
        assert!(data_url("image/svg+xml", long.as_bytes()).starts_with("data:image/svg+xml,abc"));
        assert_eq!(data_url("image/png", b"\x00\xff"), "data:image/png;base64,AP8=");
        assert!(data_url("text/css", "ж".repeat(30).as_bytes()).contains(";base64,"));
    }
}
