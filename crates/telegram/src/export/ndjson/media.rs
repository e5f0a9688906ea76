//! What a message carries, without what only serves the download, and what became of the file.

use serde_json::{Value, json};

use super::set;
use crate::export::Attachment;
use crate::model::{DocumentKind, File, Media};

/// The object of the media, with a `type`.
pub(super) fn object(media: &Media, attachment: Option<&Attachment>) -> Value {
    let mut value = match media {
        Media::Photo { width, height, .. } => json!({"type": "photo", "width": width, "height": height}),
        Media::Document { .. } => document(media),
        Media::WebPage { url, title, image } => {
            let mut value = json!({"type": "web_page"});
            set(&mut value, "url", url.as_deref().map(Value::from));
            set(&mut value, "title", title.as_deref().map(Value::from));
            set(&mut value, "image", image.then_some(Value::Bool(true)));
            value
        }
        Media::Poll {
            question,
            closed,
            total_voters,
            answers,
        } => {
            let answers: Vec<Value> = answers
                .iter()
                .map(|answer| {
                    let mut value = json!({"text": answer.text});
                    set(&mut value, "voters", answer.voters.map(Value::from));
                    set(&mut value, "chosen", answer.chosen.then_some(Value::Bool(true)));
                    value
                })
                .collect();
            let mut value = json!({"type": "poll", "question": question, "closed": closed});
            set(&mut value, "total_voters", total_voters.map(Value::from));
            set(&mut value, "answers", Some(Value::from(answers)));
            value
        }
        Media::Geo { place, live_period } => {
            let mut value = json!({
                "type": "geo",
                "latitude": place.map(|place| place.0),
                "longitude": place.map(|place| place.1),
            });
            set(&mut value, "live_period", live_period.map(Value::from));
            value
        }
        Media::Venue {
            place,
            title,
            address,
        } => json!({
            "type": "venue",
            "latitude": place.map(|place| place.0),
            "longitude": place.map(|place| place.1),
            "title": title,
            "address": address,
        }),
        Media::Contact {
            phone,
            first_name,
            last_name,
            user_id,
        } => {
            let mut value = json!({
                "type": "contact",
                "phone": phone,
                "first_name": first_name,
                "last_name": last_name,
            });
            set(
                &mut value,
                "user_id",
                (*user_id != 0).then(|| Value::from(*user_id)),
            );
            value
        }
        Media::Dice { emoji, value } => json!({"type": "dice", "emoji": emoji, "value": value}),
        Media::Invoice {
            title,
            description,
            currency,
            amount,
        } => json!({
            "type": "invoice",
            "title": title,
            "description": description,
            "currency": currency,
            "amount": amount,
        }),
        Media::Game { title } => json!({"type": "game", "title": title}),
        Media::Other { name } => json!({"type": "other", "name": name}),
    };
    let file = match media {
        Media::Photo { file, .. } | Media::Document { file, .. } => file.as_ref(),
        _ => None,
    };
    put_file(&mut value, file, attachment);
    value
}

fn document(media: &Media) -> Value {
    let Media::Document {
        kind,
        file_name,
        mime,
        width,
        height,
        duration,
        performer,
        title,
        emoji,
        ..
    } = media
    else {
        return Value::Null;
    };
    let kind = match kind {
        DocumentKind::Video => "video",
        DocumentKind::RoundVideo => "round_video",
        DocumentKind::Animation => "animation",
        DocumentKind::Voice => "voice",
        DocumentKind::Audio => "audio",
        DocumentKind::Sticker => "sticker",
        DocumentKind::VideoSticker => "video_sticker",
        DocumentKind::File => "file",
    };
    let mut value = json!({"type": "document", "kind": kind});
    let mut put = |key: &str, found: Option<Value>| set(&mut value, key, found);
    put("file_name", file_name.as_deref().map(Value::from));
    put("mime", Some(Value::from(mime.as_str())));
    put("width", width.map(Value::from));
    put("height", height.map(Value::from));
    put("duration", duration.map(Value::from));
    put("performer", performer.as_deref().map(Value::from));
    put("title", title.as_deref().map(Value::from));
    put("emoji", emoji.as_deref().map(Value::from));
    value
}

fn put_file(value: &mut Value, file: Option<&File>, attachment: Option<&Attachment>) {
    if let Some(file) = file {
        set(value, "document_id", Some(Value::from(file.id.to_string())));
        set(value, "size", Some(Value::from(file.size)));
    }
    match attachment {
        Some(Attachment::Stored { path, thumbnail }) => {
            set(value, "path", Some(Value::from(path.as_str())));
            set(value, "thumbnail", thumbnail.as_deref().map(Value::from));
        }
        Some(Attachment::TooLarge) => set(value, "skipped", Some(Value::from("too_large"))),
        Some(Attachment::Unavailable) => set(value, "skipped", Some(Value::from("unavailable"))),
        Some(Attachment::NotIncluded) | None => {}
    }
}
