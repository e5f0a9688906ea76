//! The line formats: one line (or paragraph) per message, in the five layouts the replaced scripts had.

use std::io::{self, Write};

use app_core::text::visible_line;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::UNKNOWN_SENDER;
use super::{Attachment, Header, Options, Renderer, Senders, dates, origin, reactions};
use crate::model::Message;

/// How a message looks in the text format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineStyle {
    /// `dd.mm.yyyy HH:MM:SS Sender: text 🔥👍 [Media]`
    #[default]
    Dated,
    /// `Sender: text 🔥👍 [Media]`
    Plain,
    /// `Sender: text`, and for media `dd.mm.yyyy HH:MM:SS Sender: caption 🔥 [Media]`
    MediaDated,
    /// A heading, then `dd.mm.yyyy HH:MM:SS Sender: text`; `Я` for own messages
    Dialogue,
    /// Three heading lines, then `[dd.mm.yyyy HH:MM:SS] Sender: text`, only messages with text; `Я` for own ones
    Bracketed,
    /// The same with English headings, real names throughout and no line end at the end
    BracketedEnglish,
}

/// Sender of own messages in the layouts that do not name the account.
const OWN: &str = "Я";

/// Writes the text format.
pub struct Lines {
    senders: Senders,
    style: LineStyle,
    prompt: Option<String>,
    zone: TimeZone,
    began: bool,
}

impl Lines {
    /// A renderer in the layout the options name.
    pub fn new(options: Options) -> Self {
        let fallback = match options.lines {
            LineStyle::BracketedEnglish => "Unknown",
            _ => UNKNOWN_SENDER,
        };
        Self {
            senders: Senders::new(&options, fallback),
            style: options.lines,
            prompt: options.prompt,
            zone: options.time_zone,
            began: false,
        }
    }

    fn sender(&mut self, message: &Message) -> String {
        let dialogue = matches!(self.style, LineStyle::Dialogue | LineStyle::Bracketed);
        if dialogue && message.out {
            return OWN.to_owned();
        }
        // This layout shows accounts that have been deleted by an empty name.
        if self.style == LineStyle::BracketedEnglish {
            let nameless = message
                .sender
                .as_ref()
                .is_some_and(|s| s.id.is_user() && s.name().is_none());
            if nameless {
                return String::new();
            }
        }
        self.senders.name(message).to_string()
    }
}

