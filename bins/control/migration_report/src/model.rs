//! The report as data: what `--json` prints and what every face is made from.

use app_core::Effect;
use jiff::Timestamp;
use migration::evidence::Acceptance;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole migration at one moment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Report {
    /// When it was made.
    pub at: Timestamp,
    /// No gate is open, and no tool is cut over too early.
    pub complete: bool,
    /// Sums over all waves.
    pub totals: Counts,
    /// In order; wave 0, the tools that replace nothing, is the last.
    pub waves: Vec<Wave>,
    /// By wave and name.
    pub tools: Vec<Row>,
    /// What is left before the last script can go.
    pub checklist: Vec<Item>,
    /// What must be true before a tool may be marked `cut_over`.
    pub rule: Rule,
    /// Tools marked `cut_over` without it.
    pub cut_over_too_early: Vec<String>,
    /// Scripts that no tool replaces, and why.
    #[serde(default)]
    pub outside: Vec<Outside>,
    /// Files that should be evidence or shadow runs and cannot be read.
    pub unreadable: Vec<String>,
}

/// Scripts that no tool replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outside {
    /// Their names.
    pub scripts: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Numbers for a bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Counts {
    /// Scripts known.
    pub scripts: usize,
    /// Scripts whose tools have all gates closed.
    pub replaced: usize,
    /// Scripts with a tool that has a gate open.
    pub in_progress: usize,
    /// Tools, scripts without a tool among them.
    pub tools: usize,
    /// Tools with all gates closed.
    pub ready: usize,
    /// Gates of all tools that count.
    pub gates: usize,
    /// Gates closed.
    pub closed: usize,
}

impl Counts {
    /// Scripts nobody has begun with.
    pub(crate) const fn not_begun(&self) -> usize {
        self.scripts - self.replaced - self.in_progress
    }

    /// Adds those of another wave.
    pub(crate) const fn add(&mut self, other: &Self) {
        self.scripts += other.scripts;
        self.replaced += other.replaced;
        self.in_progress += other.in_progress;
        self.tools += other.tools;
        self.ready += other.ready;
        self.gates += other.gates;
        self.closed += other.closed;
    }
}

/// One wave.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Wave {
    /// Its number.
    pub number: u8,
    /// What it is about; empty when nobody said it.
    pub title: String,
    /// Its numbers.
    pub counts: Counts,
    /// One line for people.
    pub line: String,
    /// Its scripts.
    pub scripts: Vec<Script>,
}

impl Wave {
    /// Number and title in one line.
    pub(crate) fn heading(&self) -> String {
        match (self.number, self.title.as_str()) {
            (0, title) => title.to_owned(),
            (number, "") => format!("Wave {number}"),
            (number, title) => format!("Wave {number}: {title}"),
        }
    }
}

/// A script of the old collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Script {
    /// Its name.
    pub name: String,
    /// Tools that replace it.
    pub tools: Vec<String>,
    /// How far it is.
    pub stage: Stage,
}

/// How far a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Its tools have all gates closed.
    Replaced,
    /// It has a tool with a gate open.
    InProgress,
    /// It has no tool.
    NotBegun,
}

/// One tool, or a script that has no tool yet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Row {
    /// Name.
    pub name: String,
    /// Family.
    pub family: String,
    /// Migration wave; 0 replaces nothing.
    pub wave: u8,
    /// Scripts it replaces.
    pub replaces: Vec<String>,
    /// Whether there is a binary; without one the row stands for a script that is still alone.
    pub binary: bool,
    /// Who answers for it: `rust`, `legacy`, or `nobody`.
    pub route: String,
    /// What a run can do.
    pub effects: Vec<Effect>,
    /// All gates closed.
    pub ready: bool,
    /// In the order of the design.
    pub gates: Vec<GateState>,
    /// Runs beside the script.
    pub shadow: Shadow,
    /// How often its script stood in.
    pub fallback: Fallback,
    /// What it does not do yet.
    pub known_gaps: Vec<String>,
    /// Whether it is marked so.
    pub cut_over: bool,
    /// Whether it may be.
    pub may_cut_over: bool,
    /// Why, in words.
    pub cut_over_reason: String,
}

/// One gate of one tool.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GateState {
    /// Which.
    pub gate: Acceptance,
    /// How it stands.
    pub state: State,
    /// What was shown, or what is missing.
    pub summary: String,
    /// Command that shows it.
    pub command: String,
    /// When it was last shown.
    pub at: Option<Timestamp>,
}

/// How a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Shown with this very binary.
    Closed,
    /// The check did not hold.
    Failed,
    /// Shown with another binary.
    Stale,
    /// Never shown.
    Missing,
    /// There is nothing to show: it replaces no script.
    NotNeeded,
}

impl State {
    /// Whether it holds a release.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Failed | Self::Stale | Self::Missing)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Closed => "ok",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::Missing => "none",
            Self::NotNeeded => "-",
        }
    }
}

/// What running beside the script, or alone, has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Shadow {
    /// Comparisons in all.
    pub comparisons: u64,
    /// Comparisons that found a difference.
    pub divergent: u64,
    /// Days with comparisons, all of them clean, since the last difference.
    pub clean_days: u32,
    /// Clean comparisons since the last difference.
    pub clean_runs: u32,
    /// The newest comparison.
    pub last_at: Option<Timestamp>,
    /// The newest difference.
    pub last_divergence: Option<Timestamp>,
    /// The first of what differed then.
    pub last_difference: Option<String>,
    /// Whether these are runs of the tool alone, because its effects forbid running both.
    pub alone: bool,
}

/// How often a script stood in, over the kept run log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Fallback {
    /// Runs.
    pub runs: u64,
    /// The newest.
    pub last_at: Option<Timestamp>,
    /// Reasons with their runs, for people.
    pub reasons: Vec<String>,
}

/// A line of the checklist.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Item {
    /// What must hold.
    pub text: String,
    /// Whether it does.
    pub done: bool,
    /// The numbers behind it.
    pub detail: String,
}

pub(crate) use app_core::contract::settings::MigrationSettings as Rule;
