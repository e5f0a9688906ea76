//! Deletes own messages that nobody answered or reacted to. Replaces `delete_unanswered`.
//!
//! It plans unless `--apply` is given. Replies and reactions are read again right before each deletion.

mod answers;
mod work;

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::bulk::State;
use telegram::clean::{self, Sweep};

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// The chat: alias of config.yml, id, @username or link
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    pub chat: Option<String>,
    /// The chat by its id, marked or bare
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<i64>,
    /// Every chat of config.yml; with --apply also needs `--confirm all`
    #[serde(default)]
    pub all: bool,
    /// The word `all`, typed out, for --all
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// Look at the newest so many messages of a chat
    #[garde(range(max = 1_000_000))]
    #[serde(default = "five_hundred")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
    /// Only messages at least so many hours old
    #[garde(range(max = 1_000_000))]
    #[serde(default = "one")]
    pub hours: u32,
    /// Also private chats, where a message counts as answered when the other side wrote anything after it
    #[serde(default)]
    pub private: bool,
    /// Most messages deleted in one run, over all chats
    #[garde(range(min = 1, max = 10_000))]
    #[serde(default = "a_hundred")]
    pub max: usize,
}

const fn five_hundred() -> usize {
    500
}

const fn one() -> u32 {
    1
}

const fn a_hundred() -> usize {
    100
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What was done in each chat.
    pub chats: Vec<Sweep>,
    /// Chats that were left out, with the reason.
    pub skipped: Vec<Skipped>,
    /// Messages deleted in all.
    pub deleted: usize,
    /// Every chat of the configuration was asked for.
    pub all: bool,
}

/// A chat that was left out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// The chat as it was named.
    pub chat: String,
    /// Why.
    pub reason: String,
    /// It was to be done, and could not be.
    pub failed: bool,
}

struct DeleteUnanswered;

impl Tool for DeleteUnanswered {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["delete_unanswered"])
            .effects(&[Effect::Reads, Effect::Deletes])
            .gate(Gate::PlanFirst)
            .policy(
                Policy::with_timeout(Duration::from_secs(12 * 3600)),
                "deleting is paced, and a large account takes hours; a stopped run goes on where it was",
            )
            .example("see what would go", &["--chat", "river_club", "--hours", "24"])
            .example("delete it", &["--chat-id", "-1000000001003", "--apply"]);
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let output = work::run(&input, ctx).await?;
        if output.skipped.iter().any(|skipped| skipped.failed) {
            return Err(app_core::ToolError::partial("some chats failed", &output));
        }
        clean::told(ctx, &output.chats, &output)?;
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        for sweep in &output.chats {
            writeln!(
                out,
                "Checking {} messages in {}...",
                sweep.scanned,
                visible_line(&sweep.chat)
            )?;
            for item in &sweep.items {
                let verb = match item.state {
                    State::Planned => "WOULD DELETE",
                    State::Spared => "SPARED",
                    State::Already => "GONE",
                    State::Left => "LEFT",
                    _ => "DEL",
                };
                writeln!(out, "  {verb}: {} - {}", item.minute(), item.shown())?;
                if let (State::Failed | State::Spared, Some(error)) = (item.state, &item.error) {
                    writeln!(out, "    {error}")?;
                }
            }
            if output.all && sweep.deleted > 0 {
                writeln!(
                    out,
                    "{}: deleted {} messages",
                    visible_line(&sweep.chat),
                    sweep.deleted
                )?;
            }
        }
        for skipped in &output.skipped {
            writeln!(out, "{}: {}", visible_line(&skipped.chat), skipped.reason)?;
        }
        if output.all {
            writeln!(out, "\n=== Total deleted: {} messages ===", output.deleted)
        } else {
            writeln!(out, "\nDeleted {} messages", output.deleted)
        }
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        Self::render(&output, view, out)
    }
}

fn main() -> ExitCode {
    app_core::main::<DeleteUnanswered>()
}
