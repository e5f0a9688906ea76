//! Which files are wanted.

use app_core::{ToolError, ToolResult};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::files::download_name;
use telegram::model::{DocumentKind, MarkedId, Media, Message};

use crate::Input;

/// A sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Photographs.
    Photo,
    /// Videos with sound.
    Video,
    /// Round video messages.
    RoundVideo,
    /// Silent looping videos.
    Animation,
    /// Voice messages.
    Voice,
    /// Music.
    Audio,
    /// Stickers, still or moving.
    Sticker,
    /// Every other file.
    Document,
}

/// What a file must be like.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    kinds: Vec<Kind>,
    /// In lower case, without a dot.
    extensions: Vec<String>,
    smallest: u64,
    largest: Option<u64>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Marked id of who sent it.
    pub sender: Option<MarkedId>,
}

impl Choice {
    /// Reads it; the sender is found out later.
    ///
    /// # Errors
    /// `invalid_input` for a time that is none, and for ranges that hold nothing.
    pub fn new(input: &Input) -> ToolResult<Self> {
        let (since, until) = input.period.bounds()?;
        let smallest = bytes(input.min_size.unwrap_or_default());
        let largest = input.max_size.map(bytes);
        if largest.is_some_and(|largest| largest < smallest) {
            return Err(ToolError::invalid(
                "max_size",
                "`max_size` is less than `min_size`",
            ));
        }
        let extensions = input.extensions.iter();
        let extensions = extensions.map(|end| end.trim().trim_start_matches('.').to_lowercase());
        Ok(Self {
            kinds: input.types.clone(),
            extensions: extensions.filter(|end| !end.is_empty()).collect(),
            smallest,
            largest,
            since,
            until,
            sender: None,
        })
    }

    /// Whether the file of a message is wanted; not when it has none.
    pub fn takes(&self, message: &Message) -> bool {
        let Some(media) = &message.media else { return false };
        let (Some(file), Some(kind)) = (media.file(), kind(media)) else {
            return false;
        };
        let name = download_name("", media).to_lowercase();
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.extensions.is_empty()
                || self
                    .extensions
                    .iter()
                    .any(|end| name.ends_with(&format!(".{end}"))))
            && file.size >= self.smallest
            && self.largest.is_none_or(|largest| file.size <= largest)
            && self.since.is_none_or(|since| message.date >= since)
            && self.until.is_none_or(|until| message.date < until)
            && self.sender.is_none_or(|sender| message.sender_id == Some(sender))
    }
}

fn bytes(megabytes: f64) -> u64 {
    (megabytes * 1e6) as u64
}

fn kind(media: &Media) -> Option<Kind> {
    Some(match media {
        Media::Photo { .. } => Kind::Photo,
        Media::Document { kind, .. } => match kind {
            DocumentKind::Video => Kind::Video,
            DocumentKind::RoundVideo => Kind::RoundVideo,
            DocumentKind::Animation => Kind::Animation,
            DocumentKind::Voice => Kind::Voice,
            DocumentKind::Audio => Kind::Audio,
            DocumentKind::Sticker | DocumentKind::VideoSticker => Kind::Sticker,
            DocumentKind::File => Kind::Document,
        },
        _ => return None,
    })
}
