//! Posts prepared questions, each once and to its own chat. Replaces `send_viral_question`, `send_viral_questions` and
//! `send_viral`.
//!
//! Questions are data: a YAML list, or the SQLite file that also keeps what was sent. It plans unless `--apply` is given.

mod list;
mod store;
mod work;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::bulk::State;
use telegram::many;

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// YAML list of questions; new ones are taken into the database
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub questions: Option<PathBuf>,
    /// SQLite file that keeps the questions and what was sent
    #[serde(default = "database")]
    #[schemars(extend("x-cli" = {"path": "out"}))]
    pub database: PathBuf,
    /// Most questions in one run
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "three")]
    pub max: usize,
    /// Seconds after each question
    #[garde(range(min = 0.0, max = 3600.0))]
    #[serde(default = "two")]
    pub delay: f64,
}

fn database() -> PathBuf {
    PathBuf::from("viral_questions.db")
}

const fn three() -> usize {
    3
}

const fn two() -> f64 {
    2.0
}

/// One question of this run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Posted {
    /// Its number in the database; none before it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<i64>,
    /// The chat as the question names it.
    pub chat: String,
    /// Title of the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Marked id of the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<i64>,
    /// Its beginning.
    pub preview: String,
    /// What became of it; `already` is one that an earlier run sent without living to note it.
    pub state: State,
    /// Number of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i32>,
    /// Why it was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Digest of the text, for the plan.
    #[serde(skip)]
    pub digest: String,
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The questions, in the order they are sent.
    pub items: Vec<Posted>,
    /// Questions sent by this run.
    pub sent: usize,
    /// Questions that failed.
    pub errors: usize,
    /// Active questions that wait for another run.
    pub waiting: usize,
    /// Nothing was sent: this is what would be.
    pub planned: bool,
}

struct SendViralQuestion;

impl Tool for SendViralQuestion {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["send_viral_question", "send_viral_questions", "send_viral"])
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::Sends])
            .gate(Gate::PlanFirst)
            .policy(Policy::with_timeout(Duration::from_secs(3600)), "waits between sends and flood waits add up; what was sent is noted, so a second run repeats nothing")
            .example("see which questions would go where", &["questions.yml"])
            .example("send them", &["questions.yml", "--delay", "0", "--apply"]);
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let output = work::run(&input, ctx).await?;
        many::told(ctx, &output.items, &output)?;
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "🚀 Отправка вопросов: {}", output.items.len())?;
        for (n, item) in output.items.iter().enumerate() {
            let n = n + 1;
            let title = visible_line(item.title.as_deref().unwrap_or(&item.chat));
            let error = item.error.as_deref().unwrap_or_default();
            match item.state {
                State::Planned => writeln!(out, "[{n}] Было бы отправлено в '{title}': {}", item.preview)?,
                State::Done => writeln!(out, "✅ [{n}] Отправлено в '{title}'")?,
                State::Already => writeln!(out, "✅ [{n}] Уже было отправлено в '{title}'")?,
                State::Spared => writeln!(out, "⏸ [{n}] Не отправлено в '{title}': {error}")?,
                State::Failed => writeln!(out, "❌ [{n}] '{title}': {error}")?,
                State::Left => writeln!(out, "⏸ [{n}] '{title}': {error}")?,
            }
        }
        writeln!(
            out,
            "\nОтправлено: {}\nОшибок: {}\nЖдут: {}",
            output.sent, output.errors, output.waiting
        )
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        Self::render(&output, view, out)
    }
}

fn main() -> ExitCode {
    app_core::main::<SendViralQuestion>()
}
