//! iCalendar (RFC 5545): a reader that loses nothing to one broken event, a writer, recurrences over civil times, and
//! time zones from the file, the zone database or the Windows table. Pure: no files, no clock, no network.
//!
//! Every guess is told: as a [`Note`] with the line it concerns, or as a mark at the [`Occurrence`].

mod component;
mod content;
mod days;
mod edit;
mod event;
mod expand;
mod filter;
mod read;
mod rule;
mod series;
mod value;
mod vtimezone;
mod write;
mod zone;
mod zone_text;

pub use component::{Component, Document, parse};
pub use content::{Line, Param};
pub use edit::{Edit, changed, inserted, replaced};
pub use event::{Event, Length, Status};
pub use expand::{Bounds, Expansion};
pub use read::{Calendar, Skipped, read};
pub use rule::{Freq, Rule, Until};
pub use series::{DstGap, Limits, Moment, Occurrence, Overview, Series, Window, group};
pub use value::{Time, parse_time, unescape};
pub use write::{Text, escape, stamp_utc, when_line};
pub use zone::{Origin, Resolved, Zone, Zones};
pub use zone_text::vtimezone as vtimezone_text;

/// Something that was guessed, left out or put right, and the line of the file that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Line of the file, from 1.
    pub line: usize,
    /// What, as a fragment.
    pub message: String,
}

impl Note {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

/// The beginning of a text of the file, for a message.
pub(crate) fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN - 1).chain(['…']).collect()
    }
}
