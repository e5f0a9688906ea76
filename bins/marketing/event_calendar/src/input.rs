//! What the tool may be asked for.

mod writing;

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use writing::{Cancel, Create, Move};

/// What to do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// List what takes place in a range of days
    List(#[garde(dive)] List),
    /// Show busy times and the free ones between them
    Free(#[garde(dive)] Free),
    /// Find events that overlap; exit code 3 when there are some
    Conflicts(#[garde(dive)] Conflicts),
    /// Write a new event, single or recurring
    Create(#[garde(dive)] Create),
    /// Write a copy of a calendar with one event, or one instance of a series, at another time
    Move(#[garde(dive)] Move),
    /// Write a copy of a calendar with one event called off, or one instance taken out
    Cancel(#[garde(dive)] Cancel),
    /// Say what is wrong with calendars; exit code 3 when an event cannot be read
    Lint(#[garde(dive)] Lint),
    /// Find planned events that meet holidays or events of other calendars; exit code 3 when there are some
    Check(#[garde(dive)] Check),
}

/// What becomes of a time that the clock leaps over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DstGap {
    /// It is moved by the leap and marked, as people's calendars show it
    #[default]
    Shift,
    /// An instance of a rule is neither shown nor counted, as RFC 5545 says
    Omit,
}

impl From<DstGap> for calendar::DstGap {
    fn from(gap: DstGap) -> Self {
        match gap {
            DstGap::Shift => Self::Shift,
            DstGap::Omit => Self::Omit,
        }
    }
}

const fn ten_thousand() -> usize {
    10_000
}

const fn half_an_hour() -> i64 {
    30
}

fn nine() -> String {
    "09:00".to_owned()
}

fn five() -> String {
    "17:00".to_owned()
}

/// Which range of time is looked at, and how; inputs take it in by `serde(flatten)`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Range {
    /// First day, or time: 2026-03-01 or 2026-03-01T09:00; today if not given, with `free` now
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Last day, which belongs to it, or last time; else so long after the first: 30 days, with `free` 7, with `check` 365
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Zone of days and of what is shown, for example Europe/Berlin; of the settings, else the host's
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "z"}))]
    pub zone: Option<String>,
    /// Zone for times that name none; else the one that the file states, else the zone of days
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floating: Option<String>,
    /// What becomes of a time that the clock leaps over
    #[serde(default)]
    pub dst_gap: DstGap,
}

/// Which calendars are looked at, and when.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Calendars {
    /// Calendar: an .ics file, a folder of them, or an http(s) address; may be repeated; those of the settings if none is named
    #[garde(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"short": "s", "path": "any", "aliases": ["source"]}))]
    pub sources: Vec<String>,
    /// When.
    #[serde(flatten)]
    #[garde(dive)]
    pub range: Range,
}

/// Listing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct List {
    /// Only events with one of these words in title, description or place; in any case
    #[garde(length(max = 100), inner(length(max = 1000)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"positional": 1, "aliases": ["keywords"]}))]
    pub words: Vec<String>,
    /// Which calendars, and when.
    #[serde(flatten)]
    #[garde(dive)]
    pub calendars: Calendars,
    /// Show events that were called off too
    #[serde(default)]
    pub cancelled: bool,
    /// Events at most; more are counted and said, with exit code 3
    #[garde(range(min = 1, max = 200_000))]
    #[serde(default = "ten_thousand")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
    /// Also write them as an .ics file, one event for each time
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
}

/// Free and busy times.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Free {
    /// Which calendars, and when.
    #[serde(flatten)]
    #[garde(dive)]
    pub calendars: Calendars,
    /// Minutes that a free time must have at least
    #[garde(range(min = 1, max = 527_040))]
    #[serde(default = "half_an_hour")]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    pub minutes: i64,
    /// When the day begins
    #[serde(default = "nine")]
    pub day_start: String,
    /// When it ends; 24:00 is midnight
    #[serde(default = "five")]
    pub day_end: String,
    /// Saturdays and Sundays count too
    #[serde(default)]
    pub weekends: bool,
    /// Events of whole days leave the day free
    #[serde(default)]
    pub ignore_all_day: bool,
}

/// Overlaps.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Conflicts {
    /// Which calendars, and when.
    #[serde(flatten)]
    #[garde(dive)]
    pub calendars: Calendars,
    /// Events of whole days count too
    #[serde(default)]
    pub all_day: bool,
}

/// Looking for mistakes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Lint {
    /// Calendars: .ics files, folders of them, or http(s) addresses; those of the settings if none is named
    #[garde(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any", "aliases": ["source"]}))]
    pub sources: Vec<String>,
    /// Zone for times that name none
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floating: Option<String>,
    /// Exit code 3 for guesses too, not only for events that cannot be read
    #[serde(default)]
    pub strict: bool,
}

/// Looking for clashes of a plan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Check {
    /// The plan: an .ics file, a folder of them, or an http(s) address
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any"}))]
    pub plan: String,
    /// Other calendars that it must not meet: .ics files, folders of them, or http(s) addresses; may be repeated
    #[garde(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"short": "a", "path": "any"}))]
    pub against: Vec<String>,
    /// Calendar of holidays; the one of the settings if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "any"}))]
    pub holidays: Option<String>,
    /// Being on the same day is a clash too
    #[serde(default)]
    pub same_day: bool,
    /// Being on a Saturday or Sunday is a clash too
    #[serde(default)]
    pub weekends: bool,
    /// When.
    #[serde(flatten)]
    #[garde(dive)]
    pub range: Range,
}
