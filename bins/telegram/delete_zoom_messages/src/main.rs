//! Deletes messages with Zoom invitations. Replaces `delete_zoom_messages` and `delete_zoom`.
//!
//! Own messages only, unless others' are asked for where the account may delete them. It plans unless `--apply` is given.

mod invitation;
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
    /// The chats: @username, alias of config.yml, id or link; else those of `ZOOM_CLEANUP_CHATS`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub chats: Vec<String>,
    /// Look at the newest so many messages of a chat
    #[garde(range(max = 1_000_000))]
    #[serde(default = "three_thousand")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
    /// What a link must contain
    #[garde(length(min = 3))]
    #[serde(default = "zoom")]
    #[schemars(extend("x-cli" = {"env": "ZOOM_URL_PATTERN"}))]
    pub pattern: String,
    /// Only messages of this sender (marked id); 0 means this account
    #[serde(default)]
    #[schemars(extend("x-cli" = {"env": "ZOOM_SENDER_ID"}))]
    pub sender: i64,
    /// Messages of everybody, where this account may delete them
    #[serde(default)]
    pub anyone: bool,
    /// Most messages deleted in one run, over all chats
    #[garde(range(min = 1, max = 10_000))]
    #[serde(default = "a_thousand")]
    pub max: usize,
}

const fn three_thousand() -> usize {
    3000
}

const fn a_thousand() -> usize {
    1000
}

fn zoom() -> String {
    "zoom.us".to_owned()
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What was done in each chat.
    pub chats: Vec<Sweep>,
    /// Messages deleted in all.
    pub deleted: usize,
}

struct DeleteZoom;

impl Tool for DeleteZoom {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["delete_zoom_messages"])
            .effects(&[Effect::Reads, Effect::Deletes])
            .gate(Gate::PlanFirst)
            .policy(
                Policy::with_timeout(Duration::from_secs(12 * 3600)),
                "deleting is paced, and a large account takes hours; a stopped run goes on where it was",
            )
            .env(
                "ZOOM_CLEANUP_CHATS",
                "Chats, separated by commas, where none is given",
            )
            .example("see what would go", &["alice_doe"])
            .example("delete it", &["alice_doe", "@river_club", "--apply"]);
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let output = work::run(&input, ctx).await?;
        clean::told(ctx, &output.chats, &output)?;
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        for sweep in &output.chats {
            writeln!(
                out,
                "Ищу сообщения с Zoom ссылками: {}",
                visible_line(&sweep.chat)
            )?;
            for item in &sweep.items {
                let verb = match item.state {
                    State::Planned => "Было бы удалено",
                    State::Spared => "Оставлено",
                    State::Already => "Уже удалено",
                    State::Left => "Осталось",
                    State::Failed => "Не удалено",
                    State::Done => "Удаляю",
                };
                let sender = visible_line(item.sender.as_deref().unwrap_or("Я"));
                writeln!(out, "{verb}: {} {sender}: {}", item.second(), item.preview)?;
                if let (State::Failed | State::Spared, Some(error)) = (item.state, &item.error) {
                    writeln!(out, "  {error}")?;
                }
            }
        }
        writeln!(out, "\nУдалено {} сообщений с Zoom ссылками", output.deleted)
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        Self::render(&output, view, out)
    }
}

fn main() -> ExitCode {
    app_core::main::<DeleteZoom>()
}
