//! Counts messages, media, reactions and senders of a chat. Replaces `chat_stats`.

mod count;

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::{ByTitle, Telegram};

use crate::count::{Counts, Stats};

const fn a_thousand() -> usize {
    1000
}

const fn ten() -> usize {
    10
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: alias of config.yml, id, @username, t.me link, or a part of its title that only one chat has
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    chat: String,
    /// The newest so many messages are counted
    #[garde(range(min = 1))]
    #[serde(default = "a_thousand")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Senders shown
    #[serde(default = "ten")]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    top: usize,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The chat as it was named.
    chat: String,
    /// Marked id of the chat.
    chat_id: i64,
    /// What was counted.
    #[serde(flatten)]
    stats: Stats,
}

struct ChatStats;

impl Tool for ChatStats {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["chat_stats"])
            .effects(&[Effect::Reads])
            .policy(
                Policy::with_timeout(Duration::from_secs(3600)),
                "a hundred thousand messages are read in minutes; the rest is room for flood waits",
            )
            .example("the last 1000 messages", &["river_club"])
            .example(
                "the last 200, with the three busiest senders",
                &["Workshop forum", "--limit", "200", "--top", "3"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let bar = ctx.progress("messages", "messages", None);
        let mut counts = Counts::default();
        let chat = Telegram::session(ctx, async |telegram| {
            let chat = telegram.resolve(&input.chat, ByTitle::Unique).await?;
            telegram
                .newest(&chat, Some(input.limit), |message| {
                    ctx.check_cancelled()?;
                    bar.inc(1);
                    counts.add(&message);
                    Ok(true)
                })
                .await?;
            Ok(chat)
        })
        .await?;
        bar.finish();
        let stats = counts.finish(input.top);
        ctx.count_items(stats.messages);
        Ok(Output {
            chat: input.chat,
            chat_id: chat.id().0,
            stats,
        })
    }

    fn render(output: &Output, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "Analyzing chat: {}...\n", visible_line(&output.chat))?;
        output.stats.render(view.input.map_or(10, |input| input.top), out)
    }
}

fn main() -> ExitCode {
    app_core::main::<ChatStats>()
}
