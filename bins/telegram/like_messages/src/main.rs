//! Reacts to the messages of one person in a chat, at a human pace. Replaces `like_messages` and `like`.
//!
//! Without `--reaction` the emoji is chosen from the text. What carries a reaction of this account is left alone, so a
//! run that was cut off is simply started again.

mod choice;
mod human;
mod person;
mod work;

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolResult, View};
use garde::Validate;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use telegram::bulk::State;
use telegram::model::MarkedId;
use telegram::{many, undo};

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// The chat: alias of config.yml, id, @username or link; else `LIKE_CHAT_ID`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub target: Option<String>,
    /// The person: @username, id, or a part of the name that only one writer has; else `LIKE_TARGET_USER_ID`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub person: Option<String>,
    /// The chat, in place of the first argument
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "c"}))]
    pub chat: Option<String>,
    /// The person, in place of the second argument
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "u"}))]
    pub user: Option<String>,
    /// The reaction for every message; chosen from the text unless given
    #[garde(inner(length(min = 1)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "r", "aliases": ["emoji", "e"]}))]
    pub reaction: Option<String>,
    /// Look at the newest so many messages of the chat
    #[garde(range(max = 100_000))]
    #[serde(default = "five_hundred")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: usize,
    /// Only messages of today (UTC, as Telegram dates them)
    #[serde(default)]
    pub today: bool,
    /// Put the reaction in place of another one of this account
    #[serde(default)]
    pub replace: bool,
    /// Most reactions in one run
    #[garde(range(min = 1, max = 5000))]
    #[serde(default = "five_hundred")]
    pub max: usize,
    /// Milliseconds between reactions, on which the human irregularities are laid; 0 for none
    #[garde(range(max = 600_000))]
    #[serde(default = "a_second_and_a_half")]
    pub pause_ms: u64,
    /// Take back what the run did that wrote this list (`undo_list` of its result): each message gets the reactions
    /// that it had before, unless they were changed since
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub undo: Option<PathBuf>,
}

const fn five_hundred() -> usize {
    500
}

const fn a_second_and_a_half() -> u64 {
    1500
}

/// One message.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Like {
    /// Number of the message.
    pub id: i32,
    /// When it was sent.
    pub date: Timestamp,
    /// Its beginning.
    pub preview: String,
    /// The reaction.
    pub emoji: String,
    /// What became of it.
    pub state: State,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its chat, for the plan.
    #[serde(skip)]
    pub chat: MarkedId,
}

impl many::Item for Like {
    fn state(&self) -> State {
        self.state
    }
    fn outcome(&mut self) -> (&mut State, &mut Option<String>) {
        (&mut self.state, &mut self.error)
    }
    fn target(&self) -> String {
        many::message_target(self.chat, self.id)
    }
    fn detail(&self) -> String {
        self.emoji.clone()
    }
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Output {
    /// Reactions given.
    Likes(Likes),
    /// Reactions taken back.
    Undo(undo::Report),
}

/// Reactions given.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Likes {
    /// Title of the chat.
    pub chat: String,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// Name of the person.
    pub user: String,
    /// Marked id of the person.
    pub user_id: i64,
    /// The reaction for all; none when it is chosen from the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
    /// The person's messages, newest first.
    pub items: Vec<Like>,
    /// Messages looked at.
    pub scanned: usize,
    /// Reactions given.
    pub liked: usize,
    /// Messages of others, and of other days with `--today`.
    pub filtered: usize,
    /// Messages that carried a reaction of this account.
    pub already: usize,
    /// Messages that failed.
    pub errors: usize,
    /// Messages beyond the cap of one run.
    pub beyond_cap: usize,
    /// Nothing was sent: this is what would be.
    pub planned: bool,
    /// What this account's reactions were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_list: Option<PathBuf>,
}

struct LikeMessages;

impl Tool for LikeMessages {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["like_messages", "like"])
            .effects(&[Effect::Reads, Effect::ChangesRemote])
            .gate(Gate::PlanFirst)
            .policy(Policy::with_timeout(Duration::from_secs(12 * 3600)), "reactions are paced at some ninety a minute; what was done is noted, so a second run repeats nothing")
            .env("LIKE_CHAT_ID", "Chat, where none is given; 0 counts as unset")
            .env(
                "LIKE_TARGET_USER_ID",
                "Person, where none is given; 0 counts as unset",
            )
            .example("see what would be sent", &["river_club", "@alice_doe"])
            .example(
                "one emoji for all, without the pauses",
                &[
                    "--chat",
                    "river_club",
                    "--user",
                    "Борис",
                    "--emoji",
                    "❤️",
                    "--pause-ms",
                    "0",
                    "--apply",
                ],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        work::run(&input, ctx).await
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output = match output {
            Output::Likes(output) => output,
            Output::Undo(report) => return undo::render(report, out),
        };
        writeln!(out, "Чат: {}", visible_line(&output.chat))?;
        writeln!(
            out,
            "Пользователь: {} ({})",
            visible_line(&output.user),
            output.user_id
        )?;
        let emoji = output.reaction.as_deref().unwrap_or("по тексту");
        writeln!(out, "Реакция: {emoji}\n")?;
        for item in &output.items {
            let Like {
                id, emoji, preview, ..
            } = item;
            match item.state {
                State::Planned => {
                    let when = item.date.to_zoned(TimeZone::UTC).strftime("%d.%m.%Y %H:%M");
                    writeln!(out, "  WOULD LIKE: {emoji} {when} - {preview}")?;
                }
                State::Done => writeln!(out, "{emoji} Лайк на сообщение {id}: {preview}")?,
                State::Failed | State::Left => {
                    let error = item.error.as_deref().unwrap_or("осталось на следующий запуск");
                    writeln!(out, "  Ошибка на сообщении {id}: {error}")?;
                }
                State::Already | State::Spared => {}
            }
        }
        writeln!(out, "\n{}\n📊 Результат:", "━".repeat(35))?;
        writeln!(out, "   Просканировано сообщений: {}", output.scanned)?;
        writeln!(out, "   Поставлено лайков: {}", output.liked)?;
        writeln!(out, "   Пропущено по фильтру отправителя: {}", output.filtered)?;
        writeln!(out, "   Уже была наша реакция: {}", output.already)?;
        writeln!(out, "   Ошибок: {}", output.errors)
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        Self::render(&output, view, out)
    }
}

fn main() -> ExitCode {
    app_core::main::<LikeMessages>()
}
