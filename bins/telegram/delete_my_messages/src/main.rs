//! Deletes the account's own messages in one chat. Replaces `delete_my_msgs` and `delete_my_messages`.
//!
//! It plans unless `--apply` is given together with the typed title of the chat, and keeps the full texts first.

use std::collections::HashMap;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::bulk::State;
use telegram::clean::{self, Cleaning, Found, Sweep};
use telegram::model::Message;
use telegram::{ByTitle, Telegram};

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// The chat: id, alias of config.yml, @username or link
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub target: Option<String>,
    /// Look at the newest so many messages only; 0 looks at all
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub newest: Option<usize>,
    /// The chat, in place of the first argument
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<String>,
    /// In place of the second argument
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    pub limit: Option<usize>,
    /// The title of the chat, typed out; needed with --apply
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// The chat with oneself is meant: everything saved there goes
    #[serde(default)]
    pub saved_messages: bool,
    /// Most messages deleted in one run; 0 for no cap
    #[serde(default)]
    pub max: usize,
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The chat and its messages.
    #[serde(flatten)]
    pub sweep: Sweep,
}

struct DeleteMyMessages;

impl Tool for DeleteMyMessages {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram"])
            .replaces(1, &["delete_my_msgs"])
            .effects(&[Effect::Reads, Effect::Deletes])
            .gate(Gate::PlanFirst)
            .policy(
                Policy::with_timeout(Duration::from_secs(12 * 3600)),
                "deleting is paced, and a large account takes hours; a stopped run goes on where it was",
            )
            .example("see what would go", &["-1000000001002"])
            .example(
                "delete it, of the newest 100 messages",
                &["-1000000001002", "100", "--confirm", "River Club", "--apply"],
            )
            .example_exit(
                2,
                "without the typed title nothing goes",
                &["-1000000001002", "--apply"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let named = one("target", "chat", input.target.clone(), input.chat.clone())?
            .filter(|named| !named.trim().is_empty())
            .ok_or_else(|| {
                ToolError::invalid("target", "no chat is named")
                    .hint("delete_my_messages CHAT [LIMIT]; `list_chats` shows the ids")
            })?;
        let limit = one("newest", "limit", input.newest, input.limit)?.unwrap_or_default();
        let sweep = Telegram::session(ctx, async |telegram| {
            clean(&input, &named, limit, telegram, ctx).await
        })
        .await?;
        let output = Output { sweep };
        clean::told(ctx, std::slice::from_ref(&output.sweep), &output)?;
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let sweep = &output.sweep;
        writeln!(
            out,
            "Found chat: {0}\nScanning messages in {0}...",
            visible_line(&sweep.chat)
        )?;
        writeln!(
            out,
            "Found {} outgoing messages out of {} total",
            sweep.found, sweep.scanned
        )?;
        if sweep.resumed {
            writeln!(out, "Going on with a run that was stopped")?;
        }
        for item in &sweep.items {
            let verb = match item.state {
                State::Planned => "WOULD DELETE",
                State::Left => "LEFT",
                State::Already => "GONE",
                _ => "DEL",
            };
            writeln!(out, "  {verb}: {} - {}", item.minute(), item.shown())?;
            if let (State::Failed, Some(error)) = (item.state, &item.error) {
                writeln!(out, "    Error: {error}")?;
            }
        }
        writeln!(out, "\n=== Deleted {} messages ===", sweep.deleted)
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        Self::render(&output, view, out)
    }
}

/// The one of two ways to say it that was used.
fn one<T: PartialEq>(first: &str, second: &str, a: Option<T>, b: Option<T>) -> ToolResult<Option<T>> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Err(ToolError::invalid(
            second,
            format!("`--{second}` and {} say different things", first.to_uppercase()),
        )),
        (a, b) => Ok(a.or(b)),
    }
}

async fn clean(
    input: &Input,
    named: &str,
    limit: usize,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<Sweep> {
    let chat = telegram.resolve(named, ByTitle::No).await?;
    if chat.id() == telegram.me()?.id && !input.saved_messages {
        return Err(ToolError::invalid(
            "target",
            "this is the chat with oneself: all saved messages would go",
        )
        .code("saved_messages")
        .hint("add `--saved-messages` if that is really meant"));
    }
    clean::confirmed(ctx, &chat, input.confirm.as_deref())?;
    let cleaning = Cleaning {
        action: "delete_my_messages",
        request: format!("limit {limit} max {}", input.max),
        max: if input.max == 0 { usize::MAX } else { input.max },
        preview: 50,
        more: "",
    };
    let scan = async || {
        let mut messages = Vec::new();
        let scanned = telegram
            .newest(&chat, (limit > 0).then_some(limit), |message| {
                if message.out {
                    messages.push(message);
                }
                ctx.check_cancelled()?;
                Ok(true)
            })
            .await?;
        Ok(Found { scanned, messages })
    };
    let spare = async |fresh: &[Message]| -> ToolResult<HashMap<i32, String>> {
        Ok(fresh
            .iter()
            .filter(|message| !message.out)
            .map(|message| (message.id, "it is not this account's".to_owned()))
            .collect())
    };
    cleaning.run(telegram, &chat, scan, spare).await
}

fn main() -> ExitCode {
    app_core::main::<DeleteMyMessages>()
}
