//! Lists the groups and channels with the newest messages. Replaces `get_active_chats` and `active-chats`.

use std::fmt;
use std::process::ExitCode;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::Telegram;
use telegram::listing::{self, Listed, ListedKind};

/// Chats asked at once for their latest message.
const PARALLEL: usize = 8;

const fn twenty() -> usize {
    20
}

const fn fifty() -> usize {
    50
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Chats shown at most
    #[garde(range(min = 1, max = 50_000))]
    #[serde(default = "twenty")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Dialogs looked at, private chats included
    #[garde(range(min = 1, max = 50_000))]
    #[serde(default = "fifty")]
    max_dialogs: usize,
    /// Show positive ids without the mark for groups and channels, as the script did
    #[serde(default)]
    bare_ids: bool,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The groups and channels, that with the newest message first.
    chats: Vec<Listed>,
}

struct GetActiveChats;

impl Tool for GetActiveChats {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .policy(
                Policy::with_timeout(std::time::Duration::from_secs(3600)),
                "the list of a large account is read page by page at a slow pace",
            )
            .replaces(1, &["get_active_chats", "active_chats"])
            .effects(&[Effect::Reads])
            .example("the 20 most recently active groups and channels", &[])
            .example("the 3 most recently active ones", &["--limit", "3"]);
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let mut chats = Telegram::session(ctx, async |telegram| {
            let mut dialogs = telegram.dialogs(Some(input.max_dialogs), |_| true).await?;
            dialogs.retain(|dialog| ListedKind::from(dialog.chat.peer.kind) != ListedKind::User);
            telegram.listed(dialogs, PARALLEL).await
        })
        .await?;
        chats.truncate(input.limit);
        ctx.count_items(chats.len() as u64);
        Ok(Output { chats })
    }

    fn render(output: &Output, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        listing::render(&output.chats, view.input.is_some_and(|input| input.bare_ids), out)
    }
}

fn main() -> ExitCode {
    app_core::main::<GetActiveChats>()
}
