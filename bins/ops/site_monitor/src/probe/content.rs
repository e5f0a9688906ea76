//! What an answer holds: its body as text, its hash, its headers, and how long the certificate lasts.

use hyper::header::HeaderMap;
use sha2::{Digest as _, Sha256};
use web::charset;

/// The body as text: in the encoding that the server or the page states, else as UTF-8.
pub(super) fn text(bytes: &[u8], content_type: &str) -> String {
    let stated = charset::of_content_type(content_type);
    if stated.is_some() || content_type.to_ascii_lowercase().contains("html") {
        charset::page(bytes, stated, None).text
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// SHA-256 of the body, or of the text of the selected elements; `None` when nothing is selected.
pub(super) fn content_hash(bytes: &[u8], text: &str, selector: Option<&str>) -> Option<String> {
    let Some(selector) = selector else {
        return Some(hex::encode(Sha256::digest(bytes)));
    };
    web::html::check_depth(text, "the page").ok()?;
    let selector = scraper::Selector::parse(selector).ok()?;
    let page = scraper::Html::parse_document(text);
    let parts: Vec<String> = page
        .select(&selector)
        .map(|element| element.text().collect::<String>())
        .collect();
    (!parts.is_empty()).then(|| hex::encode(Sha256::digest(parts.join("\n").as_bytes())))
}

/// Days until the certificate (DER) expires, by this host's clock.
pub(super) fn days_left(certificate: &[u8]) -> Option<f64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let expires = parsed.validity().not_after.timestamp();
    Some((expires - app_core::Clock::System.now().as_second()) as f64 / 86_400.0)
}

pub(super) fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_in_the_encoding_it_states() {
        let page = b"<!-- <meta charset=utf-8> --><meta charset = windows-1251><p>\xcf\xf0\xe8\xe2\xe5\xf2";
        assert!(text(page, "text/html").ends_with("Привет"));
        assert_eq!(text(b"\xd0\x9f", "application/json"), "П");
        assert_eq!(text(b"\xf0", "text/plain; charset=koi8-r"), "П");
        // Two texts of the same length are two texts, also where they are not UTF-8.
        let hash = |letters: &[u8]| {
            let bytes = [page.as_slice(), letters].concat();
            content_hash(&bytes, &text(&bytes, "text/html"), Some("p"))
        };
        assert_ne!(hash(b"\xe0"), hash(b"\xe1"));
    }
}
