//! Attachments: pictures, players and cards; a quiet placeholder for files that are not there.

use super::escape;
use super::text::target;
use crate::export::Attachment;
use crate::model::{DocumentKind, File, Media, PollAnswer};

/// What it is in a few words.
pub(super) fn label(media: &Media) -> String {
    match media {
        Media::Photo { .. } => "📷 Photo".to_owned(),
        Media::Document {
            kind,
            file_name,
            emoji,
            title,
            ..
        } => match kind {
            DocumentKind::Video => "🎬 Video".to_owned(),
            DocumentKind::RoundVideo => "⏺ Video message".to_owned(),
            DocumentKind::Animation => "GIF".to_owned(),
            DocumentKind::Voice => "🎤 Voice message".to_owned(),
            DocumentKind::Audio => format!(
                "🎵 {}",
                title
                    .as_ref()
                    .or(file_name.as_ref())
                    .map_or("Audio", String::as_str)
            ),
            DocumentKind::Sticker | DocumentKind::VideoSticker => {
                format!("{} Sticker", emoji.as_deref().unwrap_or("🖼"))
                    .trim()
                    .to_owned()
            }
            DocumentKind::File => format!("📄 {}", file_name.as_deref().unwrap_or("File")),
        },
        Media::WebPage { .. } => "🔗 Link".to_owned(),
        Media::Poll { question, .. } => format!("📊 {question}"),
        Media::Geo { .. } => "📍 Location".to_owned(),
        Media::Venue { title, .. } => format!("📍 {title}"),
        Media::Contact {
            first_name,
            last_name,
            ..
        } => format!("👤 {first_name} {last_name}").trim().to_owned(),
        Media::Dice { emoji, value } => format!("{emoji} {value}"),
        Media::Invoice { title, .. } => format!("🧾 {title}"),
        Media::Game { title } => format!("🎮 {title}"),
        Media::Other { name } => {
            let (icon, word) = other(name);
            format!("{icon} {word}")
        }
    }
}

/// Kinds without a card of their own.
fn other(name: &str) -> (&'static str, &str) {
    match name {
        "story" => ("📖", "Story"),
        "giveaway" => ("🎁", "Giveaway"),
        "giveaway_results" => ("🎁", "Results of a giveaway"),
        "paid_media" => ("⭐", "Paid media"),
        "to_do" => ("☑", "Checklist"),
        name => ("📎", name),
    }
}

/// The attachment as HTML.
pub(super) fn html(media: &Media, attachment: Option<&Attachment>) -> String {
    match media {
        Media::Photo { width, height, file } => {
            let size = (*width > 0 && *height > 0).then_some((*width, *height));
            match stored(attachment) {
                Some((path, thumbnail)) => picture(&path, thumbnail.as_deref().unwrap_or(&path), size),
                None => tile("📷", "Photo", size, None, file.as_ref(), attachment),
            }
        }
        Media::Document { .. } => document(media, attachment),
        Media::WebPage { url, title, .. } => web_page(url.as_deref(), title.as_deref()),
        Media::Poll {
            question,
            closed,
            total_voters,
            answers,
        } => poll(question, *closed, *total_voters, answers),
        Media::Geo {
            place: at,
            live_period,
        } => {
            let live = live_period
                .map(|s| format!(" · live for {}", clock(f64::from(s))))
                .unwrap_or_default();
            card("📍", "Location", &format!("{}{live}", place(*at)))
        }
        Media::Venue {
            place: at,
            title,
            address,
        } => {
            let address = escape(address);
            card("📍", &escape(title), &format!("{address}<br>{}", place(*at)))
        }
        Media::Contact {
            phone,
            first_name,
            last_name,
            ..
        } => {
            let name = format!("{first_name} {last_name}");
            let number: String = phone.chars().filter(char::is_ascii_digit).collect();
            let phone = format!("<a href=\"tel:+{number}\">+{number}</a>");
            card("👤", &escape(name.trim()), &phone)
        }
        Media::Dice { emoji, value } => {
            format!("<div class=\"dice\">{} <b>{value}</b></div>\n", escape(emoji))
        }
        Media::Invoice {
            title,
            description,
            currency,
            amount,
        } => {
            let sum = escape(&crate::facts::money(*amount, currency)).into_owned();
            card("🧾", &escape(title), &format!("{}<br>{sum}", escape(description)))
        }
        Media::Game { title } => card("🎮", &escape(title), "Game"),
        Media::Other { name } => {
            let (icon, word) = other(name);
            // What it is about stands below, as for everything that is told in facts.
            card(icon, &escape(word), "")
        }
    }
}

