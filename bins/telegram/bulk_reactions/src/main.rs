//! Reacts with one emoji to many messages of a chat, once each. Replaces `bulk_reactions` and `react`.
//!
//! What has the reaction already is left alone, so a run that was cut off is simply started again.

mod legacy;
mod work;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolResult, View};
use garde::Validate;
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::bulk::{Item, State};
use telegram::undo;

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// The chat: alias, id, @username or link; else `BULK_REACTIONS_CHAT`, else `LIKE_CHAT_ID`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    pub chat: Option<String>,
    /// The reaction
    #[garde(length(min = 1))]
    #[serde(default = "fire")]
    #[schemars(extend("x-cli" = {"short": "e", "env": "BULK_REACTIONS_EMOJI"}))]
    pub emoji: String,
    /// Message numbers or links, separated by commas or blanks
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"many": true}))]
    pub ids: Vec<String>,
    /// File with more of them
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub file: Option<PathBuf>,
    /// Also the newest so many messages
    #[garde(range(max = 10_000))]
    #[serde(default)]
    pub recent: usize,
    /// Of the newest ones, only those of this sender (marked id); 0 takes everybody's
    #[serde(default)]
    pub user_id: i64,
    /// Seconds after each reaction
    #[garde(range(min = 0.0, max = 3600.0))]
    #[serde(default = "six_tenths")]
    #[schemars(extend("x-cli" = {"env": "BULK_REACTIONS_DELAY"}))]
    pub delay: f64,
    /// Most messages in one run; more are refused
    #[garde(range(min = 1, max = 10_000))]
    #[serde(default = "a_thousand")]
    pub max: usize,
    /// Take back what the run did that wrote this list (`undo_list` of its result): each message gets the reactions
    /// that it had before, unless they were changed since
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub undo: Option<PathBuf>,
}

fn fire() -> String {
    "🔥".to_owned()
}

const fn six_tenths() -> f64 {
    0.6
}

const fn a_thousand() -> usize {
    1000
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Output {
    /// Reactions given.
    Reactions(Reactions),
    /// Reactions taken back.
    Undo(undo::Report),
}

/// Reactions given.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Reactions {
    /// The chat as it was named; with its title if that was an alias.
    pub chat: String,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// The reaction.
    pub emoji: String,
    /// The messages, in the order they are acted on.
    pub items: Vec<Item>,
    /// Reactions given by this run.
    pub sent: usize,
    /// Messages that had the reaction before.
    pub already: usize,
    /// Messages that failed.
    pub errors: usize,
    /// Nothing was sent.
    pub planned: bool,
    /// Earlier reactions of this account on these messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_list: Option<PathBuf>,
}

struct BulkReactions;

impl Tool for BulkReactions {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram"])
            .replaces(1, &["bulk_reactions", "react"])
            .effects(&[Effect::Reads, Effect::ChangesRemote])
            .gate(Gate::PlanFirst)
            .policy(Policy::with_timeout(Duration::from_secs(12 * 3600)), "reactions are paced at some ninety a minute; what was done is noted, so a second run repeats nothing")
            .env("BULK_REACTIONS_CHAT", "Chat, where none is given")
            .env(
                "LIKE_CHAT_ID",
                "Chat, where `BULK_REACTIONS_CHAT` is not set either; 0 counts as unset",
            )
            .example(
                "see what would be done",
                &["--chat", "river_club", "--ids", "3", "4,5"],
            )
            .example(
                "do it",
                &["--chat", "river_club", "--ids", "3", "--delay", "0", "--apply"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        work::run(input, ctx).await
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output = match output {
            Output::Reactions(output) => output,
            Output::Undo(report) => return undo::render(report, out),
        };
        if output.items.is_empty() {
            return writeln!(out, "Nothing to do: no valid message ids resolved.");
        }
        writeln!(
            out,
            "Chat: {}\nEmoji: {}",
            visible_line(&output.chat),
            output.emoji
        )?;
        writeln!(out, "Messages to react: {}", output.items.len())?;
        if output.planned {
            writeln!(out, "Dry run: no reactions will be sent.")?;
        }
        writeln!(out)?;
        for item in &output.items {
            writeln!(out, "{} -> {}: {}", output.emoji, item.id, item.preview)?;
            match (item.state, &item.error) {
                (_, Some(error)) => writeln!(out, "  Error on {}: {error}", item.id)?,
                (State::Already, None) if !output.planned => writeln!(out, "  had it already")?,
                (State::Left, None) => writeln!(out, "  left for the next run")?,
                _ => {}
            }
        }
        writeln!(out, "\nDone.\nSent: {}\nErrors: {}", output.sent, output.errors)
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        Self::render(&output, view, out)
    }
}

impl OldCalls for BulkReactions {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::answer(call)
    }
}

fn main() -> ExitCode {
    migration::main::<BulkReactions>()
}
