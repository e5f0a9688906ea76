//! A message, or an album, as a bubble.

use jiff::tz::TimeZone;

use super::pages::{Place, address};
use super::recent::{Recent, snippet};
use super::{escape, media, text};
use crate::export::names::nameless;
use crate::export::{Attachment, dates};
use crate::model::{DocumentKind, MarkedId, Media, Message, ReactionKind};

pub(super) struct Bubble<'b> {
    pub(super) items: &'b [(&'b Message, Option<&'b Attachment>)],
    pub(super) name: &'b str,
    pub(super) sender: Option<MarkedId>,
    pub(super) joined: bool,
    pub(super) named: bool,
    pub(super) zone: &'b TimeZone,
    pub(super) recent: &'b Recent,
    pub(super) place: Option<&'b Place>,
}

/// What it tells beside all else, one line each; lists have several.
pub(super) fn facts(message: &Message) -> String {
    let shown = message.facts.iter().filter(|fact| !fact.shown.is_empty());
    let lines: Vec<String> = shown
        .map(|fact| escape(&fact.shown).replace('\n', "<br>"))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("<div class=\"facts\" dir=\"auto\">{}</div>\n", lines.join("<br>"))
}

impl Bubble<'_> {
    pub(super) fn html(&self) -> String {
        let Some(((first, _), others)) = self.items.split_first() else {
            return String::new();
        };
        let side = if first.out { " own" } else { "" };
        let joined = if self.joined { " joined" } else { "" };
        // Who said it is told of each message, also where the name stands only over the first of a row.
        let mut html = format!(
            "<div class=\"msg{side}{joined}\" id=\"m{}\" title=\"{}, {}\">\n",
            first.id,
            escape(self.name),
            told_id(self.sender)
        );
        if self.named && !first.out {
            html.push_str(&if self.joined {
                "<div class=\"face\"></div>\n".to_owned()
            } else {
                avatar(self.name, self.sender)
            });
        }
        let bare =
            self.items.len() == 1 && first.text.is_empty() && first.media.as_ref().is_some_and(stands_alone);
        html.push_str(if bare {
            "<div class=\"bubble bare\">\n"
        } else {
            "<div class=\"bubble\">\n"
        });
        if self.named && !self.joined && !first.out {
            let title = first
                .author
                .as_deref()
                .map(|t| format!(" <small>{}</small>", escape(t)));
            html.push_str(&format!(
                "<div class=\"name\" style=\"--hue:{}\"><span dir=\"auto\">{}</span>{} <small>{}</small></div>\n",
                hue(self.sender),
                escape(self.name),
                title.unwrap_or_default(),
                told_id(self.sender)
            ));
        }
        html.push_str(&self.origin(first));
        if others.is_empty() {
            if let Some(media) = &first.media
                && !matches!(media, Media::WebPage { .. })
            {
                html.push_str(&media::html(media, self.items[0].1));
            }
        } else {
            html.push_str("<div class=\"album\">\n");
            for (message, attachment) in self.items {
                let anchor = if message.id == first.id {
                    String::new()
                } else {
                    format!(" id=\"m{}\"", message.id)
                };
                let media = message
                    .media
                    .as_ref()
                    .map(|media| media::html(media, *attachment));
                html.push_str(&format!("<div{anchor}>{}</div>\n", media.unwrap_or_default()));
            }
            html.push_str("</div>\n");
        }
        for (message, _) in self.items.iter().filter(|(message, _)| !message.text.is_empty()) {
            html.push_str("<div class=\"text\" dir=\"auto\">");
            html.push_str(&text::html(&message.text, &message.entities));
            html.push_str("</div>\n");
        }
        if let Some(preview @ Media::WebPage { .. }) = &first.media {
            html.push_str(&media::html(preview, None));
        }
        html.push_str(&facts(first));
        html.push_str(&self.reactions());
        html.push_str(&self.foot(first));
        html.push_str("</div>\n</div>\n");
        html
    }

    /// Forwarded from where, and in answer to what.
    fn origin(&self, message: &Message) -> String {
        let mut html = String::new();
        if let Some(forward) = &message.forwarded {
            let from = forward.from.as_ref().and_then(|from| from.name());
            let from = from
                .or_else(|| forward.name.clone())
                .or_else(|| forward.from_id.map(|id| nameless(forward.from.as_deref(), id)))
                .unwrap_or_else(|| "a hidden account".to_owned());
            let date = dates::local(forward.date, self.zone).strftime("%-d %b %Y, %H:%M");
            html.push_str(&format!(
                "<div class=\"forward\">Forwarded from <b dir=\"auto\" title=\"{}\">{}</b> <small>{date}</small></div>\n",
                told_id(forward.from_id),
                escape(&from)
            ));
        }
        let Some(reply) = &message.reply_to else {
            return html;
        };
        let seen = reply
            .message_id
            .filter(|_| reply.chat.is_none_or(|chat| chat == message.chat));
        let known = seen.and_then(|id| self.recent.get(id));
        let quoted = reply.quote.as_deref().map(snippet);
        let (name, words) = match (known, quoted) {
            (Some(known), quote) => (known.name.as_str(), quote.unwrap_or_else(|| known.text.clone())),
            (None, Some(quote)) => ("Reply", quote),
            (None, None) => (
                "Reply",
                seen.map_or_else(|| "in another chat".to_owned(), |id| format!("to message {id}")),
            ),
        };
        let link = seen
            .and_then(|id| address(self.place, id))
            .map(|to| format!(" href=\"{to}\""))
            .unwrap_or_default();
        html.push_str(&format!(
            "<a class=\"reply\"{link}><b dir=\"auto\">{}</b><span dir=\"auto\">{}</span></a>\n",
            escape(name),
            escape(&words)
        ));
        html
    }

    fn reactions(&self) -> String {
        let mut shown = String::new();
        for reaction in self.items.iter().flat_map(|(message, _)| &message.reactions) {
            let (sign, title) = match &reaction.kind {
                ReactionKind::Emoji(emoji) => (escape(emoji), String::new()),
                ReactionKind::Custom(id) => ("✨".into(), format!(" title=\"Custom emoji {id}\"")),
                ReactionKind::Paid => ("⭐".into(), " title=\"Paid reaction\"".to_owned()),
                ReactionKind::Empty => continue,
            };
            let mine = if reaction.chosen { " class=\"mine\"" } else { "" };
            shown.push_str(&format!("<span{mine}{title}>{sign} {}</span>", reaction.count));
        }
        if shown.is_empty() {
            return shown;
        }
        format!("<div class=\"reactions\">{shown}</div>\n")
    }

    /// Topic, views, forwards, edits and the time, which is the link to the message.
    fn foot(&self, message: &Message) -> String {
        let mut facts = Vec::new();
        if let Some(topic) = message.topic.and_then(|topic| self.recent.topic_title(topic)) {
            facts.push(format!("<span dir=\"auto\"># {}</span>", escape(topic)));
        }
        facts.extend(message.pinned.then(|| "📌".to_owned()));
        facts.extend(
            message
                .views
                .map(|n| format!("<span title=\"views\">👁 {}</span>", short(n))),
        );
        facts.extend(
            message
                .forwards
                .filter(|n| *n > 0)
                .map(|n| format!("<span title=\"forwards\">↪ {}</span>", short(n))),
        );
        facts.extend(
            message
                .replies
                .filter(|n| *n > 0)
                .map(|n| format!("<span title=\"replies\">💬 {}</span>", short(n))),
        );
        // Own messages have no line with a name.
        if self.named && message.out && !self.joined {
            facts.push(format!(
                "<span><span dir=\"auto\">{}</span>, {}</span>",
                escape(self.name),
                told_id(self.sender)
            ));
        }
        if !self.named || message.out {
            facts.extend(
                message
                    .author
                    .as_deref()
                    .map(|a| format!("<span dir=\"auto\">{}</span>", escape(a))),
            );
        }
        facts.extend(
            message
                .via_bot
                .as_ref()
                .and_then(|b| b.username.as_deref())
                .map(|b| format!("via @{}", escape(b))),
        );
        facts.extend(message.edited.map(|at| {
            let at = dates::long(dates::local(at, self.zone));
            format!("<span title=\"{at}\">edited</span>")
        }));
        let at = dates::local(message.date, self.zone);
        facts.push(format!(
            "<a href=\"#m{}\"><time datetime=\"{}\" title=\"{}\">{}</time></a>",
            message.id,
            message.date,
            dates::long(at),
            dates::clock(at)
        ));
        format!("<div class=\"foot\">{}</div>\n", facts.join(" "))
    }
}

