//! What the tool says of events and of the calendars they stand in.

use calendar::{Moment, Occurrence, Origin, Status, Zone};
use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A day, or a moment in its own zone and in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct When {
    /// The day, of an event without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The time on the clock there, with its offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// Zone, as the calendar names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The moment in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc: Option<String>,
}

impl When {
    /// Of a moment.
    pub fn of(moment: &Moment) -> Self {
        match moment {
            Moment::Day(date) => Self {
                date: Some(date.to_string()),
                ..Self::default()
            },
            Moment::At { utc, zone } => Self {
                date: None,
                local: Some(local(*utc, zone)),
                zone: Some(zone.name().to_owned()),
                utc: Some(in_utc(*utc)),
            },
        }
    }
}

/// A moment as a clock of this zone shows it.
pub fn local(utc: i64, zone: &Zone) -> String {
    let civil = zone
        .civil_at(utc)
        .map(|civil| civil.to_string())
        .unwrap_or_default();
    let offset = Offset::from_seconds(zone.offset_at(utc)).unwrap_or(Offset::UTC);
    let seconds = offset.seconds();
    let (sign, seconds) = if seconds < 0 {
        ('-', -seconds)
    } else {
        ('+', seconds)
    };
    format!("{civil}{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

/// A moment in UTC.
pub fn in_utc(utc: i64) -> String {
    jiff::Timestamp::from_second(utc)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// One time that an event takes place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Identity.
    pub uid: String,
    /// When the series would have had it; only of what recurs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence_id: Option<When>,
    /// Title.
    pub title: String,
    /// When it begins.
    pub start: When,
    /// When it is over: that moment or day is no part of it.
    pub end: When,
    /// Whether it takes whole days.
    pub all_day: bool,
    /// `confirmed`, `tentative` or `cancelled`.
    pub status: String,
    /// Whether it takes up the time.
    pub busy: bool,
    /// Place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// Description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Calendar that it stands in.
    pub source: String,
    /// Line of the calendar where it begins.
    pub line: usize,
    /// The time names no zone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub floating: bool,
    /// The zone that was taken in place of a missing, unknown or Windows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_assumed: Option<String>,
    /// The time names a zone that nobody knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zone_unknown: bool,
    /// The clock leaps over the time that was given: it was moved by the leap.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dst_gap: bool,
    /// The clock shows the time twice: the first was taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dst_repeated: bool,
    /// The end of the rule was read leniently.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_lenient: bool,
}

impl Event {
    /// Of an occurrence in a calendar.
    pub fn of(occurrence: &Occurrence<'_>, source: &str) -> Self {
        let event = occurrence.event;
        let mut shown = Self {
            uid: event.uid.clone(),
            recurrence_id: occurrence.recurrence_id.as_ref().map(When::of),
            title: event.title.clone(),
            start: When::of(&occurrence.start),
            end: When::of(&occurrence.end),
            all_day: matches!(occurrence.start, Moment::Day(_)),
            status: match event.status {
                _ if occurrence.cancelled => "cancelled",
                Status::Tentative => "tentative",
                Status::Confirmed | Status::Cancelled => "confirmed",
            }
            .to_owned(),
            busy: !event.transparent && !occurrence.cancelled,
            location: event.location.clone(),
            description: event.description.clone(),
            categories: event.categories.clone(),
            source: source.to_owned(),
            line: event.line,
            floating: false,
            zone_assumed: None,
            zone_unknown: false,
            dst_gap: occurrence.gap,
            dst_repeated: occurrence.repeated,
            until_lenient: event.until_lenient,
        };
        for moment in [&occurrence.start, &occurrence.end] {
            if let Moment::At { zone, .. } = moment {
                shown.mark(zone.origin());
            }
        }
        shown
    }

    fn mark(&mut self, origin: &Origin) {
        match origin {
            Origin::Floating(zone) => {
                self.floating = true;
                self.zone_assumed = Some(zone.clone());
            }
            Origin::Unknown(zone) => {
                self.floating = true;
                self.zone_unknown = true;
                self.zone_assumed = Some(zone.clone());
            }
            Origin::Windows(zone) => self.zone_assumed = Some(zone.clone()),
            Origin::Utc | Origin::File | Origin::Database => {}
        }
    }

    /// Whether one of these words, in lower case, stands in title, description or place.
    pub fn says(&self, words: &[String]) -> bool {
        words.is_empty()
            || [&self.title, &self.description, &self.location]
                .iter()
                .any(|text| {
                    let text = text.to_lowercase();
                    words.iter().any(|word| text.contains(word))
                })
    }
}

/// Something that is wrong with a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The calendar.
    pub source: String,
    /// Line of it; 0 where it concerns the whole.
    pub line: usize,
    /// Identity of the event, where it concerns one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// What.
    pub message: String,
}

/// What is known about the calendars behind a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Basis {
    /// Calendars read.
    pub calendars: usize,
    /// Events in them, those that cannot be shown included.
    pub events_read: usize,
    /// What is missing from the result, and why: events that cannot be read, series that are cut, old copies.
    pub missing: Vec<Finding>,
    /// What was guessed or put right.
    pub warnings: Vec<Finding>,
    /// Warnings beside those listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_warnings: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Warnings listed at most.
const MOST_WARNINGS: usize = 1_000;

impl Basis {
    /// Notes something that was guessed.
    pub fn warn(&mut self, finding: Finding) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(finding);
        } else {
            self.more_warnings += 1;
        }
    }
}
