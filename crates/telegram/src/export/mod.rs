//! The export formats: what a [`Message`] looks like in a file.
//!
//! Everything here is pure and streams: a renderer is given one message at a time, oldest first, and writes
//! to any [`Write`], so memory does not grow with the chat. Choose one by [`Format`].

use std::io::{self, Write};
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ChatKind, MarkedId, Message, Peer};

pub mod dates;
pub mod desktop;
pub mod html;
pub mod legacy;
pub mod markdown;
pub mod markup;
pub mod names;
pub mod ndjson;
mod origin;
pub mod reactions;
pub mod text;

pub use names::Senders;
pub use text::LineStyle;

/// The formats an export can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One entry per message: sender, time, text with formatting as Markdown.
    #[default]
    Markdown,
    /// One JSON document as Telegram Desktop writes it, plus the fields it lacks.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// A page to read in a browser; above 5,000 messages several, with an index that searches them.
    Html,
    /// One line per message.
    Text,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Markdown, Self::Json, Self::Ndjson, Self::Html, Self::Text];

    /// The word a user types.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Html => "html",
            Self::Text => "text",
        }
    }

    /// Extension of its files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Html => "html",
            Self::Text => "txt",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Markdown => "text/markdown",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Html => "text/html",
            Self::Text => "text/plain",
        }
    }

    /// A renderer of this format.
    pub fn renderer(self, options: Options) -> Box<dyn Renderer + Send> {
        match self {
            Self::Markdown => Box::new(markdown::Markdown::new(options)),
            Self::Json => Box::new(desktop::Desktop::new(options)),
            Self::Ndjson => Box::new(ndjson::Ndjson::new(options)),
            Self::Html => Box::new(html::Html::new(options)),
            Self::Text => Box::new(text::Lines::new(options)),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| format.word() == word);
        known.ok_or_else(|| format!("no export format is called `{word}`"))
    }
}

/// What stands at the head of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The chat.
    pub chat: Peer,
    /// Title as the export shows it; usually the name of the chat.
    pub title: String,
    /// Number of messages for which [`Renderer::counts`] is true.
    pub count: usize,
    /// When the export was made.
    pub exported_at: Timestamp,
    /// Further lines, such as `Chat ID: 1001`.
    pub meta: Vec<String>,
}

impl Header {
    /// A header that names the chat by its own name, else by its id.
    pub fn new(chat: Peer, count: usize, exported_at: Timestamp) -> Self {
        let title = chat.name().unwrap_or_else(|| chat.id.to_string());
        Self {
            chat,
            title,
            count,
            exported_at,
            meta: Vec::new(),
        }
    }

    /// The word Telegram Desktop uses for the sort of chat.
    pub fn desktop_type(&self) -> &'static str {
        let public = self.chat.username.is_some();
        match self.chat.kind {
            ChatKind::User if self.chat.flags.is_self => "saved_messages",
            ChatKind::User => "personal_chat",
            ChatKind::Bot => "bot_chat",
            ChatKind::Group => "private_group",
            ChatKind::Supergroup if public => "public_supergroup",
            ChatKind::Supergroup => "private_supergroup",
            ChatKind::Channel if public => "public_channel",
            ChatKind::Channel => "private_channel",
        }
    }
}

/// What a renderer may be told beside the messages.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name shown for a sender of whom nothing is known; each format has its own when unset.
    pub unknown_sender: Option<String>,
    /// Names that win over what Telegram says, such as the configured name of the account.
    pub names: Vec<(MarkedId, String)>,
    /// Time zone of every date that is written for people: those of the messages and that of the export.
    pub time_zone: TimeZone,
    /// How the Markdown format writes times, as strftime does; `%d.%m.%Y %H:%M` when unset.
    pub time_format: Option<String>,
    /// Layout of the text format.
    pub lines: LineStyle,
    /// First line of the text format, such as a prompt for a language model.
    pub prompt: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unknown_sender: None,
            names: Vec::new(),
            time_zone: TimeZone::UTC,
            time_format: None,
            lines: LineStyle::default(),
            prompt: None,
        }
    }
}

/// What became of a message's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attachment {
    /// It lies beside the export.
    Stored {
        /// Path from the export's folder, with `/` between its parts.
        path: String,
        /// Path of a small picture of it.
        thumbnail: Option<String>,
    },
    /// It was left out on purpose, as all files are when none are asked for.
    NotIncluded,
    /// It is larger than the caller wanted.
    TooLarge,
    /// Telegram could not deliver it.
    Unavailable,
}

impl Attachment {
    /// The path, when the file lies beside the export.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Stored { path, .. } => Some(path),
            _ => None,
        }
    }

    /// The paths of all that lies beside the export.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let (path, thumbnail) = match self {
            Self::Stored { path, thumbnail } => (Some(path), thumbnail.as_ref()),
            _ => (None, None),
        };
        path.into_iter().chain(thumbnail).map(String::as_str)
    }

    /// What stands in place of the path in formats of plain text.
    pub const fn marker(&self) -> &'static str {
        match self {
            Self::Stored { .. } | Self::NotIncluded => "[Media]",
            Self::TooLarge => "[Media: too large]",
            Self::Unavailable => "[Media: not available]",
        }
    }
}

/// Writes one format. Calls come in the order `begin`, any number of `message` (oldest first), `end`.
pub trait Renderer {
    /// Whether a message counts in [`Header::count`]; most formats count every one.
    fn counts(&self, message: &Message) -> bool {
        let _ = message;
        true
    }

    /// Writes the head of the file.
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()>;

    /// Writes a message; `attachment` says what became of its file (`None`: not asked for).
    fn message(
        &mut self,
        out: &mut dyn Write,
        message: &Message,
        attachment: Option<&Attachment>,
    ) -> io::Result<()>;

    /// Writes what closes the file.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

#[cfg(test)]
pub(crate) mod samples;