fn stands_alone(media: &Media) -> bool {
    match media {
        Media::Dice { .. } => true,
        Media::Document { kind, .. } => {
            matches!(
                kind,
                DocumentKind::Sticker | DocumentKind::VideoSticker | DocumentKind::RoundVideo
            )
        }
        _ => false,
    }
}

/// The number of a sender as Telegram gave it.
pub(super) fn told_id(id: Option<MarkedId>) -> String {
    id.map_or_else(|| "id not told by Telegram".to_owned(), |id| format!("id {id}"))
}

/// A round picture with the first letters of a name.
pub(super) fn avatar(name: &str, id: Option<MarkedId>) -> String {
    let letters: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    let letters = if letters.is_empty() {
        "?".to_owned()
    } else {
        letters
    };
    format!(
        "<div class=\"face\" style=\"--hue:{}\" aria-hidden=\"true\">{}</div>\n",
        hue(id),
        escape(&letters)
    )
}

/// A colour of one's own, from seven that are easy to tell apart.
fn hue(id: Option<MarkedId>) -> u16 {
    const HUES: [u16; 7] = [211, 354, 28, 265, 145, 185, 325];
    id.map_or(211, |id| HUES[(id.bare().rem_euclid(7)) as usize])
}

/// `12345` as `12.3K`.
fn short(n: i32) -> String {
    match n {
        n if n < 1000 => n.to_string(),
        n if n < 1_000_000 => format!("{:.1}K", f64::from(n) / 1000.0).replace(".0K", "K"),
        n => format!("{:.1}M", f64::from(n) / 1_000_000.0).replace(".0M", "M"),
    }
}
