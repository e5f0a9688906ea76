//! Pages to read in a browser: bubbles, dates, replies, reactions, media, in light and dark.
//!
//! They need no script and no network; a long chat has several, and an index that searches them. Every text is escaped, and only links of harmless kinds are links.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::names::sender_id;
use super::{Attachment, Header, Options, Renderer, Senders, dates};
use crate::model::{ChatKind, MarkedId, Media, Message};

mod bubble;
pub mod index;
mod media;
pub mod pages;
mod recent;
mod service;
mod text;

/// Messages of one sender that follow within this time share one name and picture.
const JOINED_SECONDS: i64 = 600;

/// More messages than an album can have; a longer row of one album id is split.
const LONGEST_ALBUM: usize = 20;

/// Writes the page.
pub struct Html {
    senders: Senders,
    zone: TimeZone,
    /// Whether names are shown: not in a channel, where everything is said by the channel.
    named: bool,
    last: Option<Last>,
    album: Vec<(Message, Option<Attachment>)>,
    recent: recent::Recent,
    /// Which of several pages is written; `None` in an export of one.
    place: Option<pages::Place>,
}

/// What the message before was, to know whether the next belongs to it.
struct Last {
    day: jiff::civil::Date,
    sender: Option<MarkedId>,
    second: i64,
    own: bool,
    service: bool,
}

impl Html {
    /// A renderer with the given names and time zone.
    pub fn new(options: Options) -> Self {
        Self {
            senders: Senders::new(&options, "Unknown").telling(),
            zone: options.time_zone,
            named: true,
            last: None,
            album: Vec::new(),
            recent: recent::Recent::default(),
            place: None,
        }
    }

    /// Writes the messages kept back because they belong to one album.
    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let album = std::mem::take(&mut self.album);
        match album.as_slice() {
            [] => Ok(()),
            [(message, attachment)] => self.write(out, &[(message, attachment.as_ref())]),
            many => {
                let items: Vec<_> = many.iter().map(|(m, a)| (m, a.as_ref())).collect();
                self.write(out, &items)
            }
        }
    }

    fn write(&mut self, out: &mut dyn Write, items: &[(&Message, Option<&Attachment>)]) -> io::Result<()> {
        let Some((first, _)) = items.first() else {
            return Ok(());
        };
        let at = dates::local(first.date, &self.zone);
        if self.last.as_ref().is_none_or(|last| last.day != at.date()) {
            let day = dates::long_day(at);
            writeln!(out, "<div class=\"day\"><span>{day}</span></div>")?;
        }
        let sender = sender_id(first);
        let name = self.senders.name(first);
        let joined = self.last.as_ref().is_some_and(|last| {
            !last.service
                && last.day == at.date()
                && last.sender == sender
                && last.own == first.out
                && first.date.as_second() - last.second < JOINED_SECONDS
                && first.forwarded.is_none()
        });
        self.last = Some(Last {
            day: at.date(),
            sender,
            second: first.date.as_second(),
            own: first.out,
            service: first.service.is_some(),
        });
        let html = if let Some(entry) = &first.service {
            self.recent.topic(first, entry);
            service::html(first, entry, &name, &self.recent, self.place.as_ref())
        } else {
            let bubble = bubble::Bubble {
                items,
                name: &name,
                sender,
                joined,
                named: self.named,
                zone: &self.zone,
                recent: &self.recent,
                place: self.place.as_ref(),
            };
            bubble.html()
        };
        out.write_all(html.as_bytes())?;
        for (message, _) in items {
            self.recent.remember(message, &name);
        }
        Ok(())
    }

    /// Writes what all pages begin with, up to their content.
    fn head(&self, out: &mut dyn Write, header: &Header, pages: Option<&pages::Pages>) -> io::Result<()> {
        let title = escape(&header.title);
        let kind = match header.chat.kind {
            ChatKind::User => "Private chat",
            ChatKind::Bot => "Bot",
            ChatKind::Group => "Group",
            ChatKind::Supergroup => "Supergroup",
            ChatKind::Channel => "Channel",
        };
        let username = header.chat.username.as_ref();
        let username = username.map_or_else(String::new, |name| {
            let name = escape(name);
            format!(" · <a href=\"https://t.me/{name}\">@{name}</a>")
        });
        let messages = if header.count == 1 { "message" } else { "messages" };
        // The mark stands before all that a chat can have a say in, so that it is found at the head of the file.
        let mark = pages.map_or_else(String::new, |pages| format!("{}\n", pages.names.mark()));
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{mark}\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n\
             <header>\n{}<div>\n<h1 dir=\"auto\">{title}</h1>\n<p>{kind}{username} · id {} · {} {messages} · exported {} {zone}</p>\n\
             <p>All times are {zone}.</p>\n",
            include_str!("page.css"),
            pages.map_or("", |_| include_str!("pages.css")),
            bubble::avatar(&header.title, Some(header.chat.id)),
            header.chat.id,
            header.count,
            dates::stamp(header.exported_at, &self.zone),
            zone = escape(&dates::zone_name(header.exported_at, &self.zone)),
        )?;
        for line in &header.meta {
            writeln!(out, "<p dir=\"auto\">{}</p>", escape(line))?;
        }
        out.write_all(b"</div>\n</header>\n<main>\n")
    }
}

impl Renderer for Html {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.senders.learn(&header.chat);
        self.named = header.chat.kind != ChatKind::Channel;
        self.last = None;
        self.album.clear();
        let pages = self.place.as_ref().map(|place| Arc::clone(&place.pages));
        self.head(out, header, pages.as_deref())?;
        match &self.place {
            Some(place) => place.links(out),
            None => Ok(()),
        }
    }

    fn message(
        &mut self,
        out: &mut dyn Write,
        message: &Message,
        attachment: Option<&Attachment>,
    ) -> io::Result<()> {
        let album = self.album.first().and_then(|(first, _)| first.grouped_id);
        if album != message.grouped_id || self.album.len() >= LONGEST_ALBUM {
            self.flush(out)?;
        }
        let visual = matches!(message.media, Some(Media::Photo { .. } | Media::Document { .. }));
        if message.grouped_id.is_some() && visual && message.service.is_none() {
            self.album.push((message.clone(), attachment.cloned()));
            return Ok(());
        }
        self.flush(out)?;
        self.write(out, &[(message, attachment)])
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.flush(out)?;
        if let Some(place) = &self.place {
            place.links(out)?;
        }
        out.write_all(b"</main>\n</body>\n</html>\n")
    }
}

/// Text as it may stand anywhere in the page. Control characters become their pictures.
fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| {
        matches!(c, '&' | '<' | '>' | '"' | '\'') || (c.is_ascii_control() && !matches!(c, '\n' | '\t'))
    };
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_escaped(&mut escaped, c);
    }
    Cow::Owned(escaped)
}

fn push_escaped(into: &mut String, c: char) {
    match c {
        '&' => into.push_str("&amp;"),
        '<' => into.push_str("&lt;"),
        '>' => into.push_str("&gt;"),
        '"' => into.push_str("&quot;"),
        '\'' => into.push_str("&#39;"),
        '\n' | '\t' => into.push(c),
        '\u{7f}' => into.push('\u{2421}'),
        c if c.is_ascii_control() => into.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or(' ')),
        c => into.push(c),
    }
}

#[cfg(test)]
mod tests;
