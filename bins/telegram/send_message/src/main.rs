//! Sends one text message to one exact target. Replaces `send_message`.
//!
//! With `--idempotency-key` the same message is sent once, however often the program is started.

mod once;

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::acting::LONGEST_TEXT;
use telegram::peers::{self, Named};
use telegram::{ByTitle, Chat, Outgoing, Telegram};

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Who gets it: alias of config.yml, id, @username or t.me link; never a title
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub target: String,
    /// The text
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub message: String,
    /// Turn `**bold**`, `` `code` `` and `[links](url)` into formatting
    #[serde(default)]
    pub markdown: bool,
    /// Number of the message to answer
    #[garde(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i32>,
    /// Without a sound at the other side
    #[serde(default)]
    pub silent: bool,
    /// Without the preview of a link
    #[serde(default)]
    pub no_preview: bool,
    /// Any text: the message is sent once under this key, even if the program is started again
    #[garde(inner(length(min = 1, max = 200)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// What the tool returns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Title of the chat or name of the person.
    pub chat: String,
    /// Marked id.
    pub chat_id: i64,
    /// How the target was named.
    pub named: Target,
    /// Number of the message; none in a plan, or where the service does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i32>,
    /// It had been sent before under this key; nothing was sent now.
    pub repeated: bool,
    /// Nothing was sent: this is what would be.
    pub planned: bool,
}

/// How the target was named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// By an alias of `config.yml`.
    Alias(String),
    /// By `@username` or link.
    Username(String),
    /// By id.
    Id(i64),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(alias) => write!(f, "в {alias}"),
            Self::Username(name) => write!(f, "@{name}"),
            Self::Id(id) if *id > 0 => write!(f, "пользователю {id}"),
            Self::Id(id) => write!(f, "в {id}"),
        }
    }
}

struct SendMessage;

impl Tool for SendMessage {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["send_message"])
            .effects(&[Effect::Reads, Effect::Sends])
            .gate(Gate::ByInput)
            .policy(
                Policy::with_timeout(Duration::from_secs(3600)),
                "one message, but a large attachment and a flood wait take their time",
            )
            .example("send a text", &["@alice_doe", "see you at noon"])
            .example(
                "once, whatever happens",
                &[
                    "@river_club",
                    "Regatta on Sunday",
                    "--idempotency-key",
                    "regatta-2025",
                ],
            )
            .example("see who would get it", &["-1000000001002", "hello", "--dry-run"]);
        telegram::declare(&mut definition);
        definition
    }

    /// One explicit target: it is sent at once.
    fn plan_first(_input: &Input) -> bool {
        false
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        check(&input, ctx)?;
        Telegram::session(ctx, async |telegram| send(&input, telegram, ctx).await).await
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let to = &output.named;
        if output.planned {
            writeln!(out, "Было бы отправлено {to} ({})", visible_line(&output.chat))
        } else if output.repeated {
            writeln!(out, "✓ Сообщение уже было отправлено {to}")
        } else {
            writeln!(out, "✓ Сообщение отправлено {to}")
        }
    }
}

/// Refuses what can be told to be wrong without asking anybody.
fn check(input: &Input, ctx: &Context) -> ToolResult<()> {
    let (file, _) = telegram::AliasFile::read(ctx)?;
    let target = input.target.trim();
    if !file.chats.contains_key(target) {
        let wrong = |message: String| ToolError::invalid("target", message);
        match peers::parse(target).map_err(|error| error.field("target"))? {
            // A bare word may be meant as a title or an alias; it must not reach a stranger who has it as a name.
            Named::Username(name) if !target.starts_with('@') && !target.contains('/') => {
                return Err(wrong(format!("`{target}` is no alias of config.yml"))
                    .code("target_not_exact")
                    .hint(format!(
                        "for the person or chat with that public name write `@{name}`"
                    )));
            }
            Named::Title(_) => {
                return Err(wrong(format!(
                    "`{target}` is a title at best; a target is never guessed"
                ))
                .code("target_not_exact")
                .hint("use an alias of config.yml, an id, a @username or a t.me link"));
            }
            _ => {}
        }
    }
    let length = input.message.encode_utf16().count();
    if input.message.trim().is_empty() {
        return Err(ToolError::invalid("message", "the text is empty"));
    }
    if !input.markdown && length > LONGEST_TEXT {
        return Err(ToolError::invalid(
            "message",
            format!("the text has {length} characters; Telegram takes {LONGEST_TEXT}"),
        )
        .hint("split it into several messages"));
    }
    Ok(())
}

async fn send(input: &Input, telegram: &Telegram, ctx: &Context) -> ToolResult<Output> {
    let chat = telegram.resolve(&input.target, ByTitle::No).await?;
    let mut output = Output {
        chat: chat.title(),
        chat_id: chat.id().0,
        named: named(input, &chat),
        message_id: None,
        repeated: false,
        planned: ctx.dry_run(),
    };
    // The plan names the text by its digest: other people may read a plan.
    let digest = app_core::files::sha256(input.message.as_bytes());
    let target = format!("chat {} text {}", chat.id(), &digest[..16]);
    if !ctx.may("send_message", &target, "") {
        output.planned = true;
        return Ok(output);
    }
    let mut message = Outgoing {
        text: input.message.clone(),
        markdown: input.markdown,
        reply_to: input.reply_to,
        silent: input.silent,
        no_preview: input.no_preview,
        random_id: 0,
    };
    let id = match &input.idempotency_key {
        None => telegram.send_text(&chat, &message).await?.id,
        Some(key) => {
            let sent = once::send(key, &mut message, &chat, telegram, ctx).await?;
            output.repeated = sent.repeated;
            sent.id
        }
    };
    output.message_id = (id > 0).then_some(id);
    ctx.count_items(1);
    Ok(output)
}

fn named(input: &Input, chat: &Chat) -> Target {
    if let Some(alias) = &chat.alias {
        return Target::Alias(alias.clone());
    }
    match (peers::parse(&input.target), &chat.peer.username) {
        (Ok(Named::Username(name)), _) => Target::Username(name),
        _ => Target::Id(chat.id().0),
    }
}

fn main() -> ExitCode {
    app_core::main::<SendMessage>()
}
