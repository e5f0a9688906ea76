//! Finds profanity and spam in a chat, and on request warns about it or deletes it. Replaces `moderate` and
//! `profanity-stats`.
//!
//! By itself it only tells what it finds. Warning and deleting need their flag, `--apply`, and the chat in the allowlist.

mod folded;
mod judge;
mod words;
mod work;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::bulk::State;

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// The chat: alias of config.yml, id, @username or link
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub chat: String,
    /// Look through the newest messages once instead of watching
    #[serde(default)]
    pub once: bool,
    /// Count how often who used such words in the newest messages
    #[serde(default)]
    pub stats: bool,
    /// How many messages --once and --stats look at
    #[garde(range(max = 1_000_000))]
    #[serde(default = "a_thousand")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
    /// Also find messages of at least so many spam points (a pattern has 30, of 100)
    #[garde(inner(range(min = 1, max = 100)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spam: Option<u32>,
    /// Further words that are not wanted
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"aliases": ["word"]}))]
    pub words: Vec<String>,
    /// Answer each finding publicly with a warning (with --apply, in allowed chats)
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "w", "aliases": ["warn"]}))]
    pub send_warnings: bool,
    /// Delete each finding (with --apply, in allowed chats)
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "d"}))]
    pub delete: bool,
    /// Most warnings and deletions in one run
    #[garde(range(min = 1, max = 1000))]
    #[serde(default = "twenty")]
    pub max_actions: usize,
    /// Seconds in which one person is warned at most once
    #[garde(range(max = 86_400))]
    #[serde(default = "ten_minutes")]
    pub warn_every: u64,
    /// Seconds between two looks while watching; 0.2 at least
    #[garde(range(min = 0.0, max = 3600.0))]
    #[serde(default = "three")]
    pub interval: f64,
    /// Watch for so many seconds; without end unless given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_seconds: Option<u64>,
}

const fn a_thousand() -> usize {
    1000
}

const fn twenty() -> usize {
    20
}

const fn ten_minutes() -> u64 {
    600
}

const fn three() -> f64 {
    3.0
}

/// One message that was found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Number of the message.
    pub id: i32,
    /// When it was sent.
    pub date: Timestamp,
    /// Name of the sender.
    pub sender: String,
    /// Marked id of the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<i64>,
    /// The words.
    pub matches: Vec<String>,
    /// Spam points.
    pub spam: u32,
    /// What became of the warning, if there was to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<State>,
    /// What became of the deletion, if there was to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<State>,
    /// Why one of them failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How often one person used such words.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Offender {
    /// Name.
    pub name: String,
    /// Marked id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Messages with such words.
    pub violations: usize,
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Title of the chat.
    pub chat: String,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// Messages looked at.
    pub scanned: usize,
    /// Those that were found, oldest first; with --stats only counted.
    pub findings: Vec<Finding>,
    /// Messages with profanity.
    pub profane: usize,
    /// Who used such words most, with --stats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offenders: Option<Vec<Offender>>,
    /// Warnings and deletions done.
    pub acted: usize,
    /// Those that failed.
    pub errors: usize,
    /// Nothing was done about the findings.
    pub planned: bool,
    /// Full texts of what was deleted, written before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_list: Option<PathBuf>,
}

struct Moderate;

impl Tool for Moderate {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["moderate"])
            .effects(&[Effect::Reads, Effect::Sends, Effect::Deletes])
            .gate(Gate::PlanFirst)
            .long_running()
            .policy(
                Policy::with_timeout(Duration::ZERO),
                "it watches until it is stopped",
            )
            .env(
                "MODERATE_CHATS",
                "Chats in which warnings and deletions are allowed, separated by commas; none by default",
            )
            .example(
                "look through the newest messages",
                &["river_club", "--once", "--limit", "100"],
            )
            .example("who swears how often", &["river_club", "--stats"])
            .example(
                "watch for a second, telling only",
                &["river_club", "--watch-seconds", "1"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let output = work::run(&input, ctx).await?;
        if output.errors > 0 {
            return Err(ToolError::partial(
                format!("{} warnings or deletions failed", output.errors),
                &output,
            ));
        }
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        if let Some(offenders) = &output.offenders {
            let percent = output.profane as f64 * 100.0 / output.scanned.max(1) as f64;
            writeln!(out, "Всего сообщений: {}", output.scanned)?;
            writeln!(out, "С нецензурной лексикой: {} ({percent:.1}%)", output.profane)?;
            for offender in offenders {
                writeln!(
                    out,
                    "  {} - {} violations",
                    visible_line(&offender.name),
                    offender.violations
                )?;
            }
            return Ok(());
        }
        writeln!(
            out,
            "{}: {} messages, {} findings",
            visible_line(&output.chat),
            output.scanned,
            output.findings.len()
        )?;
        for finding in &output.findings {
            write!(
                out,
                "{} {}: {}",
                finding.id,
                visible_line(&finding.sender),
                visible_line(&finding.matches.join(", "))
            )?;
            if finding.spam > 0 {
                write!(out, " spam {}", finding.spam)?;
            }
            for (what, state) in [("warning", finding.warning), ("deletion", finding.deletion)] {
                if let Some(state) = state {
                    write!(out, " [{what} {}]", word(state))?;
                }
            }
            writeln!(out)?;
            if let Some(error) = &finding.error {
                writeln!(out, "  {error}")?;
            }
        }
        Ok(())
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        Self::render(&output, view, out)
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Planned => "planned",
        State::Done => "done",
        State::Already => "done before",
        State::Spared => "spared",
        State::Failed => "failed",
        State::Left => "left",
    }
}

fn main() -> ExitCode {
    app_core::main::<Moderate>()
}