impl Lines {
    /// Where it comes from, what it says, what else it tells; no line of it looks like an entry of its own.
    fn words(&self, message: &Message) -> String {
        // Without dates, a name and a colon are all that marks an entry.
        let plain = matches!(self.style, LineStyle::Plain | LineStyle::MediaDated);
        let forges = |line: &str| origin::begins_with_date(line) || (plain && line.contains(": "));
        let words = origin::guarded(&message.text, "  ", forges);
        let before = origin::origin(message).into_iter();
        let after = origin::facts(message).into_iter();
        let notes = |notes: &mut dyn Iterator<Item = String>| {
            notes
                .map(|note| format!("[{note}]"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (before, after) = (notes(&mut before.into_iter()), notes(&mut after.into_iter()));
        let parts = [before, words, after];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" ")
    }
}

impl Renderer for Lines {
    fn counts(&self, message: &Message) -> bool {
        match self.style {
            LineStyle::Bracketed | LineStyle::BracketedEnglish => has_text(message),
            _ => true,
        }
    }

    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.senders.learn(&header.chat);
        self.began = false;
        if let Some(prompt) = &self.prompt {
            writeln!(out, "{prompt}")?;
        }
        let at = |at: Timestamp| dates::stamp(at, &self.zone);
        let title = &*visible_line(&header.title);
        match self.style {
            LineStyle::Dated | LineStyle::Plain | LineStyle::MediaDated => Ok(()),
            LineStyle::Dialogue => {
                let name = header.chat.username.as_ref();
                let name = name.map_or_else(|| title.to_owned(), |name| format!("@{name}"));
                write!(out, "# Чат с {name}\n\n")
            }
            LineStyle::Bracketed => write!(
                out,
                "# Чат: {title}\n# Экспортировано: {} {}\n# Сообщений: {}\n\n",
                at(header.exported_at),
                dates::zone_name(header.exported_at, &self.zone),
                header.count
            ),
            LineStyle::BracketedEnglish => {
                let name = header.chat.username.as_ref();
                let name = name.map_or_else(|| header.chat.id.to_string(), |name| format!("@{name}"));
                write!(
                    out,
                    "# Chat with {name} ({title})\n# Exported: {}\n# Messages: {}\n\n",
                    at(header.exported_at),
                    header.count
                )
            }
        }
    }

    fn message(
        &mut self,
        out: &mut dyn Write,
        message: &Message,
        attachment: Option<&Attachment>,
    ) -> io::Result<()> {
        let bracketed = matches!(self.style, LineStyle::Bracketed | LineStyle::BracketedEnglish);
        let silent = message.text.is_empty() && message.media.is_none() && message.facts.is_empty();
        if message.service.is_some() || silent || (bracketed && !has_text(message)) {
            return Ok(());
        }
        let sender = self.sender(message);
        let sender = visible_line(&sender);
        let date = dates::seconds(message.date, &self.zone);
        let text = &self.words(message);
        let marker = message
            .media
            .as_ref()
            .map(|_| attachment.map_or("[Media]", |file| file.path().unwrap_or(file.marker())));
        let emojis = reactions::emojis(&message.reactions);
        match self.style {
            LineStyle::Dated => {
                let parts = spaced(&[text, &emojis, marker.unwrap_or_default()]);
                writeln!(out, "{date} {sender}: {parts}")
            }
            LineStyle::Plain => {
                let parts = spaced(&[text, &emojis, marker.unwrap_or_default()]);
                writeln!(out, "{sender}: {parts}")
            }
            // Three fields with a blank between them, whether or not one is empty.
            LineStyle::MediaDated => match marker {
                Some(marker) => writeln!(out, "{date} {sender}: {text} {emojis} {marker}"),
                None => writeln!(out, "{}", format!("{sender}: {text} {emojis}").trim()),
            },
            LineStyle::Dialogue => {
                let text = if text.is_empty() {
                    marker.unwrap_or_default()
                } else {
                    text
                };
                writeln!(out, "{date} {sender}: {text}")
            }
            LineStyle::Bracketed => writeln!(out, "[{date}] {sender}: {text}"),
            LineStyle::BracketedEnglish => {
                let line_end = if self.began { "\n" } else { "" };
                self.began = true;
                write!(out, "{line_end}[{date}] {sender}: {text}")
            }
        }
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn has_text(message: &Message) -> bool {
    message.service.is_none() && !message.text.is_empty()
}

/// The parts that are not blank, with one blank between them.
fn spaced(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Format, samples};

    fn written(style: LineStyle, messages: &[Message]) -> String {
        let options = Options {
            lines: style,
            ..Options::default()
        };
        let renderer = Lines::new(options.clone());
        let count = messages.iter().filter(|message| renderer.counts(message)).count();
        samples::rendered_with(Format::Text, options, &samples::header(count), messages)
    }

    fn own(id: i32, text: &str) -> Message {
        Message {
            out: true,
            ..samples::text(id, text)
        }
    }

    #[test]
    fn dated_and_plain_lines_carry_reactions_and_the_media_marker() {
        let messages = [
            samples::reacted(5, "good morning"),
            samples::service(6),
            samples::photo(7, "caption"),
            samples::photo(8, ""),
        ];
        assert_eq!(
            written(LineStyle::Dated, &messages),
            "02.01.2025 03:04:05 Alice Doe: good morning 🔥👍\n\
             02.01.2025 03:04:07 Alice Doe: caption [Media]\n\
             02.01.2025 03:04:08 Alice Doe: [Media]\n"
        );
        assert_eq!(
            written(LineStyle::Plain, &messages),
            "Alice Doe: good morning 🔥👍\nAlice Doe: caption [Media]\nAlice Doe: [Media]\n"
        );
    }

    #[test]
    fn media_lines_keep_their_blanks() {
        let messages = [
            samples::text(5, "words "),
            samples::photo(6, "caption"),
            samples::photo(7, ""),
        ];
        assert_eq!(
            written(LineStyle::MediaDated, &messages),
            "Alice Doe: words\n\
             02.01.2025 03:04:06 Alice Doe: caption  [Media]\n\
             02.01.2025 03:04:07 Alice Doe:   [Media]\n"
        );
    }

    #[test]
    fn dialogue_and_bracketed_name_the_real_sender_and_oneself() {
        let messages = [own(5, "hello"), samples::text(6, "hi"), samples::photo(7, "")];
        assert_eq!(
            written(LineStyle::Dialogue, &messages),
            "# Чат с Demo group\n\n02.01.2025 03:04:05 Я: hello\n\
             02.01.2025 03:04:06 Alice Doe: hi\n02.01.2025 03:04:07 Alice Doe: [Media]\n"
        );
        assert_eq!(
            written(LineStyle::Bracketed, &messages),
            "# Чат: Demo group\n# Экспортировано: 2025-01-02 10:00:00 UTC\n# Сообщений: 2\n\n\
             [02.01.2025 03:04:05] Я: hello\n[02.01.2025 03:04:06] Alice Doe: hi\n"
        );
    }

    #[test]
    fn the_english_layout_ends_without_a_line_end() {
        let messages = [
            own(5, "first\nline two"),
            samples::photo(6, ""),
            samples::photo(7, "caption stays"),
        ];
        assert_eq!(
            written(LineStyle::BracketedEnglish, &messages),
            "# Chat with -1000000001002 (Demo group)\n# Exported: 2025-01-02 10:00:00\n# Messages: 2\n\n\
             [02.01.2025 03:04:05] Alice Doe: first\nline two\n[02.01.2025 03:04:07] Alice Doe: caption stays"
        );
        assert!(written(LineStyle::BracketedEnglish, &[]).ends_with("# Messages: 0\n\n"));
    }

    #[test]
    fn a_prompt_stands_first() {
        let options = Options {
            prompt: Some("Summarise this.".to_owned()),
            lines: LineStyle::Plain,
            ..Options::default()
        };
        let text = samples::rendered_with(
            Format::Text,
            options,
            &samples::header(1),
            &[samples::text(1, "a")],
        );
        assert_eq!(text, "Summarise this.\nAlice Doe: a\n");
    }
}
