//! Attachments: what the wire says of them, and their bytes, which are made up but always the same.

mod poll;

use grammers_tl_types::{enums, types};
use serde_json::Value;

use super::objects::access_hash;
use super::world::Message;
use poll::poll;

/// The data centre that keeps all files unless a scenario says otherwise.
const HOME: i32 = 1;

/// Reference that allows a download.
pub(super) const REFERENCE: &[u8] = b"ref-1";

/// An attachment of a message.
pub(super) fn media(message: &Message) -> Option<enums::MessageMedia> {
    let detail = &message.attached;
    let text = |key: &str, default: &str| {
        detail
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let number = |key: &str| detail.get(key).and_then(Value::as_f64);
    let kind = message.media.as_deref()?;
    if let Some(odd) = super::odd::media(message) {
        return Some(odd);
    }
    Some(match kind {
        "photo" | "photo_spoiler" => types::MessageMediaPhoto {
            spoiler: kind == "photo_spoiler",
            live_photo: false,
            photo: Some(photo(message)),
            ttl_seconds: (kind == "photo_spoiler").then_some(60),
            video: None,
        }
        .into(),
        "web_page" | "web_page_photo" => types::MessageMediaWebPage {
            force_large_media: false,
            force_small_media: false,
            manual: false,
            safe: true,
            webpage: page(message, kind == "web_page_photo"),
        }
        .into(),
        "geo" => types::MessageMediaGeo {
            geo: types::GeoPoint {
                long: number("longitude").unwrap_or(30.5),
                lat: number("latitude").unwrap_or(50.25),
                access_hash: 1,
                accuracy_radius: None,
            }
            .into(),
        }
        .into(),
        "venue" => types::MessageMediaVenue {
            geo: types::GeoPoint {
                long: 30.5,
                lat: 50.25,
                access_hash: 1,
                accuracy_radius: None,
            }
            .into(),
            title: text("title", "Tea house"),
            address: text("address", "1 River Street"),
            provider: "none".to_owned(),
            venue_id: "1".to_owned(),
            venue_type: String::new(),
        }
        .into(),
        "contact" => types::MessageMediaContact {
            phone_number: text("phone", "+10000000001"),
            first_name: text("first_name", "Card"),
            last_name: text("last_name", "Holder"),
            vcard: String::new(),
            user_id: 0,
        }
        .into(),
        "dice" => types::MessageMediaDice {
            value: 4,
            emoticon: text("emoji", "🎲"),
            game_outcome: None,
        }
        .into(),
        "poll" | "quiz" | "poll_hidden" => poll(detail, kind),
        _ => types::MessageMediaDocument {
            nopremium: false,
            spoiler: false,
            video: matches!(kind, "video" | "round_video" | "gif" | "video_sticker"),
            round: kind == "round_video",
            voice: kind == "voice",
            document: Some(document(message, kind)),
            alt_documents: None,
            video_cover: None,
            video_timestamp: None,
            ttl_seconds: None,
        }
        .into(),
    })
}

/// The number of the file attached to a message.
fn file_id(message: &Message) -> i64 {
    message
        .attached
        .get("file_id")
        .and_then(Value::as_i64)
        .unwrap_or(7_000_000 + i64::from(message.id))
}

/// The size in bytes of the file attached to a message.
fn file_size(message: &Message) -> i64 {
    message
        .attached
        .get("size")
        .and_then(Value::as_i64)
        .unwrap_or(3000 + i64::from(message.id) % 500)
}

fn dc(message: &Message) -> i32 {
    message
        .attached
        .get("dc")
        .and_then(Value::as_i64)
        .map_or(HOME, |dc| dc as i32)
}

fn photo(message: &Message) -> enums::Photo {
    let size = |letter: &str, w, h, size| {
        types::PhotoSize {
            r#type: letter.to_owned(),
            w,
            h,
            size,
        }
        .into()
    };
    let id = file_id(message);
    types::Photo {
        has_stickers: false,
        id,
        access_hash: access_hash(id),
        file_reference: REFERENCE.to_vec(),
        date: message.unix(),
        sizes: vec![
            size("m", 320, 240, 900),
            size("x", 800, 600, file_size(message) as i32),
        ],
        video_sizes: None,
        dc_id: dc(message),
    }
    .into()
}

fn page(message: &Message, picture: bool) -> enums::WebPage {
    let text = |key: &str| {
        message
            .attached
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let url = text("url").unwrap_or_else(|| "https://example.org/".to_owned());
    types::WebPage {
        has_large_media: false,
        video_cover_photo: false,
        id: 1,
        display_url: url.trim_start_matches("https://").to_owned(),
        url,
        hash: 0,
        r#type: Some("article".to_owned()),
        site_name: None,
        title: text("title").or_else(|| Some("Example page".to_owned())),
        description: None,
        photo: picture.then(|| photo(message)),
        embed_url: None,
        embed_type: None,
        embed_width: None,
        embed_height: None,
        duration: None,
        author: None,
        document: None,
        cached_page: None,
        attributes: None,
    }
    .into()
}

fn document(message: &Message, kind: &str) -> enums::Document {
    let detail = &message.attached;
    let text = |key: &str| detail.get(key).and_then(Value::as_str).map(str::to_owned);
    let (mime, name) = match kind {
        "video" | "round_video" | "gif" => ("video/mp4", None),
        "voice" => ("audio/ogg", None),
        "audio" => ("audio/mpeg", Some("song.mp3")),
        "sticker" => ("image/webp", Some("sticker.webp")),
        "video_sticker" => ("video/webm", Some("sticker.webm")),
        _ => ("application/pdf", Some("paper.pdf")),
    };
    let mut attributes = Vec::new();
    if matches!(kind, "video" | "round_video" | "gif" | "video_sticker") {
        let video = types::DocumentAttributeVideo {
            round_message: kind == "round_video",
            supports_streaming: true,
            nosound: kind == "gif",
            duration: detail.get("duration").and_then(Value::as_f64).unwrap_or(5.0),
            w: 640,
            h: 480,
            preload_prefix_size: None,
            video_start_ts: None,
            video_codec: None,
        };
        attributes.push(video.into());
    }
    if matches!(kind, "voice" | "audio") {
        let audio = types::DocumentAttributeAudio {
            voice: kind == "voice",
            duration: detail.get("duration").and_then(Value::as_i64).unwrap_or(9) as i32,
            title: (kind == "audio").then(|| text("title").unwrap_or_else(|| "Morning".to_owned())),
            performer: (kind == "audio")
                .then(|| text("performer").unwrap_or_else(|| "The Lanterns".to_owned())),
            waveform: None,
        };
        attributes.push(audio.into());
    }
    if kind == "gif" {
        attributes.push(enums::DocumentAttribute::Animated);
    }
    if matches!(kind, "sticker" | "video_sticker") {
        let sticker = types::DocumentAttributeSticker {
            mask: false,
            alt: text("emoji").unwrap_or_else(|| "🙂".to_owned()),
            stickerset: enums::InputStickerSet::Empty,
            mask_coords: None,
        };
        attributes.push(sticker.into());
    }
    if let Some(file_name) = text("file_name").or_else(|| name.map(str::to_owned)) {
        attributes.push(types::DocumentAttributeFilename { file_name }.into());
    }
    let id = file_id(message);
    types::Document {
        id,
        access_hash: access_hash(id),
        file_reference: REFERENCE.to_vec(),
        date: message.unix(),
        mime_type: text("mime").unwrap_or_else(|| mime.to_owned()),
        size: file_size(message),
        thumbs: None,
        video_thumbs: None,
        dc_id: dc(message),
        attributes,
    }
    .into()
}

/// Where a file of a message lies: its number, size and data centre.
pub(super) fn whereabouts(message: &Message) -> Option<(i64, i64, i32)> {
    let kind = message.media.as_deref()?;
    let bare = matches!(kind, "web_page" | "geo" | "venue" | "contact" | "dice" | "poll");
    (!bare).then(|| (file_id(message), file_size(message), dc(message)))
}

/// The bytes of file number `id`, from `offset`.
pub fn bytes(id: i64, size: i64, offset: i64, limit: i64) -> Vec<u8> {
    let end = (offset + limit).min(size).max(offset);
    (offset..end)
        .map(|at| ((at.wrapping_mul(31).wrapping_add(id.wrapping_mul(17)) ^ (at >> 8)) & 0xff) as u8)
        .collect()
}
