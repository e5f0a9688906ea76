//! The Markdown export: a title, meta lines, the count, and one entry per message.

use std::io::{self, Write};

use app_core::text::visible_line;
use jiff::tz::TimeZone;

use super::names::UNKNOWN_SENDER;
use super::{Attachment, Header, Options, Renderer, Senders, dates, markup, origin, reactions};
use crate::model::Message;

/// Writes the Markdown export.
pub struct Markdown {
    senders: Senders,
    zone: TimeZone,
    time_format: Option<String>,
}

impl Markdown {
    /// A renderer with the given names.
    pub fn new(options: Options) -> Self {
        Self {
            senders: Senders::new(&options, UNKNOWN_SENDER),
            zone: options.time_zone,
            time_format: options.time_format,
        }
    }
}

impl Renderer for Markdown {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.senders.learn(&header.chat);
        writeln!(out, "# {}", visible_line(&header.title))?;
        for line in &header.meta {
            writeln!(out, "{line}")?;
        }
        write!(out, "Messages: {}\n\n---\n\n", header.count)
    }

    fn message(
        &mut self,
        out: &mut dyn Write,
        message: &Message,
        attachment: Option<&Attachment>,
    ) -> io::Result<()> {
        let words = text(message, attachment);
        let mut parts = origin::origin(message);
        if message.service.is_some()
            || (words.trim().is_empty() && parts.is_empty() && message.facts.is_empty())
        {
            return Ok(());
        }
        let mut text = String::new();
        for note in parts.drain(..) {
            text.push_str(&format!("[{note}]\n"));
        }
        text.push_str(&origin::guarded(&words, "\\", origin::is_markdown_head));
        for note in origin::facts(message) {
            text.push_str(if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                "\n"
            });
            text.push_str(&format!("[{note}]"));
        }
        let sender = self.senders.name(message);
        let sender = visible_line(&sender);
        let date = dates::formatted(message.date, &self.zone, self.time_format.as_deref());
        out.write_all(entry(&sender, &date, &text, &reactions::emojis(&message.reactions)).as_bytes())
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// The formatted text, followed by `[Media]` when something is attached (the path, when the file is there).
/// A service entry has no text.
pub fn text(message: &Message, attachment: Option<&Attachment>) -> String {
    if message.service.is_some() {
        return String::new();
    }
    let text = markup::markdown(&message.text, &message.entities);
    if message.media.is_none() {
        return text;
    }
    let marker = match attachment {
        Some(Attachment::Stored { path, .. }) => format!("[Media: {path}]"),
        Some(other) => other.marker().to_owned(),
        None => "[Media]".to_owned(),
    };
    if text.is_empty() {
        marker
    } else {
        format!("{text} {marker}")
    }
}

/// One entry: sender and date, text, and the reactions behind it.
pub fn entry(sender: &str, date: &str, text: &str, emojis: &str) -> String {
    let blank = if emojis.is_empty() { "" } else { " " };
    format!("**{sender}** ({date}):\n{text}{blank}{emojis}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Format, samples};

    #[test]
    fn a_whole_file() {
        let messages = [
            samples::text(1, "first line\nsecond line"),
            samples::photo(2, ""),
            samples::service(3),
            samples::reacted(4, "third"),
            samples::text(5, "  \n"),
        ];
        let mut header = samples::header(messages.len());
        header.meta = vec!["Chat ID: 1002".to_owned()];
        let written = samples::rendered(Format::Markdown, &header, &messages);
        assert_eq!(
            written,
            "# Demo group\nChat ID: 1002\nMessages: 5\n\n---\n\n\
             **Alice Doe** (02.01.2025 03:04):\nfirst line\nsecond line\n\n\
             **Alice Doe** (02.01.2025 03:04):\n[Media]\n\n\
             **Alice Doe** (02.01.2025 03:04):\nthird 🔥👍\n\n"
        );
    }

    #[test]
    fn a_stored_file_is_named() {
        let stored = Attachment::Stored {
            path: "files/1.jpg".to_owned(),
            thumbnail: None,
        };
        assert_eq!(
            text(&samples::photo(1, "cap"), Some(&stored)),
            "cap [Media: files/1.jpg]"
        );
        assert_eq!(text(&samples::photo(1, "  "), None), "   [Media]");
    }
}