fn document(media: &Media, attachment: Option<&Attachment>) -> String {
    let Media::Document {
        kind,
        file_name,
        width,
        height,
        duration,
        performer,
        title,
        emoji,
        file,
        ..
    } = media
    else {
        return String::new();
    };
    let size = width.zip(*height).filter(|(w, h)| *w > 0 && *h > 0);
    let file = file.as_ref();
    let (icon, word) = match kind {
        DocumentKind::Video => ("🎬", "Video"),
        DocumentKind::RoundVideo => ("⏺", "Video message"),
        DocumentKind::Animation => ("🎞", "GIF"),
        DocumentKind::Voice => ("🎤", "Voice message"),
        DocumentKind::Audio => ("🎵", "Audio"),
        DocumentKind::Sticker | DocumentKind::VideoSticker => (emoji.as_deref().unwrap_or("🖼"), "Sticker"),
        DocumentKind::File => ("📄", "File"),
    };
    let song = [performer.as_deref(), title.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" – ");
    let named = [song.as_str(), file_name.as_deref().unwrap_or_default()];
    let name = named.into_iter().find(|name| !name.is_empty()).unwrap_or(word);
    let Some((path, thumbnail)) = stored(attachment) else {
        return match kind {
            DocumentKind::Video | DocumentKind::Animation => {
                tile(icon, name, size, *duration, file, attachment)
            }
            DocumentKind::RoundVideo => {
                let tile = tile(icon, name, None, *duration, file, attachment);
                tile.replacen("\"tile\" style=\"aspect-ratio:4/3\"", "\"tile round\"", 1)
            }
            DocumentKind::Sticker | DocumentKind::VideoSticker => {
                format!(
                    "<div class=\"sticker\" title=\"Sticker\">{}</div>\n",
                    escape(icon)
                )
            }
            _ => card(icon, &escape(name), &facts(*duration, None, file, attachment)),
        };
    };
    let poster = thumbnail.map(|t| format!(" poster=\"{t}\"")).unwrap_or_default();
    match kind {
        DocumentKind::Video => {
            format!("<video class=\"picture\" controls preload=\"none\"{poster} src=\"{path}\"></video>\n")
        }
        DocumentKind::RoundVideo => {
            format!("<video class=\"round\" controls preload=\"none\"{poster} src=\"{path}\"></video>\n")
        }
        DocumentKind::Animation => {
            format!(
                "<video class=\"picture\" loop muted controls preload=\"metadata\"{poster} src=\"{path}\"></video>\n"
            )
        }
        DocumentKind::Voice | DocumentKind::Audio => {
            let caption = card(icon, &escape(name), &facts(*duration, None, file, None));
            format!("{caption}<audio controls preload=\"none\" src=\"{path}\"></audio>\n")
        }
        DocumentKind::Sticker => format!(
            "<img class=\"sticker\" loading=\"lazy\" src=\"{path}\" alt=\"{}\">\n",
            escape(icon)
        ),
        DocumentKind::VideoSticker => {
            format!("<video class=\"sticker\" loop muted autoplay playsinline src=\"{path}\"></video>\n")
        }
        DocumentKind::File => {
            let link = format!("<a href=\"{path}\">{}</a>", escape(name));
            card(icon, &link, &facts(*duration, None, file, None))
        }
    }
}

/// Path and thumbnail as they may stand in an attribute.
fn stored(attachment: Option<&Attachment>) -> Option<(String, Option<String>)> {
    match attachment {
        Some(Attachment::Stored { path, thumbnail }) => Some((link(path), thumbnail.as_deref().map(link))),
        _ => None,
    }
}

/// A relative path as a link: everything but unreserved characters and `/` is percent-encoded.
pub(super) fn link(path: &str) -> String {
    let mut link = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                link.push(char::from(byte));
            }
            _ => link.push_str(&format!("%{byte:02X}")),
        }
    }
    link
}

fn picture(path: &str, shown: &str, size: Option<(i32, i32)>) -> String {
    let size = size
        .map(|(w, h)| format!(" width=\"{w}\" height=\"{h}\""))
        .unwrap_or_default();
    format!(
        "<a class=\"picture\" href=\"{path}\"><img loading=\"lazy\" src=\"{shown}\"{size} alt=\"Photo\"></a>\n"
    )
}

