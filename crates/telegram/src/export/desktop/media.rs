//! Fields of what a message carries.

use serde_json::json;

use super::message::Fields;
use crate::export::Attachment;
use crate::model::{DocumentKind, File, Media};

/// Stands where the path of a file would, when files were not asked for.
const NOT_INCLUDED: &str = "(File not included. Change data exporting settings to download.)";
/// The same for a file above the size limit.
const TOO_LARGE: &str = "(File exceeds maximum size. Change data exporting settings to download.)";
/// The same for a file Telegram could not deliver, or that has expired.
const UNAVAILABLE: &str = "(File unavailable, please try again later)";

fn path<'a>(file: Option<&File>, attachment: Option<&'a Attachment>) -> &'a str {
    match attachment {
        Some(Attachment::Stored { path, .. }) => path,
        _ if file.is_none() => UNAVAILABLE,
        Some(Attachment::TooLarge) => TOO_LARGE,
        Some(Attachment::Unavailable) => UNAVAILABLE,
        Some(Attachment::NotIncluded) | None => NOT_INCLUDED,
    }
}

fn size(fields: &mut Fields<'_>, width: i32, height: i32) {
    if width > 0 && height > 0 {
        fields.put("width", width);
        fields.put("height", height);
    }
}

const fn media_type(kind: DocumentKind) -> Option<&'static str> {
    match kind {
        DocumentKind::Sticker | DocumentKind::VideoSticker => Some("sticker"),
        DocumentKind::RoundVideo => Some("video_message"),
        DocumentKind::Voice => Some("voice_message"),
        DocumentKind::Animation => Some("animation"),
        DocumentKind::Video => Some("video_file"),
        DocumentKind::Audio => Some("audio_file"),
        DocumentKind::File => None,
    }
}

/// Writes the fields of the media.
pub(super) fn put(fields: &mut Fields<'_>, media: &Media, attachment: Option<&Attachment>) {
    match media {
        Media::Photo { width, height, file } => {
            fields.put("photo", path(file.as_ref(), attachment));
            fields.maybe("photo_file_size", file.as_ref().map(|file| file.size));
            size(fields, *width, *height);
        }
        Media::Document { .. } => document(fields, media, attachment),
        Media::WebPage { url, title, .. } => {
            fields.put("web_page", json!({"url": url, "title": title}));
        }
        Media::Poll {
            question,
            closed,
            total_voters,
            answers,
        } => {
            let answers: Vec<_> = answers
                .iter()
                .map(|a| {
                    let mut answer = json!({"text": a.text, "voters": a.voters, "chosen": a.chosen});
                    // Not told before one has voted; 0 would be a count that nobody made.
                    if a.voters.is_none()
                        && let Some(fields) = answer.as_object_mut()
                    {
                        fields.remove("voters");
                    }
                    answer
                })
                .collect();
            fields.put(
                "poll",
                json!({
                    "question": question,
                    "closed": closed,
                    "total_voters": total_voters.unwrap_or(0),
                    "answers": answers,
                }),
            );
        }
        Media::Geo {
            place: at,
            live_period,
        } => {
            place(fields, *at);
            fields.maybe("live_location_period_seconds", *live_period);
        }
        Media::Venue {
            place: at,
            title,
            address,
        } => {
            fields.maybe("place_name", Some(title.as_str()));
            fields.maybe("address", Some(address.as_str()));
            place(fields, *at);
        }
        Media::Contact {
            phone,
            first_name,
            last_name,
            user_id,
        } => {
            let mut contact = json!({
                "first_name": first_name,
                "last_name": last_name,
                "phone_number": phone,
            });
            if *user_id != 0 {
                contact["user_id"] = json!(user_id);
            }
            fields.put("contact_information", contact);
        }
        Media::Dice { emoji, value } => fields.put("dice", json!({"emoji": emoji, "value": value})),
        Media::Invoice {
            title,
            description,
            currency,
            amount,
        } => fields.put(
            "invoice_information",
            json!({"title": title, "description": description, "amount": amount, "currency": currency}),
        ),
        Media::Game { title } => fields.put("game_title", title.as_str()),
        // What a giveaway, a checklist or a story says is among the facts of its message.
        Media::Other { name } if name == "unsupported" => fields.put("unsupported_media", name.as_str()),
        Media::Other { name } => fields.put("media_type", name.as_str()),
    }
}

fn place(fields: &mut Fields<'_>, at: Option<(f64, f64)>) {
    let place = at.map(|(latitude, longitude)| json!({"latitude": latitude, "longitude": longitude}));
    fields.put("location_information", place);
}

fn document(fields: &mut Fields<'_>, media: &Media, attachment: Option<&Attachment>) {
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
        file,
    } = media
    else {
        return;
    };
    fields.put("file", path(file.as_ref(), attachment));
    fields.maybe("file_name", file_name.as_deref());
    fields.maybe("file_size", file.as_ref().map(|file| file.size));
    if let Some(Attachment::Stored { thumbnail, .. }) = attachment {
        fields.maybe("thumbnail", thumbnail.as_deref());
    }
    fields.maybe("media_type", media_type(*kind));
    match kind {
        DocumentKind::Sticker | DocumentKind::VideoSticker => fields.maybe("sticker_emoji", emoji.as_deref()),
        DocumentKind::Audio => {
            fields.maybe("performer", performer.as_deref());
            fields.maybe("title", title.as_deref());
        }
        _ => {}
    }
    fields.maybe("mime_type", Some(mime.as_str()));
    let seconds = duration
        .filter(|s| s.is_finite() && *s > 0.0)
        .map(|s| s.round() as i64);
    fields.maybe("duration_seconds", seconds.filter(|s| *s > 0));
    size(fields, width.unwrap_or(0), height.unwrap_or(0));
}
