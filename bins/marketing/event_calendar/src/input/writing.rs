//! What is asked for where a calendar is written.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A new event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Create {
    /// Title
    #[garde(length(min = 1, max = 1000))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub title: String,
    /// When it begins: 2026-03-02T10:00, or a day for a whole-day event
    pub start: String,
    /// When it ends; for whole days the last day
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Minutes that it takes, in place of an end; 60 without either
    #[garde(range(min = 0, max = 527_040))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    pub minutes: Option<i64>,
    /// Zone of the times, for example Europe/Berlin; of the settings, else the host's
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "z"}))]
    pub zone: Option<String>,
    /// Rule of a series, for example FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10
    #[garde(length(max = 2000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rrule: Option<String>,
    /// Description
    #[garde(length(max = 100_000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Place
    #[garde(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Categories
    #[garde(length(max = 50), inner(length(max = 200)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"aliases": ["category"]}))]
    pub categories: Vec<String>,
    /// Who takes part: an address, or Name <address>; may be repeated
    #[garde(length(max = 500), inner(length(max = 500)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"aliases": ["attendee"]}))]
    pub attendees: Vec<String>,
    /// The time stays free for others
    #[serde(default)]
    pub transparent: bool,
    /// Identity; a fresh one if not given
    #[garde(length(max = 255))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Calendar to add it to: the output is a copy of this file with the new event
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub add_to: Option<PathBuf>,
    /// File to write
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: PathBuf,
}

/// Moving.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Move {
    /// The calendar
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub file: PathBuf,
    /// Identity of the event, as `list --json` shows it
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub uid: String,
    /// When it begins from now on: 2026-03-02T10:00, or a day for a whole-day event
    pub to: String,
    /// Which instance of a series: its time or day by the series
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// File to write
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: PathBuf,
}

/// Calling off.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Cancel {
    /// The calendar
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub file: PathBuf,
    /// Identity of the event, as `list --json` shows it
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub uid: String,
    /// Which instance of a series: its time or day by the series; the whole series if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// File to write
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: PathBuf,
}