/// A placeholder with the shape of the picture that is not there.
fn tile(
    icon: &str,
    name: &str,
    size: Option<(i32, i32)>,
    duration: Option<f64>,
    file: Option<&File>,
    attachment: Option<&Attachment>,
) -> String {
    let (w, h) = size.unwrap_or((4, 3));
    format!(
        "<div class=\"tile\" style=\"aspect-ratio:{w}/{h}\"><span class=\"icon\">{}</span><b dir=\"auto\">{}</b><small>{}</small></div>\n",
        escape(icon),
        escape(name),
        facts(duration, size, file, attachment)
    )
}

/// `title` and `detail` are HTML already.
fn card(icon: &str, title: &str, detail: &str) -> String {
    format!(
        "<div class=\"card\"><span class=\"icon\">{}</span><div><b dir=\"auto\">{title}</b><small dir=\"auto\">{detail}</small></div></div>\n",
        escape(icon)
    )
}

fn facts(
    duration: Option<f64>,
    size: Option<(i32, i32)>,
    file: Option<&File>,
    attachment: Option<&Attachment>,
) -> String {
    let mut facts = Vec::new();
    facts.extend(duration.map(clock));
    facts.extend(size.map(|(w, h)| format!("{w}×{h}")));
    facts.extend(file.map(|file| bytes(file.size)));
    match attachment {
        _ if file.is_none() => facts.push("expired".to_owned()),
        Some(Attachment::TooLarge) => facts.push("left out: too large".to_owned()),
        Some(Attachment::Unavailable) => facts.push("not available".to_owned()),
        _ => {}
    }
    facts.join(" · ")
}

fn web_page(url: Option<&str>, title: Option<&str>) -> String {
    let Some(target) = url.and_then(target) else {
        return String::new();
    };
    let shown = url.unwrap_or_default();
    let site = target
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    format!(
        "<a class=\"preview\" href=\"{}\" rel=\"noreferrer\"><small>{}</small><b dir=\"auto\">{}</b></a>\n",
        escape(&target),
        escape(site),
        escape(title.filter(|title| !title.is_empty()).unwrap_or(shown))
    )
}

fn poll(question: &str, closed: bool, total: Option<i32>, answers: &[PollAnswer]) -> String {
    let total = total.unwrap_or_else(|| answers.iter().filter_map(|a| a.voters).sum());
    let mut html = format!("<div class=\"poll\"><b dir=\"auto\">{}</b>", escape(question));
    let state = if closed { "Final results" } else { "Poll" };
    html.push_str(&format!("<small>{state}</small>"));
    for answer in answers {
        let share = answer
            .voters
            .filter(|_| total > 0)
            .map(|v| (i64::from(v) * 100 + i64::from(total) / 2) / i64::from(total));
        let width = share.unwrap_or(0).clamp(0, 100);
        let figure = share.map_or_else(|| "–".to_owned(), |share| format!("{share}%"));
        let chosen = if answer.chosen { " ✓" } else { "" };
        html.push_str(&format!(
            "<div class=\"answer\"><span>{figure}</span><span dir=\"auto\">{}{chosen}</span><i style=\"width:{width}%\"></i></div>",
            escape(&answer.text)
        ));
    }
    let voters = if total == 1 { "vote" } else { "votes" };
    html.push_str(&format!("<small>{total} {voters}</small></div>\n"));
    html
}

fn place(at: Option<(f64, f64)>) -> String {
    let Some((latitude, longitude)) = at else {
        return "no place is named".to_owned();
    };
    format!(
        "<a href=\"https://www.openstreetmap.org/?mlat={latitude}&amp;mlon={longitude}#map=15/{latitude}/{longitude}\" rel=\"noreferrer\">{latitude:.5}, {longitude:.5}</a>"
    )
}

/// `m:ss`, or `h:mm:ss`.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds.round().max(0.0) as u64;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 {
        format!("{h}:{m:02}:{s:02}")
    } else {
        format!("{m}:{s:02}")
    }
}

fn bytes(size: u64) -> String {
    let size = size as f64;
    if size < 1024.0 {
        format!("{size} B")
    } else if size < 1024.0 * 1024.0 {
        format!("{:.0} KB", size / 1024.0)
    } else {
        format!("{:.1} MB", size / 1024.0 / 1024.0)
    }
}
